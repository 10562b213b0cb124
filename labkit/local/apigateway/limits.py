"""The throttle gate: every limit that applies must have a token (gateway 6, 13.14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from labkit.journey import Code
from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.throttle import TokenBucket, take_from_all

C = TypeVar("C", bound=GatewayCall)
R = TypeVar("R")

ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000.0
"""The account's limit in most Regions (gateway 6.2)."""
MAX_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: its level's name and code, the bucket's key, rate and burst."""

    level: str
    code: Code
    key: tuple[str, ...]
    rate: float
    burst: float


class Buckets:
    """The token buckets of one account: its own limit is shared by all its APIs (gateway 6.2).

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


class Throttle(Generic[C, R]):
    """Takes one token of each limit of a call, or none and turns it away.

    Args:
        buckets: the account's token buckets.
        limits_of: the limits of a call, in the order in which they are named.
        throttled: 429.
        passed: called with each call that passes.
    """

    def __init__(
        self,
        buckets: Buckets,
        limits_of: Callable[[C], Iterable[Limit]],
        throttled: R,
        passed: Callable[[C], None] = lambda call: None,
    ) -> None:
        self.buckets = buckets
        self.limits_of = limits_of
        self._throttled = throttled
        self._passed = passed

    def __call__(self, call: C) -> Pass | Stop[R]:
        """The outcome, with the level that decided, its numbers and the buckets' time."""
        limits = list(self.limits_of(call))
        refused = self.buckets.take(limits)
        named = refused or min(limits, key=lambda limit: (limit.burst, limit.rate))
        evidence = {
            "level" if refused else "strictest level": named.level,
            "rate": named.rate,
            "burst": named.burst,
            "time": self.buckets.asked_at,
        }
        if refused is not None:
            reason = f"the bucket of {refused.level} is empty"
            return Stop(self._throttled, refused.code, reason, evidence)
        self._passed(call)
        levels = " and ".join(limit.level for limit in limits)
        return Pass(f"within the limit of {levels}", evidence)


def limit_of(
    level: str, code: Code, key: tuple[str, ...], settings: Mapping[str, Any] | None
) -> Iterator[Limit]:
    """A limit; a number that isn't set is the account's."""
    rate, burst = (settings or {}).get("rateLimit"), (settings or {}).get("burstLimit")
    if rate is not None or burst is not None:
        yield Limit(
            level,
            code,
            key,
            ACCOUNT_RATE if rate is None else float(rate),
            ACCOUNT_BURST if burst is None else float(burst),
        )


@cache
def account_limit(region: str) -> Limit:
    """The account's limit in a Region (gateway 6.2)."""
    key = ("account", region)
    return Limit("the account", Code.THROTTLE_ACCOUNT, key, ACCOUNT_RATE, ACCOUNT_BURST)
