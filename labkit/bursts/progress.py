"""How far a burst is, in a line of text; what stays in a saved notebook is the last one, the same on every run."""

from __future__ import annotations

import time
from collections.abc import Sized

_QUIET_SECONDS = 0.5
_WIDTH = 24


class TextBar:
    """A line that is written over itself; quick bursts only get their last line.

    Args:
        quiet_seconds: what is over sooner is quick.
    """

    def __init__(self, quiet_seconds: float = _QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._began = time.perf_counter()
        self._shown = ""

    def update(self, answered: Sized, total: int) -> None:
        """Write the line, if something changed."""
        line = bar(len(answered), total)
        if line != self._shown and time.perf_counter() - self._began > self._quiet_seconds:
            print(f"\r{line}", end="", flush=True)
            self._shown = line

    def finish(self, text: str) -> None:
        """Write the last line over the bar."""
        over = "\r" + " " * len(self._shown) + "\r" if self._shown else ""
        print(f"{over}{text}")


def bar(done: int, total: int) -> str:
    """The line.

    >>> bar(30, 120)
    '██████░░░░░░░░░░░░░░░░░░ 30 of 120'
    """
    full = round(_WIDTH * done / total)
    return "█" * full + "░" * (_WIDTH - full) + f" {done} of {total}"
