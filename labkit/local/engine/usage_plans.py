"""The state of API keys and usage plans."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack, dict_of


class UsagePlanRecords:
    """The control plane's records of API keys and usage plans.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def api_key(self, value: str) -> JsonObject | None:
        """The enabled API key with this value, or None."""
        for key in self._ministack[names.API_KEYS].all_values():
            if key.get("value") == value and key.get("enabled", True):
                return dict_of(key)
        return None

    def api_key_record(self, key_id: str) -> JsonObject | None:
        """The live record of an API key, enabled or not, or None."""
        return self._ministack.record(names.API_KEYS, key_id)

    def forget_usage_plan(self, plan_id: str) -> None:
        """Take back a usage plan that was just made."""
        region = self._ministack.region_of(names.USAGE_PLANS, plan_id)
        with self._ministack.scope(region):
            self._ministack[names.USAGE_PLANS].pop(plan_id, None)

    def usage_plan(self, plan_id: str) -> JsonObject | None:
        """The live record of a usage plan, or None."""
        return self._ministack.record(names.USAGE_PLANS, plan_id)

    def usage_plan_keys(self, plan_id: str) -> list[str]:
        """The ids of the API keys of a usage plan."""
        return list(self._ministack.record(names.USAGE_PLAN_KEYS, plan_id) or ())

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[JsonObject]:
        """The usage plans that hold both an API key and an API's stage."""
        plans = self._ministack[names.USAGE_PLANS].all_values()
        return [
            dict_of(plan)
            for plan in plans
            if any(
                s.get("apiId") == api_id and s.get("stage") == stage
                for s in plan.get("apiStages") or []
            )
            and key_id in self.usage_plan_keys(plan["id"])
        ]
