"""When requests come: patterns for :func:`labkit.simulate` and :func:`labkit.fire`.

A pattern is an array of times in seconds, in order; the first is at 0.

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


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:  # NaN too
            raise ValueError(f"{name}={number!r}: give a number that isn't negative.")
    if numbers.get("seconds", 1) == 0:
        raise ValueError("seconds=0: a pattern takes time; spike() is for requests at one moment.")
