"""Arrival patterns: in order, as many as asked for, and the same for the same seed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.bursts import arrivals
from labkit.bursts.simulation import FloatArray

PATTERNS: dict[str, Callable[[int, int], FloatArray]] = {
    "steady": lambda n, _: arrivals.steady(n, 2.0),
    "spike": lambda n, _: arrivals.spike(n, at=1.5),
    "ramp": lambda n, _: arrivals.ramp(n, 2.0),
    "shared": lambda n, _: arrivals.shared(arrivals.spike(n), arrivals.steady(n, 1)).times,
    "retry storm": lambda n, seed: arrivals.retry_storm(
        n, waves=4, wait=1.0, spread=0.05, random=seed
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
@given(st.integers(0, 300), st.integers(0, 2**32))
def test_a_pattern_is_times_in_order_and_repeatable(name: str, size: int, seed: int) -> None:
    times = PATTERNS[name](size, seed)
    assert times.dtype == np.float64
    assert times.ndim == 1
    assert np.isfinite(times).all()
    assert (times >= 0).all()
    assert (np.diff(times) >= 0).all()
    assert times.tolist() == PATTERNS[name](size, seed).tolist()
    assert size == 0 or len(times) > 0


@given(st.integers(1, 500), st.integers(1, 20))
def test_steady_is_steady(rate: int, tenths: int) -> None:
    times = arrivals.steady(rate, tenths / 10)
    assert len(times) == math.ceil(rate * tenths / 10 - 1e-6)
    assert times[-1] < tenths / 10
    assert np.allclose(np.diff(times), 1 / rate)


@given(st.integers(0, 200), st.floats(0.1, 5))
def test_a_ramp_has_each_moment_s_rate(last: int, seconds: float) -> None:
    times = arrivals.ramp(last, seconds)
    # So many must have come by then, by the area under the rate.
    assert np.allclose(last / seconds * times**2 / 2, np.arange(len(times)), atol=1e-5)
    assert abs(len(times) - last / 2 * seconds) <= 1
    assert len(times) == 0 or times[-1] <= seconds + 1e-9


def test_shared_says_whose_request_each_is() -> None:
    both = arrivals.shared([0.0, 2.0], [1.0], [])
    assert both.times.tolist() == [0, 1, 2]
    assert both.client.tolist() == [0, 1, 0]
    assert arrivals.shared().times.tolist() == []


def test_a_storm_comes_in_waves() -> None:
    times = arrivals.retry_storm(50, waves=3, wait=2, spread=0.1, random=np.random.default_rng(3))
    wave, place = np.divmod(times, 2)
    assert np.bincount(wave.astype(int)).tolist() == [50, 50, 50]
    assert place.max() <= 0.1 + 1e-9
    assert np.allclose(times[:50] + 2, times[50:100])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: arrivals.steady(-1, 1),
        lambda: arrivals.steady(1, 0),
        lambda: arrivals.steady(math.nan, 1),
        lambda: arrivals.spike(-3),
        lambda: arrivals.steady(1, math.inf),
        lambda: arrivals.ramp(-1, 1),
        lambda: arrivals.retry_storm(5, waves=4, wait=-1, spread=0, random=1),
    ],
)
def test_nonsense_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="="):
        wrong()
