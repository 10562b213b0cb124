"""What comes in front of MiniStack's STS: how long a session may be, and who may begin one (iam 6).

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from labkit.local.engine import names
from labkit.local.engine.iam_quotas import Answer, Handler, Refusal, forms_of
from labkit.local.engine.ministack import MiniStack
from labkit.local.json_protocol import ApiError, ServiceModel
from labkit.local.query_protocol import read_form

HOUR = 3_600
_CHECKED = ("AssumeRole", "GetFederationToken", "GetSessionToken")
_NOT_OFFERED = (
    "ProvidedContexts",
    "SerialNumber",
    "SourceIdentity",
    "TokenCode",
    "TransitiveTagKeys",
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[^:]+")
_OF_A_USER = ("FederatedUser", "Root", "User")
"""Whose sessions GetSessionToken and GetFederationToken begin: they can't be used for IAM, and hardly for STS."""
_STILL_ALLOWED = ("AssumeRole", "GetCallerIdentity")
_NOTHING_PACKED = b"<PackedPolicySize>0</PackedPolicySize>"
_INVALID_TOKEN = (
    403,
    "InvalidClientTokenId",
    "The security token included in the request is invalid",
)


class StsOperations:
    """What comes in front of MiniStack's STS, and of its IAM.

    Args:
        ministack: holds the sessions and the roles.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self._model = ServiceModel("sts", "ValidationError")

    def handle(self, own: Handler) -> Handler:
        """What comes in the place of MiniStack's STS, which has found that the caller may do it."""

        async def handle(
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query_params: dict[str, list[str]],
        ) -> Answer:
            form, sent = forms_of(method, body, query_params)
            refusal = self._refusal(sent)
            if refusal is not None:
                status, code, message = refusal
                error = self._ministack[names.STS_ERROR]
                answer: Answer = error(status, code, escape(message), ns="sts")
                return answer
            if form.get("Action") in ("GetSessionToken", "GetFederationToken") and self._is_root():
                seconds = min(int(form.get("DurationSeconds", HOUR)), HOUR)
                body = urlencode({**form, "DurationSeconds": str(seconds)}).encode()
                method, query_params = "POST", {}
            status, fields, answered = await own(method, path, headers, body, query_params)
            return status, fields, answered.replace(_NOTHING_PACKED, b"")  # recorded 20.7

        return handle

    def iam_refusal(self) -> Refusal | None:
        """What IAM has against the session of the caller."""
        return _INVALID_TOKEN if self._session().get("PrincipalType") in _OF_A_USER else None

    def _refusal(self, form: Mapping[str, str]) -> Refusal | None:
        operation = form.get("Action", "")
        kind = self._session().get("PrincipalType")
        allowed = _STILL_ALLOWED[1:] if kind == "FederatedUser" else _STILL_ALLOWED
        if kind in _OF_A_USER and operation not in allowed:
            return 403, "AccessDenied", f"Cannot call {operation} with session credentials"
        if operation not in _CHECKED:
            return None
        try:
            seconds = self._check(operation, form)
        except ApiError as error:
            return 400, error.error_type, str(error)
        for name in form:
            if name.partition(".")[0] in _NOT_OFFERED:
                what = name.partition(".")[0]
                return 400, "ValidationError", f"The local cloud doesn't offer {what}."
        return self._role_refusal(form["RoleArn"], seconds) if operation == "AssumeRole" else None

    def _check(self, operation: str, form: Mapping[str, str]) -> int:
        """Check what is sent against the service's model; the session's duration in seconds."""
        members = read_form(self._model, operation, form)
        self._model.check(
            operation, {name: value for name, value in members.items() if name not in _NOT_OFFERED}
        )
        return int(members.get("DurationSeconds", HOUR))

    def _role_refusal(self, role_arn: str, seconds: int) -> Refusal | None:
        if not _ROLE_ARN.fullmatch(role_arn):
            return 400, "ValidationError", f"{role_arn} is invalid"
        if self._is_root():
            return 403, "AccessDenied", "Roles may not be assumed by root accounts."
        if seconds > HOUR and self._session():
            words = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            return 400, "ValidationError", words
        account_id, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        role = self._ministack[names.ROLES].get_scoped(account_id, None, name)
        if role is not None and seconds > role.get("MaxSessionDuration", HOUR):
            words = (
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
            return 400, "ValidationError", words
        return None

    def _session(self) -> Mapping[str, Any]:
        """The session that signed the request that is being answered; empty for a key of a user."""
        found: Mapping[str, Any] | None = self._ministack[names.SESSIONS].get(self._signer())
        return found or {}

    def _is_root(self) -> bool:
        return self._signer() == "" or self._session().get("PrincipalType") == "Root"

    def _signer(self) -> str:
        """The access key that signed; empty for the root user's own."""
        return str(self._ministack[names.VERIFIED_KEY].get())
