"""The linter, the formatter and the type checker agree with every committed line, notebooks too."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "tool", ["ruff check", "ruff format --check --diff", "mypy", "mypy --platform win32"]
)
def test_style(tool: str) -> None:
    name, *options = tool.split()
    answer = subprocess.run(
        [sys.executable, "-m", name, *options], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
