"""``lab.clock``: an hour in a moment, to see tokens expire, caches and buckets refill and quotas reset."""

from __future__ import annotations

import datetime as dt
import math
import sys
from typing import Any, Protocol

from labkit.clock import check_advance, in_words
from labkit.errors import ClockError

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


class Timekeeper(Protocol):
    """What moves a cloud's clock, and this kernel's with it."""

    def offset(self) -> float:
        """Seconds ahead of the real time."""

    def advance(self, seconds: float) -> None:
        """Move forward."""

    def reset(self) -> None:
        """Start a fresh cloud at the real time."""


class Clock:
    """The clock of the whole lab: the cloud, its Lambda functions and this kernel.

    Args:
        timekeeper: the cloud's.
    """

    def __init__(self, timekeeper: Timekeeper) -> None:
        self._timekeeper = timekeeper

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the lab's clock forward; from there, time runs on.

        Raises:
            ClockError: time would stand still or go back, it's over 10 years, or the cloud is AWS. Nothing moved.
        """
        numbers = (days, hours, minutes, seconds)
        wanted = check_advance(
            sum(
                _number(number, name) * size
                for number, (name, size) in zip(numbers, _UNITS, strict=True)
            )
        )
        self._timekeeper.advance(wanted)
        print(f"The lab's clock moved {in_words(wanted)} ahead.")

    def now(self) -> dt.datetime:
        """The lab's time, in UTC."""
        self._timekeeper.offset()  # another kernel may have moved it
        return dt.datetime.now(dt.UTC)

    @property
    def can_move(self) -> bool:
        """Whether there is something to move: the local cloud's time can be, AWS's can't."""
        return not isinstance(self._timekeeper, RealTime)

    @property
    def offset(self) -> dt.timedelta:
        """How far the lab's clock is ahead of the real time."""
        return dt.timedelta(seconds=self._timekeeper.offset())

    def reset(self, confirm: bool | None = None) -> None:
        """Start a fresh, empty cloud at the real time: the way back that there is.

        Args:
            confirm: True doesn't ask.

        Raises:
            ClockError: the cloud is AWS, or nobody is there to be asked.
            CloudUnavailableError: the fresh cloud didn't start.
        """
        if confirm is None:
            confirm = _agrees(
                "This deletes everything in the local cloud, also for your other notebooks. Go on? [y/N] "
            )
        if not confirm:
            print("Nothing changed.")
            return
        self._timekeeper.reset()
        print("A fresh cloud runs at the real time. Run the notebook again from the top.")

    def __repr__(self) -> str:
        offset = self._timekeeper.offset()
        where = f"is {in_words(offset)} ahead" if offset else "shows the real time"
        return f"The lab's clock {where}."


class RealTime:
    """The timekeeper of a real AWS account: there is nothing to move."""

    def offset(self) -> float:
        """Real time is never ahead."""
        return 0.0

    def advance(self, seconds: float) -> None:
        """Refuse."""
        raise ClockError(
            "AWS's time is real and can't be moved: wait, or use the local cloud (unset LABKIT_CLOUD)."
        )

    def reset(self) -> None:
        """Refuse."""
        raise ClockError(
            "AWS's time is real: there is nothing to reset. lab.clean_up() deletes what you made."
        )


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # NaN
        raise ClockError(f"{name}={value!r} isn't a number: write {name}=5, for example.")
    try:
        return float(value)
    except OverflowError:  # a whole number may be larger than every float
        return math.inf if value > 0 else -math.inf


def _agrees(question: str) -> bool:
    """Ask; a run without a person must not wait for an answer."""
    ipython: Any = sys.modules.get("IPython")
    # A notebook's kernel has no terminal, and knows itself whether somebody can answer.
    in_a_notebook = ipython is not None and hasattr(ipython.get_ipython(), "kernel")
    try:
        if in_a_notebook or (sys.stdin is not None and sys.stdin.isatty()):
            return input(question).strip().lower() in ("y", "yes")
    except (EOFError, OSError, NotImplementedError):
        pass
    raise ClockError(
        "Nobody is there to be asked whether everything in the local cloud may be deleted: "
        "if it may, write lab.clock.reset(confirm=True)."
    )
