"""What the throttle explorer says: the patterns, the prediction, what was measured of it, and both in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsInt

import numpy as np

from labkit.bursts import arrivals
from labkit.bursts.arrivals import Shared
from labkit.bursts.burst import ACCEPTED, MOST_REQUESTS, MOST_SECONDS, THROTTLED, Burst
from labkit.bursts.simulation import FloatArray, Simulation, simulate
from labkit.markup import Block, grid, paragraph, sentence, tag
from labkit.throttle import TokenBucket

MOST = {"rate": 10_000, "burst": 5_000, "size": MOST_REQUESTS, "seconds": MOST_SECONDS}
"""Of rate and burst the account's limit: a stage's can't let more pass."""
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
        for name, most in MOST.items():
            value = getattr(self, name)
            if not 0 < value <= most:
                raise ValueError(f"{name}={value!r}: give a number above 0, at most {most:,g}.")
            if name in ("burst", "size") and value != int(value):
                raise ValueError(f"{name}={value!r}: give a whole number.")
        if self.pattern not in PATTERNS:
            raise ValueError(f"pattern={self.pattern!r}: give one of {', '.join(PATTERNS)}.")

    @cached_property
    def requests(self) -> Shared:
        """When each comes, and from which client."""
        times, _words = PATTERNS[self.pattern](self.size, self.seconds)
        return times if isinstance(times, Shared) else arrivals.shared(times)

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
        _times, words = PATTERNS[self.pattern](self.size, self.seconds)
        requests = f"{self.size:,} request{'s' if self.size > 1 else ''}"
        return f"Rate {self.rate:,g}, burst {self.burst:,}; {self.pattern}: {requests}, {words}"


# -- the patterns: when so many requests come within some seconds, and the same in words ---------


Pattern = tuple[FloatArray | Shared, str]


def _each_second(rate: float) -> str:
    return f"{rate:,.4g} a second" if rate < 1000 else f"{rate:,.0f} a second"


def _steady(size: int, seconds: float) -> Pattern:
    rate = size / seconds
    return arrivals.steady(rate, seconds), f"evenly over {seconds:g} s, {_each_second(rate)}"


def _spike(size: int, _seconds: float) -> Pattern:
    return arrivals.spike(size), "all at one moment"


def _poisson(size: int, seconds: float) -> Pattern:
    # Given their number, the times of a Poisson process are uniform.
    times = np.sort(np.random.default_rng(_SEED).uniform(0, seconds, size))
    return times, f"at random times in {seconds:g} s, {_each_second(size / seconds)} on average"


def _ramp(size: int, seconds: float) -> Pattern:
    last = 2 * size / seconds
    # After t seconds last / seconds * t² / 2 requests have come: solved for the time of the n-th.
    times = seconds * np.sqrt(np.arange(size) / size)
    return times, f"in {seconds:g} s, from 0 to {_each_second(last)}"


def _two_clients(size: int, seconds: float) -> Pattern:
    at_once, moment = size // 2, seconds / 3
    even = arrivals.steady((size - at_once) / seconds, seconds)
    words = f"{len(even):,} evenly over {seconds:g} s and {at_once:,} at one moment after {moment:.3g} s"
    return arrivals.shared(even, arrivals.spike(at_once, at=moment)), words


def _retry_storm(size: int, seconds: float) -> Pattern:
    wait, clients = seconds / _WAVES, math.ceil(size / _WAVES)
    # Every client keeps its place in the tenth of the wait over which a wave is spread.
    places = np.sort(np.random.default_rng(_SEED).uniform(0, wait / 10, clients))
    storm = np.concatenate([places + wait * wave for wave in range(_WAVES)])
    return storm[:size], f"{clients:,} clients that all try {_WAVES} times within {seconds:g} s"


PATTERNS: dict[str, Callable[[int, float], Pattern]] = {
    "steady": _steady,
    "spike": _spike,
    "Poisson": _poisson,
    "ramp": _ramp,
    "two clients": _two_clients,
    "retry storm": _retry_storm,
}
_CLIENTS = ("the even client", "the client that sends all at one moment")


# -- in words ----------------------------------------------------------------------------------


def report(prediction: Prediction, measured: Burst | None) -> tuple[list[Block], str]:
    """The prediction, what was measured of it so far, and the difference; and the text for the picture."""
    accepted = prediction.simulation.accepted
    head = ["", "accepted", "refused (429)"]
    rows = [["predicted", *_numbers(accepted.sum(), (~accepted).sum())]]
    times = prediction.requests.times
    sentences = [
        f"At most {prediction.bound_in_words(times[-1] - times[0])} can pass; "
        "t is the time in seconds from the first request to the last.",
        *_clients(prediction, measured),
    ]
    if measured:
        answered = accepted[measured.job]
        expected = answered.sum(), (~answered).sum()
        found = measured.accepted.sum(), measured.throttled.sum()
        if len(measured) < prediction.size:
            rows.append([f"predicted for the {len(measured):,} answered", *_numbers(*expected)])
        more = (now - before for now, before in zip(found, expected, strict=True))
        rows.append(["measured", *_numbers(*found)])
        rows.append(["difference", *(f"{n:+,}" if n else "0" for n in more)])
        if other := len(measured) - sum(found):
            head.append("other answers")
            rows = [[*row, f"{other:,}" if row[0] == "measured" else ""] for row in rows]
        sentences += _in_reality(prediction, measured)
    counts = (
        f"{name}: {', '.join(f'{n} {what}' for n, what in zip(row, head[1:], strict=True) if n)}."
        for name, *row in rows
    )
    settings = f"{prediction}."
    table = grid("Accepted and refused requests", head, rows, align=">")
    first = Block([settings], sentence(tag("b", settings)))
    return [first, table, *map(paragraph, sentences)], " ".join([settings, *counts])


def _numbers(*counts: SupportsInt) -> Iterator[str]:
    return (f"{int(count):,}" for count in counts)


def _clients(prediction: Prediction, measured: Burst | None) -> Iterator[str]:
    if prediction.pattern != "two clients":
        return
    for number, name in enumerate(_CLIENTS):
        own = prediction.requests.client == number
        passed = prediction.simulation.accepted[own].sum()
        text = f"Of {name}, {passed:,} of {own.sum():,} are predicted to be accepted"
        if measured:
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
    kept = passed <= prediction.bound(took)
    doubt = "" if kept else ": the limit was another one, or it wasn't kept exactly"
    yield (
        f"From the first one sent to the last answer, at most {prediction.bound_in_words(took)} could pass, "
        f"and {passed:,} did{doubt}."
    )
    others = {shot.meaning for shot in measured.shots if shot.outcome not in (ACCEPTED, THROTTLED)}
    if others:
        yield f"Other answers: {', '.join(sorted(others))}."


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
