"""How long the prediction of 10,000 requests takes, the most that a burst has: a slider waits for it.

    python tests/benchmarks/bench_simulate.py

The target: the median at most 0.1 s for one bucket, 0.2 s for three layers.
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
REQUESTS = 10_000
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


def main() -> int:
    verdict = Verdict(f"{REQUESTS:,} requests in 10 s, median of {ROUNDS}")
    times = np.sort(np.random.default_rng(1).uniform(0, 10, REQUESTS))
    verdict.at_most("one bucket", seconds(lambda: simulate(times, TokenBucket(600, 100))), 0.1)
    verdict.at_most("three layers", seconds(lambda: simulate(times, LAYERS)), 0.2)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
