"""The learner's folder ``my-notebooks``: fresh copies are laid into it, and never over the learner's own work."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from labkit.course.copies import Copy, digest, make_copy, master_files, master_of
from labkit.errors import CopyError
from labkit.folders import COPIES
from labkit.whole_file import write_whole

MANIFEST = ".masters.json"
_LOCK_SECONDS = 20
_AGAIN = "then run 'python3 -m labkit' again"


@dataclass(frozen=True, slots=True)
class Laid:
    """What is known of one file in the folder.

    Attributes:
        content: the digest of what was laid; a file with another one is the learner's work.
        master: the hash of the master from which that came.
        beside: the hash of the newest master that was laid beside it.
    """

    content: str
    master: str
    beside: str = ""


class CopiesFolder:
    """The copies of one clone of the course.

    Args:
        root: the folder of the clone.
        tell: says a sentence to the learner.
        patience: for how long another one may lay copies, in seconds.
        write: writes a file whole or not at all.
    """

    def __init__(
        self,
        root: Path,
        tell: Callable[[str], object] = print,
        patience: float = _LOCK_SECONDS,
        write: Callable[..., None] = write_whole,
    ) -> None:
        self._root = root.resolve()
        self._folder = self._root / COPIES
        self._tell = tell
        self._patience = patience
        self._write_whole = write
        self._laid: dict[str, Laid] = {}

    def lay(self) -> None:
        """Lay each copy that is missing, and the newer one of each that nobody has worked in.

        Beside a copy that has the learner's work, the newer one is laid once. What can't be copied is told.

        Raises:
            CopyError: the folder can't be written.
        """
        names = master_files(self._root)
        with self._changing():
            for name in names:
                try:
                    copy = make_copy(self._root, name)
                except CopyError as error:
                    self._tell(str(error))
                else:
                    self._lay(name, copy)

    def reset(self, name: str) -> None:
        """Bring one copy back as it was at first; the learner's work is kept under another name.

        Raises:
            CopyError: the folder can't be written, or the master can't be read.
        """
        copy = make_copy(self._root, name)
        with self._changing():
            data = self._read(name)
            if data is None or self._is_untouched(name, data, copy):
                self._write(name, copy)
                self._tell(f"{COPIES}/{name} is fresh: nobody has worked in it.")
            else:
                kept = next(n for n in beside(name, "kept") if self._read(n) is None)
                self._write(name, copy, keep=kept)
                self._tell(
                    f"{COPIES}/{name} is fresh again, and your work is kept in {COPIES}/{kept}. "
                    "Is it open in JupyterLab? Then choose File → Reload Notebook from Disk."
                )
            for other in [other for other in self._laid if _is_newer_of(other, name)]:
                newer = self._read(other)
                if newer is not None and digest(newer) == self._laid[other].content:
                    self._path(other).unlink()
                    del self._laid[other]

    # -- one file ----------------------------------------------------------------------------------------------------

    def _lay(self, name: str, copy: Copy) -> None:
        data = self._read(name)
        if data is None or self._is_untouched(name, data, copy):
            if data is None or digest(data) != digest(copy.data):
                self._write(name, copy)
            self._note(name, copy)
            return
        before = self._laid.get(name) or Laid("", master_of(data))
        if copy.master in (before.master, before.beside):
            return
        for newer in beside(name, "new"):
            there = self._read(newer)
            if there is None or self._is_untouched(newer, there, copy):
                break
        self._write(newer, copy)
        self._laid[name] = Laid(before.content, before.master, copy.master)
        self._tell(
            f"The course has a newer {name}: it lies beside yours as {COPIES}/{newer}, and yours is unchanged."
        )

    def _is_untouched(self, name: str, data: bytes, copy: Copy) -> bool:
        laid = self._laid.get(name)
        return digest(data) in (digest(copy.data), laid and laid.content)

    def _note(self, name: str, copy: Copy) -> None:
        self._laid[name] = Laid(digest(copy.data), copy.master)

    def _path(self, name: str) -> Path:
        """Where a file is.

        Raises:
            CopyError: a link leads elsewhere.
        """
        path = self._folder / name
        if path.parent.resolve() != path.parent:
            raise CopyError(
                f"{path.parent} is a link or lies behind one, and copies are laid into no other folder: remove the "
                f"link, {_AGAIN}."
            )
        return path

    def _read(self, name: str) -> bytes | None:
        """A file's content; None when it is missing."""
        path = self._path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b"" if path.is_symlink() else None  # a link to nowhere is the learner's, too

    def _write(self, name: str, copy: Copy, keep: str = "") -> None:
        """Write a copy; what was there is kept under a name of its own, if one is given."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write_whole(path, copy.data, keep=self._path(keep) if keep else None)
        self._note(name, copy)

    # -- the list of what was laid -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the folder alone, with what is known of it."""
        manifest = self._path(MANIFEST)
        try:
            self._folder.mkdir(exist_ok=True)
            with FileLock(manifest.with_suffix(".lock"), timeout=self._patience):
                self._laid = self._load(manifest)
                try:
                    yield
                finally:
                    self._save(manifest)
        except Timeout:
            raise CopyError(
                f"Another 'python3 -m labkit' is laying your notebooks: wait until it has ended, {_AGAIN}."
            ) from None
        except OSError as error:
            raise CopyError(_explain(error, self._folder)) from None

    def _load(self, manifest: Path) -> dict[str, Laid]:
        try:
            read = json.loads(manifest.read_bytes())
            laid = {name: Laid(**entry) for name, entry in read.items()}
            if all(isinstance(text, str) for one in laid.values() for text in asdict(one).values()):
                return laid
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        self._tell(
            f"{COPIES}/{MANIFEST} was damaged, so it is made anew; your notebooks stay as they are."
        )
        return {}

    def _save(self, manifest: Path) -> None:
        data = json.dumps({name: asdict(one) for name, one in sorted(self._laid.items())}, indent=1)
        self._write_whole(manifest, data.encode())


def beside(name: str, what: str) -> Iterator[str]:
    """Names for another file of the same notebook, with what it is in front: ``new-04-….ipynb``, ``new-2-04-….ipynb``.

    JupyterLab's list of files shows the beginning of a long name only.
    """
    folder, slash, file = name.rpartition("/")
    yield f"{folder}{slash}{what}-{file}"
    for number in itertools.count(2):
        yield f"{folder}{slash}{what}-{number}-{file}"


def _is_newer_of(other: str, name: str) -> bool:
    folder, slash, file = map(re.escape, name.rpartition("/"))
    return re.fullmatch(rf"{folder}{slash}new-(\d+-)?{file}", other) is not None


def _explain(error: OSError, folder: Path) -> str:
    """One sentence about why the folder could not be written, and what to do."""
    where = error.filename or folder
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        kind = "a folder" if Path(where).is_dir() else "a file"
        return f"{where} is {kind}, where the course has another: rename it, {_AGAIN}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"You may not write to {where}: copy the course to a folder of your own, for example in your home "
            "folder, and run 'python3 -m labkit' there."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full, so not all notebooks are laid into {folder}: make room, {_AGAIN}."
        )
    return f"Your notebooks could not be laid into {folder}: {error}."
