"""The throttle gate: every limit that applies must have a token (gateway.md, section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from labkit.local.apigateway.rest.call import Call, Outcome, Pass, Stop
from labkit.local.apigateway.rest.responses import THROTTLED, GatewayError
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.throttle import TokenBucket, take_from_all

ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000.0
"""The account's limit in most Regions (6.2)."""
MAX_BUCKETS = 10_000
_THROTTLED = GatewayError(THROTTLED)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: its level's name, the bucket's key, rate and burst."""

    level: str
    key: tuple[str, ...]
    rate: float
    burst: float


class Buckets:
    """The token buckets of one account: its own limit is shared by all its APIs (6.2).

    Args:
        clock: seconds; only differences matter.

    Attributes:
        asked_at: the clock's time at which tokens were taken last.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.asked_at = 0.0
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def take(self, limits: Sequence[Limit]) -> Limit | None:
        """Take one token of each limit, or none; the first limit without one, or None when all have one."""
        buckets = {limit.level: self._bucket(limit) for limit in limits}
        self.asked_at = self._clock()
        refused = take_from_all(buckets, self.asked_at)
        if refused is None:
            return None
        return next(limit for limit in limits if limit.level == refused)

    def _bucket(self, limit: Limit) -> TokenBucket:
        """The bucket of a limit; a changed limit starts with a new, full bucket."""
        bucket = self._buckets.get(limit.key)
        if bucket is None or (bucket.rate, bucket.burst) != (limit.rate, limit.burst):
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[limit.key] = TokenBucket(limit.rate, limit.burst)
        return bucket


def within(limits: Sequence[Limit]) -> Pass:
    """The outcome when every limit had a token."""
    strictest = min(limits, key=lambda limit: (limit.burst, limit.rate))
    evidence = {
        "strictest level": strictest.level,
        "rate": strictest.rate,
        "burst": strictest.burst,
    }
    return Pass(f"within the limit of {' and '.join(limit.level for limit in limits)}", evidence)


class Throttle:
    """The throttle gate of REST APIs.

    Args:
        usage_plans: counts the requests that pass.
        clock: seconds; only differences matter.

    Attributes:
        buckets: the account's token buckets, for whoever else takes from them.
    """

    def __init__(self, usage_plans: UsagePlans, clock: Callable[[], float]) -> None:
        self._usage_plans = usage_plans
        self.buckets = Buckets(clock)

    def __call__(self, call: Call) -> Outcome:
        """Take one token of each limit, or none and answer 429."""
        limits = list(limits_of(call))
        refused = self.buckets.take(limits)
        if refused is not None:
            evidence = {
                "level": refused.level,
                "rate": refused.rate,
                "burst": refused.burst,
                "time": self.buckets.asked_at,
            }
            return Stop(_THROTTLED, f"the bucket of {refused.level} is empty", evidence)
        if call.key_use is not None:
            self._usage_plans.count(call.key_use)
        passed = within(limits)
        passed.evidence = {**passed.evidence, "time": self.buckets.asked_at}
        return passed


def limits_of(call: Call) -> Iterator[Limit]:
    """The limits of a call in the order of 6.5; they don't lift one another (6.6)."""
    api_id, path, verb = call.deployment.api_id, call.found.resource.path, call.verb
    use = call.key_use
    if use is not None:
        per_method = (use.api_stage.get("throttle") or {}).get(f"{path}/{verb}")
        if per_method:
            method_key = ("plan method", use.plan_id, use.key_id, api_id, call.stage, path, verb)
            yield from limit_of("the usage plan's method", method_key, per_method)
        yield from limit_of(
            "the usage plan", ("plan", use.plan_id, use.key_id), use.plan.get("throttle")
        )
    found = method_settings(call.stage_record, path, verb)
    if found is not None:
        key = ("stage", api_id, call.stage, path, verb)
        names = {"rateLimit": "throttlingRateLimit", "burstLimit": "throttlingBurstLimit"}
        # -1 takes a limit away: https://github.com/DianaIonita/serverless-api-gateway-throttling/issues/39
        limits = {k: None if found.get(v) == -1 else found.get(v) for k, v in names.items()}
        yield from limit_of("the stage's method", key, limits)
    yield account_limit(call.deployment.region)


def limit_of(
    level: str, key: tuple[str, ...], settings: Mapping[str, Any] | None
) -> Iterator[Limit]:
    """A limit; a number that isn't set is the account's."""
    rate, burst = (settings or {}).get("rateLimit"), (settings or {}).get("burstLimit")
    if rate is not None or burst is not None:
        yield Limit(
            level,
            key,
            ACCOUNT_RATE if rate is None else float(rate),
            ACCOUNT_BURST if burst is None else float(burst),
        )


@cache
def account_limit(region: str) -> Limit:
    """The account's limit in a Region (6.2)."""
    return Limit("the account", ("account", region), ACCOUNT_RATE, ACCOUNT_BURST)


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
