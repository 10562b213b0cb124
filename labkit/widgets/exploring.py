"""What the throttle explorer shows, as data: the patterns, the prediction, what was measured, and both in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labkit.bursts import arrivals
from labkit.bursts.arrivals import Shared
from labkit.bursts.burst import MOST_REQUESTS, MOST_SECONDS, Shot
from labkit.bursts.simulation import BoolArray, FloatArray, Simulation, simulate
from labkit.throttle import TokenBucket

MOST_RATE, MOST_BURST = 10_000.0, 5_000
"""The account's limit: a stage's can't let more pass."""
_SEED = 1
"""The same pattern is the same requests, predicted or fired, today or tomorrow."""
_WAVES = 4

NOT_ANSWERED, ACCEPTED, REFUSED, OTHER = -1, 0, 1, 2

Outcomes = NDArray[np.int8]


# -- the settings ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the sliders are.

    Attributes:
        rate: tokens a second.
        burst: the bucket's size.
        pattern: a name of ``PATTERNS``.
        size: how many requests.
        seconds: over how long they are spread.

    Raises:
        ValueError: a number is out of its range, or there is no such pattern.
    """

    rate: float
    burst: int
    pattern: str
    size: int
    seconds: float

    def __post_init__(self) -> None:
        for name, value, most in (
            ("rate", self.rate, MOST_RATE),
            ("burst", self.burst, MOST_BURST),
            ("size", self.size, MOST_REQUESTS),
            ("seconds", self.seconds, MOST_SECONDS),
        ):
            if not 0 < value <= most:
                raise ValueError(f"{name}={value!r}: give a number above 0, at most {most:,g}.")
        for name, whole in (("burst", self.burst), ("size", self.size)):
            if whole != int(whole):
                raise ValueError(f"{name}={whole!r}: give a whole number.")
        if self.pattern not in PATTERNS:
            raise ValueError(f"pattern={self.pattern!r}: give one of {', '.join(PATTERNS)}.")

    @property
    def bucket(self) -> TokenBucket:
        """A full bucket."""
        return TokenBucket(self.rate, self.burst)

    def requests(self) -> Shared:
        """When each request comes, and from which client."""
        return PATTERNS[self.pattern].made(self.size, self.seconds)

    def __str__(self) -> str:
        text = PATTERNS[self.pattern].words(self.size, self.seconds)
        return f"Rate {self.rate:,g}, burst {self.burst:,}; {self.pattern}: {text}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which requests come.

    Attributes:
        made: from the number of requests and the seconds to the requests.
        words: the same in words.
        clients: what its clients do, where there is more than one.
    """

    made: Callable[[int, float], Shared]
    words: Callable[[int, float], str]
    clients: tuple[str, ...] = ()


def _alone(times: FloatArray) -> Shared:
    return Shared(times, np.zeros(len(times), dtype=np.int64))


def _poisson(size: int, seconds: float) -> Shared:
    # Given their number, the times of a Poisson process are uniform.
    return _alone(np.sort(np.random.default_rng(_SEED).uniform(0, seconds, size)))


def _two_clients(size: int, seconds: float) -> Shared:
    at_once = size // 2
    return arrivals.shared(
        arrivals.steady((size - at_once) / seconds, seconds),
        arrivals.spike(at_once, at=seconds / 3),
    )


def _retry_storm(size: int, seconds: float) -> Shared:
    wait = seconds / _WAVES
    clients = math.ceil(size / _WAVES)
    storm = arrivals.retry_storm(clients, waves=_WAVES, wait=wait, spread=wait / 10, random=_SEED)
    return _alone(storm[:size])


def _each(size: int, seconds: float) -> str:
    return f"{size:,} request{'s' if size > 1 else ''}"


PATTERNS = {
    "steady": Pattern(
        lambda n, s: _alone(arrivals.steady(n / s, s)),
        lambda n, s: f"{_each(n, s)}, evenly over {s:g} s, {n / s:,.4g} a second",
    ),
    "spike": Pattern(
        lambda n, s: _alone(arrivals.spike(n)),
        lambda n, s: f"{_each(n, s)}, all at one moment",
    ),
    "Poisson": Pattern(
        _poisson,
        lambda n, s: f"{_each(n, s)} at random times in {s:g} s, {n / s:,.4g} a second on average",
    ),
    "ramp": Pattern(
        lambda n, s: _alone(arrivals.ramp(0, 2 * n / s, s)),
        lambda n, s: f"{_each(n, s)} in {s:g} s, from 0 to {2 * n / s:,.4g} a second",
    ),
    "two clients": Pattern(
        _two_clients,
        lambda n, s: (
            f"{_each(n, s)}, {n - n // 2:,} evenly over {s:g} s and {n // 2:,} at one moment after {s / 3:.3g} s"
        ),
        ("the even client", "the client that sends all at one moment"),
    ),
    "retry storm": Pattern(
        _retry_storm,
        lambda n, s: (
            f"{_each(n, s)}, {math.ceil(n / _WAVES):,} clients that all try {_WAVES} times within {s:g} s"
        ),
    ),
}


