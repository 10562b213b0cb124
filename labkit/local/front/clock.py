"""The clock of the local cloud: it can be moved forward, and everything in the cloud moves with it."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from pathlib import Path

from labkit.clock import MOST_SECONDS, ProcessClock, check_advance
from labkit.errors import ClockError
from labkit.local.instance import CLOCK_FILE
from labkit.local.messages import Request, Response


class CloudClock:
    """How far the cloud is ahead of the real time, and ``/_labkit/clock``.

    The gateway, the sign-in and the engine run in this process: its clock is theirs. A new cloud is at the real time,
    because its process is.

    Args:
        work_directory: where to note the moves.
        process_clock: the clock to move.
    """

    def __init__(self, work_directory: Path, process_clock: ProcessClock) -> None:
        self._file = work_directory / CLOCK_FILE
        self._process_clock = process_clock
        self._lock = threading.Lock()

    def start(self) -> None:
        """Note where the clock is, for kernels to read."""
        self._file.write_text(f"{self.offset()!r}\n")

    def offset(self) -> float:
        """Seconds ahead of the real time."""
        return self._process_clock.offset

    def advance(self, seconds: float) -> float:
        """Move forward, on top of what others have moved.

        Returns:
            How far the clock is ahead now, in seconds.

        Raises:
            ClockError: time would stand still or go back, or be over 10 years ahead. Nothing moved.
        """
        with self._lock:
            total = self.offset() + check_advance(seconds)
            if total > MOST_SECONDS:
                raise ClockError(
                    "The clock would be over 10 years ahead: labkit.stop() and labkit.start() begin a fresh cloud "
                    "at the real time."
                )
            self._process_clock.move_to(total)
            with self._file.open("a") as file:
                file.write(f"{total!r}\n")
        return total

    def answer(self, request: Request) -> Response:
        """``GET /_labkit/clock`` tells the offset; ``POST`` with ``{"advance_seconds": n}`` moves the clock."""
        if request.method == "GET":
            return Response.of_json({"offset_seconds": self.offset()})
        try:
            total = self.advance(_advance_seconds(request.body))
        except ClockError as error:
            return Response.of_json({"message": str(error)}, HTTPStatus.BAD_REQUEST)
        return Response.of_json({"offset_seconds": total})


def _advance_seconds(body: bytes) -> float:
    try:
        seconds = json.loads(body)["advance_seconds"]
        if isinstance(seconds, bool):
            raise TypeError
        return float(seconds + 0)  # + 0: a text that could be read as a number isn't one
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        raise ClockError('Send {"advance_seconds": n}, n a number over 0.') from None
