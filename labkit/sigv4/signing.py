"""All steps in one call: a signature in headers, or in the query of a presigned URL."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from labkit.clock import PROCESS_CLOCK
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
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Credentials(Protocol):
    """Credentials as botocore has them.

    Attributes:
        access_key: the access key id.
        secret_key: the secret access key.
        token: the session token of temporary credentials.
    """

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Signature:
    """A signature and the steps to it.

    What is signed for a link has a ``url``, and whoever has that may use it until it expires.

    Attributes:
        canonical_request: step 1.
        string_to_sign: step 2.
        signature: step 3, hexadecimal.
        scope: the credential scope.
        signed_headers: the names, ``;`` between them.
        headers: the headers to send, with ``Authorization`` if there is no ``url``.
        url: the presigned URL. It is a secret.
        expires: for how many seconds the URL is good.
    """

    canonical_request: str
    string_to_sign: str
    signature: str
    scope: CredentialScope
    signed_headers: str
    headers: dict[str, str]
    url: str = ""
    expires: int = 0

    def steps(self) -> list[tuple[str, str]]:
        """What to show, step by step: a heading and a text. A session token is hidden, everything else is there."""
        start = 'HMAC-SHA256 with "AWS4" + the secret access key, then with each result: '
        key = start + str(self.scope).replace("/", " → ")
        return [
            ("1. canonical request", hide_token(self.canonical_request)),
            ("2. string to sign (its last line is the SHA-256 of step 1)", self.string_to_sign),
            ("3. signing key, good for one day, Region and service", key),
            ("4. signature (the HMAC-SHA256 of step 2 with the key of step 3)", self.signature),
            self._what_to_send(),
        ]

    def _what_to_send(self) -> tuple[str, str]:
        if self.url:
            return f"use this URL within {self.expires} seconds", hide_token(self.url)
        names = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
        lines = [f"{name}: {self.headers[name]}" for name in names if name in self.headers]
        return "send these headers", hide_token("\n".join(lines))

    def __str__(self) -> str:
        return "\n\n".join(
            "\n".join([heading, *(f"  {line}".rstrip() for line in text.split("\n"))])
            for heading, text in self.steps()
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same words; what comes from the request is escaped."""
        style = "white-space:pre-wrap;overflow-wrap:anywhere"
        return join(
            part
            for heading, text in self.steps()
            for part in (tag("p", tag("b", heading)), tag("pre", lines(text), style=style))
        )


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
    if not any(name.lower() == "host" for name in sent):
        sent["Host"] = _host(url)
    sent["X-Amz-Date"] = amz_date
    if credentials.token:
        sent["X-Amz-Security-Token"] = credentials.token
    data = body.encode() if isinstance(body, str) else body
    scope = CredentialScope(amz_date[:8], region, service)
    declared = {name.lower(): value for name, value in sent.items()}.get("x-amz-content-sha256")
    payload_hash = declared or hashlib.sha256(data).hexdigest()
    made = _signature(method, url, sent, payload_hash, amz_date, scope, credentials)
    made.headers["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={made.signed_headers}, Signature={made.signature}"
    )
    return made


def presign(
    method: str,
    url: str,
    *,
    expires: int,
    credentials: Credentials,
    region: str,
    service: str = "execute-api",
    now: dt.datetime | None = None,
) -> Signature:
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
    if "X-Amz-Signature=" in parts.query:
        raise SigningError("This URL is presigned already: presign the plain URL.")
    amz_date = _amz_date(now)
    scope = CredentialScope(amz_date[:8], region, service)
    added = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": amz_date,
        "X-Amz-Expires": expires,
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.token:
        added["X-Amz-Security-Token"] = credentials.token
    query = "&".join(filter(None, (parts.query, urlencode(added, quote_via=quote))))
    unsigned = parts._replace(query=query, fragment="").geturl()
    sent = {"Host": _host(url)}
    made = _signature(method, unsigned, sent, EMPTY_SHA256, amz_date, scope, credentials)
    return replace(made, url=f"{unsigned}&X-Amz-Signature={made.signature}", expires=expires)


def _signature(
    method: str,
    url: str,
    headers: dict[str, str],
    payload_hash: str,
    amz_date: str,
    scope: CredentialScope,
    credentials: Credentials,
) -> Signature:
    """The steps; these headers are signed and will be sent."""
    parts = urlsplit(url)
    names = sorted({name.lower() for name in headers} - NEVER_SIGNED)
    canonical = canonical_request(
        method, parts.path, parts.query, headers, names, payload_hash, scope.service
    )
    to_sign = string_to_sign(amz_date, scope, canonical)
    proof = signature(credentials.secret_key, scope, to_sign)
    return Signature(canonical, to_sign, proof, scope, ";".join(names), headers)


def _amz_date(now: dt.datetime | None) -> str:
    if now is None:
        PROCESS_CLOCK.catch_up()
        now = dt.datetime.now(dt.UTC)
    return now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _host(url: str) -> str:
    """The ``Host`` header that a client will send."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
