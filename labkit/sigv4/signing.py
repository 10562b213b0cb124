"""All steps in one call: a signature in headers, or in the query of a presigned URL."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlsplit

from labkit.errors import SigningError
from labkit.markup import join, lines, tag
from labkit.sigv4.steps import (
    ALGORITHM,
    EMPTY_SHA256,
    CredentialScope,
    canonical_request,
    signature,
    string_to_sign,
)

NEVER_SIGNED = frozenset(
    """
    authorization connection expect keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding
    upgrade user-agent x-amzn-trace-id
    """.split()
)
"""Headers that proxies change, or that hold the signature itself; botocore leaves the same ones out."""
WRITTEN_BY_THE_SIGNER = frozenset({"authorization", "x-amz-date", "x-amz-security-token"})
MAX_EXPIRES = 604_800
"""A week, the longest that a presigned URL may be good for."""
_TOKEN = re.compile(r"(?im)(\bx-amz-security-token[:=]\s*)[^\s&'\"]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Credentials(Protocol):
    """Credentials as botocore has them."""

    @property
    def access_key(self) -> str:
        """The access key id."""

    @property
    def secret_key(self) -> str:
        """The secret access key."""

    @property
    def token(self) -> str | None:
        """The session token of temporary credentials."""


@dataclass(frozen=True, slots=True, repr=False)
class Signature:
    """A signature and the steps to it.

    Attributes:
        canonical_request: step 1.
        string_to_sign: step 2.
        signature: step 3, hexadecimal.
        scope: the credential scope.
        signed_headers: the names, ``;`` between them.
        headers: the headers to send, ``Authorization`` included.
    """

    canonical_request: str
    string_to_sign: str
    signature: str
    scope: CredentialScope
    signed_headers: str
    headers: dict[str, str]

    def steps(self) -> list[tuple[str, str]]:
        """What to show, step by step: a heading and a text. A session token is hidden, everything else is there."""
        scope = self.scope
        chain = [scope.date, scope.region, scope.service, scope.terminator]
        key = (
            'HMAC-SHA256 with "AWS4" + the secret access key, then with each result: '
            + " → ".join(chain)
        )
        return [
            ("1. canonical request", hide_token(self.canonical_request)),
            ("2. string to sign (its last line is the SHA-256 of step 1)", self.string_to_sign),
            ("3. signing key, good for one day, Region and service", key),
            ("4. signature (the HMAC-SHA256 of step 2 with the key of step 3)", self.signature),
            self._what_to_send(),
        ]

    def _what_to_send(self) -> tuple[str, str]:
        names = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
        lines = [f"{name}: {self.headers[name]}" for name in names if name in self.headers]
        return "send these headers", hide_token("\n".join(lines))

    def __str__(self) -> str:
        return "\n\n".join(
            "\n".join([heading, *(f"  {line}".rstrip() for line in text.split("\n"))])
            for heading, text in self.steps()
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same words; what comes from the request is escaped."""
        style = "white-space:pre-wrap;overflow-wrap:anywhere"
        return join(
            part
            for heading, text in self.steps()
            for part in (tag("p", tag("b", heading)), tag("pre", lines(text), style=style))
        )


@dataclass(frozen=True, slots=True, repr=False)
class PresignedUrl(Signature):
    """A URL that whoever has it may use until it expires, and the steps to it.

    Attributes:
        url: the URL, with the signature. It is a secret.
        expires: for how many seconds it is good.
    """

    url: str
    expires: int

    def _what_to_send(self) -> tuple[str, str]:
        return f"use this URL within {self.expires} seconds", hide_token(self.url)


def hide_token(text: str) -> str:
    """A text without the value of a session token."""
    return _TOKEN.sub(r"\1…", text)


def sign(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    credentials: Credentials,
    region: str,
    service: str = "execute-api",
    now: dt.datetime | None = None,
) -> Signature:
    """Sign a request.

    Args:
        method: the verb.
        url: the whole URL, percent-encoded as it will be sent.
        headers: what will be sent; all of it is signed but what proxies change.
        body: what will be sent.
        credentials: botocore's.
        region: the API's Region.
        service: the signing name.
        now: the time, aware; the present if None.

    Returns:
        The steps, and the headers to send.

    >>> from botocore.credentials import Credentials
    >>> key = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    >>> made = sign("GET", "https://example.amazonaws.com/", credentials=key, region="us-east-1", service="service",
    ...             now=dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC))
    >>> made.signature
    '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'
    """
    amz_date = _amz_date(now)
    sent = {k: v for k, v in (headers or {}).items() if k.lower() not in WRITTEN_BY_THE_SIGNER}
    _add_host(sent, url)
    sent["X-Amz-Date"] = amz_date
    if credentials.token:
        sent["X-Amz-Security-Token"] = credentials.token
    data = body.encode() if isinstance(body, str) else body
    scope = CredentialScope(amz_date[:8], region, service)
    payload_hash = _declared_hash(sent) or hashlib.sha256(data).hexdigest()
    proofs = _proofs(method, url, sent, payload_hash, amz_date, scope, credentials)
    sent["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={proofs[-1]}, Signature={proofs[2]}"
    )
    return Signature(*proofs, sent)


