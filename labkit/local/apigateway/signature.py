"""Signature v4 as the gateway verifies it, against the request as received (gateway.md, section 4)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from labkit import sigv4
from labkit.local.apigateway.authorization_header import comes_twice, not_signature_v4
from labkit.local.apigateway.rest.responses import (
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_AUTHENTICATION_TOKEN,
    UNRECOGNIZED_CLIENT,
    GatewayError,
)
from labkit.local.iam.caller import Caller
from labkit.local.messages import Request

SERVICE = "execute-api"
WINDOW = dt.timedelta(minutes=5)
"""How far a signature's time may be off (4.7)."""
MAX_PRESIGNED_SECONDS = 604_800
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_ONLY_ONE = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header "
    "should be specified."
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class Keys(Protocol):
    """What verifying needs of IAM and STS."""

    def caller(self, access_key_id: str) -> Caller | None:
        """Whose key it is, or None."""


@dataclass(frozen=True, slots=True)
class _Presented:
    """The signature as the request presents it."""

    access_key_id: str
    scope: sigv4.CredentialScope
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    token: str | None
    expires: int | None = None


class RefusedSignatureError(Exception):
    """The signature isn't good.

    Args:
        error: what a REST API answers.
        reason: why, for the journey.
    """

    def __init__(self, error: GatewayError, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason


class SignatureVerifier:
    """Verifies Signature v4.

    Args:
        keys: IAM and STS.
        clock: seconds since the epoch.
    """

    def __init__(self, keys: Keys, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def verify(self, request: Request, region: str) -> Caller:
        """Who signed the request, for an API of this Region.

        Raises:
            RefusedSignatureError: nobody, or not well enough.
        """
        presented = self._presented(request)
        self._check_scope(presented, region)
        self._check_time(presented)
        return self._check_signature(request, presented)

    # -- reading ------------------------------------------------------------------

    def _presented(self, request: Request) -> _Presented:
        header = request.header("authorization")
        query = dict(request.query)
        in_query = not {"X-Amz-Algorithm", "X-Amz-Signature"}.isdisjoint(query)
        if comes_twice(request, "authorization") or (header is not None and in_query):
            raise RefusedSignatureError(
                GatewayError(INCOMPLETE_SIGNATURE, _ONLY_ONE), "the request has two authorizations"
            )
        if header is not None and header.partition(" ")[0] != sigv4.ALGORITHM:
            complaint = not_signature_v4(request) or "Unsupported AWS 'algorithm'."
            raise RefusedSignatureError(
                GatewayError(INCOMPLETE_SIGNATURE, complaint),
                "the Authorization header isn't a Signature v4 one",
            )
        if header is not None:
            return self._from_header(request, header)
        if in_query:
            return self._from_query(query)
        raise RefusedSignatureError(
            GatewayError(MISSING_AUTHENTICATION_TOKEN), "the request isn't signed"
        )

    def _from_header(self, request: Request, header: str) -> _Presented:
        _algorithm, _space, rest = header.partition(" ")
        pairs = dict(part.strip().partition("=")[::2] for part in rest.split(",") if part.strip())
        date = request.header("x-amz-date") or _date_header(request.header("date"))
        missing = [
            f"Authorization header requires '{name}' parameter."
            for name in ("Credential", "Signature", "SignedHeaders")
            if not pairs.get(name)
        ]
        if not date:
            missing.append(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
            )
        if missing:
            message = f"{' '.join(missing)} {_hashed(header)}"
            raise RefusedSignatureError(
                GatewayError(INCOMPLETE_SIGNATURE, message), "parts of the signature are missing"
            )
        names = tuple(pairs["SignedHeaders"].split(";"))
        access_key_id, scope = _credential(pairs["Credential"])
        token = request.header("x-amz-security-token")
        return _Presented(access_key_id, scope, names, pairs["Signature"], str(date), token)

    def _from_query(self, query: Mapping[str, str]) -> _Presented:
        names = (
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        )
        if query.get("X-Amz-Algorithm") != sigv4.ALGORITHM:
            message = f"X-Amz-Algorithm only supports {sigv4.ALGORITHM!r}"
            raise RefusedSignatureError(GatewayError(INCOMPLETE_SIGNATURE, message), message)
        missing = [name for name in names if not query.get(name)]
        if missing:
            message = " ".join(
                f"AWS query-string parameters must include '{name}'." for name in missing
            )
            raise RefusedSignatureError(
                GatewayError(INCOMPLETE_SIGNATURE, message),
                f"the presigned URL has no {missing[0]}",
            )
        access_key_id, scope = _credential(query["X-Amz-Credential"])
        expires = query["X-Amz-Expires"]
        if not (
            expires.isascii() and expires.isdigit() and 0 < int(expires) <= MAX_PRESIGNED_SECONDS
        ):
            message = "X-Amz-Expires must be between 1 and 604800 seconds"
            raise RefusedSignatureError(GatewayError(INCOMPLETE_SIGNATURE, message), message)
        return _Presented(
            access_key_id,
            scope,
            tuple(query["X-Amz-SignedHeaders"].split(";")),
            query["X-Amz-Signature"],
            query["X-Amz-Date"],
            query.get("X-Amz-Security-Token"),
            int(expires),
        )

    # -- checking -----------------------------------------------------------------

    def _check_scope(self, presented: _Presented, region: str) -> None:
        scope = presented.scope
        complaints = []
        if scope.region != region:
            complaints.append("Credential should be scoped to a valid region. ")
        if scope.service != SERVICE:
            complaints.append(f"Credential should be scoped to correct service: '{SERVICE}'. ")
        if scope.terminator != sigv4.TERMINATOR:
            complaints.append(
                f"Credential should be scoped with a valid terminator: '{sigv4.TERMINATOR}'. "
            )
        if scope.date != presented.amz_date[:8]:
            complaints.append(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP. "
            )
        if complaints:
            reason = f"the credential scope {scope} doesn't fit this API"
            raise RefusedSignatureError(
                GatewayError(INVALID_SIGNATURE, "".join(complaints)), reason
            )

    def _check_time(self, presented: _Presented) -> None:
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        try:
            signed = _moment(presented.amz_date)
        except ValueError:
            message = "Date must be in ISO-8601 'basic format'."
            raise RefusedSignatureError(
                GatewayError(INCOMPLETE_SIGNATURE, message), message
            ) from None
        oldest = (
            dt.timedelta(seconds=presented.expires) if presented.expires is not None else WINDOW
        )
        stamp = presented.amz_date
        if signed < now - oldest:
            limit, clock = (now - oldest).strftime(_AMZ_DATE), now.strftime(_AMZ_DATE)
            message = f"Signature expired: {stamp} is now earlier than {limit} ({clock} - 5 min.)"
            raise RefusedSignatureError(
                GatewayError(INVALID_SIGNATURE, message), "the signature is too old"
            )
        if signed > now + WINDOW:
            limit, clock = (now + WINDOW).strftime(_AMZ_DATE), now.strftime(_AMZ_DATE)
            message = (
                f"Signature not yet current: {stamp} is still later than {limit} ({clock} + 5 min.)"
            )
            raise RefusedSignatureError(
                GatewayError(INVALID_SIGNATURE, message), "the signature is from the future"
            )

    def _check_signature(self, request: Request, presented: _Presented) -> Caller:
        caller = self._keys.caller(presented.access_key_id)
        invalid = GatewayError(UNRECOGNIZED_CLIENT)
        if caller is None or not caller.secret_access_key:
            raise RefusedSignatureError(invalid, "the access key is unknown or inactive")
        canonical = _canonical_request(request, presented)
        to_sign = sigv4.string_to_sign(presented.amz_date, presented.scope, canonical)
        key = _signing_key(caller.secret_access_key, presented.scope)
        expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
        if "host" not in presented.signed_headers or not hmac.compare_digest(
            expected.encode(), presented.signature.encode()
        ):
            message = (
                f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
                f"The String-to-Sign should have been\n'{to_sign}'\n"
            )
            raise RefusedSignatureError(
                GatewayError(INVALID_SIGNATURE, message),
                "the signature doesn't fit the request as it arrived",
            )
        expected_token = caller.session_token or ""
        if not hmac.compare_digest(expected_token.encode(), (presented.token or "").encode()):
            raise RefusedSignatureError(
                invalid, "the session token doesn't belong to the access key"
            )
        if caller.expires_at is not None and self._clock() >= caller.expires_at:
            raise RefusedSignatureError(
                GatewayError(EXPIRED_TOKEN), "the temporary credentials have expired"
            )
        return caller


@lru_cache(64)
def _signing_key(secret_access_key: str, scope: sigv4.CredentialScope) -> bytes:
    """The key of a day, as a client keeps it, too."""
    return sigv4.signing_key(secret_access_key, scope)


def _moment(stamp: str) -> dt.datetime:
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second = map(int, match.groups())
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)


def _canonical_request(request: Request, presented: _Presented) -> str:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return sigv4.canonical_request(
        request.method,
        request.raw_path,
        _signed_query(request, presented),
        headers,
        presented.signed_headers,
        hashlib.sha256(request.body).hexdigest(),
        SERVICE,
    )


def _signed_query(request: Request, presented: _Presented) -> str:
    """The query string; a presigned URL signs all of it but the signature itself."""
    if presented.expires is None:
        return request.query_string
    pairs = request.query_string.split("&")
    return "&".join(pair for pair in pairs if pair.partition("=")[0] != "X-Amz-Signature")


def _credential(text: str) -> tuple[str, sigv4.CredentialScope]:
    parts = text.split("/")
    if len(parts) < 5:
        message = (
            "Credential must have at least 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got {_hashed(text)}"
        )
        raise RefusedSignatureError(
            GatewayError(INCOMPLETE_SIGNATURE, message), "the Credential is incomplete"
        )
    return "/".join(parts[:-4]), sigv4.CredentialScope(*parts[-4:])


def _hashed(text: str) -> str:
    import base64

    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"


def _date_header(value: str | None) -> str | None:
    """An HTTP date as an AWS one; an AWS date as it is."""
    from email.utils import parsedate_to_datetime

    if value is None:
        return None
    try:
        return parsedate_to_datetime(value).astimezone(dt.UTC).strftime(_AMZ_DATE)
    except (TypeError, ValueError, OverflowError):
        return value
