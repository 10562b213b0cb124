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
from typing import TypeVar

import numpy as np
import requests
from numpy.typing import ArrayLike, NDArray

from labkit.bursts.arrivals import Shared, shared
from labkit.bursts.progress import TextBar
from labkit.bursts.simulation import FloatArray, Simulation, simulate
from labkit.bursts.target import MOST_AT_ONCE, Reply, Target
from labkit.errors import BurstError
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket

MOST_REQUESTS = 10_000
"""The most that one call sends: 3.5 US cents on AWS (REST API, us-east-1)."""
MOST_SECONDS = 300.0
_LEAD_SECONDS = 0.02
ACCEPTED, THROTTLED = "accepted", "throttled"
OVER_QUOTA, OTHER = "over the quota", "other"
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
    def outcome(self) -> str:
        """What became of it; accepted is 2xx, throttled is 429 unless it is the quota's."""
        if self.reply.status // 100 == 2:
            return ACCEPTED
        if self.reply.status != _TOO_MANY:
            return OTHER
        return OVER_QUOTA if self.reply.error_type == _QUOTA_ERROR else THROTTLED

    @property
    def meaning(self) -> str:
        """The answer in short: the status and the error type."""
        return f"{self.reply.status or 'no answer'} {self.reply.error_type}".rstrip()


_Number = TypeVar("_Number", bound=np.generic)


def _each(
    value: Callable[[Shot], object], kind: type[_Number]
) -> cached_property[NDArray[_Number]]:
    """An array with a value of each request."""
    return cached_property(lambda burst: np.array([value(shot) for shot in burst.shots], kind))


@dataclass(frozen=True, eq=False)
class Burst:
    """What was sent and what came back, in the order in which it was sent.

    Attributes:
        shots: the requests.
        planned: how many the pattern has.
        finished: False when it was stopped.
        began_at: the begin, in seconds since 1970.
        job: the number of each request in the pattern.
        scheduled: when each was to be sent, in seconds from the begin.
        sent: when each was sent.
        answered: when each one's answer was there.
        status: each one's status; 0 when no answer came.
        accepted: which were let through and answered well: 2xx.
        throttled: which were refused by a throttle: 429, and not the quota's.
    """

    shots: tuple[Shot, ...]
    planned: int
    finished: bool
    began_at: float

    job = _each(lambda shot: shot.job, np.int64)
    scheduled = _each(lambda shot: shot.scheduled, np.float64)
    sent = _each(lambda shot: shot.sent, np.float64)
    answered = _each(lambda shot: shot.answered, np.float64)
    status = _each(lambda shot: shot.reply.status, np.int64)
    accepted = _each(lambda shot: shot.outcome == ACCEPTED, np.bool_)
    throttled = _each(lambda shot: shot.outcome == THROTTLED, np.bool_)

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
        counts = Counter(shot.outcome for shot in self.shots)
        others = sorted({shot.meaning for shot in self.shots if shot.outcome == OTHER})
        parts = [f"{counts[ACCEPTED]} {ACCEPTED}", f"{counts[THROTTLED]} {THROTTLED}"]
        parts += [f"{counts[OVER_QUOTA]} {OVER_QUOTA}"] if counts[OVER_QUOTA] else []
        parts += [f"{counts[OTHER]} {OTHER} ({', '.join(others)})"] if others else []
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
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Burst:
    """Send requests at the times of a pattern.

    The kernel's interrupt button stops it, in the main thread, and ``stop`` in any: nothing more is sent, and you get
    what was sent until then. At most 64 requests are on their way at the same time; more than so many are sent late.

    Args:
        request: a URL to GET, or a ``requests.Request``; one for each client when the pattern is ``shared``.
            It is prepared, and signed, once.
        pattern: times in seconds from now, in order: see :mod:`labkit.bursts.arrivals`.
        lab: whose API it is.
        progress: shows how far it is; a line of text does unless given.
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
    _check(due, len(each))
    target = Target.of(lab, each)
    bar = TextBar()
    burst = _send(target, due, progress or bar.update, stop or threading.Event())
    if progress is None:
        bar.finish(str(burst))
    return burst


def _send(target: Target, due: Shared, tell: Progress, stop: threading.Event) -> Burst:
    """Each thread waits for the time of the next request that nobody has taken, and sends it."""
    began_at, began = (now() + _LEAD_SECONDS for now in (time.time, time.perf_counter))
    shots: list[Shot] = []

    def send(job: int, when: float, client: int) -> None:
        if not stop.wait(max(0.0, began + when - time.perf_counter())):
            sent = time.perf_counter() - began
            reply = target.ask(client)
            shots.append(Shot(job, when, sent, time.perf_counter() - began, reply))

    total = len(due.times)
    with ThreadPoolExecutor(MOST_AT_ONCE, "labkit burst") as pool:
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
    if stop.is_set():
        tell(shots, total)  # with those that were on their way
    shots.sort(key=lambda shot: shot.sent)
    return Burst(tuple(shots), total, len(shots) == total, began_at)


def _check(due: Shared, requests_given: int) -> None:
    times = due.times
    if len(times) > MOST_REQUESTS:
        raise BurstError(
            f"{len(times):,} requests are more than the {MOST_REQUESTS:,} that a burst may have: make it smaller."
        )
    if len(times) and (times[0] < 0 or times[-1] > MOST_SECONDS):
        raise BurstError(f"A burst's times go from 0 to {MOST_SECONDS:g} seconds: make it shorter.")
    needed = int(due.client.max()) + 1 if len(due.client) else requests_given
    if needed != requests_given:
        raise BurstError(
            f"The pattern has {needed} clients and there are {requests_given} requests: "
            "give one for each client, and arrivals.shared(…) for more than one."
        )
