"""What each retry policy costs, simulated: nothing is sent, so thousands of clients take no time."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from labkit.bursts.arrivals import Randomness
from labkit.bursts.simulation import checked_times
from labkit.retry.policies import (
    ClientBucket,
    Exponential,
    Fixed,
    FullJitter,
    NoRetry,
    RetryPolicy,
)
from labkit.retry.runs import RetryRun
from labkit.throttle import TokenBucket


def standard_policies(bucket: TokenBucket) -> tuple[RetryPolicy, ...]:
    """The five policies of the course; the client's bucket is as large as the gateway's."""
    return (
        NoRetry(),
        Fixed(),
        Exponential(),
        FullJitter(),
        ClientBucket(bucket.rate, max(1.0, bucket.burst)),
    )


def compare_retries(
    begins: ArrayLike,
    bucket: TokenBucket,
    policies: Sequence[RetryPolicy] | None = None,
    *,
    random: Randomness,
    latency: float = 0.02,
) -> list[RetryRun]:
    """Let the same clients retry by each policy; :func:`labkit.retry.table` compares the runs.

    Args:
        begins: when each client sends for the first time, in seconds, in order.
        bucket: the gateway's limit; each policy gets a full one.
        policies: :func:`standard_policies` unless given.
        random: the jitter's; each policy gets the same.
        latency: seconds from a request to its answer.

    >>> none, *_others, paced = compare_retries([0.0] * 40, TokenBucket(10, 10), random=1)
    >>> none.given_up, paced.refused
    (30, 0)
    """
    times = checked_times(begins)
    seed = np.random.default_rng(random).integers(2**63)
    return [
        simulate_retries(
            times,
            TokenBucket(bucket.rate, bucket.burst),
            policy,
            random=np.random.default_rng(seed),
            latency=latency,
        )
        for policy in (standard_policies(bucket) if policies is None else policies)
    ]


def simulate_retries(
    begins: ArrayLike,
    bucket: TokenBucket,
    policy: RetryPolicy,
    *,
    random: Randomness,
    latency: float = 0.02,
) -> RetryRun:
    """Let clients retry by one policy against a bucket, which this changes.

    >>> run = simulate_retries([0, 0, 0], TokenBucket(1, 1), Fixed(seconds=1.0), random=1, latency=0)
    >>> run.sent.tolist(), run.accepted.tolist()
    ([0.0, 0.0, 0.0, 1.0, 1.0, 2.0], [True, False, False, True, False, True])
    """
    times = checked_times(begins)
    generator, pacer = np.random.default_rng(random), policy.pacer()
    # (when, order of coming, client, failures, whether the pacer has had it)
    queue = [(when, client, client, 0, pacer is None) for client, when in enumerate(times.tolist())]
    order = len(queue)
    rows: list[tuple[int, float, bool]] = []
    while queue:
        now, _order, client, failures, paced = heapq.heappop(queue)
        order += 1
        hold = 0.0 if paced or pacer is None else pacer.hold(now)
        if hold > 0:
            heapq.heappush(queue, (now + hold, order, client, failures, True))
            continue
        accepted = bucket.take(now)
        rows.append((client, now, accepted))
        wait = None if accepted else policy.wait(failures + 1, generator)
        if wait is not None:
            due = now + latency + wait
            heapq.heappush(queue, (due, order, client, failures + 1, pacer is None))
    sent = np.array([row[1] for row in rows], dtype=np.float64)
    return RetryRun(
        policy.name,
        len(times),
        np.array([row[0] for row in rows], dtype=np.int64),
        sent,
        sent + latency,
        np.array([row[2] for row in rows], dtype=np.bool_),
    )
