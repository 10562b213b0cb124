"""Why a signature doesn't match: the first line in which the server's canonical request differs from ours.

API Gateway's refusal of a signature repeats what it computed (gateway 4.3); newer front ends leave it out
(gateway 4.4), and then nothing can be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from urllib.parse import unquote, unquote_plus

import requests

from labkit.markup import join, plain, tag
from labkit.sigv4.signing import Signature, hide_token
from labkit.sigv4.steps import EMPTY_SHA256

_SERVER = re.compile(
    r"The Canonical String for this request should have been\s*'(?P<canonical>.*?)'\s*"
    r"The String-to-Sign should have been\s*'(?P<to_sign>.*?)'",
    re.DOTALL,
)
_HEADINGS = {
    "unknown": "The answer doesn't tell what the server computed.",
    "secret key": "Both sides computed the same strings.",
}
_MISSING = "(not there)"
_STYLE = "text-align:left;vertical-align:top;font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere;"


@dataclass(frozen=True, slots=True)
class SignatureDifference:
    """The first difference between what was signed and what arrived.

    Attributes:
        part: what differs: ``verb``, ``path``, ``query``, ``header <name>``, ``signed headers``, ``payload hash``,
            ``time`` or ``scope`` of the string to sign, ``secret key`` when all strings are equal, or ``unknown`` when
            the server doesn't tell.
        line: the line of the canonical request, from 1; 0 when the canonical requests are equal.
        signed: our line; None when the server has one more.
        arrived: the server's line; None when we have one more.
        hint: what to look at.
    """

    part: str
    line: int
    signed: str | None
    arrived: str | None
    hint: str

    @property
    def column(self) -> int:
        """The first character that differs, from 0."""
        pairs = zip_longest(self.signed or "", self.arrived or "")
        return next((n for n, (one, two) in enumerate(pairs) if one != two), 0)

    @property
    def heading(self) -> str:
        """The difference in one sentence."""
        if self.line:
            where = f"line {self.line} of the canonical request"
            return f"The first difference is the {self.part}, {where}."
        equal = "The canonical requests are equal; the string to sign differs in the"
        return _HEADINGS.get(self.part, f"{equal} {self.part}.")

    def _rows(self) -> Iterator[tuple[str, str]]:
        if self.signed is not None or self.arrived is not None:
            for title, line in (("signed", self.signed), ("arrived", self.arrived)):
                yield title, _MISSING if line is None else plain(hide_token(line))

    def __str__(self) -> str:
        lines = [self.heading, *(f"  {title:<8} {line}" for title, line in self._rows())]
        shown = [line for _title, line in self._rows()]
        if shown and _MISSING not in shown and shown[0] != shown[1]:
            lines.append(" " * (11 + self.column) + "^")
        return "\n".join([*lines, self.hint])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same words; the part from the first different character on is bold."""
        rows = [
            tag(
                "tr",
                tag("th", title, style="text-align:left"),
                tag("td", line[: self.column], tag("b", line[self.column :]), style=_STYLE),
            )
            for title, line in self._rows()
        ]
        table = [tag("table", tag("tbody", *rows))] if rows else []
        return join([tag("p", tag("b", self.heading)), *table, tag("p", self.hint)])


def server_strings(text: str) -> tuple[str, str] | None:
    """The canonical request and the string to sign that a refusal repeats; None when it doesn't.

    Args:
        text: the refusal's message, or the JSON body that it is in.
    """
    try:
        data = json.loads(text)
        text = str(data.get("message") or data.get("Message"))
    except (ValueError, AttributeError, RecursionError):
        text = text.replace("\\n", "\n").replace('\\"', '"')  # copied out of a JSON body
    found = _SERVER.search(text)
    return (found["canonical"], found["to_sign"]) if found else None


def diff(server_message: str | requests.Response, signature: Signature) -> SignatureDifference:
    r"""Find the first line in which what the server saw differs from what was signed.

    Args:
        server_message: the response with the refusal, its body, or its message.
        signature: what :func:`labkit.sigv4.sign` or :func:`labkit.sigv4.presign` returned, or ``SigV4Auth.last``.

    Returns:
        The difference, with a hint. Values of session tokens are hidden when it is shown.

    >>> from botocore.credentials import Credentials
    >>> from labkit.sigv4.signing import sign
    >>> made = sign("GET", "https://a.example.com/dev/demo", credentials=Credentials("AKID", "key"), region="us-east-1")
    >>> arrived = made.canonical_request.replace("GET", "POST")
    >>> print(diff(f"The Canonical String for this request should have been\n'{arrived}'\n\n"
    ...            f"The String-to-Sign should have been\n'{made.string_to_sign}'", made))
    The first difference is the verb, line 1 of the canonical request.
      signed   GET
      arrived  POST
               ^
    Sign the verb that is sent. A redirect or a proxy can change it on the way.
    """
    text = server_message if isinstance(server_message, str) else server_message.text
    theirs = server_strings(text)
    if theirs is None:
        return SignatureDifference("unknown", 0, None, None, _HINTS["unknown"])
    canonical, to_sign = theirs
    if canonical != signature.canonical_request:
        return compare_canonical_requests(signature.canonical_request, canonical)
    for part, ours, other in zip(
        ("algorithm", "time", "scope", "hash"),
        signature.string_to_sign.split("\n"),
        to_sign.split("\n"),
        strict=False,
    ):
        if ours != other:
            return SignatureDifference(part, 0, ours, other, _HINTS.get(part, ""))
    return SignatureDifference("secret key", 0, None, None, _HINTS["secret key"])


