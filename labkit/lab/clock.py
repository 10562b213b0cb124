"""``lab.clock``: an hour in a moment, to see tokens expire, caches and buckets refill and quotas reset."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from labkit.clock import check_advance, in_words
from labkit.errors import ClockError

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


class Timekeeper(Protocol):
    """What moves a cloud's clock, and this kernel's with it."""

    def offset(self) -> float:
        """Seconds ahead of the real time."""

    def advance(self, seconds: float) -> None:
        """Move forward."""


class Clock:
    """The clock of the whole lab: the cloud, its Lambda functions and this kernel.

    Args:
        timekeeper: the local cloud's; None on AWS, whose time is real.
    """

    def __init__(self, timekeeper: Timekeeper | None) -> None:
        self._timekeeper = timekeeper

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the lab's clock forward; from there, time runs on.

        Raises:
            ClockError: time would stand still or go back, it's over 10 years, or the cloud is AWS. Nothing moved.
        """
        numbers = (days, hours, minutes, seconds)
        if self._timekeeper is None:
            raise ClockError(
                "AWS's time is real and can't be moved: wait, or use the local cloud (unset LABKIT_CLOUD)."
            )
        wanted = check_advance(
            sum(
                _number(number, name) * size
                for number, (name, size) in zip(numbers, _UNITS, strict=True)
            )
        )
        self._timekeeper.advance(wanted)
        print(f"The lab's clock moved {in_words(wanted)} ahead.")

    @property
    def can_move(self) -> bool:
        """Whether there is something to move: the local cloud's time can be, AWS's can't."""
        return self._timekeeper is not None

    @property
    def offset(self) -> dt.timedelta:
        """How far the lab's clock is ahead of the real time."""
        return dt.timedelta(seconds=self._timekeeper.offset() if self._timekeeper else 0)

    def __repr__(self) -> str:
        offset = self.offset.total_seconds()
        where = f"is {in_words(offset)} ahead" if offset else "shows the real time"
        return f"The lab's clock {where}."


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # NaN
        raise ClockError(f"{name}={value!r} isn't a number: write {name}=5, for example.")
    return value
