"""Whose name a typed name is, and who may sign in under it.

Facts: cognito 1.14, 3.13, 4.11.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from labkit.local.cognito.challenge_sessions import Challenge
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError


class SignInNames:
    """The users behind typed names, and a disguise for the names that are nobody's.

    Args:
        user_pools: where users are.
    """

    def __init__(self, user_pools: UserPools) -> None:
        self._user_pools = user_pools
        self._secret = secrets.token_bytes(32)

    def user_who_signs_in(self, pool: UserPool, typed_name: str) -> User | None:
        """The user that a typed name stands for: a username or an alias (cognito 1.14)."""
        user = self._user_pools.find_user(pool["Id"], typed_name)
        if user is not None and typed_name == user.attributes.get("sub") != user.username:
            return None  # a sub finds users, but nobody signs in with it
        return user

    def known_or_disguised(
        self, pool: UserPool, client: UserPoolClient, typed_name: str
    ) -> User | None:
        """The user of a sign-in; None for nobody, where the app client mustn't tell.

        Raises:
            ApiError: there is no such user and the client may tell, or the user is inactive.
        """
        user = self.user_who_signs_in(pool, typed_name)
        if user is None and not hides_existence(client):
            raise ApiError("UserNotFoundException", "User does not exist.")
        if user is not None:
            refuse_inactive(user)
        return user

    def refuse_other_user(self, pool: UserPool, challenge: Challenge, given: str) -> None:
        """Refuse an answer in another name than the question's (cognito 3.13).

        Raises:
            ApiError: it is another user's.
        """
        user = self.user_who_signs_in(pool, given)
        same = (
            given.casefold() == challenge.typed_name.casefold()
            if challenge.username is None
            else user is not None and user.username == challenge.username
        )
        if not same:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")

    def username_of_nobody(self, pool: UserPool, typed_name: str) -> str:
        """The same username each time, such as a user of this name would have here (cognito 4.16)."""
        if not pool.get("UsernameAttributes"):
            return typed_name
        return str(uuid.UUID(bytes=self.digest(pool["Id"], typed_name)[:16], version=4))

    def digest(self, purpose: str, typed_name: str) -> bytes:
        """32 bytes for a name that nobody has: the same each time, and nobody can foretell them."""
        text = f"{purpose}\0{typed_name.casefold()}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).digest()


def hides_existence(client: UserPoolClient) -> bool:
    """Whether an app client mustn't tell that a user doesn't exist (cognito 4.7)."""
    return client.get("PreventUserExistenceErrors") == "ENABLED"


def refuse_inactive(user: User) -> None:
    """Refuse a disabled or unconfirmed user, in this order (cognito 4.11).

    Raises:
        ApiError: the user is one of both.
    """
    if not user.enabled:
        raise ApiError("NotAuthorizedException", "User is disabled.")
    if user.status == "UNCONFIRMED":
        raise ApiError("UserNotConfirmedException", "User is not confirmed.")


def required_parameter(parameters: Mapping[str, Any], name: str) -> str:
    """A parameter of ``AuthParameters`` or ``ChallengeResponses``.

    Raises:
        ApiError: it is missing (cognito 15.7).
    """
    value = parameters.get(name)
    if not value:
        raise ApiError("InvalidParameterException", f"Missing required parameter {name}")
    return str(value)
