"""``GetUsage`` and ``UpdateUsage``: what the keys of a usage plan have used (gateway 6)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.rest.usage_plans import UsagePlans

JsonObject = dict[str, Any]

MAX_DAYS = 90
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REMAINING = re.compile("[0-9]{1,9}")


class UsageOperations:
    """The operations on usage.

    Args:
        store: the records.
        usage_plans: the counts.
    """

    def __init__(self, store: GatewayStore, usage_plans: UsagePlans) -> None:
        self._store = store
        self._usage_plans = usage_plans

    def get_usage(self, call: Call) -> JsonObject:
        """Used and remaining requests of each key, day by day."""
        plan_id, wanted = call.text("usagePlanId"), call.text("keyId")
        region = self._store.region(call.region)
        plan = region.usage_plans.get(plan_id)
        if plan is None:
            raise not_found("Invalid Usage Plan ID specified")
        try:
            first, last = _day(call.text("startDate")), _day(call.text("endDate"))
        except ValueError:
            raise bad_request("Invalid date format. Use yyyy-MM-dd") from None
        if not dt.timedelta(0) <= last - first <= dt.timedelta(days=MAX_DAYS):
            raise bad_request(f"The dates must span 0 to {MAX_DAYS} days")
        keys = [key for key in region.usage_plan_keys.get(plan_id, ()) if wanted in ("", key)]
        return {
            "usagePlanId": plan_id,
            "startDate": first.isoformat(),
            "endDate": last.isoformat(),
            # botocore's wire name of ``items``
            "values": {key: self._usage_plans.usage(plan, key, first, last) for key in keys},
        }

    def update_usage(self, call: Call) -> JsonObject:
        """Set what is left of a key's quota in the present period."""
        plan_id, key_id = call.text("usagePlanId"), call.text("keyId")
        region = self._store.region(call.region)
        plan = region.usage_plans.get(plan_id)
        if plan is None or key_id not in region.usage_plan_keys.get(plan_id, ()):
            raise not_found("Invalid Usage Plan Key identifier specified")
        remaining = None
        for patch in call.patches:
            value = str(patch.get("value"))
            if (patch.get("op"), patch.get("path")) != (
                "replace",
                "/remaining",
            ) or not _REMAINING.fullmatch(value):
                raise bad_request("Invalid patch path: only /remaining can be replaced")
            remaining = int(value)
        if remaining is None:
            raise bad_request("Invalid patch path: only /remaining can be replaced")
        self._usage_plans.grant(plan_id, key_id, remaining, plan)
        return {"usagePlanId": plan_id, "values": {key_id: [[0, remaining]]}}


def _day(text: str) -> dt.date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text)
