"""The limits of a REST API's call (gateway 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.limits import Limit, account_limit, limit_of
from labkit.local.apigateway.rest.call import RestCall


def limits_of(call: RestCall) -> Iterator[Limit]:
    """The limits in the order of gateway 6.5; they don't lift one another (gateway 6.6)."""
    api_id, path, verb = call.deployment.api_id, call.found.resource.path, call.verb
    use, plan = call.key_use, Code.THROTTLE_USAGE_PLAN
    if use is not None:
        per_method = (use.api_stage.get("throttle") or {}).get(f"{path}/{verb}")
        if per_method:
            method_key = ("plan method", use.plan_id, use.key_id, api_id, call.stage, path, verb)
            yield from limit_of("the usage plan's method", plan, method_key, per_method)
        plan_key = ("plan", use.plan_id, use.key_id)
        yield from limit_of("the usage plan", plan, plan_key, use.plan.get("throttle"))
    found = method_settings(call.stage_record, path, verb)
    if found is not None:
        key = ("stage", api_id, call.stage, path, verb)
        names = {"rateLimit": "throttlingRateLimit", "burstLimit": "throttlingBurstLimit"}
        # -1 takes a limit away: https://github.com/DianaIonita/serverless-api-gateway-throttling/issues/39
        limits = {k: None if found.get(v) == -1 else found.get(v) for k, v in names.items()}
        yield from limit_of("the stage's method", Code.THROTTLE_STAGE, key, limits)
    yield account_limit(call.deployment.region)


def method_settings(stage: Mapping[str, Any], path: str, verb: str) -> Mapping[str, Any] | None:
    """The stage's throttle settings for a method: its own, or those of ``*/*``; None when neither is set.

    >>> method_settings({"methodSettings": {"*/*": {"throttlingRateLimit": 2}}}, "/pets", "GET")
    {'throttlingRateLimit': 2}
    """
    settings = stage.get("methodSettings") or {}
    plain = path.lstrip("/")
    for key in (
        f"{plain}/{verb}",
        f"/{plain}/{verb}",
        f"~1{plain.replace('/', '~1')}/{verb}",
        "*/*",
    ):
        entry = settings.get(key)
        if entry and {"throttlingRateLimit", "throttlingBurstLimit"} & set(entry):
            return dict(entry)
    return None
