"""Reading signed tokens: the same for a Cognito authorizer and a JWT authorizer.

A decoder of tokens may overlook what it doesn't understand; here a token is three parts in its own alphabet, signed
with RS256 by a key that somebody trusted published, or it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import jwt

Claims = Mapping[str, Any]

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""Three parts in the URL-safe Base64 alphabet, without padding: a decoder may overlook what else there is."""
_KEPT_TOKENS = 128
"""A client sends the same token until it expires; PyJWT takes 0.3 ms to read and verify it."""

UNREADABLE = (jwt.PyJWTError, ValueError, RecursionError)
"""What reading a hostile token may raise."""


class UserPools(Protocol):
    """What reading tokens needs of Cognito."""

    def signing_keys(self, pool_id: str) -> list[dict[str, Any]]:
        """The pool's public keys."""

    def user_pool(self, pool_id: str) -> dict[str, Any] | None:
        """The pool, or None."""


class PoolKeys:
    """The public keys of user pools.

    Args:
        user_pools: where pools and their keys are.
    """

    def __init__(self, user_pools: UserPools) -> None:
        self._user_pools = user_pools
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}

    def find(self, pool_id: str, key_id: object) -> jwt.PyJWK | None:
        """A pool's public key; None for an unknown key id or a pool that is gone."""
        if not isinstance(key_id, str) or self._user_pools.user_pool(pool_id) is None:
            return None
        if (pool_id, key_id) not in self._keys:
            for jwk in self._user_pools.signing_keys(pool_id):
                self._keys[pool_id, jwk["kid"]] = jwt.PyJWK(jwk)
        return self._keys.get((pool_id, key_id))


@lru_cache(_KEPT_TOKENS)
def header_of(token: str) -> Mapping[str, Any]:
    """The token's header.

    Raises:
        jwt.PyJWTError: it can't be read; :data:`UNREADABLE` has the other errors.
    """
    if not _TOKEN.fullmatch(token):
        raise jwt.DecodeError
    return jwt.get_unverified_header(token)


@lru_cache(_KEPT_TOKENS)
def signed_content(token: str, key: jwt.PyJWK) -> Claims:
    """The claims, if the signature is the key's: that never changes, while the time is checked for every request.

    A failure isn't kept.

    Raises:
        jwt.PyJWTError: the signature is another's; :data:`UNREADABLE` has the other errors.
    """
    unchecked = {
        f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")
    }
    claims: Claims = jwt.decode(token, key.key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
    return claims


def unreadable(token: str) -> str:
    """Why a token can't be read, in the words of somebody who looks at it."""
    if token.count(".") != 2:
        return "the token isn't a JWT: it doesn't have three parts"
    return "the token can't be read: it was changed, or not copied whole"


def bare_token(value: str | None) -> str:
    """The token in a header's value: raw or after ``Bearer `` (2.6, 13.1).

    >>> bare_token("Bearer abc"), bare_token(None)
    ('abc', '')
    """
    return (value or "").removeprefix("Bearer ")
