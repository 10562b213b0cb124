"""What each of five ways to retry costs, simulated: nothing is sent, so thousands of clients take no time.

Full jitter and why: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
What the AWS SDKs do: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from labkit.bursts.arrivals import Randomness
from labkit.bursts.simulation import checked_times
from labkit.retry.runs import LATENCY, Attempt, RetryRun, run_of
from labkit.throttle import TokenBucket

TRIES = 8
FIXED, BASE, CAP = 0.5, 0.25, 20.0

Wait = Callable[[int, np.random.Generator], float]
"""(failures of a request so far, chance) → seconds until the next try."""


def ceiling(failures: int) -> float:
    """Twice the wait after each failure, up to a cap."""
    return float(min(CAP, BASE * 2 ** (failures - 1)))


def full_jitter(failures: int, random: np.random.Generator) -> float:
    """Any wait up to the exponential one: the clients spread out."""
    return float(random.uniform(0.0, ceiling(failures)))


WAYS: dict[str, tuple[int, Wait]] = {
    "none": (1, full_jitter),
    "fixed": (TRIES, lambda _failures, _random: FIXED),
    "exponential": (TRIES, lambda failures, _random: ceiling(failures)),
    "full jitter": (TRIES, full_jitter),
    "client's bucket": (TRIES, full_jitter),
}
"""Way to retry → the most tries, and the wait between them. The last one's clients also wait for a token each."""


def compare_retries(
    begins: ArrayLike, bucket: TokenBucket, *, random: Randomness
) -> list[RetryRun]:
    """Let the same clients retry in each of the five ways; :func:`labkit.retry.table` compares the runs.

    Args:
        begins: when each client sends for the first time, in seconds, in order.
        bucket: the gateway's limit; each way gets a full one. The client's bucket is as large.
        random: the jitter's; each way gets the same.

    >>> none, *_others, paced = compare_retries([0.0] * 40, TokenBucket(10, 10), random=1)
    >>> none.given_up, paced.refused
    (30, 0)
    """
    times = checked_times(begins)
    seed = np.random.default_rng(random).integers(2**63)
    return [
        simulate_way(name, times.tolist(), bucket, np.random.default_rng(seed)) for name in WAYS
    ]


def simulate_way(
    name: str, begins: list[float], limit: TokenBucket, random: np.random.Generator
) -> RetryRun:
    """Let clients retry in one way against a full bucket."""
    tries, wait = WAYS[name]
    bucket = TokenBucket(limit.rate, limit.burst)
    if name == "client's bucket":
        begins = places(begins, limit)
    # (when, order of coming, client, failures)
    queue = [(when, client, client, 0) for client, when in enumerate(begins)]
    order = len(queue)
    attempts: list[Attempt] = []
    while queue:
        now, _order, client, failures = heapq.heappop(queue)
        accepted = bucket.take(now)
        attempts.append(Attempt(client, now, now + LATENCY, accepted))
        failures += 1
        if not accepted and failures < tries:
            order += 1
            due = now + LATENCY + wait(failures, random)
            heapq.heappush(queue, (due, order, client, failures))
    return run_of(attempts, len(begins), name)


def places(begins: list[float], limit: TokenBucket) -> list[float]:
    """When each client's token is there, in a bucket that hands out tokens of the future, first come, first served.

    It keeps the time at which the bucket would be full again if nobody came, the "theoretical arrival time" of the
    generic cell rate algorithm: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """
    if not limit.rate > 0:
        raise ValueError("A client's bucket needs a rate above 0.")
    apart, ahead = 1 / limit.rate, (max(1.0, limit.burst) - 1) / limit.rate
    full_at, found = float("-inf"), []
    for now in begins:
        full_at = max(full_at, now)
        found.append(max(now, full_at - ahead))
        full_at += apart
    return found
