"""What of a user is shown, and to whom.

Facts: cognito 12.9, 16.5; recorded 21.2.
"""

from __future__ import annotations

from typing import Any

from labkit.local.cognito.access_tokens import signed_in_user
from labkit.local.cognito.attribute_changes import find_user
from labkit.local.cognito.attribute_permissions import is_readable
from labkit.local.cognito.signin import allowed_factors
from labkit.local.engine import Operation, User, UserPool, UserPools
from labkit.local.json_protocol import json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class UserDescriptions:
    """The operations that show one user.

    Args:
        user_pools: where users are.
    """

    def __init__(self, user_pools: UserPools) -> None:
        self._user_pools = user_pools

    async def get_user(self, body: JsonObject, _proceed: Operation) -> Response:
        """``GetUser``: what the app client of the sign-in may read (cognito 16.5)."""
        owner = signed_in_user(self._user_pools, body["AccessToken"])
        attributes = [
            {"Name": name, "Value": value}
            for name, value in owner.user.attributes.items()
            if is_readable(owner.client, name)
        ]
        return json_response(
            {"Username": owner.user.username, "UserAttributes": attributes, **_mfa(owner.user)}
        )

    async def admin_get_user(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminGetUser``: multi-factor settings only where there are some (recorded 21.2)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminGetUser", body)
        user = find_user(self._user_pools, pool, body)
        return json_response(
            {**self._user_pools.describe_user(pool["Id"], user.username), **_mfa(user)}
        )

    async def auth_factors(self, body: JsonObject, _proceed: Operation) -> Response:
        """``GetUserAuthFactors`` (cognito 12.9)."""
        owner = signed_in_user(self._user_pools, body["AccessToken"])
        return json_response(_factors(owner.pool, owner.user))

    async def admin_auth_factors(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminGetUserAuthFactors``: the same, for an administrator."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminGetUser", body)
        return json_response(_factors(pool, find_user(self._user_pools, pool, body)))


def _factors(pool: UserPool, user: User) -> JsonObject:
    factors = [] if user.is_passwordless else ["PASSWORD"]
    if "EMAIL_OTP" in allowed_factors(pool) and "email" in user.attributes:
        factors.append("EMAIL_OTP")
    return {
        "Username": user.username,
        "ConfiguredUserAuthFactors": factors,
        **_mfa(user),
    }


def _mfa(user: User) -> JsonObject:
    shown: JsonObject = {}
    if user.preferred_mfa:
        shown["PreferredMfaSetting"] = user.preferred_mfa
    if user.mfa_settings:
        shown["UserMFASettingList"] = list(user.mfa_settings)
    return shown
