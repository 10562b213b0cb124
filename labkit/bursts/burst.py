"""``labkit.fire``: sends a burst of real requests on schedule, and keeps what came back.

It only aims at the lab's own APIs, and its size is bounded: nobody floods a stranger, or a bill.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import requests
from numpy.typing import ArrayLike

from labkit.bursts.arrivals import Shared, shared
from labkit.bursts.progress import TextBar
from labkit.bursts.simulation import BoolArray, FloatArray, IntArray, Simulation, simulate
from labkit.bursts.target import MOST_AT_ONCE, Reply, Target
from labkit.errors import BurstError
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket

MOST_REQUESTS = 10_000
"""The most that one call sends: 3.5 US cents on AWS (REST API, us-east-1)."""
MOST_SECONDS = 300.0
_LEAD_SECONDS = 0.02
_ALWAYS_SAID = ("accepted", "throttled")
_TOO_MANY = 429
_QUOTA_ERROR = "LimitExceededException"
"""The quota's 429; the throttle's is TooManyRequestsException (gateway 6.11, 6.12)."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request of a burst, and its answer.

    Attributes:
        job: the number of the request in the pattern.
        scheduled: when it was to be sent, in seconds from the begin.
        sent: when it was sent.
        answered: when its answer was there.
        reply: the answer.
    """

    job: int
    scheduled: float
    sent: float
    answered: float
    reply: Reply

    @property
    def accepted(self) -> bool:
        """Whether it was let through and answered well: 2xx."""
        return self.reply.status // 100 == 2

    @property
    def over_quota(self) -> bool:
        """Whether it was refused because the quota was used up."""
        return self.reply.status == _TOO_MANY and self.reply.error_type == _QUOTA_ERROR

    @property
    def throttled(self) -> bool:
        """Whether it was refused by a throttle: 429, and not the quota's."""
        return self.reply.status == _TOO_MANY and not self.over_quota

    @property
    def meaning(self) -> str:
        """The answer in short: the status and the error type."""
        return f"{self.reply.status or 'no answer'} {self.reply.error_type}".rstrip()


@dataclass(frozen=True, eq=False)
class Burst:
    """What was sent and what came back, in the order in which it was sent.

    Attributes:
        shots: the requests.
        planned: how many the pattern has.
        finished: False when it was stopped.
        began_at: the begin, in seconds since 1970.
    """

    shots: tuple[Shot, ...]
    planned: int
    finished: bool
    began_at: float

    @cached_property
    def job(self) -> IntArray:
        """The number of each request in the pattern."""
        return np.array([shot.job for shot in self.shots], dtype=np.int64)

    @cached_property
    def scheduled(self) -> FloatArray:
        """When each was to be sent, in seconds from the begin."""
        return np.array([shot.scheduled for shot in self.shots], dtype=np.float64)

    @cached_property
    def sent(self) -> FloatArray:
        """When each was sent."""
        return np.array([shot.sent for shot in self.shots], dtype=np.float64)

    @cached_property
    def answered(self) -> FloatArray:
        """When each one's answer was there."""
        return np.array([shot.answered for shot in self.shots], dtype=np.float64)

    @cached_property
    def status(self) -> IntArray:
        """Each one's status; 0 when no answer came."""
        return np.array([shot.reply.status for shot in self.shots], dtype=np.int64)

    @cached_property
    def throttled(self) -> BoolArray:
        """Which were refused by a throttle: 429, and not the quota's."""
        return np.array([shot.throttled for shot in self.shots], dtype=np.bool_)

    @cached_property
    def over_quota(self) -> BoolArray:
        """Which were refused because the quota was used up."""
        return np.array([shot.over_quota for shot in self.shots], dtype=np.bool_)

    @cached_property
    def accepted(self) -> BoolArray:
        """Which were let through and answered well: 2xx."""
        return np.array([shot.accepted for shot in self.shots], dtype=np.bool_)

    @property
    def late(self) -> FloatArray:
        """By how many seconds each was sent after its time."""
        return self.sent - self.scheduled

    @property
    def counts(self) -> dict[str, int]:
        """How many got which answer: ``{"200": 12, "429 TooManyRequestsException": 18}``."""
        return dict(sorted(Counter(shot.meaning for shot in self.shots).items()))

    def predict(self, bucket: TokenBucket) -> Simulation:
        """What the model lets pass of the requests, by the times at which they were really sent."""
        return simulate(self.sent, bucket)

    def __len__(self) -> int:
        return len(self.shots)

    def __str__(self) -> str:
        counts = {
            "accepted": int(self.accepted.sum()),
            "throttled": int(self.throttled.sum()),
            "over the quota": int(self.over_quota.sum()),
        }
        other = {
            shot.meaning
            for shot in self.shots
            if not shot.accepted and shot.reply.status != _TOO_MANY
        }
        counts[f"other ({', '.join(sorted(other))})"] = len(self) - sum(counts.values())
        parts = [f"{n} {what}" for what, n in counts.items() if n or what in _ALWAYS_SAID]
        text = f"{len(self)} requests sent: {', '.join(parts)}"
        return text if self.finished else f"Stopped. {text}, of {self.planned} planned"

    def __repr__(self) -> str:
        return f"<{self}>"


