"""Accounts that administrators make, and the passwords of those that are there.

Facts: cognito 5, 15.8, 17.9, 17.10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.cognito.access_tokens import signed_in_user
from labkit.local.cognito.aliases import refuse_taken_aliases, take_aliases
from labkit.local.cognito.attribute_changes import attributes_of, find_user
from labkit.local.cognito.attribute_schema import check_new, check_required
from labkit.local.cognito.hourly_limits import HourlyLimits
from labkit.local.cognito.mail_templates import invitation_mail
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.new_users import NewUsers, draw_temporary_password
from labkit.local.cognito.password_attempts import PasswordAttempts
from labkit.local.cognito.password_challenges import refuse_bad_password
from labkit.local.engine import Operation, User, UserPool, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

_DAY = 86_400.0


class UserAccounts:
    """``AdminCreateUser``, ``AdminSetUserPassword``, ``ChangePassword``.

    Args:
        user_pools: where users are.
        new_users: make them.
        limits: how often a user may change a password.
        attempts: are forgotten with the old password.
        mailbox: where invitations go.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        new_users: NewUsers,
        limits: HourlyLimits,
        attempts: PasswordAttempts,
        mailbox: Mailbox,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._new_users = new_users
        self._limits = limits
        self._attempts = attempts
        self._mailbox = mailbox
        self._clock = clock

    async def admin_create_user(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminCreateUser`` (cognito 5)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminCreateUser", body)
        if body.get("MessageAction") == "RESEND":
            return self._invite_again(pool, body)
        user = self._new_users.draft(pool, body["Username"], attributes_of(body), is_sign_up=False)
        check_new(pool, user.attributes)
        password = body.get("TemporaryPassword")
        if password is not None:
            refuse_bad_password(self._user_pools, pool, password)
        elif self._new_users.needs_password(pool):
            password = draw_temporary_password(pool)
        else:
            _refuse_incomplete(pool, user)
            user = replace(user, status="CONFIRMED")
        await self._new_users.ask_trigger(
            pool, "AdminCreateUser", "CLIENT_ID_NOT_APPLICABLE", user, body
        )
        if body.get("ForceAliasCreation"):
            take_aliases(self._user_pools, pool, None, user.attributes, self._clock())
        else:
            refuse_taken_aliases(self._user_pools, pool, None, user.attributes)
        self._new_users.make(pool, user, password)
        if password is not None:
            self._set_temporary(pool, user, password)
        if body.get("MessageAction") != "SUPPRESS":
            self._invite(pool, user, password, body)
        return self._shown(pool, user)

    def _invite_again(self, pool: UserPool, body: JsonObject) -> Response:
        user = find_user(self._user_pools, pool, body)
        if user.status != "FORCE_CHANGE_PASSWORD":
            raise ApiError(
                "UnsupportedUserStateException",
                f"Resend not possible. {body['Username']} status is not FORCE_CHANGE_PASSWORD",
            )
        password = body.get("TemporaryPassword") or draw_temporary_password(pool)
        refuse_bad_password(self._user_pools, pool, password)
        self._set_temporary(pool, user, password)
        self._invite(pool, user, password, body)
        return self._shown(pool, user)

    def _shown(self, pool: UserPool, user: User) -> Response:
        shown = self._user_pools.describe_user(pool["Id"], user.username)
        shown["Attributes"] = shown.pop("UserAttributes")
        return json_response({"User": shown})

    def _invite(self, pool: UserPool, user: User, password: str | None, body: JsonObject) -> None:
        address = user.attributes.get("email")
        mediums = body.get("DesiredDeliveryMediums") or ["EMAIL"]
        if address is not None and "EMAIL" in mediums:
            self._mailbox.deliver(address, *invitation_mail(pool, user, password))

    async def admin_set_password(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminSetUserPassword``: permanent, or temporary as a new user's (cognito 17.9)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminSetUserPassword", body)
        user = find_user(self._user_pools, pool, body)
        refuse_bad_password(self._user_pools, pool, body["Password"])
        if body.get("Permanent"):
            self._set(pool, user, body["Password"], "CONFIRMED")
        else:
            self._set_temporary(pool, user, body["Password"])
        return json_response({})

    async def change_password(self, body: JsonObject, _proceed: Operation) -> Response:
        """``ChangePassword``: the first password needs no previous one (cognito 5.8)."""
        owner = signed_in_user(self._user_pools, body["AccessToken"])
        pool, user = owner.pool, owner.user
        self._limits.count("ChangePassword", pool["Id"], user.username)
        previous = body.get("PreviousPassword")
        if not user.is_passwordless:
            if not previous:
                raise ApiError(
                    "InvalidParameterException", "Missing required parameter OldPassword"
                )
            if previous != self._user_pools.password(pool["Id"], user.username):
                raise ApiError("NotAuthorizedException", "Incorrect username or password.")
        refuse_bad_password(self._user_pools, pool, body["ProposedPassword"])
        self._set(pool, user, body["ProposedPassword"], user.status)
        return json_response({})

    def _set_temporary(self, pool: UserPool, user: User, password: str) -> None:
        policy = (pool.get("Policies") or {}).get("PasswordPolicy") or {}
        days = float(policy.get("TemporaryPasswordValidityDays") or 7)
        self._set(pool, user, password, "FORCE_CHANGE_PASSWORD", self._clock() + days * _DAY)

    def _set(
        self,
        pool: UserPool,
        user: User,
        password: str,
        status: str,
        expires_at: float | None = None,
    ) -> None:
        self._user_pools.set_password(
            pool["Id"],
            user.username,
            password,
            status=status,
            now=self._clock(),
            expires_at=expires_at,
        )
        self._attempts.forget(pool["Id"], user.username)


def _refuse_incomplete(pool: UserPool, user: User) -> None:
    """A user without a password has all required attributes, and an address (cognito 5.4)."""
    check_required(pool, user.attributes)
    if not {"email", "phone_number"} & set(user.attributes):
        raise ApiError(
            "InvalidParameterException",
            "A user without a password needs an email address or a phone number.",
        )
