"""What the throttle explorer says: the patterns, the prediction, what was measured of it, and both in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labkit.bursts import arrivals
from labkit.bursts.arrivals import Shared
from labkit.bursts.burst import MOST_REQUESTS, MOST_SECONDS, Burst
from labkit.bursts.simulation import FloatArray, Simulation, simulate
from labkit.markup import text_table
from labkit.throttle import TokenBucket

MOST_RATE, MOST_BURST = 10_000.0, 5_000
"""The account's limit: a stage's can't let more pass."""
_SEED = 1
"""The same pattern is the same requests, predicted or fired, today or tomorrow."""
_WAVES = 4


@dataclass(frozen=True)
class Prediction:
    """What the model says of where the sliders are.

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
            if name in ("burst", "size") and value != int(value):
                raise ValueError(f"{name}={value!r}: give a whole number.")
        if self.pattern not in PATTERNS:
            raise ValueError(f"pattern={self.pattern!r}: give one of {', '.join(PATTERNS)}.")

    @cached_property
    def requests(self) -> Shared:
        """When each comes, and from which client."""
        made = PATTERNS[self.pattern].made(self.size, self.seconds)
        return made if isinstance(made, Shared) else arrivals.shared(made)

    @cached_property
    def simulation(self) -> Simulation:
        """What becomes of them."""
        return simulate(self.requests.times, TokenBucket(self.rate, self.burst))

    def bound(self, seconds: float) -> float:
        """The most that can pass in a time."""
        return self.burst + self.rate * seconds

    def bound_in_words(self, seconds: float) -> str:
        """The same, with how it is calculated."""
        sum_ = f"{self.burst:,} + {self.rate:,g} × {seconds:,.4g} = {self.bound(seconds):,.1f}"
        return f"burst + rate × t = {sum_}"

    def __str__(self) -> str:
        words = PATTERNS[self.pattern].words(self.size, self.seconds)
        requests = f"{self.size:,} request{'s' if self.size > 1 else ''}"
        return f"Rate {self.rate:,g}, burst {self.burst:,}; {self.pattern}: {requests}, {words}"


# -- the patterns ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which requests come.

    Attributes:
        made: from the number of requests and the seconds to their times.
        words: the same in words.
        clients: what its clients do, where there is more than one.
    """

    made: Callable[[int, float], FloatArray | Shared]
    words: Callable[[int, float], str]
    clients: tuple[str, ...] = ()


def _poisson(size: int, seconds: float) -> FloatArray:
    # Given their number, the times of a Poisson process are uniform.
    return np.sort(np.random.default_rng(_SEED).uniform(0, seconds, size))


def _two_clients(size: int, seconds: float) -> Shared:
    at_once = size // 2
    even = arrivals.steady((size - at_once) / seconds, seconds)
    return arrivals.shared(even, arrivals.spike(at_once, at=seconds / 3))


def _retry_storm(size: int, seconds: float) -> FloatArray:
    wait, clients = seconds / _WAVES, math.ceil(size / _WAVES)
    spread = wait / 10
    storm = arrivals.retry_storm(clients, waves=_WAVES, wait=wait, spread=spread, random=_SEED)
    return storm[:size]


PATTERNS = {
    "steady": Pattern(
        lambda n, s: arrivals.steady(n / s, s),
        lambda n, s: f"evenly over {s:g} s, {n / s:,.4g} a second",
    ),
    "spike": Pattern(lambda n, _s: arrivals.spike(n), lambda _n, _s: "all at one moment"),
    "Poisson": Pattern(
        _poisson,
        lambda n, s: f"at random times in {s:g} s, {n / s:,.4g} a second on average",
    ),
    "ramp": Pattern(
        lambda n, s: arrivals.ramp(0, 2 * n / s, s),
        lambda n, s: f"in {s:g} s, from 0 to {2 * n / s:,.4g} a second",
    ),
    "two clients": Pattern(
        _two_clients,
        lambda n, s: (
            f"{n - n // 2:,} evenly over {s:g} s and {n // 2:,} at one moment after {s / 3:.3g} s"
        ),
        ("the even client", "the client that sends all at one moment"),
    ),
    "retry storm": Pattern(
        _retry_storm,
        lambda n, s: (
            f"{math.ceil(n / _WAVES):,} clients that all try {_WAVES} times within {s:g} s"
        ),
    ),
}