Progress = Callable[[Sequence[Shot], int], object]
"""Is told the requests that have been answered, and how many there are."""


def fire(
    request: str | requests.Request | Sequence[str | requests.Request],
    pattern: ArrayLike | Shared,
    *,
    lab: Lab,
    at_once: int = MOST_AT_ONCE,
    progress: bool | Progress = True,
    stop: threading.Event | None = None,
) -> Burst:
    """Send requests at the times of a pattern.

    The kernel's interrupt button stops it, in the main thread, and ``stop`` in any: nothing more is sent, and you get
    what was sent until then.

    Args:
        request: a URL to GET, or a ``requests.Request``; one for each client when the pattern is ``shared``.
            It is prepared, and signed, once.
        pattern: times in seconds from now, in order: see :mod:`labkit.bursts.arrivals`.
        lab: whose API it is.
        at_once: how many requests may be on their way at the same time; more than so many wait, and are sent late.
        progress: whether to show how far it is, or what shows it.
        stop: ends it early when it is set.

    Raises:
        ForeignHostError: it isn't aimed at an API of the lab; on AWS, at one that carries the course's tag.
        BurstError: it is too large, too long, or its patterns and requests don't fit together.
        CloudUnavailableError: the cloud doesn't answer.

    Example::

        burst = labkit.fire(url, labkit.arrivals.steady(rate=20, seconds=2), lab=lab)
        burst.accepted.sum(), burst.predict(TokenBucket(rate=10, burst=5)).passed
    """
    due = pattern if isinstance(pattern, Shared) else shared(pattern)
    each = [request] if isinstance(request, str | requests.Request) else list(request)
    _check(due, len(each), at_once)
    target = Target.of(lab, each)
    bar = TextBar() if progress is True else None
    tell = bar.update if bar is not None else progress if callable(progress) else _say_nothing
    burst = _send(target, due, at_once, tell, stop or threading.Event())
    if bar is not None:
        bar.finish(str(burst))
    return burst


def _say_nothing(_shots: Sequence[Shot], _total: int) -> None:
    pass


def _send(
    target: Target, due: Shared, at_once: int, tell: Progress, stop: threading.Event
) -> Burst:
    """Each thread waits for the time of the next request that nobody has taken, and sends it."""
    began_at, began = (now() + _LEAD_SECONDS for now in (time.time, time.perf_counter))
    shots: list[Shot] = []

    def send(job: int, when: float, client: int) -> None:
        if not stop.wait(max(0.0, began + when - time.perf_counter())):
            sent = time.perf_counter() - began
            reply = target.ask(client)
            shots.append(Shot(job, when, sent, time.perf_counter() - began, reply))

    total = len(due.times)
    with ThreadPoolExecutor(at_once, "labkit burst") as pool:
        jobs = zip(range(total), due.times.tolist(), due.client.tolist(), strict=True)
        try:
            for each in as_completed([pool.submit(send, *job) for job in jobs]):
                each.result()
                tell(shots, total)
                if stop.is_set():
                    break
        except BaseException as error:
            stop.set()  # nothing more is sent; what is on its way is waited for
            if not isinstance(error, KeyboardInterrupt):
                raise
    shots.sort(key=lambda shot: shot.sent)
    return Burst(tuple(shots), total, len(shots) == total, began_at)


def _check(due: Shared, requests_given: int, at_once: int) -> None:
    times = due.times
    if len(times) > MOST_REQUESTS:
        raise BurstError(
            f"{len(times):,} requests are more than the {MOST_REQUESTS:,} that a burst may have: make it smaller."
        )
    if len(times) and (times[0] < 0 or times[-1] > MOST_SECONDS):
        raise BurstError(f"A burst's times go from 0 to {MOST_SECONDS:g} seconds: make it shorter.")
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise BurstError(f"at_once goes from 1 to {MOST_AT_ONCE}.")
    needed = int(due.client.max()) + 1 if len(due.client) else requests_given
    if needed != requests_given:
        raise BurstError(
            f"The pattern has {needed} clients and there are {requests_given} requests: "
            "give one for each client, and arrivals.shared(…) for more than one."
        )
