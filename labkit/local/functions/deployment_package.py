"""The code of functions: deployment packages, unpacked once and shared."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
import shutil
import stat
import sys
import threading
import zipfile
from pathlib import Path, PurePosixPath

UNPACKED_LIMIT = 250 * 1024 * 1024
"""AWS's limit for an unpacked deployment package, in bytes."""


def _unpack(code_zip: bytes, target: Path, limit: int) -> None:
    """Unpack a deployment package into a new directory that nobody writes to.

    Raises:
        Exception: the package can't be unpacked (``zipfile`` has many ways to say that), or mustn't
            be.
    """
    target.mkdir(parents=True)
    left = limit
    with zipfile.ZipFile(io.BytesIO(code_zip)) as package:
        for entry in package.infolist():
            mode = entry.external_attr >> 16
            path = target.joinpath(*_safe_parts(entry.filename))
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise ValueError(f"{entry.filename!r} is a link or a device")
            path.parent.mkdir(parents=True, exist_ok=True)
            with package.open(entry) as source, path.open("wb") as copy:
                while block := source.read(1 << 20):
                    left -= len(block)
                    if left < 0:
                        raise ValueError(f"unpacked, it is over {limit} bytes")
                    copy.write(block)
            path.chmod(0o555 if mode & 0o111 else 0o444)
    for directory, _, _ in os.walk(target, topdown=False):
        os.chmod(directory, 0o555)  # noqa: S103 - readable like /var/task, and less than the default


def _safe_parts(name: str) -> tuple[str, ...]:
    """The parts of an entry's name, if it stays inside the directory on every platform.

    >>> _safe_parts("package/module.py")
    ('package', 'module.py')
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or any(c in name for c in "\\:\0"):
        raise ValueError(f"{name!r} is no path inside the package")
    return parts


def remove_tree(path: Path) -> None:
    """Remove a directory, even a read-only one."""
    for directory, _, files in os.walk(path):
        with contextlib.suppress(OSError):
            os.chmod(directory, 0o700)
        if sys.platform == "win32":  # where it is the file that has to be writable
            for file in files:
                with contextlib.suppress(OSError):
                    os.chmod(os.path.join(directory, file), 0o600)
    shutil.rmtree(path, ignore_errors=True)


class CodeStore:
    """Unpacked deployment packages: each once, shared by its environments, removed with the last of them.

    Args:
        directory: where they are.
        limit: how many bytes one may unpack to.
    """

    def __init__(self, directory: Path, limit: int = UNPACKED_LIMIT) -> None:
        self._directory = directory
        self._limit = limit
        self._lock = threading.Lock()
        self._users: dict[Path, int] = {}
        self._unpacked = itertools.count()

    def acquire(self, code_zip: bytes) -> Path:
        """Where the package is unpacked; give it back with :meth:`release`.

        Raises:
            Exception: see :func:`_unpack`.
        """
        path = self._directory / hashlib.sha256(code_zip).hexdigest()
        with self._lock:
            if path not in self._users:
                try:
                    _unpack(code_zip, path, self._limit)
                except BaseException:
                    remove_tree(path)
                    raise
            self._users[path] = self._users.get(path, 0) + 1
        return path

    def release(self, path: Path) -> None:
        """An environment needs the package no longer."""
        with self._lock:
            self._users[path] -= 1
            if not self._users[path]:
                del self._users[path]
                remove_tree(path)
