"""Task 5: the lab's user, a user who is stuck in a temporary password, and who is left in the end."""

from __future__ import annotations

from typing import Any

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.resources import client, email_in_use

_SECOND = "second@example.com"
_STUCK = "FORCE_CHANGE_PASSWORD"


def is_made(_look: Look) -> str:
    """Task 5.1: the pool has the lab's user, who may sign in with a code by mail.

    Raises:
        Missing: it hasn't, or the user may not.
    """
    address = email_in_use().casefold()
    check_ready(_user(address), "Delete the user, and create it anew without TemporaryPassword.")
    return f"{names.USER_POOL} has the user {address}, who may sign in with a code by mail."


def is_let_in(_look: Look) -> str:
    """Task 5.2: the second user isn't stuck in a temporary password any more.

    Raises:
        Missing: still stuck.
    """
    check_ready(_user(_SECOND), "Set a password that isn't temporary: Permanent=True.")
    return f"{_SECOND} isn't stuck any more."


def is_alone(_look: Look) -> str:
    """Task 5.3: the pool has the lab's user and no other.

    Raises:
        Missing: it has others, or the lab's user is gone.
    """
    users = found.users(found.user_pool())
    check_own(users)
    others = [user for user in users if not user["own"]]
    disabled = [user["email"] for user in others if not user["enabled"]]
    if disabled:
        raise Missing(
            f"{', '.join(disabled)} is disabled, and still in the pool.",
            "Delete the user: a disabled one can be enabled again.",
        )
    if others:
        raise Missing(
            f"The pool has one user too many: {', '.join(user['email'] for user in others)}.",
            "Delete everybody but your own user.",
        )
    return f"{email_in_use()} is the only user of the pool."


def check_own(users: list[dict[str, Any]]) -> None:
    """See that the lab's user is there, and may sign in.

    Raises:
        Missing: it isn't, or is disabled.
    """
    mine = next((user for user in users if user["own"]), None)
    if mine is None:
        raise Missing(
            f"Your own user {email_in_use()} is gone.", "Create it again, as in task 5.1."
        )
    if not mine["enabled"]:
        raise Missing(
            f"You have disabled your own user {mine['email']}.",
            "Enable it with cognito_idp.admin_enable_user.",
        )


def _user(address: str) -> dict[str, Any]:
    """A user of the lab's pool by the address.

    Raises:
        Missing: there is none; says who else there is, or in which pool the user is instead.
    """
    pool = found.user_pool()
    users = found.users(pool)
    one = next((user for user in users if user["email"] == address), None)
    if one is not None:
        return one
    if elsewhere := _pool_of(address):
        raise Missing(
            f"The user {address} is in another pool: {elsewhere}.",
            f"Create the user in {names.USER_POOL}: UserPoolId says in which pool.",
        )
    have = ", ".join(user["email"] or "one without an address" for user in users)
    raise Missing(
        f"The pool has no user with the address {address}."
        + (f" It has {have}." if have else " It has no user at all."),
        "Create the user with cognito_idp.admin_create_user.",
    )


def _pool_of(address: str) -> str:
    """The name of a pool that has a user with an address; empty when none has."""
    cognito = client("cognito-idp")
    for pool in found.user_pools():
        wanted = f'email = "{address}"'
        if cognito.list_users(UserPoolId=pool["Id"], Filter=wanted, Limit=1).get("Users"):
            return str(pool.get("Name"))
    return ""


def check_ready(user: dict[str, Any], unstick: str) -> None:
    """See that a user may sign in with a code.

    Args:
        user: as :func:`labkit.course.checks.found.users` has it.
        unstick: the next step for one with a temporary password.

    Raises:
        Missing: may not.
    """
    address = user["email"]
    if user["status"] == _STUCK:
        raise Missing(
            f"The status of {address} is {_STUCK}: the password is a temporary one, and no code is sent.",
            unstick,
        )
    if not user["enabled"]:
        raise Missing(
            f"{address} is disabled: nobody signs in so.",
            "Enable the user: cognito_idp.admin_enable_user.",
        )
    if user["status"] == "UNCONFIRMED":
        raise Missing(
            f"The status of {address} is UNCONFIRMED: so is somebody who signed up without you.",
            "Delete the user, and create it as the administrator: admin_create_user.",
        )
    if user["status"] != "CONFIRMED":
        raise Missing(
            f"The status of {address} is {user['status']}.",
            "Delete the user, and create it anew: then it is CONFIRMED.",
        )
    if not user["verified"]:
        raise Missing(
            f"The address {address} isn't verified: nobody has said whose mailbox that is.",
            "Set email_verified to true with cognito_idp.admin_update_user_attributes, or create the user anew.",
        )
