"""Five ways to retry: what they wait, and what a bucket makes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.bursts import arrivals
from labkit.bursts.simulation import excess, simulate
from labkit.retry import compare_retries, table
from labkit.retry.comparison import TRIES, WAYS, ceiling, full_jitter, simulate_way
from labkit.retry.runs import goodput
from labkit.throttle import TokenBucket

begins = st.lists(st.floats(0, 3), min_size=1, max_size=60).map(sorted)
buckets = st.builds(TokenBucket, st.floats(0.5, 50), st.floats(0, 20))


@given(st.integers(1, 1_000), st.integers(0, 99))
def test_what_is_waited(failures: int, seed: int) -> None:
    assert ceiling(failures) == (20 if failures >= 8 else 0.25 * 2 ** (failures - 1))
    assert 0 <= full_jitter(failures, np.random.default_rng(seed)) <= ceiling(failures)


@given(begins, buckets, st.sampled_from(list(WAYS)), st.integers(0, 2**32))
def test_every_client_gets_its_tries_and_the_bucket_its_bound(
    begins: list[float], bucket: TokenBucket, way: str, seed: int
) -> None:
    run = simulate_way(way, begins, bucket, np.random.default_rng(seed))
    assert (np.diff(run.sent) >= 0).all()
    assert excess(run.sent[run.accepted], bucket) <= 1e-6
    assert simulate(run.sent, bucket).accepted.tolist() == run.accepted.tolist()
    assert run.done + run.given_up == len(begins)
    assert run.done + run.refused == len(run.sent)
    for client, began in enumerate(begins):
        mine = run.accepted[run.client == client]
        assert 1 <= len(mine) <= TRIES
        assert not mine[:-1].any(), "who got through doesn't come again"
        assert run.sent[run.client == client][0] >= began
    again = simulate_way(way, begins, bucket, np.random.default_rng(seed))
    assert again.sent.tolist() == run.sent.tolist()


@given(begins, st.floats(0.5, 50), st.floats(1, 20))
def test_a_client_s_bucket_as_large_as_the_gateway_s_wastes_nothing(
    begins: list[float], rate: float, burst: float
) -> None:
    run = compare_retries(begins, TokenBucket(rate, burst), random=1)[-1]
    assert (run.refused, run.done) == (0, len(begins))


def test_the_naive_client_makes_a_storm_and_the_good_one_doesn_t() -> None:
    runs = compare_retries(arrivals.spike(200), TokenBucket(20, 20), random=1)
    done = {run.name: run.done for run in runs}
    assert done["none"] == 20
    assert done["full jitter"] == done["client's bucket"] == 200
    assert done["exponential"] < 200, "without jitter they come together until they give up"
    none, fixed, _exponential, _jitter, good = runs
    assert fixed.refused > 1000
    assert good.refused == 0
    assert good.seconds == pytest.approx((200 - 20) / 20 + 0.02)
    assert max(runs, key=lambda run: goodput(run, runs)) is good
    assert goodput(none, runs) < goodput(fixed, runs)
    assert table(runs).splitlines()[-1].split() == [
        *("client's", "bucket", "200", "0", "0", "9.0", "22.2")
    ]


def test_no_clients() -> None:
    runs = compare_retries([], TokenBucket(1, 1), random=1)
    assert {(run.done, run.refused, run.seconds, goodput(run, runs)) for run in runs} == {(0,) * 4}


def test_a_client_s_bucket_must_let_something_pass() -> None:
    with pytest.raises(ValueError, match="bucket needs"):
        compare_retries([0], TokenBucket(0, 5), random=1)
