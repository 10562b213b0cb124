"""The execution environments of one function."""

from __future__ import annotations

import threading
from collections.abc import Callable

from labkit.errors import CloudUnavailableError
from labkit.local.functions.configuration import Configuration
from labkit.local.functions.environment import Environment
from labkit.local.functions.errors import STOPPED


class Pool:
    """The environments of one version of one function, in one configuration."""

    def __init__(
        self, configuration: Configuration, maximum: int, hard_limit: int, patience: float
    ) -> None:
        self.configuration = configuration
        self._maximum = maximum
        self._hard_limit = hard_limit
        self._patience = patience
        self._changed = threading.Condition()
        self._idle: list[Environment] = []
        self._size = 0
        self._starting = 0
        self._waiting = 0
        self._progress = 0
        self._open = True
        self._keeps = True

    def acquire(
        self, usable: Callable[[Environment], bool]
    ) -> tuple[Environment | None, list[Environment]]:
        """Wait for an environment.

        Returns:
            An idle one, or None: the caller may start one, says so to :meth:`started`, and gives it
            (or None) to :meth:`release`. And those that were idle and not usable: the caller
            retires them.

        Raises:
            CloudUnavailableError: the runner was closed.
        """
        unusable: list[Environment] = []
        limit = self._maximum
        with self._changed:
            while True:
                if not self._open:
                    raise CloudUnavailableError(STOPPED)
                while self._idle:
                    environment = self._idle.pop()
                    if usable(environment):
                        return environment, unusable
                    unusable.append(environment)
                    self._size -= 1
                if self._size < limit:
                    self._size += 1
                    self._starting += 1
                    self._progress += 1
                    return None, unusable
                progress = self._progress
                self._waiting += 1
                self._changed.wait(self._patience)
                self._waiting -= 1
                stalled = progress == self._progress and not self._starting
                limit = self._hard_limit if stalled else self._maximum

    def release(self, environment: Environment | None) -> bool:
        """Give back an environment (None: it was retired, or never came to be); whether it is kept."""
        with self._changed:
            self._progress += 1
            wanted = self._size <= self._maximum or len(self._idle) < self._waiting
            kept = environment is not None and self._keeps and wanted
            if kept and environment is not None:
                self._idle.append(environment)
            else:
                self._size -= 1
            self._changed.notify()
            return kept

    def started(self) -> None:
        """An environment has been started, or failed to."""
        with self._changed:
            self._starting -= 1
            self._progress += 1

    def take_idle(self, since: float | None = None) -> list[Environment]:
        """Remove the idle environments (not used since a moment), for the caller to retire."""
        with self._changed:
            taken = [e for e in self._idle if since is None or e.last_used <= since]
            self._idle = [e for e in self._idle if e not in taken]
            self._size -= len(taken)
            self._changed.notify(len(taken))
        return taken

    def replace(self) -> list[Environment]:
        """Keep no environment from now on; returns the idle ones."""
        with self._changed:
            self._keeps = False
        return self.take_idle()

    def close(self) -> None:
        """Whoever waits is refused."""
        with self._changed:
            self._open = self._keeps = False
            self._changed.notify_all()
