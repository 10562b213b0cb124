"""The public keys that tokens of this cloud's user pools are verified with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

import jwt


class PoolDirectory(Protocol):
    """The user pools that tokens may come from: what finding their keys needs of Cognito."""

    def signing_keys(self, pool_id: str) -> list[dict[str, Any]]:
        """The pool's public keys."""

    def client_ids(self, pool_id: str) -> Collection[str] | None:
        """The ids of the pool's app clients; None when there is no such pool."""


class PoolKeys:
    """The public keys of user pools.

    Args:
        user_pools: where pools and their keys are.
    """

    def __init__(self, user_pools: PoolDirectory) -> None:
        self._user_pools = user_pools
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}

    def find(self, pool_id: str, key_id: object) -> jwt.PyJWK | None:
        """A pool's public key; None for an unknown key id or a pool that is gone."""
        if not isinstance(key_id, str) or self._user_pools.client_ids(pool_id) is None:
            return None
        if (pool_id, key_id) not in self._keys:
            for jwk in self._user_pools.signing_keys(pool_id):
                self._keys[pool_id, jwk["kid"]] = jwt.PyJWK(jwk)
        return self._keys.get((pool_id, key_id))
