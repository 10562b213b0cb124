"""A disk without room: the start says so in one sentence, and nothing is left running."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labkit.errors import SetupError
from labkit.lab import cloud_process
from tests.support.attached_cloud import environment, eventually
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full and tmpfs are Linux's")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def clouds_in(directory: Path) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "cwd"])
        if "labkit.local" in (process.info["cmdline"] or [])
        and Path(process.info["cwd"] or "/").is_relative_to(directory)
    ]


def refused_start(state: Path) -> str:
    with (
        environment(LABKIT_STATE_DIR=str(state), LABKIT_CLOUD="local"),
        pytest.raises(SetupError) as refused,
    ):
        cloud_process.attach_or_start()
    assert eventually(lambda: not clouds_in(state))
    return str(refused.value)


@pytest.mark.parametrize("file", ["work/clock", "work/engine"])
def test_a_file_that_finds_no_room_is_one_sentence(tmp_path: Path, file: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / file).symlink_to("/dev/full")
    (tmp_path / "cloud.log").symlink_to("/dev/full")
    said = refused_start(tmp_path)
    assert str(tmp_path) in said
    assert "LABKIT_STATE_DIR" in said
    if file == "work/clock":
        assert said == (
            f"The disk of {tmp_path / 'work'} is full: free some space, "
            "or set LABKIT_STATE_DIR to a directory on another disk."
        )


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_full_disk_is_one_sentence(disk: Path, left: int) -> None:
    with (disk / "filler").open("wb") as filler:
        filler.write(b"x" * (16 - left) * 4096)
    said = refused_start(disk / "state")
    assert said.startswith(f"The disk of {disk}")
    assert said.endswith(
        "is full: free some space, or set LABKIT_STATE_DIR to a directory on another disk."
    )


def test_in_the_foreground_too(disk: Path) -> None:
    with (disk / "filler").open("wb") as filler:
        filler.write(b"x" * 15 * 4096)  # Python takes no temporary directory without any room
    ran = subprocess.run(
        [sys.executable, "-m", "labkit.local", "--port", "0"],
        env={"TMPDIR": str(disk), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"The disk of {disk}")
    assert ran.stderr.endswith("or set TMPDIR to a directory on another disk.\n")
    assert [path.name for path in disk.iterdir()] == ["filler"]
