"""Keeps the clock of this kernel where the local cloud's is: signatures stay good, and expiry checks agree."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import botocore

from labkit.clock import PROCESS_CLOCK, in_words
from labkit.errors import ClockError, CloudUnavailableError
from labkit.lab import cloud_process
from labkit.local.instance import noted_offset
from labkit.local.settings import CloudSettings

_lock = threading.Lock()
"""Held from a look at the cloud's clock until this kernel has moved: an older look must not win."""
_registered: list[tuple[Any, str, Callable[..., None]]] = []
"""What was registered: with the events of which IPython, for which one, and what it calls."""
_MOVED = (
    "Another notebook moved the lab's clock {amount} ahead. What expires may have expired here too: tokens, codes, "
    "temporary keys. Sign in again if a call says so."
)


class KernelClock:
    """The timekeeper of a kernel that uses the local cloud.

    Args:
        settings: the cloud's.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self._settings = settings
        self._untold = 0.0

    def follow(self, *_event: object) -> None:
        """Put this kernel's clock where the cloud's is; while there is no cloud, leave it where it is."""
        with _lock:
            offset = noted_offset(self._settings.work_directory)
            if offset is not None:
                self._untold += offset - PROCESS_CLOCK.offset
                PROCESS_CLOCK.move_to(offset)

    def tell(self, *_event: object) -> None:
        """Say once that another notebook moved the clock ahead."""
        amount, self._untold = self._untold, 0.0
        if amount >= 1:
            print(_MOVED.format(amount=in_words(amount)))

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

    def keep_up(self) -> None:
        """Follow from here on: another notebook may move the clock, and nothing may be signed with the old time.

        Before each cell and each click on a widget; before each request of boto3 and each signature, also in a thread
        and in a cell that runs for long.
        """
        self.follow()
        self._untold = 0.0
        _forget()
        PROCESS_CLOCK.catch_up = self.follow
        botocore.register_initializer(_watch_requests)
        ipython: Any = sys.modules.get("IPython")  # nothing is imported for it
        if ipython is not None and (shell := ipython.get_ipython()) is not None:
            for event, act in (("pre_execute", self.follow), ("pre_run_cell", self.tell)):
                shell.events.register(event, act)
                _registered.append((shell.events, event, act))


def leave() -> None:
    """Return to the real time: this kernel uses the local cloud no more."""
    _forget()
    with _lock:
        PROCESS_CLOCK.move_to(0)


def _watch_requests(session: Any) -> None:
    session.register("before-sign", lambda **_request: PROCESS_CLOCK.catch_up())


def _forget() -> None:
    PROCESS_CLOCK.catch_up = lambda: None
    with suppress(ValueError):  # it wasn't registered
        botocore.unregister_initializer(_watch_requests)
    while _registered:
        events, event, act = _registered.pop()
        events.unregister(event, act)
