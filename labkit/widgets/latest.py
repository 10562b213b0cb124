"""Work of which only the newest matters, such as a drawing while a slider is dragged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Does the newest job in a thread of its own. A job that a newer one overtakes is never done.

    The thread ends when there is nothing to do.

    Args:
        work: does a job; never two at once.

    >>> done = []
    >>> latest = Latest(done.append)
    >>> latest.put("drawn")
    >>> latest.wait()
    >>> done
    ['drawn']
    """

    def __init__(self, work: Callable[[T], object]) -> None:
        self._work = work
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._busy = False

    def put(self, job: T) -> None:
        """Do a job instead of the one that is waiting."""
        with self._changed:
            self._waiting = [job]
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name="labkit latest", daemon=True).start()

    def wait(self) -> None:
        """Wait until there is nothing to do."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._work(job[0])
        except BaseException:
            with self._changed:
                self._busy = False  # the next job starts a new thread
                self._changed.notify_all()
            raise

    def _next(self) -> list[T] | None:
        with self._changed:
            if not self._waiting:
                self._busy = False
                self._changed.notify_all()
                return None
            job, self._waiting = self._waiting, []
            return job
