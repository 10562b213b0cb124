"""What the signature widget shows, as data: the steps to a signature, and which of their lines a change touched."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import quote

from botocore.credentials import Credentials

from labkit import sigv4
from labkit.errors import SigningError
from labkit.tokens import redact

Mark = Literal[" ", "●", "-"]
SAME: Mark = " "
CHANGED: Mark = "●"
GONE: Mark = "-"
EXAMPLE_KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""Credentials as AWS's documentation has them: they open nothing."""
_KEY_DIGITS = 12
_IN_PATH = "/%!$&'()*+,;=:@~"
_IN_QUERY = _IN_PATH + "?"


Steps = list[tuple[str, list[str]]]
"""Of each step AWS's name for it, and the lines that come out."""


def steps_of(written: Sequence[str], *, host: str, region: str) -> Steps:
    """The four steps and what to send; what is secret in them is cut or redacted.

    Args:
        written: as a learner writes it: the method; the path, with the stage; the query string; one more header,
            ``name: value``, or nothing; the secret access key; the time, such as ``2013-05-24T00:00:00Z``.
        host: the API's host name.
        region: the API's Region.

    Raises:
        SigningError: the request can't be signed as it is written.
    """
    method, path, query, header, secret, clock = written
    if not path.startswith("/"):
        raise SigningError("The path begins with a slash: write it as /dev/demo, for example.")
    url = f"https://{host}{quote(path, safe=_IN_PATH)}"
    asked = quote(query.removeprefix("?"), safe=_IN_QUERY)
    key = Credentials(EXAMPLE_KEY[0], secret)
    signed = sigv4.sign(
        method,
        f"{url}?{asked}" if asked else url,
        headers=_header(header),
        credentials=key,
        region=region,
        now=_moment(clock),
    )
    steps = [(title, text.split("\n")) for title, text in signed.steps()]
    canonical, _to_sign, chain, _proof, to_send = (lines for _title, lines in steps)
    # A header of the request may be a secret too, and a change of the key must show.
    canonical[:] = map(redact, canonical)
    derived = sigv4.signing_key(key.secret_key, signed.scope).hex()
    chain.append(f"= {derived[:_KEY_DIGITS]}… (the rest stays secret)")
    to_send[:] = [part for line in to_send for part in line.replace(", ", ",\n  ").split("\n")]
    return steps


def _header(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not name.strip().isascii() or " " in name.strip():
        raise SigningError("The header isn't one: write it as name: value.")
    return {name.strip(): value.strip()}


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise SigningError("The clock isn't a time: write it as 2013-05-24T00:00:00Z.") from None


def marked(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Mark, str]]:
    """The lines after a change, each with a mark; lines that are gone stay to be seen.

    >>> [mark + line for mark, line in marked(["GET", "/", "a=1"], ["POST", "/", "a=1", "b"])]
    ['-GET', '●POST', ' /', ' a=1', '●b']
    """
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for what, start, stop, new_start, new_stop in matcher.get_opcodes():
        if what != "equal":
            yield from ((GONE, line) for line in before[start:stop])
        mark = SAME if what == "equal" else CHANGED
        yield from ((mark, line) for line in after[new_start:new_stop])
