"""What token buckets would let pass, without sending a request: the prediction that a measurement is compared with.

Request for request and to the last bit the same as :class:`labkit.throttle.TokenBucket` and
:func:`labkit.throttle.take_from_all`, only fast: a million requests in about half a second. NumPy does what can be done
for all requests at once; a loop is left, because whether a request passes depends on the one before it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labkit.throttle import WHOLE_TOKEN, TokenBucket

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

BUCKET = "the bucket"
"""The name of a bucket that is simulated by itself."""
QUOTA = "the quota"
_ACCEPTED = -1
_QUOTA = -2


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests may pass in a period; refused ones don't count.

    Attributes:
        limit: requests.
        period: seconds; periods begin at time 0. One that never ends unless given.
    """

    limit: int
    period: float = float("inf")

    def __post_init__(self) -> None:
        if self.limit < 0 or not self.period > 0:
            raise ValueError("A quota's limit can't be negative, and its period must last.")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One bucket of a simulation, and its level at each request.

    Attributes:
        name: which limit it is.
        rate: tokens a second.
        burst: the bucket's size.
        before: the level when the request came; where the layer doesn't apply, as its own last request left it.
        after: the level when it had its answer.
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
        quota_left: what was left of the quota before it; None without a quota.
        refused_at: the number of the layer that refused it; -1 for none, -2 for the quota.
    """

    arrivals: FloatArray
    accepted: BoolArray
    layers: tuple[Layer, ...]
    quota_left: IntArray | None
    refused_at: NDArray[np.int8]

    @property
    def before(self) -> FloatArray:
        """The (first) bucket's level when each request came."""
        return self.layers[0].before

    @property
    def after(self) -> FloatArray:
        """The (first) bucket's level when each request had its answer."""
        return self.layers[0].after

    @property
    def refused_by(self) -> list[str]:
        """For each request the name of the layer that refused it; empty when it passed."""
        names = [layer.name for layer in self.layers] + [QUOTA, ""]
        return [names[number] for number in self.refused_at.tolist()]

    @property
    def refusals(self) -> dict[str, int]:
        """How many each layer refused, those that refused none left out."""
        names = [(number, layer.name) for number, layer in enumerate(self.layers)]
        counts = {
            name: int(np.count_nonzero(self.refused_at == number))
            for number, name in [*names, (_QUOTA, QUOTA)]
        }
        return {name: count for name, count in counts.items() if count}

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
    quota: Quota | None = None,
) -> Simulation:
    """What full buckets do to requests. The buckets that are given stay as they are.

    Args:
        arrivals: the times of the requests in seconds, in order.
        limits: a bucket, or each layer's name → its bucket in the order in which they apply. A request must get a
            token of every one, and takes none when one refuses; the first that has none is named.
        only: layer → for each request whether the layer applies to it: another client's key, another method.
        quota: looked at before the buckets, as API Gateway does; a request that a bucket refuses doesn't use it up.

    Raises:
        ValueError: the arrivals aren't finite times in order, or ``only`` doesn't fit.

    >>> prediction = simulate([0, 0, 0, 0, 0.5], TokenBucket(rate=2, burst=3))
    >>> prediction
    <5 requests: 4 accepted, 1 refused>
    >>> prediction.before.tolist()
    [3.0, 2.0, 1.0, 0.0, 1.0]
    >>> layers = {"the key": TokenBucket(1, 2), "the account": TokenBucket(10, 3)}
    >>> simulate([0, 0, 0, 0], layers, only={"the key": [True, True, True, False]}).refused_by
    ['', '', 'the key', '']
    """
    times = checked_times(arrivals)
    buckets = {BUCKET: limits} if isinstance(limits, TokenBucket) else dict(limits)
    masks = _masks(buckets, only or {}, len(times))
    if len(buckets) == 1 and not masks and quota is None:
        [(name, bucket)] = buckets.items()
        return _one(times, name, bucket)
    return _several(times, buckets, masks, quota)


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
) -> dict[str, BoolArray]:
    masks = {name: np.asarray(mask, dtype=np.bool_) for name, mask in only.items()}
    if not buckets or not set(masks) <= set(buckets):
        raise ValueError(f"`only` names layers that are in `limits`: {', '.join(buckets)}.")
    if any(mask.shape != (count,) for mask in masks.values()):
        raise ValueError("A layer's `only` has one True or False for each request.")
    return masks