def compare_canonical_requests(ours: str, theirs: str) -> SignatureDifference:
    """The first difference of two that differ: ours, and the server's."""
    mine, other = _parts(ours), _parts(theirs)
    headers = sorted(part for part in {*mine, *other} if part.startswith("header "))
    order = ["verb", "path", "query", *headers, "signed headers", "payload hash"]
    part = next((p for p in order if mine.get(p) != other.get(p)), "payload hash")
    number, signed = mine.get(part, (0, None))
    arrived = other.get(part, (0, None))[1]
    return SignatureDifference(
        part, number or other[part][0], signed, arrived, _hint(part, signed, arrived)
    )


def _parts(canonical: str) -> dict[str, tuple[int, str]]:
    """A canonical request taken apart: what a line is → its number and the line."""
    lines = canonical.split("\n")
    names = ["verb", "path", "query"]
    names += [f"header {line.partition(':')[0]}" for line in lines[3:-3]]
    names += ["", "signed headers", "payload hash"]
    return {n: (at, line) for at, (n, line) in enumerate(zip(names, lines, strict=False), 1) if n}


# -- hints -------------------------------------------------------------------------------------

_HINTS = {
    "unknown": "Look at the time, the Region, the service, the key and the session token; "
    "labkit.explain(response) asks for each of them.",
    "verb": "Sign the verb that is sent. A redirect or a proxy can change it on the way.",
    "path": "Sign the path that is sent, with the stage in front. A custom domain's base path counts, too.",
    "query": "The query was changed after it was signed: build the whole URL first, then sign it.",
    "signed headers": "Another list of headers was signed than the Authorization header names.",
    "payload hash": "The body that arrived isn't the one that was signed: sign exactly the bytes that are sent.",
    "time": "The request carries another X-Amz-Date than the one that was signed.",
    "scope": "The request was signed for another date, Region or service than its Credential says.",
    "secret key": "Only the secret access key is left: it isn't the one of this access key id.",
    "header host": "The API saw another Host than the one that was signed: a proxy, CloudFront or a custom domain is "
    "in between. Sign for the host that the API itself gets.",
    "header x-amz-date": "The date was changed after signing: sign again, and send what was signed.",
    "header x-amz-security-token": "Temporary credentials belong together: sign with the session token, and send it.",
    "header content-type": "The client wrote another Content-Type after signing: set it before, or don't sign it.",
}


def _hint(part: str, signed: str | None, arrived: str | None) -> str:
    if signed is None:
        return (
            f"The {part} arrived, and is among the signed headers, but wasn't signed with a value."
        )
    if part.startswith("header "):
        if arrived is None or arrived == f"{part[7:]}:":
            return f"The {part} was signed, but didn't arrive: send it, or don't sign it."
        return _HINTS.get(
            part, f"The {part} was changed after signing, by the client or on the way."
        )
    return _special(part, signed, arrived or "") or _HINTS.get(part, "")


def _special(part: str, signed: str, arrived: str) -> str:
    """A hint for a mistake that can be recognised."""
    if part == "path" and unquote(arrived) == signed:
        return "The path was encoded once, as S3 wants it: for execute-api it is encoded once more (%20 becomes %2520)."
    if part == "path" and arrived.endswith(signed):
        return "The path was signed without its beginning: the stage is part of it."
    if part == "query" and unquote_plus(signed) == unquote_plus(arrived):
        return "The same parameters, encoded another way: a blank is %20, not +; only A-Z a-z 0-9 - . _ ~ stay."
    if part == "query" and sorted(signed.split("&")) == sorted(arrived.split("&")):
        return "The same parameters in another order: they are sorted by name, then by value."
    if part == "payload hash" and arrived == EMPTY_SHA256:
        return "The server saw no body: it was signed, but not sent."
    if part == "payload hash" and signed == EMPTY_SHA256:
        return "An empty body was signed, but another one was sent: give the body to the signer."
    return ""
