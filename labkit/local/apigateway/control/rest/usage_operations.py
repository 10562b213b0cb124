"""``GetUsage``, ``UpdateUsage``, and patches of usage plans and API keys, whose values are text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from labkit.local.apigateway.answers import bad_request, refuse, with_body
from labkit.local.apigateway.control.rest.usage_requests import (
    checked_body,
    is_number,
    operations_in,
)
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.json_protocol import ApiError
from labkit.local.messages import Request, Response

Forward = Callable[[Request], Awaitable[Response]]

MAX_DAYS = 90
_PLAN = re.compile(r"/usageplans/([^/]+)")
_USAGE = re.compile(r"/usageplans/([^/]+)/usage")
_PLANS = "/usageplans"
_MADE_AT = {_PLANS: "CreateUsagePlan", "/apikeys": "CreateApiKey"}
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEY = re.compile(r"/apikeys/([^/]+)")
_KEY_USAGE = re.compile(r"/usageplans/([^/]+)/keys/([^/]+)/usage")


class UsagePlanState(Protocol):
    """The control plane's state."""

    def usage_plan(self, plan_id: str) -> dict[str, Any] | None:
        """The live record, or None."""

    def usage_plan_keys(self, plan_id: str) -> list[str]:
        """The ids of its keys."""

    def api_key_record(self, key_id: str) -> dict[str, Any] | None:
        """The live record of an API key, enabled or not, or None."""

    def forget_usage_plan(self, plan_id: str) -> None:
        """Take back a usage plan that was just made."""


class StageLookup(Protocol):
    """What is asked of REST APIs."""

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region of a REST API, or None."""

    def stage(self, api_id: str, region: str, stage_name: str) -> dict[str, Any] | None:
        """The live stage of a REST API, or None."""


class UsageOperations:
    """Answers the usage plan operations; the engine decides first whether the caller may make them.

    Args:
        state: the engine's state.
        rest_apis: whose stages are in a plan.
        forward: lets the engine authorize and answer a call.
        usage_plans: the counts.
    """

    def __init__(
        self,
        state: UsagePlanState,
        rest_apis: StageLookup,
        forward: Forward,
        usage_plans: UsagePlans,
    ) -> None:
        self._state = state
        self._rest_apis = rest_apis
        self._forward = forward
        self._usage_plans = usage_plans

    async def handle(self, request: Request) -> Response:
        """Answer one call below ``/usageplans`` or ``/apikeys``."""
        try:
            return await self._answer(request)
        except ApiError as refused:
            return refuse(refused.status, refused.error_type, str(refused))

    async def _answer(self, request: Request) -> Response:
        if request.method == "GET" and (match := _USAGE.fullmatch(request.raw_path)):
            return await self._authorized(request) or self._get_usage(request, match[1])
        if request.method == "PATCH" and (match := _KEY_USAGE.fullmatch(request.raw_path)):
            body = checked_body(request, "UpdateUsage", usagePlanId=match[1], keyId=match[2])
            return await self._authorized(request) or self._update_usage(body, match[1], match[2])
        if request.method == "PATCH" and (match := _PLAN.fullmatch(request.raw_path)):
            return await self._update_plan(request, match[1])
        if request.method == "POST" and request.raw_path in _MADE_AT:
            checked_body(request, _MADE_AT[request.raw_path])
        if request.method == "PATCH" and (match := _KEY.fullmatch(request.raw_path)):
            checked_body(request, "UpdateApiKey", apiKey=match[1])
        response = await self._forward(request)
        if response.status >= 300:
            return response
        if request.method == "POST" and request.raw_path == _PLANS:
            return self._created(response, response.json()["id"])
        if request.method == "PATCH" and (match := _KEY.fullmatch(request.raw_path)):
            return self._key_shown(response, match[1])
        return response

    def _created(self, response: Response, plan_id: str) -> Response:
        """The engine takes any API stage into a plan; AWS those of REST APIs that there are."""
        plan = self._state.usage_plan(plan_id) or {}
        missing = self._missing_stage(plan.get("apiStages") or [])
        if missing is not None:
            self._state.forget_usage_plan(plan_id)
            return missing
        self._usage_plans.begin(plan_id)
        return self._plan_shown(response, plan_id)

    def _missing_stage(self, stages: Sequence[Mapping[str, Any]]) -> Response | None:
        """AWS's refusal of an API stage that isn't there.

        Source: https://github.com/serverless/serverless/issues/2831
        """
        for stage in stages:
            api_id, name = str(stage.get("apiId")), str(stage.get("stage"))
            region = self._rest_apis.rest_api_region(api_id)
            if region is None or self._rest_apis.stage(api_id, region, name) is None:
                return refuse(404, "NotFoundException", f"API Stage not found: {api_id}:{name}")
        return None

    def _plan_shown(self, response: Response, plan_id: str) -> Response:
        plan = self._state.usage_plan(plan_id)
        return response if plan is None else with_body(response, with_numbers(plan))

    def _key_shown(self, response: Response, key_id: str) -> Response:
        """``"false"`` isn't false: a key that was disabled so would still open the API."""
        key = self._state.api_key_record(key_id)
        if key is None:
            return response
        if isinstance(key.get("enabled"), str):
            key["enabled"] = key["enabled"].lower() == "true"
        return with_body(response, key)

    async def _authorized(self, request: Request) -> Response | None:
        """The engine doesn't know the operation: any answer but a refusal means that the caller may make it."""
        verdict = await self._forward(request)
        return verdict if verdict.status in (401, 403) else None

    def _get_usage(self, request: Request, plan_id: str) -> Response:
        plan = self._state.usage_plan(plan_id)
        if plan is None:
            return refuse(404, "NotFoundException", "Invalid Usage Plan identifier specified")
        query = dict(request.query)
        try:
            first, last = _day(query.get("startDate", "")), _day(query.get("endDate", ""))
        except ValueError:
            return bad_request("Invalid date format. Use yyyy-MM-dd")
        if not dt.timedelta(0) <= last - first <= dt.timedelta(days=MAX_DAYS):
            return bad_request(f"The dates must span 0 to {MAX_DAYS} days")
        keys = [k for k in self._state.usage_plan_keys(plan_id) if query.get("keyId") in (None, k)]
        items = {key: self._usage_plans.usage(plan, key, first, last) for key in keys}
        return Response.of_json(
            {
                "usagePlanId": plan_id,
                "startDate": first.isoformat(),
                "endDate": last.isoformat(),
                "values": items,  # botocore's wire name of ``items``
            }
        )

    def _update_usage(self, body: dict[str, Any], plan_id: str, key_id: str) -> Response:
        plan = self._state.usage_plan(plan_id)
        if plan is None or key_id not in self._state.usage_plan_keys(plan_id):
            return refuse(404, "NotFoundException", "Invalid Usage Plan Key identifier specified")
        remaining = None
        for operation in operations_in(body):
            value = str(operation.get("value"))
            if operation.get("path") == "/remaining" and re.fullmatch("[0-9]{1,9}", value):
                remaining = int(value)
        if remaining is None:
            return bad_request("Invalid patch path: only /remaining can be replaced")
        self._usage_plans.grant(plan_id, key_id, remaining, plan)
        return Response.of_json({"usagePlanId": plan_id, "values": {key_id: [[0, remaining]]}})

    async def _update_plan(self, request: Request, plan_id: str) -> Response:
        """Operations on ``/apiStages`` are applied here, after the engine has authorized the call."""
        operations = operations_in(checked_body(request, "UpdateUsagePlan", usagePlanId=plan_id))
        staged = [op for op in operations if str(op.get("path", "")).startswith("/apiStages")]
        plan = self._state.usage_plan(plan_id)
        if plan is None:
            return await self._forward(request)
        before = list(plan.get("apiStages") or [])
        response = await self._forward(request)
        if response.status >= 300:
            return response
        try:
            after = patched_stages(before, staged)
        except ValueError as error:
            plan["apiStages"] = before
            return bad_request(str(error))
        missing = self._missing_stage([stage for stage in after if stage not in before])
        plan["apiStages"] = before if missing else after
        if missing is not None:
            return missing
        return with_body(response, with_numbers(plan))


