"""Interrupts a request that keeps the event loop busy: one call may never stop the others.

All of the cloud but the functions runs on one event loop. A learner's pattern that backtracks for hours, or a loop
that doesn't end, would hold up every other call, and the signals that end the process.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextvars import ContextVar
from typing import Any

IN_REQUEST: ContextVar[bool] = ContextVar("IN_REQUEST", default=False)
"""Whether a request is being answered, which may be interrupted; nothing else is."""

_PARTS = 4


class StalledError(Exception):
    """A request used more computing time at a stretch than any needs."""


class Watchdog:
    """Raises :class:`StalledError` in a request that doesn't let the event loop go on.

    What counts is the computing time of this process: neither a busy machine nor a slow answer from elsewhere looks
    like a stall, and an idle cloud isn't woken. Windows has no such timer; there nothing is interrupted.

    Args:
        loop: the event loop, which runs in the main thread.
        seconds: how much computing time one step may take. Importing a service takes 0.3 s.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float = 3.0) -> None:
        self._loop = loop
        self._tick_seconds = seconds / _PARTS
        self._ticks = 0

    def __enter__(self) -> Watchdog:
        """Watch from now on; called in the main thread."""
        if sys.platform != "win32":
            signal.signal(signal.SIGVTALRM, self._tick)
            signal.setitimer(signal.ITIMER_VIRTUAL, self._tick_seconds, self._tick_seconds)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more."""
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _tick(self, *_: Any) -> None:
        self._ticks += 1
        if self._ticks == 1:
            self._loop.call_soon_threadsafe(self._turn)
        elif self._ticks > _PARTS and IN_REQUEST.get():
            self._ticks = 1
            raise StalledError("A request used too much computing time at a stretch.")

    def _turn(self) -> None:
        """The event loop goes on."""
        self._ticks = 0
