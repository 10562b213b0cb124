"""The fast simulation is the bucket itself, and the bucket keeps its promises."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.bursts.simulation import excess, simulate
from labkit.throttle import TokenBucket, take_from_all

ROUNDING = 1e-6

rates = st.floats(0, 2000) | st.integers(0, 50)
bursts = st.floats(0, 100) | st.integers(0, 20)
buckets = st.builds(TokenBucket, rates, bursts)
gaps = st.floats(0, 2) | st.sampled_from([0.0, 0.0, 0.001, 0.1, 0.5, 1.0, 1e-12])
times = st.builds(
    lambda start, gaps: list(itertools.accumulate(gaps, initial=start)),
    st.floats(0, 1e9),
    st.lists(gaps, max_size=60),
)


def fresh(bucket: TokenBucket) -> TokenBucket:
    return TokenBucket(bucket.rate, bucket.burst)


@given(times, buckets)
def test_one_bucket_is_the_bucket_to_the_last_bit(times: list[float], bucket: TokenBucket) -> None:
    one_by_one = fresh(bucket)
    expected = [
        (one_by_one.level(now), one_by_one.take(now), one_by_one.level(now)) for now in times
    ]
    found = simulate(times, bucket)
    [layer] = found.layers
    assert [*zip(layer.before, found.accepted, layer.after, strict=True)] == expected
    assert bucket == fresh(bucket), "the bucket that was given stays as it is"


@st.composite
def layered(draw: st.DrawFn) -> tuple[list[float], dict[str, TokenBucket], dict[str, Any]]:
    arrivals = draw(times)
    names = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True))
    layers = {name: draw(buckets) for name in names}
    mask = st.lists(st.booleans(), min_size=len(arrivals), max_size=len(arrivals))
    only = {name: draw(mask) for name in names if draw(st.booleans())}
    return arrivals, layers, only


@given(layered())
def test_layers_are_take_from_all_to_the_last_bit(case: Any) -> None:
    arrivals, layers, only = case
    one_by_one = {name: fresh(bucket) for name, bucket in layers.items()}
    expected = []
    for number, now in enumerate(arrivals):
        mine = {name: b for name, b in one_by_one.items() if only.get(name, {number: 1})[number]}
        levels = {name: bucket.level(now) for name, bucket in mine.items()}
        refused = take_from_all(mine, now) or ""
        expected.append((levels, refused, {name: b.level(now) for name, b in mine.items()}))
    found = simulate(arrivals, layers, only=only)
    for number, (before, refused, after) in enumerate(expected):
        assert found.refused_by[number] == refused
        for layer in found.layers:
            levels = layer.before[number], layer.after[number]
            if layer.applies[number]:
                assert levels == (before[layer.name], after[layer.name])
            else:
                assert np.isnan(levels).all()


@given(times, buckets)
def test_a_bucket_is_never_negative_and_never_above_its_burst(
    times: list[float], bucket: TokenBucket
) -> None:
    [layer] = simulate(times, bucket).layers
    for levels in (layer.before, layer.after):
        assert (levels >= 0).all()
        assert (levels <= bucket.burst).all()


@given(times, buckets)
def test_in_no_span_of_time_more_passes_than_the_bound(
    times: list[float], bucket: TokenBucket
) -> None:
    found = simulate(times, bucket)
    # The clock itself is only so fine: a float near 1e9 is a multiple of 1.2e-7.
    resolution = np.spacing(max(times)) * (bucket.rate + 1) * len(times)
    assert excess(found.arrivals[found.accepted], bucket) <= ROUNDING + resolution


@given(st.lists(st.integers(0, 2000), max_size=60), st.integers(1, 50), st.integers(0, 10))
def test_the_bound_is_the_worst_of_all_spans(times: list[int], rate: int, burst: int) -> None:
    passed = sorted(time / 1000 for time in times)
    spans = [
        last - first + 1 - burst - rate * (passed[last] - passed[first])
        for first in range(len(passed))
        for last in range(first, len(passed))
    ]
    assert excess(passed, TokenBucket(rate, burst)) == pytest.approx(max([*spans, -burst]))


@given(layered(), st.randoms())
def test_the_totals_don_t_depend_on_the_order_of_the_layers(case: Any, random: Any) -> None:
    arrivals, layers, only = case
    names = list(layers)
    random.shuffle(names)
    found = simulate(arrivals, layers, only=only)
    again = simulate(arrivals, {name: layers[name] for name in names}, only=only)
    assert found.accepted.tolist() == again.accepted.tolist()
    assert sum(found.refusals.values()) == sum(again.refusals.values())


@given(st.lists(st.booleans(), max_size=40), bursts, bursts, bursts)
def test_the_total_of_a_moment_doesn_t_depend_on_who_comes_first(
    is_a: list[bool], a: float, b: float, account: float
) -> None:
    """Whose request passes depends on the order of two clients' requests; how many pass doesn't."""
    layers = {"a": TokenBucket(0, a), "b": TokenBucket(0, b), "account": TokenBucket(0, account)}
    only = {"a": is_a, "b": [not mine for mine in is_a]}
    wanted = min(int(a + ROUNDING), sum(is_a)) + min(int(b + ROUNDING), len(is_a) - sum(is_a))
    passed = simulate([0.0] * len(is_a), layers, only=only).passed
    assert passed in (min(int(account), wanted), min(int(account + ROUNDING), wanted))


@given(times, bursts, rates, st.floats(0, 100), st.floats(0, 100))
def test_layers_let_pass_what_the_strictest_does(
    times: list[float], burst: float, rate: float, more_burst: float, more_rate: float
) -> None:
    """A layer that is looser in both numbers changes nothing."""
    strict = TokenBucket(rate, burst)
    loose = TokenBucket(rate + more_rate, burst + more_burst)
    alone = simulate(times, strict)
    both = simulate(times, {"loose": loose, "strict": strict})
    if more_rate > 0 or more_burst > 0 or burst == loose.burst:
        differ = both.accepted != alone.accepted
        assert not differ.any()


@given(times, st.lists(buckets, min_size=1, max_size=4))
def test_layers_never_let_pass_more_than_any_of_them(
    times: list[float], each: list[TokenBucket]
) -> None:
    both = simulate(times, {str(number): bucket for number, bucket in enumerate(each)})
    passed = both.arrivals[both.accepted]
    for bucket in each:
        resolution = np.spacing(max(times)) * (bucket.rate + 1) * len(times)
        assert excess(passed, bucket) <= ROUNDING + resolution


def test_the_layer_that_refused_is_named() -> None:
    layers = {"the usage plan": TokenBucket(1, 2), "the account": TokenBucket(10, 3)}
    other_key = [False, False, False, True, True]
    found = simulate([0.0] * 5, layers, only={"the usage plan": [not k for k in other_key]})
    assert found.refused_by == ["", "", "the usage plan", "", "the account"]
    assert found.refusals == {"the usage plan": 1, "the account": 1}
    text = "5 requests: 3 accepted, 2 refused (1 by the usage plan, 1 by the account)"
    assert (str(found), repr(found)) == (text, f"<{text}>")


def test_no_requests() -> None:
    for limits in (TokenBucket(1, 1), {"a": TokenBucket(1, 1), "b": TokenBucket(1, 1)}):
        found = simulate([], limits)
        assert (len(found), found.passed, str(found)) == (
            0,
            0,
            "0 requests: 0 accepted, 0 refused",
        )
    assert excess([], TokenBucket(1, 3)) == -3


def test_a_client_s_times_leave_the_bound_some_room() -> None:
    """The second was sent early and came late: at 0.5 the bucket had a token again."""
    bucket = TokenBucket(rate=2, burst=1)
    assert excess([0.0, 0.4], bucket) == pytest.approx(0.2)
    assert excess([0.0, 0.4], bucket, answered=[0.1, 0.6]) < 0
    assert excess([0.0, 0.0, 0.4], bucket, answered=[0.1, 0.1, 0.6]) == pytest.approx(0.8)


@pytest.mark.parametrize("arrivals", [[1, 0], [float("nan")], [float("inf")], [[0, 1]], 3])
def test_arrivals_are_times_in_order(arrivals: Any) -> None:
    with pytest.raises(ValueError, match="in their order"):
        simulate(arrivals, TokenBucket(1, 1))


def test_only_must_fit() -> None:
    bucket = TokenBucket(1, 1)
    with pytest.raises(ValueError, match="layers that are in"):
        simulate([0], {"a": bucket}, only={"b": [True]})
    with pytest.raises(ValueError, match="layers that are in"):
        simulate([0], {})
    with pytest.raises(ValueError, match="one True or False"):
        simulate([0], {"a": bucket}, only={"a": [True, False]})
