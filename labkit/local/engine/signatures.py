"""MiniStack's verification of Signature v4."""

from __future__ import annotations

import hashlib
import hmac
import random
from urllib.parse import parse_qs

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack, response_of
from labkit.local.messages import Request, Response
from labkit.local.random_ids import new_uuid


class Signatures:
    """Who signed a control-plane call, and how a refusal is worded.

    Args:
        ministack: knows the keys.
        numbers: for the ids of requests.
    """

    def __init__(self, ministack: MiniStack, numbers: random.Random) -> None:
        self._ministack = ministack
        self._numbers = numbers

    def takes_for_root(self, access_key_id: str) -> bool:
        """Whether MiniStack would treat this key as root without a look at the signature."""
        return bool(self._ministack[names.IS_ROOT_ACCESS_KEY](access_key_id))

    def signature_error(self, request: Request, *, presigned: bool) -> tuple[str, str] | None:
        """Why a signed request is refused: (error type, message), or None.

        The key is the cloud's own, an IAM user's or a role's. The time window is MiniStack's: 5 minutes, 15 for the
        services that allow 15. So is the time, the process's: MiniStack looks at the window once more by itself.
        """
        ministack = self._ministack
        headers: dict[str, str] = {}
        for name, value in request.headers:
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        query = parse_qs(request.query_string, keep_blank_values=True)
        parsed = (
            ministack[names.PARSE_QUERY_SIGNATURE](query)
            if presigned
            else ministack[names.PARSE_HEADER_SIGNATURE](headers)
        )
        if isinstance(parsed, tuple):
            return str(parsed[0]), str(parsed[1])
        if "host" not in parsed.signed_headers.split(";"):
            return (
                "SignatureDoesNotMatch",
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            )
        token = query.get("X-Amz-Security-Token", [""])[0] if presigned else ""
        found = ministack[names.RESOLVE_CREDENTIAL](
            parsed.access_key_id,
            ministack.settings.account_id,
            token or headers.get("x-amz-security-token", ""),
        )
        if isinstance(found, ministack[names.CREDENTIAL_RESOLUTION_ERROR]):
            return str(found.code), str(found.message)
        if presigned:
            try:
                expired = ministack[names.PRESIGNED_REQUEST_IS_EXPIRED](
                    parsed.amz_date, query.get("X-Amz-Expires", [""])[0]
                )
            except ValueError:
                expired = True
            if expired:
                return "AccessDenied", "Request has expired"
        elif late := ministack[names.REQUEST_TIME_FAILURE](parsed):
            return str(late[0]), str(late[1])
        declared = headers.get("x-amz-content-sha256", "")
        if len(declared) == 64 and not hmac.compare_digest(
            declared, hashlib.sha256(request.body).hexdigest()
        ):
            return (
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match.",
            )
        failure = ministack[names.HEADER_SIGNATURE_FAILURE](
            parsed,
            found.secret_access_key,
            request.method,
            request.raw_path,
            query,
            headers,
            request.body,
            presigned=presigned,
        )
        return None if failure is None else (str(failure[0]), str(failure[1]))

    def refusal(self, request: Request, service: str, error_type: str, message: str) -> Response:
        """The refusal of a call in the protocol of its service, so that botocore reads its code."""
        headers = {name.lower(): value for name, value in request.headers}
        answer = self._ministack[names.ACCESS_DENIED_RESPONSE](
            service,
            "",
            "",
            new_uuid(self._numbers),
            error_code=error_type,
            message=message,
            headers=headers,
        )
        return response_of(answer)
