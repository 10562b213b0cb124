"""Task 6b: a stranger signs up, the door is closed without losing a setting, and the stranger is put out."""

from __future__ import annotations

from typing import Any

from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.checks.user import check_own
from labkit.course.checks.user_pool import first_factors, is_invitation_only, verifies_email
from labkit.course.resources import email_in_use, is_ours

_AGAIN = 'Run lab.start_task("6b"): it makes the pool as task 2 left it.'


def one_is_inside(_look: Look) -> str:
    """Task 6b.1: somebody who signed up is confirmed, with a verified address.

    Raises:
        Missing: nobody is.
    """
    pool = found.user_pool()
    strangers = _strangers(pool)
    if not strangers:
        if is_invitation_only(pool):
            raise Missing("The pool takes no sign-up: only administrators create users.", _AGAIN)
        raise Missing(
            f"Nobody but {email_in_use()} is in the pool.",
            "Sign up as the stranger: run the cell with cognito_idp.sign_up.",
        )
    inside = [user for user in strangers if _is_inside(user)]
    if not inside:
        _explain(pool, strangers[0])
    return f"{inside[0]['email']} is a user of your pool, and nobody of yours took part in that."


def _is_inside(user: dict[str, Any]) -> bool:
    return bool(user["status"] == "CONFIRMED" and user["verified"] and user["enabled"])


def _explain(pool: dict[str, Any], user: dict[str, Any]) -> None:
    """Say what a stranger lacks.

    Raises:
        Missing: always.
    """
    address = user["email"]
    if not user["enabled"]:
        raise Missing(
            f"{address} is disabled.", "Delete the user, and sign up as the stranger again."
        )
    if user["status"] == "FORCE_CHANGE_PASSWORD":
        raise Missing(
            f"The status of {address} is FORCE_CHANGE_PASSWORD: an administrator made this user.",
            "Delete the user, and sign up as a stranger does: cognito_idp.sign_up.",
        )
    if user["status"] == "UNCONFIRMED" and not verifies_email(pool):
        raise Missing(
            f"{address} isn't confirmed, and no code comes: email isn't in AutoVerifiedAttributes.",
            _AGAIN,
        )
    if user["status"] == "UNCONFIRMED":
        raise Missing(
            f"{address} has signed up, and isn't confirmed.",
            "Answer the mail: cognito_idp.confirm_sign_up, with the code.",
        )
    raise Missing(
        f"{address} is {user['status']}, and the address isn't verified: an administrator confirmed the user.",
        "Delete the user, sign up again, and confirm with the code from the mail.",
    )


def is_closed(_look: Look) -> str:
    """Task 6b.2: only administrators create users, and the pool has kept its other settings.

    Raises:
        Missing: it is open, or has lost one.
    """
    _closed(found.user_pool())
    return "Only administrators create users now, and the pool has kept its other settings."


def _closed(pool: dict[str, Any]) -> None:
    if not is_invitation_only(pool):
        raise Missing(
            "Everybody may still sign up: AllowAdminCreateUserOnly is false.",
            "Set it to True in AdminCreateUserConfig.",
        )
    factors = first_factors(pool)
    if "EMAIL_OTP" not in factors:
        raise Missing(
            f"The first factors are {', '.join(factors)}: your own user gets no code any more.",
            "The update left Policies out. Send them along, as they were before.",
        )
    if not verifies_email(pool):
        raise Missing(
            "AutoVerifiedAttributes is empty: Cognito verifies no address any more.",
            "The update left AutoVerifiedAttributes out. Send it along, as it was before.",
        )
    if not is_ours(pool.get("UserPoolTags")):
        raise Missing(
            "The pool has lost its tag: lab.clean_up() doesn't know it any more.",
            "The update left UserPoolTags out. Send them along, as they were before.",
        )


def is_put_out(_look: Look) -> str:
    """Task 6b.3: nobody but the lab's user may sign in, and the door is closed.

    Raises:
        Missing: somebody else may, or the lab's user may not.
    """
    pool = found.user_pool()
    check_own(found.users(pool))
    if inside := [user["email"] for user in _strangers(pool) if user["enabled"]]:
        raise Missing(
            f"{', '.join(inside)} is still enabled: who is signed out just signs in again.",
            "Disable the user with cognito_idp.admin_disable_user, or delete it.",
        )
    _closed(pool)
    return f"Only {email_in_use()} may sign in."


def _strangers(pool: dict[str, Any]) -> list[dict[str, Any]]:
    return [user for user in found.users(pool) if not user["own"]]
