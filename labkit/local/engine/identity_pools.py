"""The state of identity pools."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.local.engine.cognito import Cognito, UserPoolAnswer
from labkit.local.engine.ministack import JsonObject, dict_of, response_of
from labkit.local.messages import Response


class IdentityPools(Cognito):
    """Identity pools and their identities."""

    def answer_identity_pools_with(self, answer: UserPoolAnswer) -> None:
        """Put ``answer`` in front of MiniStack's identity pool operations, as :meth:`answer_user_pools_with` does."""
        self._answer_with("_dispatch_identity", answer)

    def identity_pool(self, pool_id: str) -> JsonObject | None:
        """The live record of an identity pool in any Region, or None.

        Keys as in ``DescribeIdentityPool``; ``_roles`` and ``_role_mappings`` as ``SetIdentityPoolRoles`` took them.
        """
        for (_account, _region, found_id), pool in self._module(
            "cognito"
        )._identity_pools.all_items():
            if found_id == pool_id:
                return dict_of(pool)
        return None

    def identity_pool_of(self, identity_id: str) -> JsonObject | None:
        """The live record of the identity pool that made an identity, or None."""
        for pool in self._module("cognito")._identity_pools.all_values():
            if identity_id in pool["_identities"]:
                return dict_of(pool)
        return None

    def login_refusal(
        self, pool: JsonObject, identity_id: str, logins: Mapping[str, str]
    ) -> Response | None:
        """Why an identity isn't one of these (verified) logins; None when it is."""
        answer = self._module("cognito")._identity_logins_error(pool, identity_id, dict(logins))
        return None if answer is None else response_of(answer)

    def link_logins(self, pool: JsonObject, identity_id: str, logins: Mapping[str, str]) -> str:
        """Remember the (verified) logins of an identity; the id of the identity that has them now."""
        linked = self._module("cognito")._link_logins(pool, identity_id, dict(logins))
        return str(linked)
