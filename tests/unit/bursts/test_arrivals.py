"""Arrival patterns: in order, and as many as asked for."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.bursts import arrivals
from labkit.bursts.simulation import FloatArray

PATTERNS: dict[str, Callable[[int], FloatArray]] = {
    "steady": lambda n: arrivals.steady(n, 2.0),
    "spike": lambda n: arrivals.spike(n, at=1.5),
    "shared": lambda n: arrivals.shared(arrivals.spike(n), arrivals.steady(n, 1)).times,
}


@pytest.mark.parametrize("name", PATTERNS)
@given(st.integers(0, 300))
def test_a_pattern_is_times_in_order(name: str, size: int) -> None:
    times = PATTERNS[name](size)
    assert times.dtype == np.float64
    assert times.ndim == 1
    assert np.isfinite(times).all()
    assert (times >= 0).all()
    assert (np.diff(times) >= 0).all()
    assert size == 0 or len(times) > 0


@given(st.integers(1, 500), st.integers(1, 20))
def test_steady_is_steady(rate: int, tenths: int) -> None:
    times = arrivals.steady(rate, tenths / 10)
    assert len(times) == math.ceil(rate * tenths / 10 - 1e-6)
    assert times[-1] < tenths / 10
    assert np.allclose(np.diff(times), 1 / rate)


def test_shared_says_whose_request_each_is() -> None:
    both = arrivals.shared([0.0, 2.0], [1.0], [])
    assert both.times.tolist() == [0, 1, 2]
    assert both.client.tolist() == [0, 1, 0]
    assert arrivals.shared().times.tolist() == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: arrivals.steady(-1, 1),
        lambda: arrivals.steady(1, 0),
        lambda: arrivals.steady(math.nan, 1),
        lambda: arrivals.spike(-3),
        lambda: arrivals.steady(1, math.inf),
    ],
)
def test_nonsense_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="="):
        wrong()
