"""``labkit.fire``: sends a burst of real requests on schedule, and keeps what came back.

It only aims at the lab's own APIs, and its size is bounded: nobody floods a stranger, or a bill.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import requests
from numpy.typing import ArrayLike

from labkit.bursts.arrivals import Shared
from labkit.bursts.progress import Progress, Silence, TextBar
from labkit.bursts.sending import Due, Sending
from labkit.bursts.simulation import (
    BoolArray,
    FloatArray,
    IntArray,
    Simulation,
    checked_times,
    simulate,
)
from labkit.bursts.target import Exchange, Reply, Target
from labkit.errors import BurstError
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket

MOST_REQUESTS = 10_000
"""The most that one call sends: 3.5 US cents on AWS (REST API, us-east-1)."""
MOST_SECONDS = 300.0
MOST_AT_ONCE = 64
_ALWAYS_SAID = ("accepted", "throttled")
_TOO_MANY = 429
_QUOTA_ERROR = "LimitExceededException"
"""The quota's 429; the throttle's is TooManyRequestsException (gateway.md, 6.11 and 6.12)."""


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
    def throttled(self) -> bool:
        """Whether it was refused by a throttle: 429, and not the quota's."""
        return self.reply.status == _TOO_MANY and not _over_quota(self.reply)

    @property
    def meaning(self) -> str:
        """The answer in short: the status and the error type."""
        return " ".join(
            filter(None, (str(self.reply.status or "no answer"), self.reply.error_type))
        )


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
        found = (self.status == _TOO_MANY) & ~self.over_quota
        return np.asarray(found, dtype=np.bool_)

    @cached_property
    def over_quota(self) -> BoolArray:
        """Which were refused because the quota was used up."""
        found = [_over_quota(shot.reply) for shot in self.shots]
        return np.array(found, dtype=np.bool_)

    @cached_property
    def accepted(self) -> BoolArray:
        """Which were let through and answered well: 2xx."""
        return np.asarray(self.status // 100 == 2, dtype=np.bool_)

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


Requests = str | requests.Request | Sequence[str | requests.Request]


def fire(
    request: Requests,
    pattern: ArrayLike | Shared,
    *,
    lab: Lab,
    at_once: int = MOST_AT_ONCE,
    progress: bool | Progress = True,
    seen: Callable[[Shot], object] | None = None,
    stop: threading.Event | None = None,
) -> Burst:
    """Send requests at the times of a pattern.

    The kernel's interrupt button stops it, in the main thread, and ``stop`` in any: you get what was sent until then,
    and nothing is left running.

    Args:
        request: a URL to GET, or a ``requests.Request``; one for each client when the pattern is ``shared``.
            It is prepared, and signed, once.
        pattern: times in seconds from now, in order: see :mod:`labkit.bursts.arrivals`.
        lab: whose API it is.
        at_once: how many requests may be on their way at the same time; more than so many wait, and are sent late.
        progress: whether to show how far it is, or what shows it.
        seen: called with each request when its answer is there, from the thread that sent it.
        stop: ends it early when it is set.

    Raises:
        ForeignHostError: it isn't aimed at an API of the lab; on AWS, at one that carries the course's tag.
        BurstError: it is too large, too long, or its patterns and requests don't fit together.
        CloudUnavailableError: no connection could be opened; nothing was sent.

    Example::

        burst = labkit.fire(url, labkit.bursts.arrivals.steady(rate=20, seconds=2), lab=lab)
        burst.accepted.sum(), burst.predict(TokenBucket(rate=10, burst=5)).passed
    """
    times, clients = _times_and_clients(pattern)
    each = [request] if isinstance(request, str | requests.Request) else list(request)
    _check(times, clients, len(each), at_once)
    target = Target.of(lab, each)
    bar = progress if not isinstance(progress, bool) else TextBar() if progress else Silence()
    firing = _Firing(target, clients, seen)
    burst = firing.run(times, at_once, bar, stop)
    bar.finish(str(burst))
    return burst


class _Firing:
    """One call of ``fire``."""

    def __init__(
        self,
        target: Target,
        clients: IntArray,
        seen: Callable[[Shot], object] | None,
    ) -> None:
        self._target, self._clients, self._seen = target, clients, seen
        self._shots: list[Shot] = []

    def run(
        self, times: FloatArray, at_once: int, bar: Progress, stop: threading.Event | None
    ) -> Burst:
        """Send everything."""
        due = [Due(when, job) for job, when in enumerate(times.tolist())]
        sending = Sending(due, self._target.connect, self._send, workers=at_once, stop=stop)
        try:
            finished = (
                sending.run(lambda: bar.update(len(self._shots), len(times))) if due else True
            )
        except OSError as error:
            raise self._target.unavailable(error) from error
        shots = sorted(self._shots, key=lambda shot: shot.sent)
        return Burst(tuple(shots), len(times), finished, sending.began_at)

    def _send(self, exchange: Exchange, due: Due, now: Callable[[], float]) -> None:
        sent = now()
        reply = exchange.ask(int(self._clients[due.job]))
        answered = now()
        shot = Shot(due.job, due.at, sent, answered, reply)
        self._shots.append(shot)
        if self._seen is not None:
            self._seen(shot)


def _times_and_clients(pattern: ArrayLike | Shared) -> tuple[FloatArray, IntArray]:
    if isinstance(pattern, Shared):
        return checked_times(pattern.times), pattern.client
    times = checked_times(pattern)
    return times, np.zeros(len(times), dtype=np.int64)


def _check(times: FloatArray, clients: IntArray, requests_given: int, at_once: int) -> None:
    if len(times) > MOST_REQUESTS:
        raise BurstError(
            f"{len(times):,} requests are more than the {MOST_REQUESTS:,} that a burst may have: make it smaller."
        )
    if len(times) and (times[0] < 0 or times[-1] > MOST_SECONDS):
        raise BurstError(f"A burst's times go from 0 to {MOST_SECONDS:g} seconds: make it shorter.")
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise BurstError(f"at_once goes from 1 to {MOST_AT_ONCE}.")
    needed = int(clients.max()) + 1 if len(clients) else requests_given
    if needed != requests_given:
        raise BurstError(
            f"The pattern has {needed} clients and there are {requests_given} requests: "
            "give one for each client, and arrivals.shared(…) for more than one."
        )


def _over_quota(reply: Reply) -> bool:
    return reply.status == _TOO_MANY and reply.error_type == _QUOTA_ERROR
