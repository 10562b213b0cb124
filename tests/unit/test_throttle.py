"""The token bucket keeps its promise whatever the arrivals: never over burst + rate × t in any span of t seconds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.throttle import TokenBucket, take_from_all

RATES = st.one_of(st.just(0.0), st.floats(0.01, 1_000))
BURSTS = st.one_of(st.integers(0, 50), st.floats(0, 50))
STEPS = st.one_of(st.just(0.0), st.floats(0, 0.01), st.floats(0, 100))
"""Between two arrivals; equal times are common, as in a burst."""
BUCKETS = st.builds(TokenBucket, rate=RATES, burst=BURSTS)
ROUNDING = 1e-6
EXAMPLES = settings(max_examples=300)


@st.composite
def arrivals(draw: st.DrawFn, longest: int = 60) -> list[float]:
    """Arrival times from some moment on, in order."""
    moment = draw(st.floats(-1_000, 2_000_000_000))
    times = []
    for step in draw(st.lists(STEPS, max_size=longest)):
        moment += step
        times.append(moment)
    return times


def passed(bucket: TokenBucket, times: list[float]) -> list[float]:
    return [moment for moment in times if bucket.take(moment)]


@EXAMPLES
@given(bucket=BUCKETS, times=arrivals())
def test_no_span_lets_more_pass_than_its_burst_and_rate_allow(
    bucket: TokenBucket, times: list[float]
) -> None:
    through = passed(bucket, times)
    for first, begin in enumerate(through):
        for last in range(first, len(through)):
            most = bucket.burst + bucket.rate * (through[last] - begin)
            assert last - first + 1 <= most + ROUNDING * (1 + most)


@EXAMPLES
@given(bucket=BUCKETS, times=st.lists(st.floats(-1e9, 1e9), max_size=60))
def test_the_level_stays_between_nothing_and_the_burst(
    bucket: TokenBucket, times: list[float]
) -> None:
    for moment in times:  # in any order: a clock that was set back gives nothing away
        bucket.take(moment)
        assert 0 <= bucket.level(moment) <= bucket.burst


@EXAMPLES
@given(bucket=BUCKETS, times=st.lists(st.floats(0, 1e6), max_size=60))
def test_times_out_of_order_let_no_more_pass_than_the_whole_span_allows(
    bucket: TokenBucket, times: list[float]
) -> None:
    through = passed(bucket, times)
    span = max(times) - times[0] if times else 0.0
    most = bucket.burst + bucket.rate * max(0.0, span)
    assert len(through) <= most + ROUNDING * (1 + most)


@EXAMPLES
@given(rate=RATES, burst=st.integers(1, 50), moment=st.floats(0, 1e9), extra=st.integers(0, 20))
def test_at_one_moment_the_burst_passes_and_no_more(
    rate: float, burst: int, moment: float, extra: int
) -> None:
    assert len(passed(TokenBucket(rate, burst), [moment] * (burst + extra))) == burst


@EXAMPLES
@given(rate=st.integers(1, 100), burst=st.integers(1, 20), waited=st.integers(0, 200))
def test_an_empty_bucket_refills_with_its_rate_up_to_its_burst(
    rate: int, burst: int, waited: int
) -> None:
    """Waiting as long as ``waited`` tokens take gives just as many, but never more than the burst."""
    bucket = TokenBucket(rate, burst)
    assert len(passed(bucket, [0.0] * burst)) == burst
    assert len(passed(bucket, [waited / rate] * (burst + 1))) == min(waited, burst)


@EXAMPLES
@given(buckets=st.lists(BUCKETS, min_size=1, max_size=4), times=arrivals(30))
def test_a_request_passes_when_every_layer_lets_it_and_then_takes_one_of_each(
    buckets: list[TokenBucket], times: list[float]
) -> None:
    layers = {str(number): bucket for number, bucket in enumerate(buckets)}
    for moment in times:
        before = {name: bucket.level(moment) for name, bucket in layers.items()}
        ready = {name: bucket.has_token(moment) for name, bucket in layers.items()}
        refused = take_from_all(layers, moment)
        after = {name: bucket.level(moment) for name, bucket in layers.items()}
        if refused is None:
            assert all(ready.values())
            assert after == {name: max(0.0, level - 1) for name, level in before.items()}
        else:
            assert refused == next(name for name, has in ready.items() if not has)
            assert after == before


@EXAMPLES
@given(rate=RATES, burst=st.integers(1, 20), slack=st.integers(0, 20), times=arrivals(40))
def test_layers_over_one_another_equal_the_strictest(
    rate: float, burst: int, slack: int, times: list[float]
) -> None:
    strict = TokenBucket(rate, burst)
    layers = {
        "loose": TokenBucket(rate * 2, burst + slack),
        "strict": TokenBucket(rate, burst),
        "looser": TokenBucket(rate + 1, burst + slack),
    }
    together = [moment for moment in times if take_from_all(layers, moment) is None]
    assert together == passed(strict, times)


@given(times=arrivals(20))
def test_a_bucket_without_tokens_lets_nobody_pass(times: list[float]) -> None:
    assert passed(TokenBucket(rate=0, burst=0), times) == []
    assert passed(TokenBucket(rate=100, burst=0), times) == []


@pytest.mark.parametrize(("rate", "burst"), [(-1, 1), (1, -1), (-0.1, -0.1)])
def test_a_bucket_is_not_negative(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="negative"):
        TokenBucket(rate, burst)
