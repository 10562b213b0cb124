"""Time that passes only when everybody sleeps: a minute of waiting in a moment, and the same on every run.

The tasks run in threads, but one at a time. When a task calls ``time.sleep``, the one that wakes up first goes on, and
virtual time jumps to that moment. So code that waits can be checked to the second, without a wait and without chance.
"""

from __future__ import annotations

import ctypes
import heapq
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import BuiltinFunctionType
from typing import Any
from unittest.mock import patch

from labkit.errors import VirtualTimeError

_MOST_REAL_SECONDS = 5.0
_GRACE_SECONDS = 1.0
_ENDINGS = 3
"""So often a task that shall end is told so; then it is left asleep, for it catches what ends it."""
_CLOCKS = ("monotonic", "perf_counter", "time")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes:
        result: what it returned.
        error: what it raised; None when it returned, or was ended.
        at: when, in seconds of virtual time.
        finished: False when it was ended by :meth:`VirtualTime.end`.
    """

    result: Any
    error: Exception | None
    at: float
    finished: bool


class VirtualTime:
    """One run of tasks, from second 0 on.

    In the tasks' threads ``time.sleep`` and the clocks of ``time`` are virtual, also under a name that a notebook gave
    them (``from time import sleep``); everywhere else they stay real.

    Args:
        patience: the real seconds that a task may run without a sleep.

    >>> virtual = VirtualTime()
    >>> [slow, fast] = virtual.run([lambda: time.sleep(60), lambda: time.sleep(5)])
    >>> slow.at, fast.at
    (60.0, 5.0)
    """

    def __init__(self, patience: float = _MOST_REAL_SECONDS) -> None:
        self._patience = patience
        self._now = 0.0
        self._due: list[tuple[float, int, _Task]] = []
        self._order = 0
        self._idle = threading.Semaphore(0)
        self._tasks: dict[int, _Task] = {}
        self._ending = False

    @property
    def now(self) -> float:
        """Seconds since the begin."""
        return self._now

    def run(self, works: Sequence[Callable[[], Any]]) -> list[Outcome]:
        """Run all of them until each has ended; they begin together, and in this order.

        Raises:
            VirtualTimeError: one waits for something else than ``time.sleep``.
        """
        tasks = [_Task(work, self) for work in works]
        with self._in_place_of_real_time():
            try:
                for task in tasks:
                    task.thread.start()
                    self._wake_later(0.0, task)
                while self._due and not self._ending:
                    self._now, _order, task = heapq.heappop(self._due)
                    self._let(task)
            finally:
                self.end()
                left = [task for task in tasks if task.thread.ident and task.outcome is None]
                for task in left:
                    task.go.release()
                deadline = time.monotonic() + _GRACE_SECONDS
                for task in left:
                    task.thread.join(max(0.0, deadline - time.monotonic()))
        ended = Outcome(None, None, self._now, False)
        return [task.outcome or ended for task in tasks]

    def sleep(self, seconds: float) -> None:
        """Let so much virtual time pass for the task that calls.

        Raises:
            ValueError: the number is negative.
        """
        task = self._tasks[threading.get_ident()]
        if not seconds >= 0:
            raise ValueError("sleep length must be non-negative")
        if not self._ending:
            self._wake_later(self._now + seconds, task)
            self._idle.release()
            task.go.acquire()
        if self._ending:
            task.end()

    def end(self) -> None:
        """End all tasks, each at its sleep."""
        self._ending = True

    def _wake_later(self, when: float, task: _Task) -> None:
        self._order += 1
        heapq.heappush(self._due, (when, self._order, task))

    def _let(self, task: _Task) -> None:
        """Let one task run until it sleeps or ends."""
        task.go.release()
        if not self._idle.acquire(timeout=self._patience):
            task.interrupt()
            raise VirtualTimeError(
                f"The code has run for {self._patience:g} s without time.sleep: it waits for something else "
                "(asyncio.sleep? a lock that a sleeping call holds?), or runs in circles. Wait with time.sleep alone, "
                "and release locks before it."
            )

    @contextmanager
    def _in_place_of_real_time(self) -> Iterator[None]:
        real_sleep = time.sleep

        def sleep(seconds: float) -> None:
            here = threading.get_ident() in self._tasks
            (self.sleep if here else real_sleep)(seconds)

        def clock(real: Callable[[], float]) -> Callable[[], float]:
            began = real()

            def read() -> float:
                return began + self._now if threading.get_ident() in self._tasks else real()

            return read

        virtual = {real_sleep: sleep} | {
            real: clock(real) for real in (getattr(time, name) for name in _CLOCKS)
        }
        with ExitStack() as stack:
            for module in (time, sys.modules["__main__"]):
                for name, value in list(vars(module).items()):
                    if isinstance(value, BuiltinFunctionType) and value in virtual:
                        stack.enter_context(patch.object(module, name, virtual[value]))
            yield


class _Ended(BaseException):
    """Ends a task that nobody waits for any more."""


class _Task:
    """One task and its thread."""

    def __init__(self, work: Callable[[], Any], virtual: VirtualTime) -> None:
        self._work, self._virtual = work, virtual
        self._endings = 0
        self.go = threading.Semaphore(0)
        self.outcome: Outcome | None = None
        self.thread = threading.Thread(target=self._run, name="labkit virtual time", daemon=True)

    def end(self) -> None:
        """Raise what ends this task, in its own thread."""
        self._endings += 1
        if self._endings > _ENDINGS:
            self._virtual._idle.release()
            threading.Event().wait()
        raise _Ended

    def interrupt(self) -> None:
        """End it where it is. Code that runs in circles ends at once, a wait for a lock only after the wait."""
        thread = ctypes.c_ulong(self.thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_Ended))

    def _run(self) -> None:
        virtual = self._virtual
        virtual._tasks[threading.get_ident()] = self
        self.go.acquire()
        result, error, finished = None, None, True
        try:
            if virtual._ending:
                raise _Ended
            result = self._work()
        except _Ended:
            finished = False
        except Exception as raised:
            error = raised
        self.outcome = Outcome(result, error, virtual.now, finished)
        # A thread that starts later may get the same number.
        del virtual._tasks[threading.get_ident()]
        virtual._idle.release()
