"""Making a user, for a sign-up and for an administrator: the name, the first password, the pre sign-up trigger.

Facts: cognito 1.14, 4.8, 5, 15.8.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.cognito.password_challenges import refuse_bad_password
from labkit.local.cognito.signin import allowed_factors
from labkit.local.cognito.triggers import Triggers
from labkit.local.engine import User, UserPool, UserPools
from labkit.local.json_protocol import ApiError
from labkit.local.random_ids import new_uuid

JsonObject = dict[str, Any]

# With one of these allowed, a user needs no password (cognito 5.1); a passkey alone isn't enough (cognito 5.9).
_CODE_FACTORS = frozenset({"EMAIL_OTP", "SMS_OTP"})
_SYMBOLS = "^$*.[]{}()?!@#%&/,><:;|_~"


class NewUsers:
    """Makes users.

    MiniStack takes any password of a user who has none, so a passwordless user has one there that nobody knows and is
    marked.

    Args:
        user_pools: where they go.
        triggers: the pre sign-up trigger among them.
        clock: seconds since the epoch.
        numbers: for their ``sub``.
    """

    def __init__(
        self,
        user_pools: UserPools,
        triggers: Triggers,
        *,
        clock: Callable[[], float],
        numbers: random.Random,
    ) -> None:
        self._user_pools = user_pools
        self._triggers = triggers
        self._clock = clock
        self._numbers = numbers

    def draft(
        self, pool: UserPool, name: str, attributes: Mapping[str, str], *, is_sign_up: bool
    ) -> User:
        """The user that a name and attributes would make.

        Raises:
            ApiError: the name is none that the pool takes, or is taken.
        """
        refusal = self._user_pools.new_user_error(pool["Id"], name, attributes)
        if refusal is not None:
            answer = refusal.json()
            raise ApiError(answer["__type"], answer["message"])
        if "email" in (pool.get("AliasAttributes") or ()) and "@" in name:
            raise ApiError(
                "InvalidParameterException",
                "Username cannot be of email format, since user pool is configured for email "
                "alias.",
            )
        if self._user_pools.find_user(pool["Id"], name) is not None:
            message = "User already exists." if is_sign_up else "User account already exists."
            raise ApiError("UsernameExistsException", message)
        sub = new_uuid(self._numbers)
        named = {key: value for key, value in attributes.items() if value}
        usernames = pool.get("UsernameAttributes") or ()
        if usernames:
            is_number = "phone_number" in usernames and name.startswith("+")
            alias = "phone_number" if is_number or "email" not in usernames else "email"
            named.setdefault(alias, name)
        return User(
            username=sub if usernames else name,
            attributes={**named, "sub": sub},
            status="UNCONFIRMED" if is_sign_up else "FORCE_CHANGE_PASSWORD",
            enabled=True,
            is_passwordless=False,
            mfa_settings=(),
            preferred_mfa="",
            has_totp=False,
            last_totp=None,
            password_expires_at=None,
        )

    def needs_password(self, pool: UserPool) -> bool:
        """Whether a user of the pool can't be without a password (cognito 5.1)."""
        return not _CODE_FACTORS & set(allowed_factors(pool))

    def password_of_sign_up(self, pool: UserPool, body: JsonObject) -> str | None:
        """The password of a ``SignUp``; None for a user without one.

        Raises:
            ApiError: the policy doesn't allow it.
        """
        if "Password" not in body and not self.needs_password(pool):
            return None
        password = str(body.get("Password", ""))
        refuse_bad_password(self._user_pools, pool, password)
        return password

    async def ask_trigger(
        self, pool: UserPool, source: str, client_id: str, draft: User, body: JsonObject
    ) -> JsonObject:
        """What the pre sign-up trigger wants of a user who isn't made yet (cognito 15.8).

        Raises:
            ApiError: it refuses the user.
        """
        validation = {one["Name"]: one.get("Value") or "" for one in body.get("ValidationData", ())}
        request: JsonObject = {
            "userAttributes": {
                name: value for name, value in draft.attributes.items() if name != "sub"
            },
            "validationData": validation or None,
        }
        if body.get("ClientMetadata"):
            request["clientMetadata"] = body["ClientMetadata"]
        return await self._triggers.run(
            pool,
            "PreSignUp",
            source,
            username=draft.username,
            client_id=client_id,
            request=request,
            response={
                "autoConfirmUser": False,
                "autoVerifyEmail": False,
                "autoVerifyPhone": False,
            },
        )

    def make(self, pool: UserPool, user: User, password: str | None) -> None:
        """Make the user, after all that may refuse it.

        Args:
            pool: the user pool.
            user: as it is to be.
            password: None for a user without one.
        """
        if self._user_pools.user(pool["Id"], user.username) is not None:  # made meanwhile
            raise ApiError("UsernameExistsException", "User already exists.")
        self._user_pools.create_user(
            pool["Id"],
            user.username,
            user.attributes,
            status=user.status,
            password=unknown_password() if password is None else password,
            now=self._clock(),
        )
        if password is None:
            self._user_pools.mark_passwordless(pool["Id"], user.username)


def unknown_password() -> str:
    """A password that nobody knows, and every policy allows."""
    # The ending satisfies every rule about characters; 99 is the longest minimum.
    return secrets.token_urlsafe(96) + "aA1!"


def draw_temporary_password(pool: UserPool) -> str:
    """A temporary password that the pool's policy allows."""
    policy = (pool.get("Policies") or {}).get("PasswordPolicy") or {}
    length = max(int(policy.get("MinimumLength") or 8), 8)
    return secrets.token_urlsafe(length)[: length - 4] + "aA1" + secrets.choice(_SYMBOLS)
