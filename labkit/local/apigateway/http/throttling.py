"""The throttle gate: the route's limit on its stage, then the account's (gateway.md 13.14)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.local.apigateway.http.call import THROTTLED, HttpCall, Outcome, Stop
from labkit.local.apigateway.rest.call import Pass
from labkit.local.apigateway.rest.throttling import Buckets, Limit, account_limit, limit_of, within


class Throttle:
    """Takes tokens.

    Args:
        buckets: the account's token buckets, shared with the REST APIs (6.2).
    """

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def __call__(self, call: HttpCall) -> Outcome:
        """Take one token of each limit, or none and answer 429."""
        limits = list(limits_of(call))
        refused = self._buckets.take(limits)
        moment = {"time": self._buckets.asked_at}
        if refused is None:
            passed = within(limits)
            return Pass(passed.reason, {**passed.evidence, **moment})
        limit = {"level": refused.level, "rate": refused.rate, "burst": refused.burst}
        return Stop(THROTTLED, f"the bucket of {refused.level} is empty", {**limit, **moment})


def limits_of(call: HttpCall) -> Iterator[Limit]:
    """The limits of a call: a route's own settings come before the stage's default ones."""
    made, stage = call.deployment, call.stage_record
    if call.route is not None:
        settings = {
            **(stage.get("defaultRouteSettings") or {}),
            **((stage.get("routeSettings") or {}).get(call.route.key) or {}),
        }
        numbers = {
            "rateLimit": settings.get("throttlingRateLimit"),
            "burstLimit": settings.get("throttlingBurstLimit"),
        }
        key = ("http route", made.api_id, call.stage, call.route.key)
        yield from limit_of("the route", key, numbers)
    yield account_limit(made.region)
