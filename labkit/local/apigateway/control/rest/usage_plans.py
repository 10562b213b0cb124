"""Usage plans and their keys: ``CreateUsagePlan``, ``CreateUsagePlanKey`` and the like (recorded 11)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchOperation,
    PatchPath,
    PatchTable,
    apply_patch,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import page
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

PERIODS = {"DAY": 0, "WEEK": 6, "MONTH": 27}
"""Of a quota, with the highest offset in days."""
MAX_LIMIT = 2**31 - 1
_EVERY = ("add", "remove", "replace")
_METHOD_LIMITS = "/apiStages/{}/throttle/{}/{}"
PATCHES = PatchTable(
    (
        PatchPath("/name"),
        PatchPath("/description"),
        PatchPath("/productCode", _EVERY),
        PatchPath("/apiStages", ("add", "remove")),
        PatchPath("/apiStages/{}/throttle", ("remove",)),
        PatchPath(_METHOD_LIMITS, ("remove",)),
        *(
            PatchPath(f"{_METHOD_LIMITS}/{name}", ("add", "replace"), "number")
            for name in ("rateLimit", "burstLimit")
        ),
        PatchPath("/throttle", ("remove",)),
        PatchPath("/throttle/rateLimit", ("add", "replace"), "number"),
        PatchPath("/throttle/burstLimit", ("add", "replace"), "integer"),
        PatchPath("/quota", ("remove",)),
        PatchPath("/quota/limit", ("add", "replace"), "integer"),
        PatchPath("/quota/offset", ("add", "replace"), "integer"),
        PatchPath("/quota/period", ("add", "replace")),
    ),
    lambda patch: _refuse_removal(patch) if patch.op == "remove" else invalid_path(patch),
    lambda patch, path: (
        _refuse_removal(patch) if patch.op == "remove" else one_of_operations(patch, path)
    ),
)


def _refuse_removal(patch: PatchOperation) -> ApiError:
    """Recorded 11.40."""
    return bad_request(
        f"Invalid patch path  '{patch.path}' specified for op 'remove'. Must be one of: [/apiStages, /quota, "
        "/throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, "
        "/apiStages/<apidId:stageName>/throttle]"
    )


class UsagePlanOperations:
    """The operations on usage plans and their keys.

    Args:
        store: the records.
        begin: called with the id of a new plan, whose first period begins.
    """

    def __init__(self, store: GatewayStore, begin: Callable[[str], None]) -> None:
        self._store = store
        self._begin = begin

    def create_usage_plan(self, call: Call) -> JsonObject:
        """Make a plan (recorded 11.1, 11.22)."""
        made = {
            "id": self._store.new_id(6),
            **call.given("name", "description", "throttle", "quota", "tags"),
            "apiStages": copy.deepcopy(call.parameters.get("apiStages") or []),
        }
        self._check(call, made, [])
        self._store.region(call.region).usage_plans[made["id"]] = made
        self._begin(made["id"])
        return made

    def get_usage_plan(self, call: Call) -> JsonObject:
        """One plan."""
        return _with_tags(self._plan(call))

    def get_usage_plans(self, call: Call) -> JsonObject:
        """All plans, or those of a key."""
        region, key_id = self._store.region(call.region), call.text("keyId")
        found = (
            plan
            for plan in region.usage_plans.values()
            if not key_id or key_id in region.usage_plan_keys.get(plan["id"], ())
        )
        return page(found, call)

    def update_usage_plan(self, call: Call) -> JsonObject:
        """Change a plan (recorded 11.2–11.7)."""
        found = self._plan(call)
        changed = copy.deepcopy(found)
        for patch in patches_of(call.patches):
            path = PATCHES.find(patch)
            if patch.path == "/apiStages":
                _patch_stages(changed, patch)
            elif path.template.startswith("/apiStages"):
                _patch_method_limits(changed, patch, path)
            else:
                apply_patch(changed, patch, path)
        self._check(call, changed, found["apiStages"])
        self._store.region(call.region).usage_plans[found["id"]] = changed
        return _with_tags(changed)

    def delete_usage_plan(self, call: Call) -> None:
        """Delete a plan without stages (recorded 11.39)."""
        found = self._plan(call)
        if found["apiStages"]:
            first = found["apiStages"][0]
            raise bad_request(
                f"Cannot delete Usage Plan {found['id']} because there are API Stages associated with it, including "
                f"{first['apiId']}:{first['stage']}"
            )
        region = self._store.region(call.region)
        del region.usage_plans[found["id"]]
        region.usage_plan_keys.pop(found["id"], None)

    # -- keys of a plan -----------------------------------------------------------------

    def create_usage_plan_key(self, call: Call) -> JsonObject:
        """Put a key into a plan (recorded 11.20)."""
        plan = self._plan(call)
        region = self._store.region(call.region)
        if call.text("keyType") != "API_KEY":
            raise bad_request("Invalid Key Type specified. Must be API_KEY")
        key = region.api_keys.get(call.text("keyId"))
        if key is None:
            raise not_found("Invalid API Key identifier specified")
        keys = region.usage_plan_keys.setdefault(plan["id"], [])
        if key["id"] in keys:
            raise conflict(f"Usage Plan {plan['id']} already contains key {key['id']}")
        self._check_key(call, key["id"], plan)
        keys.append(key["id"])
        return _shown_key(key)

    def get_usage_plan_key(self, call: Call) -> JsonObject:
        """One key of a plan."""
        return _shown_key(self._plan_key(call))

    def get_usage_plan_keys(self, call: Call) -> JsonObject:
        """The keys of a plan, newest first; of an unknown plan none (recorded 11.19, 11.21)."""
        region, prefix = self._store.region(call.region), call.text("nameQuery")
        ids = reversed(region.usage_plan_keys.get(call.text("usagePlanId"), ()))
        keys = (region.api_keys[key_id] for key_id in ids)
        found = (key for key in keys if str(key.get("name", "")).startswith(prefix))
        return page((_shown_key(key) for key in found), call)

    def delete_usage_plan_key(self, call: Call) -> None:
        """Take a key out of a plan."""
        key = self._plan_key(call)
        self._store.region(call.region).usage_plan_keys[call.text("usagePlanId")].remove(key["id"])

    def _plan(self, call: Call) -> JsonObject:
        found = self._store.region(call.region).usage_plans.get(call.text("usagePlanId"))
        if found is None:
            raise not_found("Invalid Usage Plan ID specified")
        return found

    def _plan_key(self, call: Call) -> JsonObject:
        region = self._store.region(call.region)
        if call.text("keyId") not in region.usage_plan_keys.get(call.text("usagePlanId"), ()):
            raise not_found("Invalid Usage Plan Key identifier specified")
        return region.api_keys[call.text("keyId")]

    def _check(self, call: Call, plan: JsonObject, before: list[JsonObject]) -> None:
        """Refuse limits that are none, and stages that aren't there.

        Source of the missing stage's words: https://github.com/serverless/serverless/issues/2831
        """
        if not plan.get("name"):
            raise bad_request("Usage Plan name cannot be blank")  # its words aren't known
        quota = plan.get("quota")
        if quota is not None:
            _check_quota(quota)
            quota.setdefault("offset", 0)
        _check_limits(plan.get("throttle") or {})
        known = [(one.get("apiId"), one.get("stage")) for one in before]
        region = self._store.region(call.region)
        for stage in plan["apiStages"]:
            for limits in (stage.get("throttle") or {}).values():
                _check_limits(limits)
        for stage in plan["apiStages"]:
            api_id, name = str(stage.get("apiId")), str(stage.get("stage"))
            api = region.rest_apis.get(api_id)
            if (api_id, name) not in known and (api is None or name not in api.stages):
                raise not_found(f"API Stage not found: {api_id}:{name}")
        for key_id in region.usage_plan_keys.get(plan["id"], ()):
            self._check_key(call, key_id, plan)

    def _check_key(self, call: Call, key_id: str, plan: Mapping[str, Any]) -> None:
        """A key belongs to one plan for each stage; AWS's words for this aren't known."""
        wanted = {(one["apiId"], one["stage"]) for one in plan["apiStages"]}
        region = self._store.region(call.region)
        for other in region.usage_plans.values():
            if other["id"] == plan["id"] or key_id not in region.usage_plan_keys.get(
                other["id"], ()
            ):
                continue
            for stage in other["apiStages"]:
                if (stage["apiId"], stage["stage"]) in wanted:
                    raise conflict(
                        f"The API Key {key_id} is in another usage plan of the stage {stage['apiId']}:{stage['stage']}"
                    )


def _patch_stages(plan: JsonObject, patch: PatchOperation) -> None:
    """Put a stage into a plan or take it out (recorded 11.4–11.7)."""
    api_id, colon, name = str(patch.value or "").partition(":")
    if not colon or not api_id or not name:
        raise bad_request("Invalid API Stage specified")
    kept = [s for s in plan["apiStages"] if (s["apiId"], s["stage"]) != (api_id, name)]
    if patch.op == "remove":
        if len(kept) == len(plan["apiStages"]):
            raise not_found(
                f"Invalid API Stage {{api: {api_id}, stage: {name}}} specified for usageplan {plan['id']}"
            )
        plan["apiStages"] = kept
    elif len(kept) == len(plan["apiStages"]):
        plan["apiStages"].append({"apiId": api_id, "stage": name})


def _patch_method_limits(plan: JsonObject, patch: PatchOperation, path: PatchPath) -> None:
    """``throttle/{path}/{verb}/rateLimit`` of a stage (gateway 6.8)."""
    api_id, _colon, name = patch.names[1].partition(":")
    found = next((s for s in plan["apiStages"] if (s["apiId"], s["stage"]) == (api_id, name)), None)
    if found is None:
        raise bad_request("Invalid API Stage specified")
    limits = found.setdefault("throttle", {})
    if len(patch.names) == 3:
        del found["throttle"]
        return
    method = f"{patch.names[3]}/{patch.names[4]}"
    if patch.op == "remove":
        limits.pop(method, None)
    else:
        holder: JsonObject = {}
        last = PatchPath(f"/{patch.names[5]}", path.operations, path.kind)
        apply_patch(holder, PatchOperation(patch.op, last.template, patch.value), last)
        limits.setdefault(method, {}).update(holder)
    if not limits:
        del found["throttle"]


def _check_quota(quota: JsonObject) -> None:
    if quota.get("period") not in PERIODS:
        raise bad_request("Usage Plan quota period must be one of [DAY, WEEK, MONTH]")
    if not 0 <= int(quota.get("limit") or 0) <= MAX_LIMIT or quota.get("limit") is None:
        raise bad_request(f"Usage Plan quota limit must be a number from 0 to {MAX_LIMIT}")
    if not 0 <= int(quota.get("offset") or 0) <= PERIODS[quota["period"]]:
        raise bad_request("Usage Plan quota offset must be a day of the period")


def _check_limits(limits: JsonObject) -> None:
    for name in ("rateLimit", "burstLimit"):
        value = limits.get(name)
        if value is not None and not 0 <= value <= MAX_LIMIT:
            raise bad_request(f"Invalid value for {name}: it is a number from 0 to {MAX_LIMIT}")
    if limits.get("rateLimit") is not None:
        limits["rateLimit"] = float(limits["rateLimit"])


def _with_tags(plan: JsonObject) -> JsonObject:
    return {**plan, "tags": plan.get("tags", {})}


def _shown_key(key: JsonObject) -> JsonObject:
    shown = {"id": key["id"], "type": "API_KEY", "value": key["value"]}
    return {**shown, "name": key["name"]} if "name" in key else shown
