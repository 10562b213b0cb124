"""The state of API keys and usage plans."""

from __future__ import annotations

from labkit.local.engine.ministack import JsonObject, MiniStack, dict_of


class UsagePlanRecords(MiniStack):
    """The control plane's records of API keys and usage plans."""

    def api_key(self, value: str) -> JsonObject | None:
        """The enabled API key with this value, or None."""
        for key in self._module("apigateway_v1")._api_keys.all_values():
            if key.get("value") == value and key.get("enabled", True):
                return dict_of(key)
        return None

    def api_key_record(self, key_id: str) -> JsonObject | None:
        """The live record of an API key, enabled or not, or None."""
        for (_account, _region, found_id), key in self._module(
            "apigateway_v1"
        )._api_keys.all_items():
            if found_id == key_id:
                return dict_of(key)
        return None

    def forget_usage_plan(self, plan_id: str) -> None:
        """Take back a usage plan that was just made."""
        plans = self._module("apigateway_v1")._usage_plans
        region = self._region_of(plans, plan_id)
        with self._scope(region):
            plans.pop(plan_id, None)

    def usage_plan(self, plan_id: str) -> JsonObject | None:
        """The live record of a usage plan, or None."""
        for (_account, _region, found_id), plan in self._module(
            "apigateway_v1"
        )._usage_plans.all_items():
            if found_id == plan_id:
                return dict_of(plan)
        return None

    def usage_plan_keys(self, plan_id: str) -> list[str]:
        """The ids of the API keys of a usage plan."""
        for (_account, _region, found_id), keys in self._module(
            "apigateway_v1"
        )._usage_plan_keys.all_items():
            if found_id == plan_id:
                return list(keys)
        return []

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[JsonObject]:
        """The usage plans that hold both an API key and an API's stage."""
        plans = self._module("apigateway_v1")._usage_plans.all_values()
        return [
            dict_of(plan)
            for plan in plans
            if any(
                s.get("apiId") == api_id and s.get("stage") == stage
                for s in plan.get("apiStages") or []
            )
            and key_id in self.usage_plan_keys(plan["id"])
        ]
