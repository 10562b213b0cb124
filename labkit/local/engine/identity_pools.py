"""The state of identity pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from labkit.local.engine import names
from labkit.local.engine.cognito_records import IdentityPool, IdentityPoolRoles
from labkit.local.engine.ministack import JsonObject, MiniStack, response_of, without_own_keys
from labkit.local.engine.operations import Operations
from labkit.local.messages import Response


class IdentityPools:
    """Identity pools and their identities.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self.operations: Operations = Operations()

    def identity_pool(self, pool_id: str) -> IdentityPool | None:
        """An identity pool in any Region, or None."""
        record = self._ministack.record(names.IDENTITY_POOLS, pool_id)
        return None if record is None else cast(IdentityPool, without_own_keys(record))

    def identity_pool_of(self, identity_id: str) -> IdentityPool | None:
        """The identity pool that made an identity, or None."""
        for record in self._ministack[names.IDENTITY_POOLS].all_values():
            if identity_id in record["_identities"]:
                return cast(IdentityPool, without_own_keys(record))
        return None

    def roles(self, pool_id: str) -> IdentityPoolRoles:
        """The roles of an identity pool, as ``SetIdentityPoolRoles`` took them."""
        record = self._record(pool_id)
        return {
            "Roles": dict(record.get("_roles") or {}),
            "RoleMappings": dict(record.get("_role_mappings") or {}),
        }

    def login_refusal(
        self, pool_id: str, identity_id: str, logins: Mapping[str, str]
    ) -> Response | None:
        """Why an identity isn't one of these (verified) logins; None when it is."""
        answer = self._ministack[names.IDENTITY_LOGINS_ERROR](
            self._record(pool_id), identity_id, dict(logins)
        )
        return None if answer is None else response_of(answer)

    def link_logins(self, pool_id: str, identity_id: str, logins: Mapping[str, str]) -> str:
        """Remember the (verified) logins of an identity; the id of the identity that has them now."""
        linked = self._ministack[names.LINK_LOGINS](
            self._record(pool_id), identity_id, dict(logins)
        )
        return str(linked)

    def _record(self, pool_id: str) -> JsonObject:
        """The live record.

        Raises:
            KeyError: there is no such pool.
        """
        record = self._ministack.record(names.IDENTITY_POOLS, pool_id)
        if record is None:
            raise KeyError(pool_id)
        return record
