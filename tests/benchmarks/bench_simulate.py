"""How long the prediction of a million requests takes, compared with asking a `TokenBucket` one by one.

    python tests/benchmarks/bench_simulate.py

The target: the median at most 1 s for one bucket; and at most 0.1 s for 10,000 requests, what a slider waits for.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from peers import Verdict

from labkit.bursts.simulation import simulate
from labkit.throttle import TokenBucket

ROUNDS = 5
REQUESTS = 1_000_000
LAYERS = {
    "the usage plan": TokenBucket(700, 100),
    "the stage's method": TokenBucket(600, 200),
    "the account": TokenBucket(10_000, 5_000),
}


def seconds(work: Callable[[], object]) -> float:
    """The median of some rounds."""
    samples = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return statistics.median(samples)


def one_by_one(times: list[float], bucket: TokenBucket) -> None:
    for now in times:
        bucket.take(now)


def main() -> int:
    verdict = Verdict(f"{REQUESTS:,} requests in 1,000 s, median of {ROUNDS}")
    times = np.sort(np.random.default_rng(1).uniform(0, REQUESTS / 1000, REQUESTS))
    few = times[:: REQUESTS // 10_000]
    slow = seconds(lambda: one_by_one(times.tolist(), TokenBucket(600, 100)))
    fast = seconds(lambda: simulate(times, TokenBucket(600, 100)))
    verdict.ratio("one bucket", fast, slow, "one by one, without levels")
    verdict.at_most("one bucket", fast, 1.0)
    verdict.at_most("three layers", seconds(lambda: simulate(times, LAYERS)), 3.0)
    verdict.at_most("10,000 requests", seconds(lambda: simulate(few, TokenBucket(6, 100))), 0.1)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
