"""Notebooks run again on what they left: twice in a row, after a crash of the local cloud, after one of the kernel.

nbval runs each notebook once, on a cloud of its own; in tests/browser they run in reverse order on one cloud.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import labkit
from tests.support.attached_cloud import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
AGAIN = (
    "notebooks/lab/04-configure-the-cognito-authorizer.ipynb",
    "notebooks/lab/06-sign-in-and-call.ipynb",
    "notebooks/modes/identity-pool.ipynb",
)
"""One that makes the lab's resources, one that signs users in, and one with roles, tables and users of its own."""


def run(state: Path) -> None:
    """Run these notebooks with strict nbval on the state directory's cloud."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *AGAIN]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"LABKIT_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a cloud on which the notebooks have run; it ends with this module."""
    directory = tmp_path_factory.mktemp("again")
    try:
        run(directory)
        yield directory
    finally:
        with environment(LABKIT_STATE_DIR=str(directory)):
            labkit.stop()


def test_twice_in_a_row(state: Path) -> None:
    run(state)


def test_again_after_the_cloud_crashed(state: Path) -> None:
    pid, settings = state / "work" / "instance.pid", state / "cloud.json"
    before, kept = int(pid.read_text()), json.loads(settings.read_text())["settings"]
    os.kill(before, signal.SIGKILL)
    run(state)
    assert int(pid.read_text()) != before
    assert json.loads(settings.read_text())["settings"] == kept, "the port and the credentials stay"


def test_again_after_the_kernel_died_half_way(state: Path) -> None:
    for name in AGAIN:
        notebook = nbformat.read(ROOT / name, as_version=4)  # type: ignore[no-untyped-call]
        del notebook.cells[len(notebook.cells) // 2 :]
        with environment(LABKIT_STATE_DIR=str(state)):
            NotebookClient(notebook, kernel_name="python3").execute()
    run(state)
