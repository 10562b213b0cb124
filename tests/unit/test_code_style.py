"""The linter, the formatter and the type checker agree with every committed line, notebooks too."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "tool",
    [
        "ruff check",
        "ruff format --check --diff",
        "mypy",
        "mypy --platform win32 --cache-dir .mypy_cache/win32",
    ],
)
def test_style(tool: str) -> None:
    name, *options = tool.split()
    answer = subprocess.run(
        [sys.executable, "-m", name, *options], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_only_the_engine_reaches_into_ministack() -> None:
    """The seam stays narrow: another version of MiniStack means changes in one package."""
    engine = ROOT / "labkit" / "local" / "engine"
    reaching = [
        path
        for path in (ROOT / "labkit").rglob("*.py")
        if re.search(r"import ministack|from ministack|[\"']ministack\.", path.read_text("utf-8"))
    ]
    assert reaching
    assert all(engine in path.parents for path in reaching), reaching


def test_clock_and_randomness_are_handed_in() -> None:
    """In the local cloud; what nobody may guess comes from ``secrets``. A handler's process has a clock of its own."""
    own = re.compile(r"uuid[14]\(|datetime\.now\(|utcnow\(|time\.time\(\)|gmtime\(\)|random\.[a-z]")
    local = ROOT / "labkit" / "local"
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in set(local.rglob("*.py")) - {local / "functions" / "runtime.py"}
        for match in own.finditer(path.read_text("utf-8"))
    ]
    assert not found
