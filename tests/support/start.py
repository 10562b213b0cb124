"""When the tests take place: on a day that doesn't depend on the computer's, or on the one that ``--start`` names."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from labkit.clock import PROCESS_CLOCK
from labkit.local import __main__
from labkit.local.__main__ import compose_for_real_time

VARIABLE = "LABKIT_TESTS_START"
"""What ``--start`` said, for the processes that tests start."""

CHOSEN = dt.datetime(2027, 5, 12, 10, 0, tzinfo=dt.UTC)
"""A Wednesday, in the middle of a month and of a day."""

EDGES = {
    "the last minute of a month": "2027-04-30T23:59",
    "the last minute of a leap day": "2028-02-29T23:59",
    "the last minute of a year": "2027-12-31T23:59",
    "the last minute of a week": "2027-05-16T23:59",
    "before clocks go forward in New York": "2027-03-14T06:59",
    "before clocks go back in New York": "2027-11-07T05:59",
}
"""Where calendars go wrong; in UTC."""


def moment(text: str) -> dt.datetime:
    """A moment in ISO 8601; without an offset it is in UTC.

    >>> moment("2028-02-29T23:59").isoformat()
    '2028-02-29T23:59:00+00:00'
    """
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def ahead() -> float:
    """How far the tests' clock is ahead of the computer's, in seconds: not at all, but for ``--start``."""
    return 0.0 if _real_time else _started_ahead()


@cache
def _started_ahead() -> float:
    text = os.environ.get(VARIABLE)
    return seconds_until(moment(text)) if text else 0.0


@cache
def chosen_ahead() -> float:
    """The same for tests whose day is chosen, wherever the computer's calendar stands."""
    return _started_ahead() or seconds_until(CHOSEN)


def seconds_until(when: dt.datetime) -> float:
    """How far a moment is ahead of the computer's clock, whatever this process's clock shows."""
    return when.timestamp() - (time.time() - PROCESS_CLOCK.offset)


_real_time = False


@contextmanager
def at_real_time() -> Iterator[None]:
    """This process's clock, and that of clouds it starts, shows the computer's time for a while."""
    global _real_time
    before, _real_time = _real_time, True
    PROCESS_CLOCK.move_to(0)
    try:
        yield
    finally:
        _real_time = before
        PROCESS_CLOCK.move_to(ahead())


def serve(make_cloud: Callable[..., Any]) -> int:
    """``--ahead SECONDS`` and what ``python -m labkit.local`` takes: a cloud whose process is so far ahead."""
    option, ahead, *arguments = sys.argv[1:]
    assert option == "--ahead"
    PROCESS_CLOCK.move_to(float(ahead))
    return __main__.main(arguments, make_cloud)


if __name__ == "__main__":
    sys.exit(serve(compose_for_real_time))
