"""What a client does when it is throttled: policies, and what each costs.

Full jitter and why: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
What the AWS SDKs do: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from labkit.arrivals import Randomness
from labkit.simulation import BoolArray, FloatArray, IntArray, checked_times
from labkit.throttle import TokenBucket


class Pacer(Protocol):
    """Holds requests back before they are sent."""

    def hold(self, now: float) -> float:
        """Reserve a place; the seconds until the request may be sent."""


class RetryPolicy(Protocol):
    """What a client does."""

    @property
    def name(self) -> str:
        """How tables and pictures call it."""

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """The seconds to wait after so many failures of a request; None gives up."""

    def pacer(self) -> Pacer | None:
        """What holds the requests of one run back; None sends them at once."""


class _SendsAtOnce:
    def pacer(self) -> Pacer | None:
        """Requests are sent at once."""
        return None


@dataclass(frozen=True, slots=True)
class NoRetry(_SendsAtOnce):
    """One try."""

    name: str = "none"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """Give up."""
        return None


@dataclass(frozen=True, slots=True)
class Fixed(_SendsAtOnce):
    """Always the same wait: clients that failed together come again together."""

    seconds: float = 0.5
    attempts: int = 8
    name: str = "fixed"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """The same seconds every time."""
        return self.seconds if failures < self.attempts else None


@dataclass(frozen=True, slots=True)
class Exponential(_SendsAtOnce):
    """Twice the wait after each failure, up to ``cap``: fewer tries, but still all at the same moment.

    >>> policy = Exponential(base=0.1, cap=0.5)
    >>> [policy.wait(failures, None) for failures in (1, 2, 3, 4)]
    [0.1, 0.2, 0.4, 0.5]
    """

    base: float = 0.25
    cap: float = 20.0
    attempts: int = 8
    name: str = "exponential"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """``min(cap, base * 2 ** (failures - 1))``."""
        return self.ceiling(failures) if failures < self.attempts else None

    def ceiling(self, failures: int) -> float:
        """The wait without jitter."""
        return float(min(self.cap, self.base * 2 ** min(failures - 1, 60)))


@dataclass(frozen=True, slots=True)
class FullJitter(Exponential):
    """Any wait from 0 to the exponential one, by chance: the clients spread out."""

    name: str = "full jitter"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """``random(0, min(cap, base * 2 ** (failures - 1)))``."""
        if failures >= self.attempts:
            return None
        return float(random.uniform(0.0, Exponential.ceiling(self, failures)))


@dataclass(frozen=True, slots=True)
class ClientBucket:
    """A token bucket in the client: it doesn't send what the gateway would refuse.

    Attributes:
        rate: requests a second.
        burst: how many at once.
        then: what to do when the gateway refuses nevertheless.
    """

    rate: float
    burst: float
    then: RetryPolicy = field(default_factory=FullJitter)
    name: str = "client's bucket"

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.burst >= 1):
            raise ValueError("A client's bucket needs a rate above 0 and a burst of at least 1.")

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """As the other policy does; the retry then waits for a token too."""
        return self.then.wait(failures, random)

    def pacer(self) -> Pacer:
        """A full bucket."""
        return _Reservations(self.rate, self.burst)


class _Reservations:
    """A token bucket that hands out tokens of the future, first come, first served.

    It keeps the time at which the bucket would be full again if nobody came, the "theoretical arrival time" of the
    generic cell rate algorithm: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._interval = 1 / rate
        self._ahead = (burst - 1) / rate
        self._full_at = float("-inf")

    def hold(self, now: float) -> float:
        full_at = max(self._full_at, now)
        self._full_at = full_at + self._interval
        return max(0.0, full_at - self._ahead - now)


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
