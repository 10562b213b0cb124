"""A file is written whole or not at all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labkit.whole_file import write_whole


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The system lets this process write no longer file, in bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_there_goes_or_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "one"
    for data in (b"1", b"2"):
        write_whole(file, data)
    write_whole(file, b"3", keep=tmp_path / "kept")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "one": b"3",
        "kept": b"2",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_what_cant_be_written_whole_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "one"
    write_whole(file, b"before")
    with no_file_above(10), pytest.raises(OSError, match="File too large"):
        write_whole(file, b"x" * 100, keep=tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert file.read_bytes() == b"before"


@pytest.mark.skipif(sys.platform == "win32", reason="the mode is POSIX's")
def test_a_secret_is_never_readable_for_others(tmp_path: Path) -> None:
    file, other = tmp_path / "one", tmp_path / "other"
    other.write_text("mine")
    other.chmod(0o644)
    (tmp_path / ".one.part").symlink_to(other)
    file.symlink_to(other)
    write_whole(file, b"secret", mode=0o600)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.is_symlink()
    assert other.read_text() == "mine"
