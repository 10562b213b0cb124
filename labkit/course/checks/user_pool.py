"""Task 2: the user pool, its app client, and sign-in with a code by mail."""

from __future__ import annotations

from typing import Any

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing

_MADE_UP = "User pool - "
"""How the console begins the name of a pool, and so do we."""
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_VALIDITY = (
    ("AccessToken", "hours", 1, "60 minutes"),
    ("IdToken", "hours", 1, "60 minutes"),
    ("RefreshToken", "days", 30, "5 days"),
)
"""A token, its unit and its validity when nothing is said, and what the lab's app client says."""


def is_made(_look: Look) -> str:
    """Task 2.1a: there is one user pool whose users sign in with their e-mail address.

    Raises:
        Missing: there isn't.
    """
    pool = _pool()
    check_settings(pool)
    remark = found.remark_on(pool.get("UserPoolTags"))
    return f"The users of {pool['Name']} sign in with their e-mail address, and it verifies them.{remark}"


def has_app_client(_look: Look) -> str:
    """Task 2.1b: the pool has the app client of a single-page application.

    Raises:
        Missing: it hasn't.
    """
    check_app_client(_pool())
    return f"{names.APP_CLIENT} has no secret, and allows choice-based sign-in."


def is_named(_look: Look) -> str:
    """Task 2.1c: the pool has its name, and kept its other settings.

    Raises:
        Missing: it hasn't, or a setting is lost.
    """
    pool = _pool()
    if pool["Name"] != names.USER_POOL:
        raise Missing(
            f"The pool's name is still {pool['Name']}.", "Change it with update_user_pool."
        )
    check_settings(pool)
    check_app_client(pool)
    remark = found.remark_on(pool.get("UserPoolTags"))
    return f"The pool is named {names.USER_POOL}, and still verifies e-mail addresses.{remark}"


def is_passwordless(_look: Look) -> str:
    """Task 2.2: the pool lets users sign in with a code by mail, and kept its other settings.

    Raises:
        Missing: it doesn't, or a setting is lost.
    """
    pool = found.user_pool()
    check(pool)
    remark = found.remark_on(pool.get("UserPoolTags"))
    return f"The users of {names.USER_POOL} may sign in with a code by mail.{remark}"


def _pool() -> dict[str, Any]:
    """The lab's pool, before it gets its name or after that."""
    listed = [str(pool.get("Name")) for pool in found.user_pools()]
    made_up = {name for name in listed if name.startswith(_MADE_UP)}
    if names.USER_POOL in listed and names.NEW_USER_POOL in listed:
        raise Missing(
            f"There are two pools, {names.NEW_USER_POOL} and {names.USER_POOL}: one was made, not renamed.",
            "Delete the one that you don't use: then it is clear which one you mean.",
        )
    if names.USER_POOL in listed or names.NEW_USER_POOL in listed:
        return found.user_pool(names.NEW_USER_POOL)
    if not made_up:
        have = f" There is {' and '.join(sorted(listed))}." if listed else ""
        raise Missing(
            f"There is no user pool named {names.NEW_USER_POOL}.{have}",
            "Create it with cognito_idp.create_user_pool, with this very name.",
        )
    if len(made_up) > 1:
        raise Missing(
            f"There are {len(made_up)} pools whose names the console made up: {', '.join(sorted(made_up))}.",
            f"Rename the lab's pool to {names.NEW_USER_POOL}.",
        )
    return found.user_pool(*made_up)


def check(pool: dict[str, Any]) -> None:
    """All that the lab needs of a pool when task 2 ends.

    Raises:
        Missing: something lacks.
    """
    if pool.get("Name") != names.USER_POOL:
        raise Missing(f"The pool is named {pool.get('Name')}.", f"Name it {names.USER_POOL}.")
    if "EMAIL_OTP" not in first_factors(pool):
        raise Missing(
            f"The pool allows {' and '.join(first_factors(pool))} as the first factor, and no code by mail.",
            "Add EMAIL_OTP to AllowedFirstAuthFactors, in the SignInPolicy of Policies.",
        )
    check_settings(pool)
    check_app_client(pool)


def check_settings(pool: dict[str, Any]) -> None:
    """What a pool of the lab must be from the beginning, and stay.

    Raises:
        Missing: it isn't.
    """
    identifiers = pool.get("UsernameAttributes") or []
    anew = "This can't be changed: delete the pool, and create it with UsernameAttributes."
    if "email" in (pool.get("AliasAttributes") or []):
        raise Missing("The e-mail address is only an alias of a user name (AliasAttributes).", anew)
    if not identifiers:
        raise Missing("Users of the pool sign in with a user name that somebody makes up.", anew)
    if identifiers != ["email"]:
        raise Missing(f"Users of the pool sign in with {' or '.join(identifiers)}.", anew)
    if pool.get("UserPoolTier") == "LITE":
        raise Missing(
            "The pool has the feature plan LITE, which has no codes by mail.",
            "Set UserPoolTier to ESSENTIALS, the default.",
        )
    if not verifies_email(pool):
        raise Missing(
            "The pool doesn't verify e-mail addresses: AutoVerifiedAttributes is empty.",
            "Put the attribute of the address into that list, each time when you send settings.",
        )


def check_app_client(pool: dict[str, Any]) -> None:
    """The app client that a pool of the lab must have.

    Raises:
        Missing: it hasn't.
    """
    app = found.app_client(pool)
    if app.get("ClientSecret"):
        raise Missing(
            f"{names.APP_CLIENT} has a secret, and a browser can't keep one.",
            "Its last secret can't be deleted: delete the app client, and create one without.",
        )
    flows = app.get("ExplicitAuthFlows") or []
    if "ALLOW_USER_AUTH" not in flows:
        raise Missing(
            f"{names.APP_CLIENT} doesn't allow choice-based sign-in.",
            "Add ALLOW_USER_AUTH to ExplicitAuthFlows.",
        )
    rotation = (app.get("RefreshTokenRotation") or {}).get("Feature")
    if "ALLOW_REFRESH_TOKEN_AUTH" not in flows and rotation != "ENABLED":
        raise Missing(
            f"{names.APP_CLIENT} takes no refresh token: its users must sign in again each hour.",
            "Add ALLOW_REFRESH_TOKEN_AUTH to ExplicitAuthFlows.",
        )
    if app.get("PreventUserExistenceErrors", "LEGACY") != "ENABLED":
        raise Missing(
            f"{names.APP_CLIENT} tells a stranger that an address has no account.",
            "Set PreventUserExistenceErrors to ENABLED.",
        )
    units = app.get("TokenValidityUnits") or {}
    for token, usual, default, wanted in _VALIDITY:
        number, unit = wanted.split()
        value = app.get(f"{token}Validity") or default
        has = units.get(token, usual)
        if value * _SECONDS[has] != int(number) * _SECONDS[unit]:
            raise Missing(
                f"A token of the kind {token} is valid for {value} {has}, not for {wanted}.",
                f"Set {token}Validity, and its unit in TokenValidityUnits.",
            )


def first_factors(pool: dict[str, Any]) -> list[str]:
    """With what a sign-in to a pool may begin, such as ``EMAIL_OTP``."""
    policy = (pool.get("Policies") or {}).get("SignInPolicy") or {}
    return policy.get("AllowedFirstAuthFactors") or ["PASSWORD"]


def verifies_email(pool: dict[str, Any]) -> bool:
    """Whether a pool sends a code to a new address."""
    return "email" in (pool.get("AutoVerifiedAttributes") or [])


def is_invitation_only(pool: dict[str, Any]) -> bool:
    """Whether only administrators create a pool's users."""
    return bool((pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"))
