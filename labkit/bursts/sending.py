"""Sends on schedule: one thread watches the clock, a bounded number of others send over open connections.

Measured on 2 cores with 500 requests a second against a server that only answers (tests/benchmarks/bench_fire.py):
95 % arrived within 0.5 ms of their time with these threads and ``http.client``, 0.8 ms with threads and ``requests``,
1.1 ms with asyncio's streams, 450 ms with asyncio and ``httpx``; while other programs kept both cores busy, 1.0, 1.5,
1.2 and 1,100 ms. A thread also leaves the kernel's event loop alone.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

_GRACE_SECONDS = 1.0
"""After a stop, requests on their way get so long for their answer; then their connections are cut."""
_LEAD_SECONDS = 0.02
_GLANCE_SECONDS = 0.1
_NAP_SECONDS = 0.02
"""A shorter wait is slept through, which is more exact; a longer one can be ended."""


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One sending.

    Attributes:
        at: when, in seconds from the begin.
        job: which request of the pattern.
    """

    at: float
    job: int


class Connection(Protocol):
    """What sends."""

    def cut(self) -> None:
        """End it from another thread, also while it waits for an answer."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Connection)


class Sending(Generic[C]):
    """One run.

    Args:
        due: what to send, and when.
        connect: opens a connection.
        send: sends and records; it also gets what tells the seconds from the begin.
        workers: how many send at once at most.
        stop: ends it early when another thread sets it, as an interrupt does.
    """

    def __init__(
        self,
        due: Sequence[Due],
        connect: Callable[[], C],
        send: Callable[[C, Due, Callable[[], float]], object],
        *,
        workers: int,
        stop: threading.Event | None = None,
    ) -> None:
        self._asked_to_stop = stop or threading.Event()
        self._due = sorted(due)
        self._connect, self._send = connect, send
        self._counting = threading.Lock()
        self._unsent = len(due)
        self._stopping = threading.Event()
        self._done = threading.Event()
        self._inbox: SimpleQueue[Due | None] = SimpleQueue()
        self._opened: SimpleQueue[Exception | None] = SimpleQueue()
        self._connections: list[C] = []
        self._interrupts = 0
        self._began = 0.0
        self.began_at = 0.0
        """The begin in seconds since 1970, by this computer's clock."""
        self._failure: Exception | None = None
        self._workers = [self._thread(self._work) for _ in range(min(workers, len(due)))]
        self._dispatcher = self._thread(self._dispatch)

    def run(self, progress: Callable[[], None]) -> bool:
        """Send everything; whether it went to the end.

        The kernel's interrupt ends it early, and so does ``stop``; when this returns or raises, nothing runs any more.

        Args:
            progress: called every now and then.

        Raises:
            OSError: no connection could be opened; nothing was sent.
        """
        with self._counting_interrupts():
            try:
                for worker in self._workers:
                    worker.start()
                if self._wait_until_connected():
                    self._began, self.began_at = (now + _LEAD_SECONDS for now in _both_clocks())
                    self._dispatcher.start()
                while not self._stopped() and not self._done.wait(_GLANCE_SECONDS):
                    progress()
            finally:
                self._close()
        if self._failure is not None:
            raise self._failure
        return not self._stopped()

    def _stopped(self) -> bool:
        return self._interrupts > 0 or self._asked_to_stop.is_set()

    @contextlib.contextmanager
    def _counting_interrupts(self) -> Iterator[None]:
        """Count interrupts instead of raising them: one raised in a destructor, say, would be lost."""
        if threading.current_thread() is not threading.main_thread():
            yield  # no other thread is ever interrupted
            return

        def note(_signal: int, _frame: object) -> None:
            self._interrupts += 1

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)

    def _wait_until_connected(self) -> bool:
        """Whether every worker has its connection; False when it was stopped."""
        missing = len(self._workers)
        while missing and not self._stopped():
            with contextlib.suppress(Empty):
                failure = self._opened.get(timeout=_GLANCE_SECONDS)
                if failure is not None:
                    raise failure
                missing -= 1
        return not self._stopped()

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # a mistake in here must not leave run() waiting
                self._failure = error
                self._done.set()

        return threading.Thread(target=guarded, name="labkit burst", daemon=True)

    def _dispatch(self) -> None:
        """Hand out each sending when it is due."""
        for due in self._due:
            if due.at - self._now() > _NAP_SECONDS:
                self._stopping.wait(due.at - self._now() - _NAP_SECONDS / 2)
            if self._stopping.is_set():
                return
            time.sleep(max(0.0, due.at - self._now()))
            self._inbox.put(due)

    def _settle(self) -> None:
        """Note that one was sent and answered."""
        with self._counting:
            self._unsent -= 1
            if not self._unsent:
                self._done.set()

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:
            self._opened.put(error)
            return
        self._connections.append(connection)
        self._opened.put(None)
        try:
            while (due := self._inbox.get()) is not None:
                if not self._stopping.is_set():
                    self._send(connection, due, self._now)
                    self._settle()
        finally:
            connection.close()

    def _close(self) -> None:
        """End every thread; a second interrupt only makes it quicker."""
        self._stopping.set()
        for _ in self._workers:
            self._inbox.put(None)
        started = [t for t in (*self._workers, self._dispatcher) if t.ident is not None]
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in started:
            while thread.is_alive() and time.monotonic() < deadline and self._interrupts < 2:
                thread.join(_GLANCE_SECONDS)
        for connection in self._connections:
            connection.cut()
        for thread in started:
            thread.join()


def _both_clocks() -> tuple[float, float]:
    """``perf_counter`` and the time of day at one moment: of some looks, the one that took the shortest."""
    looks = [(time.perf_counter(), time.time(), time.perf_counter()) for _ in range(5)]
    before, now, after = min(looks, key=lambda look: look[2] - look[0])
    return (before + after) / 2, now