def _refilled(times: FloatArray, rate: float) -> FloatArray:
    """The tokens that came between a request and the one before."""
    gained = np.zeros_like(times)
    np.multiply(np.diff(times), rate, out=gained[1:])
    return gained


def _one(times: FloatArray, name: str, bucket: TokenBucket) -> Simulation:
    level = burst = float(bucket.burst)
    before: list[float] = []
    after: list[float] = []
    note_before, note_after = before.append, after.append
    for gained in _refilled(times, bucket.rate).tolist():
        level += gained
        if level > burst:
            level = burst
        note_before(level)
        if level >= WHOLE_TOKEN:
            level = level - 1 if level > 1 else 0.0
        note_after(level)
    every = np.ones(len(times), dtype=np.bool_)
    layer = Layer(name, bucket.rate, bucket.burst, np.array(before), np.array(after), every)
    accepted = layer.before >= WHOLE_TOKEN
    refused_at = np.where(accepted, _ACCEPTED, 0).astype(np.int8)
    return Simulation(times, accepted, (layer,), None, refused_at)


def _several(
    times: FloatArray,
    buckets: Mapping[str, TokenBucket],
    masks: Mapping[str, BoolArray],
    quota: Quota | None,
) -> Simulation:
    # Flat lists and no calls: this is the loop that a million requests go through.
    every = np.ones(len(times), dtype=np.bool_)
    applying = [masks.get(name, every) for name in buckets]
    bursts = [float(bucket.burst) for bucket in buckets.values()]
    gained = zip(
        *(
            _refilled_where(times, bucket.rate, mask).tolist()
            for bucket, mask in zip(buckets.values(), applying, strict=True)
        ),
        strict=True,
    )
    rows = zip(gained, zip(*(mask.tolist() for mask in applying), strict=True), strict=True)
    levels = list(bursts)
    before: list[float] = []
    after: list[float] = []
    refused_at: list[int] = []
    quota_left: list[int] = []
    period, left = 0, quota.limit if quota is not None else 0
    for (gains, applies), now in zip(rows, _periods(times, quota), strict=False):
        refused = _ACCEPTED
        for place, gain in enumerate(gains):
            level = levels[place] + gain
            if level > bursts[place]:
                level = bursts[place]
            levels[place] = level
            if level < WHOLE_TOKEN and applies[place] and refused == _ACCEPTED:
                refused = place
        before += levels
        if quota is not None:
            if now != period:
                period, left = now, quota.limit
            quota_left.append(left)
            refused = _QUOTA if left <= 0 else refused
            left -= refused == _ACCEPTED
        if refused == _ACCEPTED:
            for place, level in enumerate(levels):
                if applies[place]:
                    levels[place] = level - 1 if level > 1 else 0.0
        after += levels
        refused_at.append(refused)
    where = np.array(refused_at, dtype=np.int8)
    layers = _layers(buckets, before, after, applying)
    kept = None if quota is None else np.array(quota_left, dtype=np.int64)
    return Simulation(times, where == _ACCEPTED, layers, kept, where)


def _layers(
    buckets: Mapping[str, TokenBucket],
    before: list[float],
    after: list[float],
    applying: list[BoolArray],
) -> tuple[Layer, ...]:
    """The layers, from the levels of all of them after one another, request by request."""
    was, then = (np.array(flat).reshape(-1, len(buckets)).T for flat in (before, after))
    return tuple(
        Layer(name, bucket.rate, bucket.burst, was[place], then[place], applying[place])
        for place, (name, bucket) in enumerate(buckets.items())
    )


def _refilled_where(times: FloatArray, rate: float, mask: BoolArray) -> FloatArray:
    """What a layer gained at the requests that it applies to; it isn't looked at for the others."""
    gained = np.zeros_like(times)
    gained[mask] = _refilled(times[mask], rate)
    return gained


def _periods(times: FloatArray, quota: Quota | None) -> list[int] | repeat[int]:
    """The number of the quota's period of each request."""
    if quota is None or quota.period == float("inf"):
        return repeat(0)
    return np.floor(times / quota.period).astype(np.int64).tolist()  # type: ignore[no-any-return]
