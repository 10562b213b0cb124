"""The steps of AWS Signature Version 4, each a function with AWS's own name.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

The paths of ``execute-api`` are encoded twice, as for every service but S3.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """Where and when a signature is good: date, Region, service.

    >>> str(CredentialScope("20130524", "us-east-1", "execute-api"))
    '20130524/us-east-1/execute-api/aws4_request'
    """

    date: str
    region: str
    service: str
    terminator: str = TERMINATOR

    def __str__(self) -> str:
        return "/".join((self.date, self.region, self.service, self.terminator))


# -- step 1: the canonical request ------------------------------------------------------


def canonical_uri(path: str, service: str = "execute-api") -> str:
    """The path as it is signed: without dot segments, and (but for S3) encoded once more.

    Args:
        path: the path as sent, percent-encoded.
        service: the service's signing name.

    >>> canonical_uri("/dev/a%20b/../c")
    '/dev/c'
    >>> canonical_uri("/dev/a%20b")
    '/dev/a%2520b'
    """
    if service == "s3":
        return path or "/"
    return quote(_without_dot_segments(path), safe="/~")


def _without_dot_segments(path: str) -> str:
    plain = posixpath.normpath("/" + path.lstrip("/"))
    return plain + "/" if path.endswith("/") and plain != "/" else plain


def canonical_query_string(query_string: str) -> str:
    """The query string as it is signed: names and values encoded anew, sorted by name, then by value (gateway 4.26).

    botocore signs a URL's query as it stands, which AWS takes only where that is the same.

    Args:
        query_string: as sent, percent-encoded, without ``?``. A plus sign counts as a blank.

    >>> canonical_query_string("b=2&a=1&a=0&empty")
    'a=0&a=1&b=2&empty='
    >>> canonical_query_string("a=*&b=1+2&c=%2a")
    'a=%2A&b=1%202&c=%2A'
    """
    if not query_string:
        return ""
    pairs = [map(_uri_encode, pair.partition("=")[::2]) for pair in query_string.split("&")]
    return "&".join(f"{name}={value}" for name, value in sorted(map(tuple, pairs)))


def _uri_encode(text: str) -> str:
    """A percent-encoded name or value in the one spelling that is signed: only ``A-Z a-z 0-9 - . _ ~`` stay."""
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="~")


def canonical_headers(headers: Mapping[str, str], signed: Iterable[str]) -> str:
    r"""The signed headers, one a line: lower-case name, value with its blanks folded.

    >>> canonical_headers({"Host": "example.com", "X-Amz-Date": " 2013  05 "}, ["host", "x-amz-date"])
    'host:example.com\nx-amz-date:2013 05\n'
    """
    values: dict[str, str] = {}
    for name, value in headers.items():
        key, folded = name.lower(), " ".join(value.split())
        values[key] = f"{values[key]},{folded}" if key in values else folded
    return "".join(f"{name}:{values.get(name, '')}\n" for name in signed)


def canonical_request(
    method: str,
    path: str,
    query_string: str,
    headers: Mapping[str, str],
    signed: Iterable[str],
    payload_hash: str,
    service: str = "execute-api",
) -> str:
    """Step 1: the request in the one form that client and server agree on."""
    names = list(signed)
    return "\n".join(
        (
            method.upper(),
            canonical_uri(path, service),
            canonical_query_string(query_string),
            canonical_headers(headers, names),
            ";".join(names),
            payload_hash,
        )
    )


# -- step 2: the string to sign -----------------------------------------------------------


def string_to_sign(amz_date: str, scope: CredentialScope, canonical: str) -> str:
    """Step 2: the algorithm, the time, the scope and the canonical request's hash.

    >>> string_to_sign("20130524T000000Z", CredentialScope("20130524", "us-east-1", "s3"), "").splitlines()[:3]
    ['AWS4-HMAC-SHA256', '20130524T000000Z', '20130524/us-east-1/s3/aws4_request']
    """
    return "\n".join(
        (ALGORITHM, amz_date, str(scope), hashlib.sha256(canonical.encode()).hexdigest())
    )


# -- step 3: the key and the signature ---------------------------------------------------------


def signing_key(secret_key: str, scope: CredentialScope) -> bytes:
    """A key for one day, one Region and one service, derived from the secret key.

    The example of AWS's documentation:

    >>> scope = CredentialScope("20120215", "us-east-1", "iam")
    >>> signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope).hex()
    'f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d'
    """
    key = f"AWS4{secret_key}".encode()
    for part in (scope.date, scope.region, scope.service, scope.terminator):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def signature(secret_key: str, scope: CredentialScope, to_sign: str) -> str:
    """Step 3: the HMAC of the string to sign, hexadecimal."""
    return hmac.new(signing_key(secret_key, scope), to_sign.encode(), hashlib.sha256).hexdigest()
