"""How far a burst is: a line of text, or a bar of ipywidgets with the same line under it.

What stays in a saved notebook is the last line, and that is the same on every run.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

_QUIET_SECONDS = 0.5
"""What is over sooner needs no progress."""
_WIDTH = 24


class Progress(Protocol):
    """What shows how far a burst is."""

    def update(self, done: int, total: int) -> None:
        """Some were answered."""

    def finish(self, text: str) -> None:
        """It is over: what is to be said about it."""


class Silence:
    """Shows nothing."""

    def update(self, done: int, total: int) -> None:
        """Nothing."""

    def finish(self, text: str) -> None:
        """Nothing."""


class TextBar:
    """A line that is written over itself; quick bursts only get their last line."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._shown = ""

    def update(self, done: int, total: int) -> None:
        """Write the line, if something changed."""
        line = bar(done, total)
        if line != self._shown and time.perf_counter() - self._began > _QUIET_SECONDS:
            self._write(f"\r{line}")
            self._shown = line

    def finish(self, text: str) -> None:
        """Write the last line over the bar."""
        over = "\r" + " " * len(self._shown) + "\r" if self._shown else ""
        self._write(f"{over}{text}\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class WidgetBar:
    """A bar of ipywidgets, and the text of :class:`TextBar` under it. It needs a notebook.

    Raises:
        ImportError: there is no ipywidgets.
    """

    def __init__(self) -> None:
        import ipywidgets
        from IPython.display import display

        self.bar: Any = ipywidgets.IntProgress(min=0, description="sent")
        self.text: Any = ipywidgets.Label()
        display(ipywidgets.VBox([self.bar, self.text]))  # type: ignore[no-untyped-call]

    def update(self, done: int, total: int) -> None:
        """Move the bar."""
        self.bar.max, self.bar.value = total, done
        self.text.value = f"{done} of {total}"

    def finish(self, text: str) -> None:
        """Put the last line under the bar, and print it: it stays when the widget is gone."""
        self.text.value = text
        print(text)


def bar(done: int, total: int) -> str:
    """The line.

    >>> bar(30, 120)
    '██████░░░░░░░░░░░░░░░░░░ 30 of 120'
    """
    full = round(_WIDTH * done / total) if total else _WIDTH
    return "█" * full + "░" * (_WIDTH - full) + f" {done} of {total}"
