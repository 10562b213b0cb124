"""What is installed from the package index: the course's own environment, and environment.yml."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.small_course import OTHER
from tests.unit.test_environment import ROOT, pip_section


@pytest.mark.slow
def test_environment_yml_can_be_installed(
    tmp_path: Path, lacking: Callable[[str], NoReturn]
) -> None:
    words = [word for line in pip_section() for word in line.split()]
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(lacking, [*pip, "install", "--no-compile", *words], cwd=ROOT)
    run(lacking, [*pip, "check"], cwd=tmp_path)
    run(lacking, [python, "-c", "import labkit, jupyterlab, nbval"], cwd=tmp_path)
    extension = "etc/jupyter/jupyter_server_config.d/labkit.json"
    assert (folder / extension).is_file(), "each JupyterLab of it lays the learner's copies"


def run(lacking: Callable[[str], NoReturn], command: list[str | Path], cwd: Path) -> str:
    answer = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if "NewConnectionError" in answer.stdout:
        lacking("no connection to the package index")
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


@pytest.mark.slow
def test_the_environment_is_made_once_and_again_when_needed(
    clone: Path, lacking: Callable[[str], NoReturn]
) -> None:
    def make(*groups: str) -> str:
        code = f"from labkit._bootstrap import environment; environment.make({groups!r})"
        answer = subprocess.run(
            [sys._base_executable, "-c", code],  # type: ignore[attr-defined]
            cwd=clone,
            capture_output=True,
            text=True,
        )
        if "connection to the internet" in answer.stderr:
            lacking("no connection to the package index")
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    venv = clone / ".venv"
    leftover = venv / "leftover"

    assert "Installing 1 packages" in make("course")
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    place = "import labkit; print(labkit.__file__)"
    answer = subprocess.run([python, "-c", place], cwd=ROOT.parent, capture_output=True, text=True)
    assert answer.stdout.startswith(str(clone))

    leftover.touch()
    assert make("course") == "", "the second time, there is nothing to do"
    assert "Installing 1 packages" in make("course", "test"), "only what the tests need more"
    assert leftover.exists()

    (venv / "labkit-course.stamp").unlink()
    assert "Installing 2 packages" in make("course", "test"), "an interrupted one is made anew"
    assert not leftover.exists()

    leftover.touch()
    course = clone / "requirements/course.txt"
    course.write_text("# changed\n" + course.read_text())
    assert make("course", "test") == "", "a comment changes nothing"
    course.write_text(course.read_text() + OTHER)
    assert "Installing 2 packages" in make("course"), "another list makes another environment"
    assert not leftover.exists()
