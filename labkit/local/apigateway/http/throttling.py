"""The limits of an HTTP API's call: the route's on its stage, then the account's (gateway 13.14)."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.journey import Code
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.limits import Limit, account_limit, limit_of


def limits_of(call: HttpCall) -> Iterator[Limit]:
    """The limits of a call: a route's own settings come before the stage's default ones."""
    stage = call.stage_record
    if call.route is not None:
        settings = {
            **(stage.get("defaultRouteSettings") or {}),
            **((stage.get("routeSettings") or {}).get(call.route.key) or {}),
        }
        numbers = {
            "rateLimit": settings.get("throttlingRateLimit"),
            "burstLimit": settings.get("throttlingBurstLimit"),
        }
        key = ("http route", call.deployment.api_id, call.stage, call.route.key)
        yield from limit_of("the route", Code.THROTTLE_STAGE, key, numbers)
    yield account_limit(call.deployment.region)