# -- the prediction ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says of some settings.

    Attributes:
        settings: where the sliders are.
    """

    settings: Settings

    @cached_property
    def requests(self) -> Shared:
        """When each comes, and from which client."""
        return self.settings.requests()

    @cached_property
    def simulation(self) -> Simulation:
        """What becomes of them."""
        return simulate(self.requests.times, self.settings.bucket)

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        times = self.requests.times
        return float(times[-1] - times[0])


# -- what was measured ---------------------------------------------------------------------------


class Measured:
    """What came back, request by request; it can be looked at while it grows.

    Args:
        prediction: what was fired.

    Attributes:
        prediction: the same.
        sent: when each request was sent, in seconds from the begin; NaN before its answer is there.
        answered: when its answer was there.
        outcome: what the answer was; ``NOT_ANSWERED`` before.
        others: the answers that are neither 2xx nor the throttle's 429.
    """

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        count = len(prediction.requests.times)
        self.sent = np.full(count, np.nan)
        self.answered = np.full(count, np.nan)
        self.outcome: Outcomes = np.full(count, NOT_ANSWERED, dtype=np.int8)
        self.others: set[str] = set()

    def note(self, shot: Shot) -> None:
        """Keep one answer."""
        self.sent[shot.job], self.answered[shot.job] = shot.sent, shot.answered
        if not shot.accepted and not shot.throttled:
            self.others = {*self.others, shot.meaning}
        # Last: who sees it answered sees the rest too.
        self.outcome[shot.job] = ACCEPTED if shot.accepted else REFUSED if shot.throttled else OTHER

    def so_far(self) -> Measured:
        """As it is now; what comes later changes nothing in it."""
        now = Measured.__new__(Measured)
        now.prediction = self.prediction
        now.outcome = self.outcome.copy()
        now.sent, now.answered, now.others = self.sent.copy(), self.answered.copy(), self.others
        return now

    @property
    def is_answered(self) -> BoolArray:
        """Which requests have their answer."""
        return np.asarray(self.outcome != NOT_ANSWERED, dtype=np.bool_)

    def times(self, outcome: int) -> FloatArray:
        """When the requests with an outcome were sent, in order."""
        return np.sort(self.sent[self.outcome == outcome])

    def __len__(self) -> int:
        return int(np.count_nonzero(self.outcome != NOT_ANSWERED))


# -- both in words -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: what is counted.
        accepted: how many passed.
        refused: how many got a 429.
        other: how many got another answer.
    """

    name: str
    accepted: int
    refused: int
    other: int = 0

    def __sub__(self, predicted: Row) -> Row:
        accepted, refused = self.accepted - predicted.accepted, self.refused - predicted.refused
        return Row("difference", accepted, refused)

    def cells(self, *, signed: bool = False, other: bool = False) -> tuple[str, ...]:
        """As text; with signs for a difference, and with the other answers where there are any."""
        numbers = (self.accepted, self.refused, *((self.other,) if other else ()))
        return (self.name, *(_signed(n) if signed else f"{n:,}" for n in numbers))


@dataclass(frozen=True, slots=True)
class Report:
    """What the explorer says.

    Attributes:
        settings: where the sliders are.
        status: what it is doing, or what became of it.
        head: the table's head.
        rows: the table.
        sentences: what else there is to say.
    """

    settings: str
    status: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]

    @property
    def alt(self) -> str:
        """The alternative text of the picture."""
        counts = (
            f"{name}: {', '.join(f'{n} {what}' for n, what in zip(numbers, self.head[1:], strict=True) if n)}."
            for name, *numbers in self.rows
        )
        return " ".join([f"{self.settings}.", *counts])

    def __str__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = (
            "  ".join(
                [
                    name.ljust(widths[0]),
                    *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)),
                ]
            )
            for name, *numbers in lines
        )
        return "\n".join(
            [f"{self.settings}.", *map(str.rstrip, table), *self.sentences, self.status]
        )


def report(prediction: Prediction, measured: Measured | None, status: str) -> Report:
    """The prediction, what was measured of it so far, and the difference."""
    predicted = _predicted(prediction)
    rows, other = [predicted.cells()], False
    sentences = [*_bound(prediction), *_clients(prediction, measured)]
    if measured is not None and len(measured):
        answered = measured.is_answered
        same = predicted
        if not answered.all():
            same = _predicted(prediction, f"predicted for the {len(measured):,} answered", answered)
            rows.append(same.cells())
        found = _found(measured)
        other = found.other > 0
        rows += [found.cells(other=other), (found - same).cells(signed=True)]
        sentences += _in_reality(prediction, measured, found)
    head = ("", "accepted", "refused (429)", *(("other answers",) if other else ()))
    padded = tuple((*row, *[""] * (len(head) - len(row))) for row in rows)
    return Report(str(prediction.settings), status, head, padded, tuple(sentences))


