"""The keys of the issuers whose tokens JWT authorizers trust (gateway 13.1, rest_jwt 16.33-16.35).

A user pool of this cloud is asked in place. Another issuer is asked as AWS asks it, by its discovery document and its
``jwks_uri``, if both are on this machine; nothing leaves it. AWS may keep keys for hours; here they are fetched for
every request, so a key that the issuer withdrew is gone at once.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import jwt

from labkit.local.apigateway.loopback import (
    LateAnswerError,
    LoopbackClient,
    UnreachableServerError,
    is_loopback,
)
from labkit.local.cognito.pool_keys import PoolDirectory, PoolKeys
from labkit.tokens.signed import public_key

COGNITO_ISSUER = re.compile(
    r"https://cognito-idp\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<pool>(?P=region)_[A-Za-z0-9]+)"
)
DISCOVERY = "/.well-known/openid-configuration"
"""Where an issuer's discovery document is."""
_KEYS_OF_POOL = "/.well-known/jwks.json"
MAX_DOCUMENT_BYTES, TIMEOUT_SECONDS = 150_000, 1.5
"""What AWS takes of a JWKS endpoint (gateway 14)."""


class ForeignIssuerError(Exception):
    """The issuer isn't on this machine: whether its tokens are good can't be said here."""


class Issuers:
    """Finds the public key that a token names.

    Args:
        user_pools: the user pools of this cloud.
    """

    def __init__(self, user_pools: PoolDirectory) -> None:
        self._user_pools = user_pools
        self._pool_keys = PoolKeys(user_pools)
        self._client = LoopbackClient()

    async def key(self, issuer: str, key_id: object) -> jwt.PyJWK | None:
        """The issuer's RS256 key with this id; None when it has none, or doesn't answer as an issuer should.

        Raises:
            ForeignIssuerError: the issuer or its keys aren't on this machine.
        """
        if not isinstance(key_id, str):
            return None
        address = await self.jwks_uri(issuer)
        return None if address is None else await self.key_at(address, issuer, key_id, "RS256")

    async def jwks_uri(self, issuer: str) -> str | None:
        """Where an issuer's keys are, as its discovery document says; None when none is there that names the issuer.

        Raises:
            ForeignIssuerError: the issuer or its keys aren't on this machine.
        """
        pool = COGNITO_ISSUER.fullmatch(issuer)
        if pool is not None:
            is_there = self._user_pools.client_ids(pool["pool"]) is not None
            return f"{issuer}{_KEYS_OF_POOL}" if is_there else None
        document = await self._document(f"{issuer.rstrip('/')}{DISCOVERY}")
        address = document.get("jwks_uri")
        if document.get("issuer") != issuer or not isinstance(address, str):
            return None
        if not is_loopback(address):
            raise ForeignIssuerError(address[:200])
        return address

    async def key_at(
        self, address: str, issuer: str, key_id: str, algorithm: str
    ) -> jwt.PyJWK | None:
        """The key of an algorithm with this id among those at a ``jwks_uri``; None when there is none.

        Args:
            address: what :meth:`jwks_uri` answered.
            issuer: whose keys they are. A user pool signs with RS256 only.
            key_id: of the key.
            algorithm: such as ``ES256``.

        Raises:
            ForeignIssuerError: the keys aren't on this machine.
        """
        pool = COGNITO_ISSUER.fullmatch(issuer)
        if pool is not None:
            return self._pool_keys.find(pool["pool"], key_id) if algorithm == "RS256" else None
        keys = (await self._document(address)).get("keys")
        for jwk in keys if isinstance(keys, list) else []:
            if isinstance(jwk, dict) and jwk.get("kid") == key_id:
                key = _public_key(json.dumps(jwk, sort_keys=True), algorithm)
                if key is not None:
                    return key
        return None

    async def has_discovery(self, issuer: str) -> bool:
        """Whether an issuer publishes what its tokens are verified with.

        Of an issuer that isn't on this machine nobody here can know it: its tokens are all turned away.
        """
        try:
            return await self.jwks_uri(issuer) is not None
        except ForeignIssuerError:
            return is_loopback(issuer) or issuer.startswith("https://")

    async def _document(self, url: str) -> dict[str, Any]:
        """A JSON object from this machine; an empty one when there is none."""
        if not is_loopback(url):
            raise ForeignIssuerError(url[:200])
        try:
            status, _headers, body = await self._client.send(
                "GET", url, [], b"", TIMEOUT_SECONDS, MAX_DOCUMENT_BYTES
            )
            document = json.loads(body) if status == 200 else {}
        except (LateAnswerError, UnreachableServerError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


@lru_cache(64)
def _public_key(jwk: str, algorithm: str) -> jwt.PyJWK | None:
    """The key; the same object for the same key, so that a verified token is known again."""
    return public_key(json.loads(jwk), algorithm)
