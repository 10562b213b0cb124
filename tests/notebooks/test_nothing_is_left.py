"""Whatever of the tests was selected, and however they ended: no process of theirs is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.support.attached_cloud import eventually
from tests.support.patience import PATIENCE
from tests.support.processes import works_in

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
STARTED = """
import labkit
lab = labkit.start()
print(lab.start_task(2).function_arn)
"""
INVOKED = """
import boto3
answer = boto3.client("lambda").invoke(FunctionName="d-lambda-nonvpc-cmp-demo-function")
"""
WAITS = """
import pathlib, time
pathlib.Path("waiting").touch()
time.sleep(600)
"""
TESTS = """
import os, subprocess, sys, time
from pathlib import Path
import boto3
import labkit

def test_leaves_a_cloud():
    labkit.start().start_task(2)
    boto3.client("lambda").invoke(FunctionName="d-lambda-nonvpc-cmp-demo-function")

def test_leaves_a_child():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    child.returncode = 0

def test_fails():
    test_leaves_a_cloud()
    raise AssertionError

def test_waits():
    test_leaves_a_cloud()
    elsewhere = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], cwd="/", env=elsewhere
    )
    Path("waiting").touch()
    time.sleep(600)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with the settings of the real one, in which to select other tests."""
    project = tmp_path / "project"
    (project / "tests").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    for name in ("conftest.py", "pyproject.toml", "tests/support", "tests/notebooks"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    (project / "test_some.py").write_text(TESTS)
    for name, last in {"passes": "1 + 1", "fails": "1 / 0", "waits": WAITS}.items():
        cells = [nbformat.v4.new_code_cell(source) for source in (STARTED, INVOKED, last)]
        cells[0].metadata["tags"] = cells[2].metadata["tags"] = ["nbval-ignore-output"]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": ""}
        nbformat.write(notebook, project / f"{name}.ipynb")
    return project


def run(project: Path, *selection: str) -> subprocess.Popen[str]:
    left_out = ("LABKIT_", "PYTEST_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *selection]
    with (project / "output").open("w") as output:
        return subprocess.Popen(
            command,
            cwd=project,
            env=environment | {"TMPDIR": str(project.parent / "tmp")},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def left(project: Path) -> list[Sequence[str]]:
    """The command lines of what works there."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and works_in(process, project.parent):
            found.append(process.info["cmdline"])
    return found


TOGETHER = "-n2 --dist=loadfile"


@pytest.mark.parametrize(
    ("selection", "status"),
    [
        ("passes.ipynb fails.ipynb", 1),
        ("test_some.py::test_leaves_a_cloud", 0),
        (f"{TOGETHER} test_some.py passes.ipynb --deselect=test_some.py::test_waits", 1),
    ],
)
def test_nothing_is_left(project: Path, selection: str, status: int) -> None:
    with run(project, *selection.split()) as pytest_run:
        assert pytest_run.wait(PATIENCE) == status, (project / "output").read_text()
    assert left(project) == []
    kept = list((project.parent / "tmp").glob("labkit-tests-*"))
    assert len(kept) == (1 if status else 0), "what a failed test wrote can be looked at"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("selection", "name"),
    [
        ("waits.ipynb", "SIGINT"),
        (f"{TOGETHER} waits.ipynb", "SIGINT"),
        (f"{TOGETHER} test_some.py::test_waits", "SIGTERM"),
    ],
)
def test_nothing_is_left_of_an_interrupted_run(project: Path, selection: str, name: str) -> None:
    with run(project, *selection.split()) as pytest_run:
        waiting = project / "waiting"
        assert eventually(waiting.exists), (project / "output").read_text()
        assert left(project)
        pytest_run.send_signal(getattr(signal, name))
        assert pytest_run.wait(PATIENCE) == pytest.ExitCode.INTERRUPTED, (
            project / "output"
        ).read_text()
    assert left(project) == []
