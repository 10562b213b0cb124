"""What token buckets would let pass, without sending a request: the prediction that a measurement is compared with.

It asks the buckets of :mod:`labkit.throttle`, with which the gateway decides: 10,000 requests in some 50 ms.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labkit.throttle import TokenBucket, take_from_all

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

BUCKET = "the bucket"
"""The name of a bucket that is simulated by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One bucket of a simulation, and its level at each request.

    Attributes:
        name: which limit it is.
        rate: tokens a second.
        burst: the bucket's size.
        before: the level when the request came; NaN where the layer doesn't apply.
        after: the level when it had its answer; likewise.
        applies: which requests the layer applies to.
    """

    name: str
    rate: float
    burst: float
    before: FloatArray
    after: FloatArray
    applies: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What happened to each request.

    Attributes:
        arrivals: when it came, in seconds.
        accepted: whether it passed.
        layers: the buckets, in the order in which they apply.
        refused_by: the name of the layer that refused it; empty when it passed.
    """

    arrivals: FloatArray
    accepted: BoolArray
    layers: tuple[Layer, ...]
    refused_by: list[str]

    @property
    def refusals(self) -> dict[str, int]:
        """How many each layer refused, those that refused none left out."""
        counts = Counter(self.refused_by)
        return {layer.name: counts[layer.name] for layer in self.layers if counts[layer.name]}

    @property
    def passed(self) -> int:
        """How many requests passed."""
        return int(np.count_nonzero(self.accepted))

    def __len__(self) -> int:
        return len(self.arrivals)

    def __str__(self) -> str:
        text = f"{len(self)} requests: {self.passed} accepted, {len(self) - self.passed} refused"
        by = ", ".join(f"{count} by {name}" for name, count in self.refusals.items())
        return f"{text} ({by})" if by and [*self.refusals] != [BUCKET] else text

    def __repr__(self) -> str:
        return f"<{self}>"


def simulate(
    arrivals: ArrayLike,
    limits: TokenBucket | Mapping[str, TokenBucket],
    *,
    only: Mapping[str, ArrayLike] | None = None,
) -> Simulation:
    """What full buckets do to requests. The buckets that are given stay as they are.

    Args:
        arrivals: the times of the requests in seconds, in order.
        limits: a bucket, or each layer's name → its bucket in the order in which they apply. A request must get a
            token of every one, and takes none when one refuses; the first that has none is named.
        only: layer → for each request whether the layer applies to it: another client's key, another method.

    Raises:
        ValueError: the arrivals aren't finite times in order, or ``only`` doesn't fit.

    >>> prediction = simulate([0, 0, 0, 0, 0.5], TokenBucket(rate=2, burst=3))
    >>> prediction
    <5 requests: 4 accepted, 1 refused>
    >>> prediction.layers[0].before.tolist()
    [3.0, 2.0, 1.0, 0.0, 1.0]
    >>> layers = {"the key": TokenBucket(1, 2), "the account": TokenBucket(10, 3)}
    >>> simulate([0, 0, 0, 0], layers, only={"the key": [True, True, True, False]}).refused_by
    ['', '', 'the key', '']
    """
    times = checked_times(arrivals)
    given = {BUCKET: limits} if isinstance(limits, TokenBucket) else limits
    buckets = {name: TokenBucket(bucket.rate, bucket.burst) for name, bucket in given.items()}
    applies = _masks(buckets, only or {}, len(times))
    before, after = np.full((2, len(buckets), len(times)), np.nan)
    refused_by = []
    asked = zip(times.tolist(), np.transpose(applies).tolist(), strict=True)
    for number, (now, wanted) in enumerate(asked):
        mine = dict(compress(buckets.items(), wanted))
        before[wanted, number] = [bucket.level(now) for bucket in mine.values()]
        refused_by.append(take_from_all(mine, now) or "")
        after[wanted, number] = [bucket.level(now) for bucket in mine.values()]
    layers = tuple(
        Layer(name, bucket.rate, bucket.burst, *levels)
        for (name, bucket), *levels in zip(buckets.items(), before, after, applies, strict=True)
    )
    return Simulation(times, np.array([not name for name in refused_by], bool), layers, refused_by)


def excess(passed: ArrayLike, bucket: TokenBucket, *, answered: ArrayLike | None = None) -> float:
    """By how much the worst span of time exceeds the bound ``burst + rate * t``; a bucket never lets it be above 0.

    Args:
        passed: the times of the requests that passed, in order.
        bucket: the bound's rate and burst.
        answered: when each was answered, where only a client's times are known: the bucket took its token somewhere in
            between, so a span ends with the last answer in it.

    >>> excess([0.0, 0.0, 0.5, 1.0], TokenBucket(rate=2, burst=2))
    0.0
    >>> excess([0.0, 0.0, 0.25], TokenBucket(rate=2, burst=2))
    0.5
    """
    times = checked_times(passed)
    if not len(times):
        return -float(bucket.burst)
    # From request i to request j there are j - i + 1, in t[j] - t[i] seconds.
    number = np.arange(len(times))
    ends = times if answered is None else np.maximum.accumulate(np.asarray(answered, np.float64))
    begun = np.minimum.accumulate(number - bucket.rate * times)
    worst = float(np.max(number - bucket.rate * ends - begun))
    return worst + 1 - bucket.burst


def checked_times(arrivals: ArrayLike) -> FloatArray:
    """The times as an array of seconds.

    Raises:
        ValueError: they aren't finite times in order.
    """
    times = np.array(arrivals, dtype=np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise ValueError("Arrivals are a list of finite times in seconds, in their order.")
    return times


def _masks(
    buckets: Mapping[str, TokenBucket], only: Mapping[str, ArrayLike], count: int
) -> BoolArray:
    """For each layer, to which requests it applies."""
    if not buckets or not set(only) <= set(buckets):
        raise ValueError(f"`only` names layers that are in `limits`: {', '.join(buckets)}.")
    masks = [np.asarray(only.get(name, [True] * count), dtype=np.bool_) for name in buckets]
    if any(mask.shape != (count,) for mask in masks):
        raise ValueError("A layer's `only` has one True or False for each request.")
    return np.array(masks)