def presign(
    method: str,
    url: str,
    *,
    expires: int,
    credentials: Credentials,
    region: str,
    service: str = "execute-api",
    now: dt.datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> PresignedUrl:
    """Sign a URL for a request without a body: the signature is in the query, so a link or a browser can use it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (query parameters)

    Args:
        method: the verb.
        url: the whole URL, percent-encoded.
        expires: for how many seconds it is good, 1 to 604,800 (a week); never longer than the credentials are.
        credentials: botocore's.
        region: the API's Region.
        service: the signing name.
        now: the time, aware; the present if None.
        headers: what must be sent along; usually nothing.

    Raises:
        SigningError: ``expires`` is out of range, or the URL is presigned already.

    >>> from botocore.credentials import Credentials
    >>> key = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    >>> made = presign("GET", "https://example.amazonaws.com/", expires=3600, credentials=key, region="us-east-1",
    ...                service="service", now=dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC))
    >>> made.url.partition("&X-Amz-Signature=")[2]
    'e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d'
    """
    if not 1 <= expires <= MAX_EXPIRES:
        raise SigningError(
            f"expires={expires} isn't between 1 and {MAX_EXPIRES} seconds: choose another time."
        )
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    if any(name == "X-Amz-Signature" for name, _value in given):
        raise SigningError("This URL is presigned already: presign the plain URL.")
    amz_date = _amz_date(now)
    scope = CredentialScope(amz_date[:8], region, service)
    sent = dict(headers or {})
    _add_host(sent, url)
    names = ";".join(_names(sent))
    query = [
        *given,
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key}/{scope}"),
        ("X-Amz-Date", amz_date),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", names),
    ]
    if credentials.token:
        query.append(("X-Amz-Security-Token", credentials.token))
    encoded = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in query)
    unsigned = parts._replace(query=encoded, fragment="").geturl()
    payload_hash = _declared_hash(sent) or ("UNSIGNED-PAYLOAD" if service == "s3" else EMPTY_SHA256)
    proofs = _proofs(method, unsigned, sent, payload_hash, amz_date, scope, credentials)
    return PresignedUrl(*proofs, sent, f"{unsigned}&X-Amz-Signature={proofs[2]}", expires)


def _proofs(
    method: str,
    url: str,
    headers: Mapping[str, str],
    payload_hash: str,
    amz_date: str,
    scope: CredentialScope,
    credentials: Credentials,
) -> tuple[str, str, str, CredentialScope, str]:
    """The steps, the scope, and the names of the signed headers."""
    parts, names = urlsplit(url), _names(headers)
    canonical = canonical_request(
        method, parts.path, parts.query, headers, names, payload_hash, scope.service
    )
    to_sign = string_to_sign(amz_date, scope, canonical)
    proof = signature(credentials.secret_key, scope, to_sign)
    return canonical, to_sign, proof, scope, ";".join(names)


def _amz_date(now: dt.datetime | None) -> str:
    moment = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _names(headers: Mapping[str, str]) -> list[str]:
    return sorted({name.lower() for name in headers} - NEVER_SIGNED)


def _declared_hash(headers: Mapping[str, str]) -> str:
    """A client may declare the payload's hash, or that it isn't signed."""
    declared = {name.lower(): value for name, value in headers.items()}
    return declared.get("x-amz-content-sha256", "")


def _add_host(headers: dict[str, str], url: str) -> None:
    """The ``Host`` header that a client will send, if it isn't given."""
    if not any(name.lower() == "host" for name in headers):
        parts = urlsplit(url)
        name = parts.hostname or ""
        name = f"[{name}]" if ":" in name else name
        default = _DEFAULT_PORTS.get(parts.scheme)
        headers["Host"] = name if parts.port in (None, default) else f"{name}:{parts.port}"


def _encode(text: str) -> str:
    return quote(text, safe="-._~", errors="surrogateescape")
