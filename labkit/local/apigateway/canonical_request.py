"""Signature v4 as a server computes it: canonical request, string to sign, signature (gateway 4.26).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

It stands by itself: the course's own signer shares no line with it, so that their agreement means something.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from labkit.local.messages import Request

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
_SIGNATURE_PARAMETER = "X-Amz-Signature"


class SigningScope(NamedTuple):
    """For which day, Region and service a signature is good."""

    date: str
    region: str
    service: str
    terminator: str

    def __str__(self) -> str:
        return "/".join(self)


def canonical_request(request: Request, signed_headers: Sequence[str]) -> str:
    """The request as it arrived, in the form that the client should have signed."""
    return "\n".join(
        (
            request.method.upper(),
            canonical_path(request.raw_path),
            canonical_query(request.query_string),
            canonical_headers(request, signed_headers),
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def canonical_path(raw_path: str) -> str:
    """The path without dot segments and doubled slashes, encoded once more than it was sent.

    >>> canonical_path("/dev//a%20b/../c/"), canonical_path("/dev/a%20b")
    ('/dev/c/', '/dev/a%2520b')
    """
    kept: list[str] = []
    for segment in raw_path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    path = "/" + "/".join(kept)
    return quote(path + "/" if kept and raw_path.endswith("/") else path, safe="/~")


def canonical_query(query_string: str) -> str:
    """Names and values decoded and encoded anew, so that only one spelling is good; then sorted.

    A plus sign counts as a blank. The signature of a presigned URL isn't part of what it signs.

    >>> canonical_query("b=2&a=%2a&a=*&c=1+2&X-Amz-Signature=0")
    'a=%2A&a=%2A&b=2&c=1%202'
    """
    if not query_string:
        return ""
    pairs = [pair.partition("=")[::2] for pair in query_string.split("&")]
    encoded = [(_encoded(name), _encoded(value)) for name, value in pairs]
    return "&".join(
        f"{name}={value}" for name, value in sorted(encoded) if name != _SIGNATURE_PARAMETER
    )


def canonical_headers(request: Request, signed_headers: Sequence[str]) -> str:
    """The signed headers, one a line: values with their blanks folded, doubled ones joined."""
    values: dict[str, str] = {}
    for name, value in request.headers:
        key, folded = name.lower(), " ".join(value.split())
        values[key] = f"{values[key]},{folded}" if key in values else folded
    return "".join(f"{name}:{values.get(name, '')}\n" for name in signed_headers)


def string_to_sign(stamp: str, scope: SigningScope, canonical: str) -> str:
    """The algorithm, the time, the scope and the canonical request's hash."""
    return "\n".join((ALGORITHM, stamp, str(scope), hashlib.sha256(canonical.encode()).hexdigest()))


def signature_of(to_sign: str, secret_access_key: str, scope: SigningScope) -> str:
    """The signature that the owner of the secret would have made."""
    return hmac.digest(_signing_key(secret_access_key, scope), to_sign.encode(), "sha256").hex()


@lru_cache(64)
def _signing_key(secret_access_key: str, scope: SigningScope) -> bytes:
    """The key of a day, as a client keeps it, too."""
    key = f"AWS4{secret_access_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _encoded(text: str) -> str:
    sent = text.replace("+", " ").encode("latin-1", "replace")
    return quote_from_bytes(unquote_to_bytes(sent), safe="-_.~")