def _predicted(
    prediction: Prediction, name: str = "predicted", which: BoolArray | None = None
) -> Row:
    accepted = prediction.simulation.accepted
    accepted = accepted if which is None else accepted[which]
    passed = int(np.count_nonzero(accepted))
    return Row(name, passed, len(accepted) - passed)


def _found(measured: Measured) -> Row:
    accepted, refused, other = (
        int(np.count_nonzero(measured.outcome == one)) for one in (ACCEPTED, REFUSED, OTHER)
    )
    return Row("measured", accepted, refused, other)


def _bound(prediction: Prediction) -> Iterator[str]:
    yield (
        f"At most {_sum(prediction.settings, prediction.seconds)} can pass; "
        "t is the time in seconds from the first request to the last."
    )


def _sum(settings: Settings, seconds: float) -> str:
    most = settings.burst + settings.rate * seconds
    return (
        f"burst + rate × t = {settings.burst:,} + {settings.rate:,g} × {seconds:,.4g} = {most:,.1f}"
    )


def _clients(prediction: Prediction, measured: Measured | None) -> Iterator[str]:
    names = PATTERNS[prediction.settings.pattern].clients
    for number, name in enumerate(names):
        own = prediction.requests.client == number
        passed = np.count_nonzero(prediction.simulation.accepted[own])
        text = f"Of {name}, {passed:,} of {np.count_nonzero(own):,} are predicted to be accepted"
        if measured is not None and len(measured):
            found = measured.outcome[own]
            text += (
                f"; {np.count_nonzero(found == ACCEPTED):,} of "
                f"{np.count_nonzero(found != NOT_ANSWERED):,} were"
            )
        yield f"{text}."


def _in_reality(prediction: Prediction, measured: Measured, found: Row) -> Iterator[str]:
    settings = prediction.settings
    answered = measured.is_answered
    sent = measured.sent[answered]
    late = float(np.max(sent - prediction.requests.times[answered]))
    model = simulate(np.sort(sent), settings.bucket).passed
    yield (
        f"Requests were sent up to {_duration(late)} late: "
        f"by the times at which they were sent, the model lets {model:,} pass."
    )
    took = float(measured.answered[answered].max() - sent.min())
    within = found.accepted <= settings.burst + settings.rate * took
    yield (
        f"From the first one sent to the last answer, at most {_sum(settings, took)} could pass, "
        f"and {found.accepted:,} did"
        + ("." if within else ": the limit was another one, or it wasn't kept exactly.")
    )
    if found.other:
        yield f"Other answers: {', '.join(sorted(measured.others))}."


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


# -- what a picture needs ------------------------------------------------------------------------


def binned(times: FloatArray, end: float, bins: int) -> NDArray[np.int64]:
    """How many requests each of the equal parts of a span of time has; none gets lost.

    Args:
        times: seconds from 0 to ``end``.
        end: the span's end.
        bins: how many parts.

    >>> binned(np.array([0, 0.4, 1.0, 2.0]), end=2, bins=2).tolist()
    [2, 2]
    """
    place = np.clip((times * (bins / end)).astype(np.int64), 0, bins - 1)
    return np.bincount(place, minlength=bins)


def thinned(
    x: FloatArray, y: FloatArray, end: float, columns: int
) -> tuple[FloatArray, FloatArray]:
    """A line that looks the same with four points a column of pixels: the first, lowest, highest and last.

    Args:
        x: in order, from 0 to ``end``.
        y: as long as ``x``.
        end: where the last column ends.
        columns: how many columns there are.

    https://www.vldb.org/pvldb/vol7/p797-jugel.pdf

    >>> thinned(np.array([0, 0.1, 0.2, 0.3, 0.4, 1]), np.array([2, 9, 1, 5, 3, 4]), end=2, columns=1)[1].tolist()
    [2, 1, 9, 4]
    """
    if len(x) <= 4 * columns:
        return x, y
    column = np.minimum((x * (columns / end)).astype(np.int64), columns - 1)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    low, high = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    return (
        np.column_stack((x[first], x[first], x[first], x[last])).ravel(),
        np.column_stack((y[first], low, high, y[last])).ravel(),
    )


def axis_end(seconds: float, latest: float) -> float:
    """Where a time axis ends: at the pattern's end, or by halves of it later when something is late.

    >>> axis_end(4, 4.01), axis_end(4, 4.1)
    (4.0, 6.0)
    """
    return seconds * max(1.0, math.ceil(2 * (latest / seconds - 0.01)) / 2)


def steps_around(own: float, among: Sequence[float]) -> list[float]:
    """A slider's values: the usual ones, and the one that it starts with."""
    return sorted({*among, own})
