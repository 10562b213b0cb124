"""What the signature widget shows, as data: the steps to a signature, and which of their lines a change touched."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, urlsplit

from labkit import sigv4
from labkit.errors import SigningError
from labkit.tokens import redact

Mark = Literal[" ", "●", "-"]
SAME: Mark = " "
CHANGED: Mark = "●"
GONE: Mark = "-"
_KEY_DIGITS = 12
_IN_PATH = "/%!$&'()*+,;=:@~"
_IN_QUERY = _IN_PATH + "?"


@dataclass(slots=True)
class ExampleCredentials:
    """Credentials as AWS's documentation has them: they open nothing.

    Attributes:
        access_key: the access key's id.
        secret_key: the secret access key.
        token: the session token of temporary credentials.
    """

    access_key: str = "AKIAIOSFODNN7EXAMPLE"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - AWS's documented example
    token: str | None = None


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A request to sign, as a learner writes it.

    Attributes:
        method: the verb.
        host: the API's host name.
        path: the path, with the stage.
        query: the query string, without ``?``.
        header: one more header, ``name: value``; empty for none.
        body: the body.
        clock: the time, such as ``2013-05-24T00:00:00Z``.
        credentials: who signs.
        region: the API's Region.
        service: the signing name.
    """

    method: str
    host: str
    path: str
    query: str
    header: str
    body: str
    clock: str
    credentials: sigv4.Credentials
    region: str
    service: str

    def with_secret(self, secret: str) -> SigningRequest:
        """The same, signed with another secret access key."""
        own = self.credentials
        return replace(self, credentials=ExampleCredentials(own.access_key, secret, own.token))


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        title: AWS's name for it.
        lines: what comes out.
    """

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line of a step, and whether it was touched.

    Attributes:
        mark: as it was, changed (or new), or gone.
        text: the line.
    """

    mark: Mark
    text: str


def steps_of(request: SigningRequest) -> tuple[Step, ...]:
    """The four steps and what to send; what is secret in them is cut or redacted.

    Raises:
        SigningError: the request can't be signed as it is written.
    """
    signed = sigv4.sign(
        request.method,
        _url(request),
        headers=_header(request.header),
        body=request.body,
        credentials=request.credentials,
        region=request.region,
        service=request.service,
        now=_moment(request.clock),
    )
    key = sigv4.signing_key(request.credentials.secret_key, signed.scope).hex()
    return tuple(
        Step(title, tuple(lines))
        for (title, _text), lines in zip(signed.steps(), _lines(signed, key), strict=True)
    )


def _lines(signed: sigv4.Signature, key: str) -> Iterator[list[str]]:
    """Each step's lines: a header of the request may be a secret too, and a change of the key must show."""
    canonical, to_sign, chain, proof, to_send = (
        text.split("\n") for _title, text in signed.steps()
    )
    yield [redact(line) for line in canonical]
    yield to_sign
    yield [*chain, f"= {key[:_KEY_DIGITS]}… (the rest stays secret)"]
    yield proof
    yield [part for line in to_send for part in line.replace(", ", ",\n  ").split("\n")]


def _url(request: SigningRequest) -> str:
    if not request.path.startswith("/"):
        raise SigningError("The path begins with a slash: write it as /dev/demo, for example.")
    query = quote(request.query.removeprefix("?"), safe=_IN_QUERY)
    path = quote(request.path, safe=_IN_PATH)
    return f"https://{request.host}{path}" + (f"?{query}" if query else "")


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


def request_of(
    method: str,
    url: str,
    *,
    header: str,
    body: str,
    credentials: sigv4.Credentials,
    region: str,
    service: str,
    now: dt.datetime,
) -> SigningRequest:
    """A request as it is given to the widget."""
    parts = urlsplit(url)
    clock = now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return SigningRequest(
        method.upper(),
        parts.netloc,
        parts.path or "/",
        parts.query,
        header,
        body,
        clock,
        credentials,
        region,
        service,
    )


def marked(before: Sequence[str], after: Sequence[str]) -> list[MarkedLine]:
    """The lines after a change, each with a mark; lines that are gone stay to be seen.

    >>> [f"{line.mark}{line.text}" for line in marked(["GET", "/", "a=1"], ["POST", "/", "a=1", "b"])]
    ['-GET', '●POST', ' /', ' a=1', '●b']
    """
    found: list[MarkedLine] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for what, start, stop, new_start, new_stop in matcher.get_opcodes():
        if what == "equal":
            found += [MarkedLine(SAME, line) for line in after[new_start:new_stop]]
            continue
        found += [MarkedLine(GONE, line) for line in before[start:stop]]
        found += [MarkedLine(CHANGED, line) for line in after[new_start:new_stop]]
    return found


def marked_steps(
    before: Sequence[Step], after: Sequence[Step]
) -> Iterator[tuple[str, list[MarkedLine]]]:
    """Each step's title, and its marked lines."""
    for one, other in zip(before, after, strict=True):
        yield other.title, marked(one.lines, other.lines)
