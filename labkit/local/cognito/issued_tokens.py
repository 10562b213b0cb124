"""The tokens as AWS issues them: MiniStack's, with the claims that it leaves out and an unreadable refresh token.

Facts: cognito 6, 7.9, 9.2.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labkit.local.cognito.sealed_tokens import RefreshToken, TokenSeal
from labkit.local.engine import Group, User, UserPools
from labkit.local.random_ids import new_uuid

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What stays the same through all refreshes of one sign-in."""

    event_id: str
    auth_time: int


class IssuedTokens:
    """Completes MiniStack's token sets.

    Args:
        user_pools: sign with their own keys.
        seal: encrypts refresh tokens.
        numbers: for the ids of sign-ins.
    """

    def __init__(self, user_pools: UserPools, seal: TokenSeal, numbers: random.Random) -> None:
        self._user_pools = user_pools
        self._seal = seal
        self._numbers = numbers

    def complete(
        self, pool_id: str, result: JsonObject, refreshed: RefreshToken | None = None
    ) -> JsonObject:
        """An ``AuthenticationResult`` in AWS's form and order (cognito 3.4).

        Args:
            pool_id: the user pool.
            result: MiniStack's ``AuthenticationResult``.
            refreshed: the refresh token that was exchanged for it; None for a sign-in.
        """
        access = claims_of(result["AccessToken"])
        identity = claims_of(result["IdToken"])
        if refreshed is None:
            facts = SignInFacts(new_uuid(self._numbers), int(access["auth_time"]))
        else:
            facts = SignInFacts(refreshed.event_id, refreshed.auth_time)
        for claims in (access, identity):
            claims["event_id"] = facts.event_id
            claims["auth_time"] = facts.auth_time
        user = self._user_pools.user(pool_id, str(access.get("username")))
        if user is not None:
            _correct_email_verified(identity, user)
        _add_roles(identity, self._user_pools.groups(pool_id))
        completed = {
            "AccessToken": self._user_pools.sign_token(pool_id, "access", access),
            "ExpiresIn": result["ExpiresIn"],
            "TokenType": result["TokenType"],
        }
        if "RefreshToken" in result:
            completed["RefreshToken"] = self._seal.seal(
                RefreshToken(result["RefreshToken"], facts.event_id, facts.auth_time)
            )
        completed["IdToken"] = self._user_pools.sign_token(pool_id, "id", identity)
        return completed


def claims_of(token: str) -> JsonObject:
    """The claims of a JWT, unverified; empty when it isn't one."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _correct_email_verified(identity: JsonObject, user: User) -> None:
    # MiniStack calls an address verified that nobody has verified.
    if "email_verified" in identity and "email" in user.attributes:
        identity["email_verified"] = user.attributes.get("email_verified") == "true"


def _add_roles(identity: JsonObject, groups: Mapping[str, Group]) -> None:
    ranked = [
        groups[name]
        for name in identity.get("cognito:groups", ())
        if isinstance(name, str) and name in groups and groups[name].role_arn
    ]  # a trigger may say anything
    if not ranked:
        return
    identity["cognito:roles"] = [group.role_arn for group in ranked]
    # A group without a precedence comes after all that have one; a role without a rival is the preferred one.
    best = min(map(_rank, ranked))
    roles = {group.role_arn for group in ranked if _rank(group) == best}
    if len(roles) == 1:
        identity["cognito:preferred_role"] = roles.pop()


def _rank(group: Group) -> float:
    return float("inf") if group.precedence is None else group.precedence
