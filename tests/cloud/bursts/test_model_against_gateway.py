"""What the local gateway lets through is what the model says, for 20 combinations of rate, burst and pattern.

Which times are the requests' times? The gateway decides by its own clock, some time after the request was sent and
before the answer came. Its throttle gate writes that time into the journey. By those times the model must be right
about every single request. By the times at which the client sent them, which is all that AWS would tell, it is
right but for the jitter of the way: a request that comes x seconds sooner or later finds `rate * x` tokens less or
more. How large that jitter was is measured, so that a busy machine widens the tolerance and a quiet one doesn't
have it.
"""

from collections.abc import Callable

import numpy as np
import pytest

from labkit.bursts import arrivals
from labkit.bursts.burst import fire
from labkit.bursts.simulation import FloatArray, excess, simulate
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket
from labkit.widgets.prediction import Prediction
from tests.support.gate_times import gate_times, in_order
from tests.support.mock_api import MockApi, mock_api

Pattern = Callable[[], FloatArray]


def explored(pattern: str, size: int, seconds: float) -> FloatArray:
    """A pattern of the throttle explorer."""
    return Prediction(1, 1, pattern, size, seconds).requests.times


PATTERNS: dict[str, tuple[int, Pattern]] = {
    "steady": (5, lambda: arrivals.steady(150, 0.6)),
    "spike": (20, lambda: arrivals.spike(60)),
    "at random": (3, lambda: explored("Poisson", 84, 0.7)),
    "ramp": (10, lambda: explored("ramp", 87, 0.7)),
    "retry storm": (8, lambda: explored("retry storm", 100, 0.8)),
}
RATES = (2, 15, 40, 110)
COMBINATIONS = [(rate, *pattern) for rate in RATES for pattern in PATTERNS.items()]
ROUNDING = 1e-4
"""Of a clock that counts the seconds since 1970 in a float, at the highest rate."""


@pytest.fixture(scope="module")
def api(lab: Lab) -> MockApi:
    return mock_api()


def test_there_are_twenty_combinations() -> None:
    assert len(COMBINATIONS) == 20
    for _rate, _name, (burst, pattern) in COMBINATIONS:
        assert pattern()[-1] < 1
        assert len(pattern()) > burst


@pytest.mark.parametrize(
    ("rate", "name", "made"), COMBINATIONS, ids=[f"{r}-{n}" for r, n, _made in COMBINATIONS]
)
def test_the_gateway_is_the_model(
    lab: Lab, api: MockApi, rate: int, name: str, made: tuple[int, Pattern]
) -> None:
    size, pattern = made
    bucket = TokenBucket(rate, size)
    api.limit(rate, size)
    burst = fire(api.url, pattern(), lab=lab)
    assert set(burst.status) == {200, 429}
    assert burst.accepted.sum() + burst.throttled.sum() == len(burst) == burst.planned
    passed = int(burst.accepted.sum())

    # By the gateway's clock: every request, one by one. Of two at the same moment, the one that passed came first.
    at, let_in = gate_times(shot.reply.request_id for shot in burst.shots)
    assert let_in.tolist() == burst.accepted.tolist()
    order = in_order(at, let_in)
    assert simulate(at[order], bucket).accepted.tolist() == burst.accepted[order].tolist()
    assert excess(np.sort(at[burst.accepted]), bucket) <= ROUNDING

    # The gateway decided while the client was waiting; so the client can check the bound by its own clock.
    way = at - burst.began_at - burst.sent
    assert (way > -0.01).all()
    assert (way < burst.answered - burst.sent + 0.01).all()
    assert passed <= size + rate * (burst.answered.max() - burst.sent.min())

    # By the client's clock: within 1 % or one request, and what the jitter of the way explains.
    prediction = burst.predict(bucket)
    jitter = float(way.max() - way.min())
    times_full = int((prediction.layers[0].before == size).sum())
    assert abs(prediction.passed - passed) <= max(1, 0.01 * len(burst)) + rate * jitter * times_full
