"""How far this process's clock is ahead of the computer's, how far it may be moved, and a length of time in words.

The cloud's process and the learner's kernel move theirs with it. What measures how long something takes
(``time.monotonic``, ``time.perf_counter``, an event loop's timers) isn't moved, nor is any other process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from labkit.errors import ClockError

if TYPE_CHECKING:
    import time_machine


MOST_SECONDS = 10 * 365.25 * 24 * 3600
"""Ten years: further ahead certificates and 32-bit times end, and no lesson needs it."""


class ProcessClock:
    """The clock of this process: ``time.time``, ``datetime.now`` and their like. There is one, :data:`PROCESS_CLOCK`.

    A reference to ``time.time`` that was taken before, such as a default argument, moves too: time-machine replaces
    the C function behind it.

    Attributes:
        catch_up: asked before something is signed: moves the clock where somebody else has moved the lab's.
    """

    def __init__(self) -> None:
        self.catch_up: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self._offset = 0.0
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None

    @property
    def offset(self) -> float:
        """Seconds ahead of the computer's clock."""
        return self._offset

    def move_to(self, offset: float) -> None:
        """Put the clock ``offset`` seconds ahead of the computer's; 0 is the real time."""
        with self._lock:
            if offset == self._offset:
                return
            if self._travel is None or self._traveller is None:
                self._begin(offset)
            elif offset:
                self._traveller.shift(offset - self._offset)
            else:
                self._travel.stop()
                self._travel = self._traveller = None
            self._offset = offset

    def _begin(self, offset: float) -> None:
        # Only now: most lessons leave the clock alone, and the import takes as long as all of theirs together.
        import time_machine

        self._travel = time_machine.travel(time.time() + offset, tick=True)
        self._traveller = self._travel.start()
        time.time()  # a journey begins with the first look at the clock, so here and not at some later one


PROCESS_CLOCK = ProcessClock()


def check_advance(seconds: float) -> float:
    """The number of seconds, if a clock can be moved forward by it.

    Raises:
        ClockError: it can't.
    """
    if not seconds > 0:  # NaN too
        raise ClockError(
            "Time neither goes back nor stands still: advance the clock by more than 0 seconds. "
            "labkit.stop() and labkit.start() begin a fresh cloud at the real time."
        )
    if seconds > MOST_SECONDS:
        raise ClockError("The clock can be moved 10 years ahead and no further.")
    return seconds


def in_words(seconds: float) -> str:
    """A length of time, to the second.

    >>> in_words(3660)
    '1 h 1 min'
    >>> in_words(86400 * 2 + 5)
    '2 days 5 s'
    >>> in_words(0.25)
    '0.25 s'
    """
    if seconds < 1:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
