"""The package's parts import one another only as pyproject.toml's [tool.importlinter] allows."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_contract_is_kept() -> None:
    program = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
