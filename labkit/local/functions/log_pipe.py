"""What an execution environment prints, invocation by invocation."""

from __future__ import annotations

import os
import threading
from typing import IO

LOG_LIMIT = 256 * 1024
"""How many bytes of an invocation's output are kept, the last ones."""


class LogPipe:
    """Empties the log pipe of an environment all the time, and keeps the end of what an invocation wrote.

    So a handler never waits for a reader, and a flood of output costs no memory.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._kept = bytearray()
        self._dropped = 0
        self._marker = b""
        self._complete: str | None = None
        self._ended = False
        threading.Thread(target=self._drain, name="labkit-function-log", daemon=True).start()

    def expect(self, token: str) -> None:
        """The invocation with this token starts: its output ends with the token."""
        with self._changed:
            self._marker = b"\0" + token.encode() + b"\0"
            self._complete = None

    def take(self, patience: float) -> tuple[str, bool]:
        """The output up to the marker, and whether the marker came.

        Without it, all that came: up to the end of the pipe, or of the patience if a process that
        the handler left behind holds the pipe open.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._complete is not None or self._ended, patience)
            if self._complete is not None:
                return self._complete, True
            return self._cut(len(self._kept)), False

    def _drain(self) -> None:
        with self._stream as stream:
            descriptor = stream.fileno()
            while chunk := os.read(descriptor, 1 << 16):
                with self._changed:
                    self._add(chunk)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _add(self, chunk: bytes) -> None:
        searched = len(self._kept)
        self._kept += chunk
        if self._marker:
            position = self._kept.find(self._marker, max(0, searched - len(self._marker) + 1))
            if position >= 0:
                self._complete = self._cut(position)
                del self._kept[: len(self._marker)]
                self._marker = b""
                self._changed.notify_all()
        if len(self._kept) > 2 * LOG_LIMIT:
            surplus = len(self._kept) - LOG_LIMIT
            del self._kept[:surplus]
            self._dropped += surplus

    def _cut(self, end: int) -> str:
        """Take the first ``end`` bytes out of the buffer, as text."""
        start = max(0, end - LOG_LIMIT)
        text = self._kept[start:end].decode(errors="replace")
        dropped = self._dropped + start
        self._dropped = 0
        del self._kept[:end]
        if dropped:
            text = f"[labkit: {dropped} earlier bytes of this output weren't kept]\n{text}"
        return text
