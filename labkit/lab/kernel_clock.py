"""Keeps the clock of this kernel where the local cloud's is: signatures stay good, and expiry checks agree."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from labkit.clock import PROCESS_CLOCK
from labkit.errors import ClockError, CloudUnavailableError
from labkit.lab import cloud_process
from labkit.local.instance import noted_offset
from labkit.local.settings import CloudSettings

_lock = threading.Lock()
"""Held from a look at the cloud's clock until this kernel has moved: an older look must not win."""
_before_cell: list[tuple[Any, Callable[..., None]]] = []
"""What was registered, with the events of which IPython."""


class KernelClock:
    """The timekeeper of a kernel that uses the local cloud.

    Args:
        settings: the cloud's.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self._settings = settings

    def follow(self, *_event: object) -> None:
        """Put this kernel's clock where the cloud's is; while there is no cloud, leave it where it is."""
        with _lock:
            offset = noted_offset(self._settings.work_directory)
            if offset is not None:
                PROCESS_CLOCK.move_to(offset)

    def offset(self) -> float:
        """Seconds ahead of the real time."""
        self.follow()
        return PROCESS_CLOCK.offset

    def advance(self, seconds: float) -> None:
        """Move the cloud forward, and this kernel with it.

        Raises:
            ClockError: the cloud refuses.
            CloudUnavailableError: it doesn't answer.
        """
        body = json.dumps({"advance_seconds": seconds}).encode()
        with _lock:
            status, answer = cloud_process.exchange(self._settings, "POST", "/_labkit/clock", body)
            if status == HTTPStatus.BAD_REQUEST:
                raise ClockError(answer["message"])
            if status != HTTPStatus.OK:
                raise CloudUnavailableError(cloud_process.GONE)
            PROCESS_CLOCK.move_to(answer["offset_seconds"])

    def follow_before_every_cell(self) -> None:
        """Another notebook may move the clock: this one's cells would sign with the old time."""
        _forget()
        ipython: Any = sys.modules.get("IPython")  # nothing is imported for it
        if ipython is not None and (shell := ipython.get_ipython()) is not None:
            shell.events.register("pre_run_cell", self.follow)
            _before_cell.append((shell.events, self.follow))


def leave() -> None:
    """Return to the real time: this kernel uses the local cloud no more."""
    _forget()
    with _lock:
        PROCESS_CLOCK.move_to(0)


def _forget() -> None:
    while _before_cell:
        events, follow = _before_cell.pop()
        events.unregister("pre_run_cell", follow)
