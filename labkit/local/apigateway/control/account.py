"""``GetAccount`` and ``UpdateAccount``: the account's settings in a Region."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.permissions import check_passed_role
from labkit.local.apigateway.control.store import GatewayStore

JsonObject = dict[str, Any]

PATCHES = PatchTable((PatchPath("/cloudwatchRoleArn"),), invalid_path, one_of_operations)
_SHOWN = {
    "throttleSettings": {"rateLimit": 10_000.0, "burstLimit": 5_000},
    "features": ["UsagePlans"],
    "apiKeyVersion": "4",
}
"""As AWS's examples of the operation show it."""


class AccountOperations:
    """The operations on the account.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def get_account(self, call: Call) -> JsonObject:
        """The settings with the account's limits (gateway 14)."""
        return {**self._store.region(call.region).account, **_SHOWN}

    def update_account(self, call: Call) -> JsonObject:
        """Name the role with which API Gateway writes logs."""
        region = self._store.region(call.region)
        changed = PATCHES.apply(region.account, patches_of(call.patches))
        role = changed.get("cloudwatchRoleArn")
        if not role:
            changed.pop("cloudwatchRoleArn", None)
        elif role != region.account.get("cloudwatchRoleArn"):
            check_passed_role(role, self._store.account_id)
        region.account = changed
        return self.get_account(call)
