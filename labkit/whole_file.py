"""Writes a file whole or not at all, also on a full disk or when somebody reads it at the same time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o666, keep: Path | None = None) -> None:
    """Write a file in one step; a link in its place is replaced, and what it leads to stays.

    Args:
        path: the file.
        data: its content.
        mode: who may read it, as the umask allows.
        keep: the name under which what was there is kept; without one it goes.

    Raises:
        OSError: it can't be written; what was there is still there.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode, exist_ok=False)
        temporary.write_bytes(data)
        if keep:
            path.rename(keep)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
