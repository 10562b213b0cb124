"""A forgotten password: the code, the new password, and the states in which there is none.

Facts: cognito 4.6, 11.9, 17.4, 17.6-17.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.local.cognito.attribute_changes import find_user
from labkit.local.cognito.confirmation_codes import ConfirmationCodes, wrong_code
from labkit.local.cognito.hourly_limits import HourlyLimits
from labkit.local.cognito.mail_templates import code_mail, delivery_details
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.password_attempts import PasswordAttempts
from labkit.local.cognito.password_challenges import refuse_bad_password
from labkit.local.cognito.sign_in_names import hides_existence
from labkit.local.cognito.sign_up import unknown_to_client
from labkit.local.cognito.triggers import Triggers, attributes_in_event
from labkit.local.engine import Operation, User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class PasswordReset:
    """``ForgotPassword`` and what belongs to it.

    Args:
        user_pools: where users are.
        codes: the codes that were mailed.
        limits: how often a user may ask for them, and guess.
        attempts: are forgotten with the old password.
        triggers: run what the pool wants run.
        mailbox: where codes go.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        codes: ConfirmationCodes,
        limits: HourlyLimits,
        attempts: PasswordAttempts,
        triggers: Triggers,
        mailbox: Mailbox,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._codes = codes
        self._limits = limits
        self._attempts = attempts
        self._triggers = triggers
        self._mailbox = mailbox
        self._clock = clock

    async def forgot(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """``ForgotPassword``: a code, or as if there were one (cognito 17.6, 17.7)."""
        user = self._user_pools.find_user(pool["Id"], body["Username"])
        self._count("ForgotPassword", pool, user, body)
        _refuse_administrators_only(pool)
        if user is not None and user.enabled:
            _refuse_state(user)
        address = None if user is None or not user.enabled else _recovery_address(pool, user)
        if user is None or address is None:
            if hides_existence(client):
                return json_response({"CodeDeliveryDetails": delivery_details(body["Username"])})
            if user is None:
                raise unknown_to_client()
            raise _no_address() if user.enabled else _disabled()
        return json_response({"CodeDeliveryDetails": self._send_code(pool, user, address)})

    async def confirm(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """``ConfirmForgotPassword``: a new password for a right code (cognito 17.4)."""
        user = self._user_pools.find_user(pool["Id"], body["Username"])
        self._count("ConfirmForgotPassword", pool, user, body)
        if user is None:
            raise wrong_code() if hides_existence(client) else unknown_to_client()
        self._codes.check(pool, user, "password", body["ConfirmationCode"])
        refuse_bad_password(self._user_pools, pool, body["Password"])
        self._codes.forget(pool, user, "password")
        self._user_pools.set_password(
            pool["Id"], user.username, body["Password"], status="CONFIRMED", now=self._clock()
        )
        self._attempts.forget(pool["Id"], user.username)
        request: JsonObject = {"userAttributes": attributes_in_event(user)}
        if body.get("ClientMetadata"):
            request["clientMetadata"] = body["ClientMetadata"]
        await self._triggers.run(
            pool,
            "PostConfirmation",
            "ConfirmForgotPassword",
            username=user.username,
            client_id=client["ClientId"],
            request=request,
        )
        return json_response({})

    async def admin_reset(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminResetUserPassword``: the user must set a new password with a code (cognito 17.7)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminResetUserPassword", body)
        user = find_user(self._user_pools, pool, body)
        _refuse_state(user)
        address = _recovery_address(pool, user)
        if address is None:
            raise _no_address()
        now = self._clock()
        self._user_pools.set_status(pool["Id"], user.username, "RESET_REQUIRED", now)
        self._send_code(pool, user, address)
        return json_response({})

    def _send_code(self, pool: UserPool, user: User, address: str) -> JsonObject:
        code = self._codes.issue(pool, user, "password", address)
        self._mailbox.deliver(address, *code_mail(pool, user, code))
        return delivery_details(address)

    def _count(self, operation: str, pool: UserPool, user: User | None, body: JsonObject) -> None:
        self._limits.count(
            operation, pool["Id"], body["Username"] if user is None else user.username
        )


def _refuse_state(user: User) -> None:
    if user.status == "FORCE_CHANGE_PASSWORD":
        raise ApiError(
            "NotAuthorizedException", "User password cannot be reset in the current state."
        )


def _recovery_address(pool: UserPool, user: User) -> str | None:
    """Where a code may go: a verified address, if the pool recovers accounts by mail; None when nowhere."""
    mechanisms = _mechanisms(pool)
    address = user.attributes.get("email")
    is_verified = user.attributes.get("email_verified", "").lower() == "true"
    if not address or not is_verified or (mechanisms and "verified_email" not in mechanisms):
        return None
    return address


def _refuse_administrators_only(pool: UserPool) -> None:
    if _mechanisms(pool) == {"admin_only"}:
        raise ApiError("NotAuthorizedException", "Contact administrator to reset password.")


def _mechanisms(pool: UserPool) -> set[str]:
    setting = pool.get("AccountRecoverySetting") or {}
    return {one["Name"] for one in setting.get("RecoveryMechanisms") or ()}


def _no_address() -> ApiError:
    return ApiError(
        "InvalidParameterException",
        "Cannot reset password for the user as there is no registered/verified email or "
        "phone_number",
    )


def _disabled() -> ApiError:
    return ApiError("NotAuthorizedException", "User is disabled.")
