"""What a running local cloud and the kernels beside it agree on: its files, its environment, its code.

The cloud's own process writes the files of its work directory; ``labkit.lab`` reads them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from labkit.clock import MOST_SECONDS
from labkit.errors import SetupError

INSTANCE_LOCK = "instance.lock"
"""A running cloud holds this file lock in its work directory: whether it is held tells if it lives."""
INSTANCE_PID = "instance.pid"
"""The process id of the cloud that holds the lock; it writes it, so that nothing else is ever killed."""
CLOCK_FILE = "clock"
"""In the cloud's work directory: a line for every move, the last one is how far the clock is ahead. Kernels read it:
before every cell they want to know, without a request that could reach somebody else on the port of a cloud that died.
"""

_KEPT_VARIABLES = frozenset(
    """
    HOME LANG LANGUAGE LC_ALL LC_CTYPE PATH PATHEXT SYSTEMROOT TEMP TMP TMPDIR TZ USERPROFILE
    """.split()
)


def clean_environment() -> dict[str, str]:
    """The environment of a cloud's process: nothing in it is secret, nothing configures an AWS client."""
    return {name: value for name, value in os.environ.items() if name.upper() in _KEPT_VARIABLES}


def noted_offset(work_directory: str) -> float | None:
    """How far a cloud's clock is ahead, in seconds; None when no cloud noted it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        offset = float((Path(work_directory) / CLOCK_FILE).read_text().splitlines()[-1])
        return offset if abs(offset) <= MOST_SECONDS else None
    return None


@cache
def engine_version() -> str:
    """The version of MiniStack: looking it up takes 4 ms, and a start asks twice.

    Raises:
        SetupError: it isn't installed.
    """
    try:
        return version("ministack")
    except PackageNotFoundError:
        raise SetupError(
            "The package ministack is missing: run `python3 -m labkit` in the course's directory."
        ) from None


_fingerprint: str | None = None


def fingerprint() -> str:
    """A hash of labkit's code and the engine's version: a cloud of other code is stale."""
    global _fingerprint
    if _fingerprint is None:
        digest = hashlib.sha256(sys.version.encode())
        digest.update(engine_version().encode())
        for path in _code():
            digest.update(path.read_bytes())
        _fingerprint = digest.hexdigest()
    return _fingerprint


def _code() -> list[Path]:
    """The files that the cloud's process runs: its own folder, and what that imports of labkit."""
    package = Path(__file__).parent.parent
    folders = (package.glob("*.py"), *((package / name).rglob("*.py") for name in _FOLDERS))
    return sorted(path for folder in folders for path in folder)


_FOLDERS = ("journey", "local", "tokens")
