"""How far this process's clock is ahead of the computer's.

The cloud's process and the learner's kernel move theirs with it. What measures how long something takes
(``time.monotonic``, ``time.perf_counter``, an event loop's timers) isn't moved, nor is any other process.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import time_machine


class ProcessClock:
    """The clock of this process: ``time.time``, ``datetime.now`` and their like. There is one, :data:`PROCESS_CLOCK`.

    A reference to ``time.time`` that was taken before, such as a default argument, moves too: time-machine replaces
    the C function behind it.
    """

    def __init__(self) -> None:
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
