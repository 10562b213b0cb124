"""Virtual time: what sleeps sleeps to the second, nothing waits for real, and nothing is left running."""

import random
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import VirtualTimeError
from labkit.retry.virtual_time import VirtualTime


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    assert [thread for thread in left if thread.name == "labkit virtual time"] == []


def test_an_hour_takes_a_moment() -> None:
    virtual = VirtualTime()

    def work() -> float:
        before = virtual.clock()
        virtual.sleep(3600)
        return virtual.clock() - before

    began = time.perf_counter()
    [outcome] = virtual.run([work])
    assert time.perf_counter() - began < 2
    assert (outcome.result, outcome.at, outcome.error, outcome.finished) == (3600, 3600, None, True)


@settings(max_examples=25)
@given(st.lists(st.lists(st.floats(0, 5), max_size=4), min_size=1, max_size=6))
def test_who_is_due_goes_on_and_time_never_goes_back(plans: list[list[float]]) -> None:
    virtual = VirtualTime()
    woke: list[float] = []

    def sleeper(plan: list[float]) -> None:
        for seconds in plan:
            before = virtual.clock()
            virtual.sleep(seconds)
            assert virtual.clock() == before + seconds
            woke.append(virtual.clock())

    outcomes = virtual.run([lambda plan=plan: sleeper(plan) for plan in plans])
    assert [outcome.error for outcome in outcomes] == [None] * len(plans)
    assert [outcome.at for outcome in outcomes] == pytest.approx([sum(plan) for plan in plans])
    assert woke == sorted(woke)
    assert len(woke) == sum(map(len, plans))


def test_the_same_on_every_run() -> None:
    def order() -> list[int]:
        chance, came, virtual = random.Random(7), list[int](), VirtualTime()

        def work(number: int) -> None:
            for _ in range(5):
                virtual.sleep(chance.choice([0, 0.5, 1]))
                came.append(number)

        virtual.run([lambda number=number: work(number) for number in range(9)])
        return came

    assert order() == order()


def test_an_error_is_kept_and_the_others_go_on() -> None:
    virtual = VirtualTime()

    def fails() -> None:
        virtual.sleep(1)
        raise KeyError("x")

    first, second = virtual.run([fails, lambda: virtual.sleep(2)])
    assert isinstance(first.error, KeyError)
    assert (first.at, second.at, second.error) == (1, 2, None)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_sleep_that_is_none_is_refused_as_time_does(seconds: float) -> None:
    virtual = VirtualTime()
    [outcome] = virtual.run([lambda: virtual.sleep(seconds)])
    assert isinstance(outcome.error, ValueError)


def test_what_never_ends_is_ended() -> None:
    virtual = VirtualTime()

    def forever() -> None:
        while True:
            virtual.sleep(1)
            if virtual.clock() >= 10:
                virtual.end()

    outcomes = virtual.run([forever, forever])
    assert [outcome.finished for outcome in outcomes] == [False, False]


def test_who_waits_for_something_else_is_told() -> None:
    lock, held, virtual = threading.Lock(), threading.Event(), VirtualTime(patience=0.2)

    def holds() -> None:
        with lock:
            held.set()
            virtual.sleep(1)

    def wants() -> None:
        assert held.is_set()
        with lock:
            pass

    with pytest.raises(VirtualTimeError, match=r"release locks before it\."):
        virtual.run([holds, wants])


def test_who_catches_everything_is_left_asleep() -> None:
    virtual = VirtualTime()
    counts = [0]

    def stubborn() -> None:
        while True:
            try:
                virtual.sleep(1)
            except BaseException:
                counts[0] += 0  # as a learner may write it
            counts[0] += 1
            if counts[0] == 5:
                virtual.end()

    [outcome] = virtual.run([stubborn])
    assert not outcome.finished
    [asleep] = [thread for thread in threading.enumerate() if "virtual" in thread.name]
    asleep.name = "left asleep"
    seen = counts[0]
    time.sleep(0.05)
    assert counts[0] == seen < 12
