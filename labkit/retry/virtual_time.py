"""Time that passes only when everybody sleeps: a minute of waiting in a moment, and the same on every run.

The tasks run in threads, but one at a time. When a task calls :meth:`VirtualTime.sleep`, the one that wakes up first
goes on, and virtual time jumps to that moment. So code that waits can be checked to the second, without a wait and
without chance.
"""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from labkit.errors import VirtualTimeError

_MOST_REAL_SECONDS = 10.0
_GRACE_SECONDS = 1.0


class VirtualTime:
    """One run of tasks, from second 0 on; only they call ``sleep``.

    Args:
        patience: the real seconds that all of it may take.

    >>> virtual = VirtualTime()
    >>> [slow, fast] = virtual.run([lambda: virtual.sleep(60), lambda: virtual.sleep(5)])
    >>> slow.at, fast.at
    (60.0, 5.0)
    """

    def __init__(self, patience: float = _MOST_REAL_SECONDS) -> None:
        self._patience = patience
        self._now = 0.0
        self._due: list[tuple[float, int, Task]] = []
        self._order = itertools.count()
        self._idle = threading.Semaphore(0)
        self._running: Task
        self._ending = False

    def clock(self) -> float:
        """Seconds since the begin."""
        return self._now

    def run(self, works: Sequence[Callable[[], Any]]) -> list[Task]:
        """Run all of them until each has ended; they begin together, and in this order.

        Raises:
            VirtualTimeError: one waits for something else than ``sleep``, or runs in circles.
        """
        tasks = [Task(work, self) for work in works]
        deadline = time.monotonic() + self._patience
        for task in tasks:
            task.thread.start()
            self._wake_later(0.0, task)
        try:
            while self._due and not self._ending:
                self._now, _order, self._running = heapq.heappop(self._due)
                self._let_run(self._running, deadline)
        finally:
            self._end_all(tasks)
        return tasks

    def sleep(self, seconds: float) -> None:
        """Let so much virtual time pass for the task that calls.

        Raises:
            ValueError: the number is negative.
        """
        if not seconds >= 0:  # NaN too
            raise ValueError("sleep length must be non-negative")
        task = self._running
        if not self._ending:
            self._wake_later(self._now + seconds, task)
            self._idle.release()
            task.go.acquire()
        if self._ending:
            task.end()

    def end(self) -> None:
        """End all tasks, each at its sleep."""
        self._ending = True

    def _wake_later(self, when: float, task: Task) -> None:
        heapq.heappush(self._due, (when, next(self._order), task))

    def _let_run(self, task: Task, deadline: float) -> None:
        """Let one task run until it sleeps or ends."""
        task.go.release()
        if not self._idle.acquire(timeout=max(0.0, deadline - time.monotonic())):
            task.interrupt()
            raise VirtualTimeError(
                f"The code has run for {self._patience:g} real seconds: it waits with something else than the sleep(…) "
                "that it gets (time.sleep? a lock that a sleeping call holds?), or runs in circles. Wait with that "
                "sleep alone, and release locks before it."
            )

    def _end_all(self, tasks: Sequence[Task]) -> None:
        self.end()
        deadline = time.monotonic() + _GRACE_SECONDS
        for task in tasks:
            if task.thread.is_alive():
                self._running = task
                task.go.release()
                task.thread.join(max(0.0, deadline - time.monotonic()))


class _Ended(BaseException):
    """Ends a task that nobody waits for any more."""


class Task:
    """One task, its thread, and how it ended.

    Attributes:
        result: what it returned.
        error: what it raised; None when it returned, or was ended.
        at: when it ended, in seconds of virtual time.
        finished: False when it was ended by :meth:`VirtualTime.end`.
    """

    def __init__(self, work: Callable[[], Any], virtual: VirtualTime) -> None:
        self._work, self._virtual = work, virtual
        self._told_to_end = False
        self.go = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, name="labkit virtual time", daemon=True)
        self.result: Any = None
        self.error: Exception | None = None
        self.at, self.finished = 0.0, False

    def end(self) -> None:
        """Raise what ends this task, in its own thread; one that catches it is left asleep."""
        if self._told_to_end:
            self._virtual._idle.release()
            threading.Event().wait()
        self._told_to_end = True
        raise _Ended

    def interrupt(self) -> None:
        """End it where it is. Code that runs in circles ends at once, a wait for a lock only after the wait."""
        thread = ctypes.c_ulong(self.thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_Ended))

    def _run(self) -> None:
        self.go.acquire()
        with contextlib.suppress(_Ended):
            if not self._virtual._ending:
                try:
                    self.result = self._work()
                except Exception as error:
                    self.error = error
                self.finished = True
        self.at = self._virtual.clock()
        self._virtual._idle.release()
