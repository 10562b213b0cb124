"""What a crowd of clients cost, in numbers."""

import numpy as np

from labkit.retry import RetryRun, table

# Client 2 gets through first, then 0; client 1 never.
RUN = RetryRun(
    "three",
    3,
    np.array([0, 1, 2, 0, 1]),
    np.array([0.0, 0.0, 0.1, 0.5, 0.6]),
    np.array([0.1, 0.1, 0.2, 0.7, 0.8]),
    np.array([False, False, True, True, False]),
)
NOTHING = RetryRun(
    "nothing", 2, np.array([], dtype=np.int64), np.array([]), np.array([]), np.array([], dtype=bool)
)


def test_the_numbers() -> None:
    assert (RUN.done, RUN.given_up, RUN.refused, RUN.seconds) == (2, 1, 3, 0.8)
    assert RUN.places.tolist() == [1, 2, 0]


def test_nothing_was_sent() -> None:
    assert (NOTHING.done, NOTHING.given_up, NOTHING.refused, NOTHING.seconds) == (0, 2, 0, 0)
    assert NOTHING.places.tolist() == [0, 1]


def test_who_gets_through_twice_counts_once() -> None:
    twice = RetryRun("twice", 1, np.array([0, 0]), np.zeros(2), np.ones(2), np.array([True, True]))
    assert (twice.done, twice.given_up, twice.refused) == (1, 0, 0)


def test_the_table() -> None:
    head, *lines = table([RUN, NOTHING]).splitlines()
    assert head.split() == [
        "client",
        "got",
        "through",
        "gave",
        "up",
        "refused",
        "requests",
        "seconds",
        "goodput/s",
    ]
    assert [line.split() for line in lines] == [
        ["three", "2", "1", "3", "0.8", "2.5"],
        ["nothing", "0", "2", "0", "0.0", "0.0"],
    ]
    assert {len(line) for line in lines} == {len(head)}
