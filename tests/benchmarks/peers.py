"""What the benchmarks share: MiniStack as its own process, the table, and the verdict."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# A benchmark never reaches a real account, nor a proxy, whatever the shell that starts it has set.
for _name in [n for n in os.environ if n.startswith("AWS_") or n.lower().endswith("_proxy")]:
    del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory that is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="labkit-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """MiniStack by itself, `python -m ministack`, as it comes but on loopback and quiet; its endpoint."""
    port = free_port()
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "ERROR",
        "S3_DATA_DIR": str(directory / "s3"),
        "STATE_DIR": str(directory / "state"),
        "TMPDIR": str(directory),
    }
    with (
        (directory / "ministack.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/_ministack/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(url: str, seconds: float = 30) -> None:
    """Return when the URL answers 200."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.005)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least so many percent don't exceed."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


class Verdict:
    """The rows of one benchmark's table, and whether every target was met."""

    def __init__(self, title: str) -> None:
        self._met = True
        print(title)

    def ratio(self, what: str, ours: float, peer: float, peer_name: str) -> None:
        """A row without a target: two medians in seconds, and their ratio."""
        print(f"  {what:<34} {_ms(ours)} : {_ms(peer)} ({peer_name}) = {ours / peer:.2f}")

    def at_most(self, what: str, value: float, target: float, unit: str = "s") -> None:
        """A row with a target."""
        met = value <= target
        self._met &= met
        word = "PASS" if met else "FAIL"
        print(f"  {word}  {what:<28} {value:.3f} {unit}, target at most {target:g} {unit}".rstrip())

    def fail(self, why: str) -> None:
        """A row for what could not be measured."""
        self._met = False
        print(f"  FAIL  {why}")

    @property
    def exit_status(self) -> int:
        """1 when a target was missed."""
        return 0 if self._met else 1


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:9.2f} ms"
