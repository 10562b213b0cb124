"""API keys, usage plans and quotas (gateway 6, 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Pass, Skip, Stop
from labkit.local.apigateway.rest.call import RestCall, RestOutcome
from labkit.local.apigateway.rest.key_use import KeyUse
from labkit.local.apigateway.rest.responses import INVALID_API_KEY, QUOTA_EXCEEDED, GatewayError

_NO_KEY_NEEDED = Skip("the method requires no API key")
_KEY_NOT_LOOKED_AT = Skip(
    "the method requires no API key: nobody looks at the one in the X-API-Key header",
    Code.API_KEY_NOT_REQUIRED,
)


class ApiKeys(Protocol):
    """What the gate asks of the control plane; changes there need no redeploy (gateway 7.4, 7.5)."""

    def api_key(self, value: str) -> dict[str, Any] | None:
        """The enabled key with this value, or None."""

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[dict[str, Any]]:
        """The usage plans that hold both the key and the stage."""


class UsagePlans:
    """The gate ``api key and usage plan``, and the counts behind ``GetUsage``.

    Args:
        api_keys: keys and plans.
        clock: seconds since the epoch.
    """

    def __init__(self, api_keys: ApiKeys, clock: Callable[[], float]) -> None:
        self._api_keys = api_keys
        self._clock = clock
        self._used: dict[tuple[str, str], dict[str, int]] = {}
        self._extra: dict[tuple[str, str, dt.date], int] = {}
        self._began: dict[str, dt.date] = {}

    def __call__(self, call: RestCall) -> RestOutcome:
        """Find the key and its plan, and look at the quota; the request is counted when it passes the throttle."""
        value = call.request.header("x-api-key")
        if not call.found.method.api_key_required:
            return _KEY_NOT_LOOKED_AT if value else _NO_KEY_NEEDED
        from_authorizer = call.deployment.api_key_source == "AUTHORIZER"
        if from_authorizer:
            result = call.authorizer_result
            value = result.usage_identifier_key if result else None
        where = "the authorizer's usageIdentifierKey" if from_authorizer else "the X-API-Key header"
        if not value:
            return _forbidden(Code.API_KEY_MISSING, f"there is no API key in {where}")
        key = self._api_keys.api_key(value)
        if key is None:
            reason = f"the API key in {where} is unknown or disabled"
            return _forbidden(Code.API_KEY_UNKNOWN, reason)
        plans = self._api_keys.usage_plans_of(str(key["id"]), call.deployment.api_id, call.stage)
        if not plans:
            reason = "no usage plan holds both this API key and this stage"
            return _forbidden(Code.API_KEY_NOT_IN_PLAN, reason)
        plan = plans[0]
        entry = next(
            s
            for s in plan["apiStages"]
            if s.get("apiId") == call.deployment.api_id and s.get("stage") == call.stage
        )
        call.key_use = KeyUse(str(key["id"]), value, plan, entry)
        left = self.remaining(call.key_use.plan, call.key_use.key_id)
        evidence = {
            "api key": key["id"],
            "usage plan": plan.get("name") or plan["id"],
            "quota left": left,
        }
        if left is not None and left <= 0:
            return Stop(
                GatewayError(QUOTA_EXCEEDED),
                Code.QUOTA_EXCEEDED,
                "the key's quota in the usage plan is used up",
                evidence,
            )
        return Pass("the API key is in a usage plan of this stage", evidence)

    def count_call(self, call: RestCall) -> None:
        """Count a call that passed the throttle, if it came with a key (gateway 6.15)."""
        if call.key_use is not None:
            self.count(call.key_use)

    def count(self, use: KeyUse) -> None:
        """Count one request of a key."""
        days = self._used.setdefault((use.plan_id, use.key_id), {})
        today = self._today().isoformat()
        days[today] = days.get(today, 0) + 1

    def begin(self, plan_id: str) -> None:
        """A usage plan is made: the present period is its first, the only one that the offset is taken off.

        AWS documents the first period, not from when it counts: that it is the plan's own is inferred.
        """
        self._began[plan_id] = self._today()

    def remaining(self, plan: Mapping[str, Any], key_id: str) -> int | None:
        """What is left of a key's quota in the present period; None without a quota."""
        return self._left(plan, key_id, self._today())

    def usage(
        self, plan: Mapping[str, Any], key_id: str, first: dt.date, last: dt.date
    ) -> list[list[int]]:
        """``[used, remaining]`` for each day, as ``GetUsage`` reports it."""
        used = self._used.get((str(plan["id"]), key_id), {})
        days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        return [
            [used.get(day.isoformat(), 0), max(0, self._left(plan, key_id, day) or 0)]
            for day in days
        ]

    def _left(self, plan: Mapping[str, Any], key_id: str, day: dt.date) -> int | None:
        """What was left of a key's quota when a day ended, or is now; None without a quota."""
        quota = plan.get("quota") or {}
        if quota.get("limit") is None:
            return None
        plan_id, period = str(plan["id"]), str(quota.get("period") or "DAY")
        start = period_start(day, period)
        used = sum(
            count
            for used_on, count in self._used.get((plan_id, key_id), {}).items()
            if start.isoformat() <= used_on <= day.isoformat()
        )
        began = self._began.get(plan_id)
        in_first_period = began is not None and period_start(began, period) == start
        offset = int(quota.get("offset") or 0) if in_first_period else 0
        return int(quota["limit"]) - offset - used + self._extra.get((plan_id, key_id, start), 0)

    def grant(self, plan_id: str, key_id: str, remaining: int, plan: Mapping[str, Any]) -> None:
        """Set what is left of the present period (``UpdateUsage``); the next one starts with the plan's own limit."""
        period = str((plan.get("quota") or {}).get("period") or "DAY")
        granted = (plan_id, key_id, period_start(self._today(), period))
        self._extra[granted] = 0
        self._extra[granted] = remaining - (self.remaining(plan, key_id) or 0)

    def _today(self) -> dt.date:
        return dt.datetime.fromtimestamp(self._clock(), dt.UTC).date()


def period_start(day: dt.date, period: str) -> dt.date:
    """The first day of the calendar period that holds a day (gateway 15.15: calendar, as documented).

    >>> period_start(dt.date(2026, 11, 21), "MONTH")
    datetime.date(2026, 11, 1)
    """
    if period == "MONTH":
        return day.replace(day=1)
    if period == "WEEK":
        since_sunday = dt.timedelta(days=(day.weekday() + 1) % 7)
        return day - min(since_sunday, day - dt.date.min)  # the calendar has a first day
    return day


def _forbidden(code: Code, reason: str) -> Stop[GatewayError]:
    return Stop(GatewayError(INVALID_API_KEY), code, reason)
