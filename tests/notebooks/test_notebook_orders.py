"""Each notebook runs in any order, twice in a row, and after a crash of the local cloud.

pytest's own collection runs them once, in order; here they run on a cloud of their own, in other orders.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/**/*.ipynb"))
NOTEBOOKS = [name for name in NOTEBOOKS if ".ipynb_checkpoints" not in name]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory, whose cloud ends with this module."""
    directory = tmp_path_factory.mktemp("orders")
    yield directory
    environment = os.environ | {"LABKIT_STATE_DIR": str(directory)}
    code = "import labkit; labkit.stop()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def run(state: Path, *notebooks: str) -> None:
    """Run notebooks in this order with strict nbval on the state directory's cloud."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *notebooks]
    environment = os.environ | {"LABKIT_STATE_DIR": str(state)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_in_reverse_order(state: Path) -> None:
    run(state, *reversed(NOTEBOOKS))


def test_again_after_the_cloud_crashed(state: Path) -> None:
    before = json.loads((state / "cloud.json").read_text())
    os.kill(before["pid"], signal.SIGKILL)
    run(state, *[name for name in NOTEBOOKS if "06" in name or "04" in name])
    after = json.loads((state / "cloud.json").read_text())
    assert after["pid"] != before["pid"]
    assert after["settings"] == before["settings"], "the port and the credentials stay"