def with_numbers(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan in AWS's shape: numbers, and a quota with its offset (gateway 6.18).

    >>> with_numbers({"quota": {"limit": "3", "period": "DAY"}, "throttle": {"rateLimit": "1.5"}})
    {'quota': {'limit': 3, 'offset': 0, 'period': 'DAY'}, 'throttle': {'rateLimit': 1.5}}
    """
    quota, throttle = plan.get("quota") or {}, plan.get("throttle") or {}
    if quota.get("limit") is not None:
        numbers = {
            "limit": int(float(quota["limit"])),
            "offset": int(float(quota.get("offset") or 0)),
        }
        plan["quota"] = {**numbers, **{k: v for k, v in quota.items() if k not in numbers}}
    for name, number in (("burstLimit", int), ("rateLimit", float)):
        if throttle.get(name) is not None:
            throttle[name] = number(float(throttle[name]))
    return plan


def patched_stages(
    stages: list[dict[str, Any]], operations: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The API stages of a plan after some patch operations.

    Raises:
        ValueError: an operation names no API stage.

    >>> patched_stages([], [{"op": "add", "path": "/apiStages", "value": "abc:dev"}])
    [{'apiId': 'abc', 'stage': 'dev'}]
    """
    result = [dict(stage) for stage in stages]
    for operation in operations:
        tokens = str(operation["path"]).split("/")[2:]
        name = tokens[0] if tokens else str(operation.get("value"))
        api_id, colon, stage_name = unquote(name).partition(":")
        if not colon or not api_id or not stage_name:
            raise ValueError(f"Invalid API Stage specified: {name}")
        found = next((s for s in result if (s["apiId"], s["stage"]) == (api_id, stage_name)), None)
        if tokens:
            _patch_throttle(found, tokens[1:], operation)
        elif operation.get("op") == "remove":
            result = [s for s in result if s is not found]
        elif found is None:
            result.append({"apiId": api_id, "stage": stage_name})
    return result


def _patch_throttle(
    stage: dict[str, Any] | None, tokens: list[str], operation: Mapping[str, Any]
) -> None:
    """``throttle/{path}/{verb}/rateLimit``, its path with ``~1`` for ``/`` (gateway 6.8)."""
    if stage is None or len(tokens) < 3 or tokens[0] != "throttle":
        raise ValueError(f"Invalid patch path {operation['path']}")
    limits = stage.setdefault("throttle", {})
    method = f"{tokens[1].replace('~1', '/')}/{tokens[2]}"
    if operation.get("op") == "remove":
        limits.pop(method, None)
    elif len(tokens) == 4 and tokens[3] in ("rateLimit", "burstLimit"):
        value = str(operation.get("value"))
        if not is_number(value):
            raise ValueError(f"Invalid value {value} for {operation['path']}")
        entry = limits.setdefault(method, {})
        entry[tokens[3]] = float(value)
    else:
        raise ValueError(f"Invalid patch path {operation['path']}")


def _day(text: str) -> dt.date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text)
