"""When requests come: patterns for :func:`labkit.simulate` and :func:`labkit.fire`.

A pattern is an array of times in seconds, in order; the first is at 0 unless chance decides. What depends on chance
takes its randomness as an argument, so that the same seed gives the same pattern.

>>> steady(rate=4, seconds=1)
array([0.  , 0.25, 0.5 , 0.75])
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from labkit.bursts.simulation import FloatArray, IntArray, checked_times

Randomness = np.random.Generator | int
"""A generator, or the seed of one."""


class Shared(NamedTuple):
    """The requests of several clients in the order in which they come.

    Attributes:
        times: seconds.
        client: the number of the client that sends each, from 0.
    """

    times: FloatArray
    client: IntArray


def steady(rate: float, seconds: float) -> FloatArray:
    """``rate`` requests a second, evenly spaced.

    >>> len(steady(rate=20, seconds=3))
    60
    """
    _check(rate=rate, seconds=seconds)
    # 0.7 s of 10 a second are 7.000000000000001 requests: that's rounding, not an eighth request.
    count = math.ceil(round(rate * seconds, 9))
    return np.arange(count, dtype=np.float64) / (rate or 1.0)


def spike(size: int, at: float = 0.0) -> FloatArray:
    """``size`` requests at the same moment.

    >>> spike(3, at=0.5)
    array([0.5, 0.5, 0.5])
    """
    _check(size=size, at=at)
    return np.full(size, at, dtype=np.float64)


def poisson(rate: float, seconds: float, *, random: Randomness) -> FloatArray:
    """Requests of many clients that know nothing of one another: ``rate`` a second on average.

    Given their number, the times of a Poisson process are uniform.

    >>> bool((poisson(rate=5, seconds=9, random=1) == poisson(rate=5, seconds=9, random=1)).all())
    True
    """
    _check(rate=rate, seconds=seconds)
    generator = np.random.default_rng(random)
    return np.sort(generator.uniform(0.0, seconds, generator.poisson(rate * seconds)))


def ramp(first_rate: float, last_rate: float, seconds: float) -> FloatArray:
    """A rate that grows (or falls) evenly from one to the other.

    >>> ramp(first_rate=0, last_rate=8, seconds=1).round(2)
    array([0.  , 0.5 , 0.71, 0.87])
    """
    _check(first_rate=first_rate, last_rate=last_rate, seconds=seconds)
    # After t seconds first_rate * t + slope * t² / 2 requests have come: solve that for the time of the n-th.
    count = math.ceil(round((first_rate + last_rate) / 2 * seconds, 9))
    number = np.arange(count, dtype=np.float64)
    if first_rate == last_rate:
        return number / (first_rate or 1.0)
    slope = (last_rate - first_rate) / seconds
    root = np.sqrt(np.maximum(0.0, first_rate**2 + 2 * slope * number))
    if first_rate == 0:
        return root / slope
    times: FloatArray = 2 * number / (first_rate + root)  # the form that doesn't cancel
    return times


def shared(*patterns: ArrayLike) -> Shared:
    """Several clients at once, for example two that share an API key: one's burst takes the other's tokens.

    >>> shared(spike(2), [0.0, 0.1])
    Shared(times=array([0. , 0. , 0. , 0.1]), client=array([0, 0, 1, 1]))
    """
    each = [checked_times(pattern) for pattern in patterns]
    times = np.concatenate([np.empty(0), *each])
    client = np.repeat(np.arange(len(each), dtype=np.int64), [len(pattern) for pattern in each])
    order = np.argsort(times, kind="stable")
    return Shared(times[order], client[order])


def retry_storm(
    clients: int, *, waves: int = 4, wait: float = 1.0, spread: float = 0.05, random: Randomness
) -> FloatArray:
    """Clients that failed together, and all come again after the same wait, again and again.

    Args:
        clients: how many.
        waves: how often each tries.
        wait: seconds between two tries.
        spread: the seconds over which one wave is spread; every client keeps its place in it.
        random: decides the clients' places.

    >>> retry_storm(2, waves=3, spread=0, random=1)
    array([0., 0., 1., 1., 2., 2.])
    """
    _check(clients=clients, waves=waves, wait=wait, spread=spread)
    place = np.random.default_rng(random).uniform(0.0, spread, clients)
    return np.sort((place + wait * np.arange(waves)[:, np.newaxis]).ravel())


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:  # NaN too
            raise ValueError(f"{name}={number!r}: give a number that isn't negative.")
    if numbers.get("seconds", 1) == 0:
        raise ValueError("seconds=0: a pattern takes time; spike() is for requests at one moment.")