# -- in words ----------------------------------------------------------------------------------


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
        rows = (dict(zip(self.head, row, strict=True)) for row in self.rows)
        counts = (
            f"{row.pop('')}: {', '.join(f'{n} {what}' for what, n in row.items() if n)}."
            for row in rows
        )
        return " ".join([f"{self.settings}.", *counts])

    def __str__(self) -> str:
        table = text_table(self.head, self.rows, align=">")
        return "\n".join([f"{self.settings}.", table, *self.sentences, self.status])


def report(prediction: Prediction, measured: Burst | None, status: str) -> Report:
    """The prediction, what was measured of it so far, and the difference."""
    accepted = prediction.simulation.accepted
    rows = [("predicted", *_numbers(accepted.sum(), (~accepted).sum()))]
    times = prediction.requests.times
    sentences = [
        f"At most {prediction.bound_in_words(times[-1] - times[0])} can pass; "
        "t is the time in seconds from the first request to the last.",
        *_clients(prediction, measured),
    ]
    head = ["", "accepted", "refused (429)"]
    if measured is not None and len(measured):
        accepted = accepted[measured.job]
        if len(measured) < prediction.size:
            name = f"predicted for the {len(measured):,} answered"
            rows.append((name, *_numbers(accepted.sum(), (~accepted).sum())))
        found = [measured.accepted.sum(), measured.throttled.sum()]
        more = [found[0] - accepted.sum(), found[1] - (~accepted).sum()]
        other = len(measured) - sum(found)
        head += ["other answers"] if other else []
        rows.append(("measured", *_numbers(*found, *([other] if other else []))))
        rows.append(("difference", *(f"{n:+,}" if n else "0" for n in more)))
        sentences += _in_reality(prediction, measured)
    padded = tuple((*row, *[""] * (len(head) - len(row))) for row in rows)
    return Report(str(prediction), status, tuple(head), padded, tuple(sentences))


def _numbers(*counts: int) -> tuple[str, ...]:
    return tuple(f"{count:,}" for count in counts)


def _clients(prediction: Prediction, measured: Burst | None) -> Iterator[str]:
    for number, name in enumerate(PATTERNS[prediction.pattern].clients):
        own = prediction.requests.client == number
        passed = prediction.simulation.accepted[own].sum()
        text = f"Of {name}, {passed:,} of {own.sum():,} are predicted to be accepted"
        if measured is not None and len(measured):
            mine = own[measured.job]
            text += f"; {measured.accepted[mine].sum():,} of {mine.sum():,} were"
        yield f"{text}."


def _in_reality(prediction: Prediction, measured: Burst) -> Iterator[str]:
    model = measured.predict(TokenBucket(prediction.rate, prediction.burst))
    yield (
        f"Requests were sent up to {_duration(measured.late.max())} late: "
        f"by the times at which they were sent, the model lets {model.passed:,} pass."
    )
    took = measured.answered.max() - measured.sent.min()
    passed = measured.accepted.sum()
    yield (
        f"From the first one sent to the last answer, at most {prediction.bound_in_words(took)} could pass, "
        f"and {passed:,} did"
        + (
            "."
            if passed <= prediction.bound(took)
            else ": the limit was another one, or it wasn't kept exactly."
        )
    )
    others = {shot.meaning for shot in measured.shots if not (shot.accepted or shot.throttled)}
    if others:
        yield f"Other answers: {', '.join(sorted(others))}."


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
