"""One account for one sign-in name: which aliases a user may take.

In a pool with ``UsernameAttributes`` an address is a name at once, in one with ``AliasAttributes`` only when it is
verified. Facts: cognito 16.6, 16.7.
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.local.cognito.attribute_schema import VERIFIED_FLAGS
from labkit.local.engine import User, UserPool, UserPools
from labkit.local.json_protocol import ApiError


def refuse_taken_aliases(
    user_pools: UserPools, pool: UserPool, user: User | None, attributes: Mapping[str, str]
) -> None:
    """Refuse attributes that name another user's account.

    Args:
        user_pools: know the users.
        pool: the user pool.
        user: whose attributes they are to be; None for a new user.
        attributes: their values, those that stay too.

    Raises:
        ApiError: ``AliasExistsException``.
    """
    for name in _aliases(pool, attributes):
        if _other_holder(user_pools, pool, user, attributes[name]) is not None:
            raise ApiError(
                "AliasExistsException", f"An account with the given {name} already exists."
            )


def take_aliases(
    user_pools: UserPools,
    pool: UserPool,
    user: User | None,
    attributes: Mapping[str, str],
    now: float,
) -> None:
    """Let a user take the verified aliases of others, as ``ForceAliasCreation`` wants it."""
    for name in _aliases(pool, attributes):
        other = _other_holder(user_pools, pool, user, attributes[name])
        if other is not None and name in VERIFIED_FLAGS:
            user_pools.set_attributes(
                pool["Id"], other.username, {VERIFIED_FLAGS[name]: "false"}, now
            )


def _aliases(pool: UserPool, attributes: Mapping[str, str]) -> list[str]:
    usernames = pool.get("UsernameAttributes") or []
    return [
        name
        for name in [*usernames, *(pool.get("AliasAttributes") or [])]
        if attributes.get(name)
        and (
            name in usernames
            or name not in VERIFIED_FLAGS
            or attributes.get(VERIFIED_FLAGS[name]) == "true"
        )
    ]


def _other_holder(
    user_pools: UserPools, pool: UserPool, user: User | None, name: str
) -> User | None:
    holder = user_pools.alias_holder(pool["Id"], name)
    return None if holder is not None and user and holder.username == user.username else holder
