"""Signature v4 as the gateway verifies it, against the request as received (gateway 4)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from labkit.journey import Code
from labkit.local.apigateway.authorization_header import comes_twice, not_signature_v4
from labkit.local.apigateway.canonical_request import (
    ALGORITHM,
    TERMINATOR,
    SigningScope,
    canonical_request,
    signature_of,
    string_to_sign,
)
from labkit.local.iam.caller import Caller
from labkit.local.messages import Request

SERVICE = "execute-api"
WINDOW = dt.timedelta(minutes=5)
"""How far a signature's time may be off (gateway 4.7)."""
MAX_PRESIGNED_SECONDS = 604_800
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_UNRECOGNIZED = "UnrecognizedClientException"
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
    scope: SigningScope
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    token: str | None
    expires: int | None = None


class RefusedSignatureError(Exception):
    """The signature isn't good.

    Args:
        error_type: AWS's name of the error.
        code: why, for programs.
        reason: why, for the journey.
        message: AWS's own words; None where the error type says it all.
    """

    def __init__(
        self, error_type: str, code: Code, reason: str, message: str | None = None
    ) -> None:
        super().__init__(reason)
        self.error_type = error_type
        self.code = code
        self.reason = reason
        self.message = message


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
            raise _incomplete(Code.SIGNED_TWICE, "the request has two authorizations", _ONLY_ONE)
        if header is not None and header.partition(" ")[0] != ALGORITHM:
            complaint = not_signature_v4(request) or "Unsupported AWS 'algorithm'."
            reason = "the Authorization header isn't a Signature v4 one"
            raise _incomplete(Code.NOT_A_SIGNATURE, reason, complaint)
        if header is not None:
            return self._from_header(request, header)
        if in_query:
            return self._from_query(query)
        raise RefusedSignatureError(
            "MissingAuthenticationTokenException", Code.NOT_SIGNED, "the request isn't signed"
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
            reason = "parts of the signature are missing"
            raise _incomplete(Code.SIGNATURE_INCOMPLETE, reason, message)
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
        if query.get("X-Amz-Algorithm") != ALGORITHM:
            message = f"X-Amz-Algorithm only supports {ALGORITHM!r}"
            raise _incomplete(Code.SIGNATURE_INCOMPLETE, message, message)
        missing = [name for name in names if not query.get(name)]
        if missing:
            message = " ".join(
                f"AWS query-string parameters must include '{name}'." for name in missing
            )
            reason = f"the presigned URL has no {missing[0]}"
            raise _incomplete(Code.SIGNATURE_INCOMPLETE, reason, message)
        access_key_id, scope = _credential(query["X-Amz-Credential"])
        expires = query["X-Amz-Expires"]
        if not (
            expires.isascii() and expires.isdigit() and 0 < int(expires) <= MAX_PRESIGNED_SECONDS
        ):
            message = "X-Amz-Expires must be between 1 and 604800 seconds"
            raise _incomplete(Code.SIGNATURE_INCOMPLETE, message, message)
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
        """Name everything that is wrong; the code is that of the first (gateway 4.5, 4.6, 4.9, 4.10)."""
        scope = presented.scope
        checks = (
            (
                scope.region == region,
                Code.SIGNATURE_REGION,
                "Credential should be scoped to a valid region. ",
            ),
            (
                scope.service == SERVICE,
                Code.SIGNATURE_SERVICE,
                f"Credential should be scoped to correct service: '{SERVICE}'. ",
            ),
            (
                scope.terminator == TERMINATOR,
                Code.SIGNATURE_SCOPE,
                f"Credential should be scoped with a valid terminator: '{TERMINATOR}'. ",
            ),
            (
                scope.date == presented.amz_date[:8],
                Code.SIGNATURE_SCOPE,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP. ",
            ),
        )
        wrong = [(code, complaint) for fits, code, complaint in checks if not fits]
        if wrong:
            reason = f"the credential scope {scope} doesn't fit this API"
            message = "".join(complaint for _code, complaint in wrong)
            raise _invalid(wrong[0][0], reason, message)

    def _check_time(self, presented: _Presented) -> None:
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        try:
            signed = _moment(presented.amz_date)
        except ValueError:
            message = "Date must be in ISO-8601 'basic format'."
            raise _incomplete(Code.SIGNATURE_INCOMPLETE, message, message) from None
        oldest = (
            dt.timedelta(seconds=presented.expires) if presented.expires is not None else WINDOW
        )
        stamp, clock = presented.amz_date, now.strftime(_AMZ_DATE)
        if signed < now - oldest:
            limit = (now - oldest).strftime(_AMZ_DATE)
            message = f"Signature expired: {stamp} is now earlier than {limit} ({clock} - 5 min.)"
            raise _invalid(Code.SIGNATURE_EXPIRED, "the signature is too old", message)
        if signed > now + WINDOW:
            limit = (now + WINDOW).strftime(_AMZ_DATE)
            message = (
                f"Signature not yet current: {stamp} is still later than {limit} ({clock} + 5 min.)"
            )
            reason = "the signature is from the future"
            raise _invalid(Code.SIGNATURE_NOT_YET_CURRENT, reason, message)

    def _check_signature(self, request: Request, presented: _Presented) -> Caller:
        caller = self._keys.caller(presented.access_key_id)
        if caller is None or not caller.secret_access_key:
            reason = "the access key is unknown or inactive"
            raise RefusedSignatureError(_UNRECOGNIZED, Code.ACCESS_KEY_UNKNOWN, reason)
        canonical = canonical_request(request, presented.signed_headers)
        to_sign = string_to_sign(presented.amz_date, presented.scope, canonical)
        expected = signature_of(to_sign, caller.secret_access_key, presented.scope)
        if "host" not in presented.signed_headers or not hmac.compare_digest(
            expected.encode(), presented.signature.encode()
        ):
            message = (
                f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
                f"The String-to-Sign should have been\n'{to_sign}'\n"
            )
            reason = "the signature doesn't fit the request as it arrived"
            raise _invalid(Code.SIGNATURE_MISMATCH, reason, message)
        expected_token = caller.session_token or ""
        if not hmac.compare_digest(expected_token.encode(), (presented.token or "").encode()):
            reason = "the session token doesn't belong to the access key"
            raise RefusedSignatureError(_UNRECOGNIZED, Code.SESSION_TOKEN, reason)
        if caller.expires_at is not None and self._clock() >= caller.expires_at:
            reason = "the temporary credentials have expired"
            raise RefusedSignatureError("ExpiredTokenException", Code.CREDENTIALS_EXPIRED, reason)
        return caller


def _incomplete(code: Code, reason: str, message: str) -> RefusedSignatureError:
    return RefusedSignatureError("IncompleteSignatureException", code, reason, message)


def _invalid(code: Code, reason: str, message: str) -> RefusedSignatureError:
    return RefusedSignatureError("InvalidSignatureException", code, reason, message)


def _moment(stamp: str) -> dt.datetime:
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second = map(int, match.groups())
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)


def _credential(text: str) -> tuple[str, SigningScope]:
    parts = text.split("/")
    if len(parts) < 5:
        message = (
            "Credential must have at least 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got {_hashed(text)}"
        )
        raise _incomplete(Code.SIGNATURE_INCOMPLETE, "the Credential is incomplete", message)
    return "/".join(parts[:-4]), SigningScope(*parts[-4:])


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"


def _date_header(value: str | None) -> str | None:
    """An HTTP date as an AWS one; an AWS date as it is."""
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value).astimezone(dt.UTC).strftime(_AMZ_DATE)
    except (TypeError, ValueError, OverflowError):
        return value
