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


def test_an_hour_takes_a_moment_and_every_clock_agrees() -> None:
    clocks = (time.monotonic, time.perf_counter, time.time)

    def work() -> list[float]:
        before = [time.monotonic(), time.perf_counter(), time.time()]
        time.sleep(3600)
        after = [time.monotonic(), time.perf_counter(), time.time()]
        return [late - early for early, late in zip(before, after, strict=True)]

    began = time.perf_counter()
    [outcome] = VirtualTime().run([work])
    assert time.perf_counter() - began < 60
    assert outcome.result == pytest.approx([3600] * 3)
    assert (outcome.at, outcome.error, outcome.finished) == (3600, None, True)
    assert (time.monotonic, time.perf_counter, time.time) == clocks


@settings(max_examples=25)
@given(st.lists(st.lists(st.floats(0, 5), max_size=4), min_size=1, max_size=6))
def test_who_is_due_goes_on_and_time_never_goes_back(plans: list[list[float]]) -> None:
    virtual = VirtualTime()
    woke: list[float] = []

    def sleeper(plan: list[float]) -> None:
        for seconds in plan:
            before = virtual.now
            time.sleep(seconds)
            assert virtual.now == before + seconds
            woke.append(virtual.now)

    outcomes = virtual.run([lambda plan=plan: sleeper(plan) for plan in plans])
    assert [outcome.error for outcome in outcomes] == [None] * len(plans)
    assert [outcome.at for outcome in outcomes] == pytest.approx([sum(plan) for plan in plans])
    assert woke == sorted(woke)
    assert len(woke) == sum(map(len, plans))


def test_the_same_on_every_run() -> None:
    def order() -> list[int]:
        chance, came = random.Random(7), list[int]()

        def work(number: int) -> None:
            for _ in range(5):
                time.sleep(chance.choice([0, 0.5, 1]))
                came.append(number)

        VirtualTime().run([lambda number=number: work(number) for number in range(9)])
        return came

    assert order() == order()


def test_other_threads_keep_the_real_time() -> None:
    slept: list[float] = []
    began, ended = threading.Event(), threading.Event()

    def outside() -> None:
        began.wait()
        before = time.perf_counter()
        time.sleep(0.05)
        slept.append(time.perf_counter() - before)
        ended.set()

    def inside() -> None:
        began.set()
        ended.wait()

    thread = threading.Thread(target=outside)
    thread.start()
    VirtualTime().run([inside])
    thread.join()
    assert 0.04 < slept[0] < 2


def test_an_error_is_kept_and_the_others_go_on() -> None:
    def fails() -> None:
        time.sleep(1)
        raise KeyError("x")

    first, second = VirtualTime().run([fails, lambda: time.sleep(2)])
    assert isinstance(first.error, KeyError)
    assert (first.at, second.at, second.error) == (1, 2, None)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_sleep_that_is_none_is_refused_as_time_does(seconds: float) -> None:
    [outcome] = VirtualTime().run([lambda: time.sleep(seconds)])
    assert isinstance(outcome.error, ValueError)


def test_what_never_ends_is_ended() -> None:
    virtual = VirtualTime()

    def forever() -> None:
        while True:
            time.sleep(1)
            if virtual.now >= 10:
                virtual.end()

    outcomes = virtual.run([forever, forever])
    assert [outcome.finished for outcome in outcomes] == [False, False]


def test_who_waits_for_something_else_is_told() -> None:
    lock, held = threading.Lock(), threading.Event()

    def holds() -> None:
        with lock:
            held.set()
            time.sleep(1)

    def wants() -> None:
        assert held.is_set()
        with lock:
            pass

    with pytest.raises(VirtualTimeError, match=r"release locks before it\."):
        VirtualTime(patience=0.2).run([holds, wants])


def test_who_catches_everything_is_left_asleep() -> None:
    virtual = VirtualTime()
    counts = [0]

    def stubborn() -> None:
        while True:
            try:
                time.sleep(1)
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
