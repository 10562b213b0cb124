"""`lab.clock` on its own: what it refuses, what it says, and when it asks; no cloud needed."""

import datetime as dt
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit.lab.session
from labkit.clock import MOST_SECONDS, in_words
from labkit.errors import ClockError, LabkitError
from labkit.lab.clock import Clock


class Timekeeper:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.moved = 0.0

    def offset(self) -> float:
        return self.moved

    def advance(self, seconds: float) -> None:
        self.moved += seconds


@pytest.fixture
def timekeeper() -> Timekeeper:
    return Timekeeper()


@pytest.fixture
def clock(timekeeper: Timekeeper) -> Clock:
    return Clock(timekeeper)


# -- forward ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "seconds", "words"),
    [
        ({"minutes": 61}, 3660, "1 h 1 min"),
        ({"days": 1}, 86_400, "1 day"),
        ({"days": 2, "hours": 3, "minutes": 4, "seconds": 5}, 183_845, "2 days 3 h 4 min 5 s"),
        ({"hours": 1, "minutes": -5}, 3300, "55 min"),
        ({"minutes": 0.5}, 30, "30 s"),
        ({"seconds": 0.25}, 0.25, "0.25 s"),
        ({"seconds": MOST_SECONDS}, MOST_SECONDS, "3652 days 12 h"),
    ],
)
def test_it_moves_by_the_sum_and_says_so(
    clock: Clock,
    timekeeper: Timekeeper,
    capsys: pytest.CaptureFixture[str],
    length: dict[str, float],
    seconds: float,
    words: str,
) -> None:
    clock.advance(**length)
    assert timekeeper.moved == seconds
    assert clock.offset == dt.timedelta(seconds=seconds)
    assert capsys.readouterr().out == f"The lab's clock moved {words} ahead.\n"
    assert repr(clock) == f"The lab's clock is {words} ahead."


def test_at_first_it_shows_the_real_time(clock: Clock) -> None:
    assert repr(clock) == "The lab's clock shows the real time."
    assert clock.offset == dt.timedelta(0)


BACK = "Time neither goes back nor stands still"
FAR = "10 years ahead"


@pytest.mark.parametrize(
    ("length", "message"),
    [
        ({}, BACK),
        ({"seconds": 0}, BACK),
        ({"minutes": -1}, BACK),
        ({"seconds": -(10**400)}, BACK),
        ({"days": -math.inf}, BACK),
        ({"hours": math.inf, "days": -math.inf}, BACK),
        ({"hours": math.inf}, FAR),
        ({"days": 3653}, FAR),
        ({"seconds": 10**9}, FAR),
        ({"seconds": 10**400}, FAR),
        ({"seconds": math.nan}, "seconds=nan isn't a number"),
        ({"minutes": "61"}, "minutes='61' isn't a number: write minutes=5"),
        ({"hours": None}, "hours=None isn't a number"),
        ({"days": True}, "days=True isn't a number"),
        ({"days": dt.timedelta(days=1)}, "isn't a number"),
    ],
)
def test_anything_else_is_one_clear_error_and_moves_nothing(
    clock: Clock,
    timekeeper: Timekeeper,
    capsys: pytest.CaptureFixture[str],
    length: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ClockError, match=message) as caught:
        clock.advance(**length)
    assert isinstance(caught.value, LabkitError)
    assert timekeeper.moved == 0
    assert capsys.readouterr().out == ""


@given(st.floats() | st.integers())
def test_every_number_moves_it_forward_or_is_refused(seconds: float) -> None:
    timekeeper = Timekeeper()
    try:
        Clock(timekeeper).advance(seconds=seconds)
    except ClockError:
        assert timekeeper.moved == 0
    else:
        assert timekeeper.moved == seconds
        assert 0 < timekeeper.moved <= MOST_SECONDS


@given(st.floats(min_value=1, max_value=MOST_SECONDS))
def test_words_say_the_length_to_the_second(seconds: float) -> None:
    sizes = {"day": 86_400, "days": 86_400, "h": 3600, "min": 60, "s": 1}
    words = in_words(seconds).split()
    said = sum(int(n) * sizes[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
    assert said == round(seconds)


# -- AWS -------------------------------------------------------------------------------------


def test_aws_s_time_can_t_be_moved(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(None)
    with pytest.raises(ClockError, match="can't be moved: wait, or use the local cloud"):
        clock.advance(minutes=61)
    assert repr(clock) == "The lab's clock shows the real time."
    assert capsys.readouterr().out == ""


def test_a_notebook_can_ask_before_it_moves_time(clock: Clock) -> None:
    assert clock.can_move
    assert not Clock(None).can_move


def test_without_a_local_cloud_there_is_nothing_to_return_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "labkit.lab.kernel_clock", raising=False)
    labkit.lab.session._return_to_real_time()
    assert "labkit.lab.kernel_clock" not in sys.modules
