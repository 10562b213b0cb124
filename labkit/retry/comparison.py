"""What each retry policy costs: requests sent in vain, and time.

Full jitter and why: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
What the AWS SDKs do: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from labkit.arrivals import Randomness
from labkit.retry.policies import (
    ClientBucket,
    Exponential,
    Fixed,
    FullJitter,
    NoRetry,
    RetryPolicy,
)
from labkit.simulation import BoolArray, FloatArray, IntArray, checked_times
from labkit.throttle import TokenBucket


class Attempts(Protocol):
    """What really happened: a :class:`labkit.burst.Burst` is one."""

    @property
    def job(self) -> IntArray:
        """The number of each attempt's job."""

    @property
    def sent(self) -> FloatArray:
        """When each attempt was sent, in order."""

    @property
    def answered(self) -> FloatArray:
        """When its answer came."""

    @property
    def accepted(self) -> BoolArray:
        """Whether it passed."""


@dataclass(frozen=True, slots=True, eq=False)
class RetryRun:
    """All attempts of all jobs under one policy, in the order in which they were sent.

    Attributes:
        name: the policy's.
        jobs: when each job began, in seconds.
        job: the number of each attempt's job.
        sent: when each attempt was sent.
        answered: when its answer came.
        accepted: whether it passed.
    """

    name: str
    jobs: FloatArray
    job: IntArray
    sent: FloatArray
    answered: FloatArray
    accepted: BoolArray

    @property
    def done(self) -> int:
        """Jobs that got through."""
        return int(np.count_nonzero(self.accepted))

    @property
    def given_up(self) -> int:
        """Jobs that didn't."""
        return len(self.jobs) - self.done

    @property
    def wasted(self) -> int:
        """Attempts that were refused."""
        return len(self.sent) - self.done

    @property
    def seconds(self) -> float:
        """From the first job's begin to the last answer."""
        return float(self.answered.max() - self.jobs[0]) if len(self.sent) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The policies' runs of the same jobs.

    Attributes:
        runs: in the order of the policies.
    """

    runs: tuple[RetryRun, ...]

    def __getitem__(self, name: str) -> RetryRun:
        return next(run for run in self.runs if run.name == name)

    def __iter__(self) -> Iterator[RetryRun]:
        return iter(self.runs)

    def goodput(self, run: RetryRun) -> float:
        """Jobs that got through, a second: over at least the time in which the best policy was through.

        Who gives up at once is done at once, and shall not look fast for it.
        """
        most = max(each.done for each in self.runs)
        least = min(each.seconds for each in self.runs if each.done == most)
        seconds = max(run.seconds, least)
        return run.done / seconds if seconds else 0.0

    def __str__(self) -> str:
        lines = ["policy            done  given up  wasted  seconds  goodput/s"]
        lines += [
            f"{run.name:<16} {run.done:>5} {run.given_up:>9} {run.wasted:>7}"
            f" {run.seconds:>8.1f} {self.goodput(run):>10.1f}"
            for run in self.runs
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


Gateway = Callable[[FloatArray, RetryPolicy], Attempts]


def compare_retries(
    jobs: ArrayLike,
    gateway: TokenBucket | Gateway,
    policies: Sequence[RetryPolicy] | None = None,
    *,
    random: Randomness,
    latency: float = 0.02,
    rest: float = 0.0,
) -> Comparison:
    """Let each policy do the same jobs.

    Args:
        jobs: when each job begins, in seconds, in order.
        gateway: a bucket, to simulate (full for each policy); or what really sends, for example
            ``lambda jobs, policy: labkit.fire(url, jobs, retry=policy, lab=lab)``.
        policies: :func:`standard_policies` unless given; those of the bucket need a bucket.
        random: the jitter's; each policy gets the same.
        latency: seconds from a request to its answer, in the simulation.
        rest: seconds between two policies at a real gateway, for its bucket to fill.

    Raises:
        ValueError: no policies are given for a real gateway.

    >>> comparison = compare_retries([0.0] * 40, TokenBucket(10, 10), random=1)
    >>> comparison["none"].given_up, comparison["client's bucket"].wasted
    (30, 0)
    """
    times = checked_times(jobs)
    simulated = isinstance(gateway, TokenBucket)
    if policies is None:
        if not isinstance(gateway, TokenBucket):
            raise ValueError("Say which policies the real gateway is to see.")
        policies = standard_policies(gateway)
    seed = np.random.default_rng(random).integers(2**63)
    runs = []
    for policy in policies:
        if isinstance(gateway, TokenBucket):
            fresh = TokenBucket(gateway.rate, gateway.burst)
            generator = np.random.default_rng(seed)
            runs.append(simulate_retries(times, fresh, policy, random=generator, latency=latency))
        else:
            runs.append(measured(times, policy, gateway(times, policy)))
        if not simulated and policy is not policies[-1]:
            time.sleep(rest)
    return Comparison(tuple(runs))


def standard_policies(bucket: TokenBucket) -> tuple[RetryPolicy, ...]:
    """The five policies of the course; the client's bucket is as large as the gateway's."""
    return (
        NoRetry(),
        Fixed(),
        Exponential(),
        FullJitter(),
        ClientBucket(bucket.rate, max(1.0, bucket.burst)),
    )


def measured(jobs: FloatArray, policy: RetryPolicy, found: Attempts) -> RetryRun:
    """What really happened, to be compared."""
    return RetryRun(policy.name, jobs, found.job, found.sent, found.answered, found.accepted)


def simulate_retries(
    jobs: ArrayLike,
    bucket: TokenBucket,
    policy: RetryPolicy,
    *,
    random: Randomness,
    latency: float = 0.02,
) -> RetryRun:
    """Let one policy do the jobs against a bucket, which it changes.

    >>> run = simulate_retries([0, 0, 0], TokenBucket(1, 1), Fixed(seconds=1.0), random=1, latency=0)
    >>> run.sent.tolist(), run.accepted.tolist()
    ([0.0, 0.0, 0.0, 1.0, 1.0, 2.0], [True, False, False, True, False, True])
    """
    times = checked_times(jobs)
    generator, pacer = np.random.default_rng(random), policy.pacer()
    # (when, order of coming, job, failures, whether the pacer has had it)
    queue = [(when, job, job, 0, pacer is None) for job, when in enumerate(times.tolist())]
    order = len(queue)
    rows: list[tuple[int, float, bool]] = []
    while queue:
        now, _order, job, failures, paced = heapq.heappop(queue)
        order += 1
        hold = 0.0 if paced or pacer is None else pacer.hold(now)
        if hold > 0:
            heapq.heappush(queue, (now + hold, order, job, failures, True))
            continue
        accepted = bucket.take(now)
        rows.append((job, now, accepted))
        wait = None if accepted else policy.wait(failures + 1, generator)
        if wait is not None:
            due = now + latency + wait
            heapq.heappush(queue, (due, order, job, failures + 1, pacer is None))
    sent = np.array([row[1] for row in rows], dtype=np.float64)
    return RetryRun(
        policy.name,
        times,
        np.array([row[0] for row in rows], dtype=np.int64),
        sent,
        sent + latency,
        np.array([row[2] for row in rows], dtype=np.bool_),
    )
