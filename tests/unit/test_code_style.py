"""The linter, the formatter and the type checker agree with every committed line, notebooks too."""

import ast
import re
import subprocess
import sys
from collections import Counter
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


SEAM = (
    "labkit/local/engine",
    "tests/cloud/engine",
    "tests/unit/engine",
    "tests/cloud/test_process.py",
)
"""The engine's package, and the tests of it and of an upgrade that breaks it."""


def test_only_the_engine_reaches_into_ministack() -> None:
    """The seam stays narrow: another version of MiniStack means changes in one package, and tests use its table."""
    reaches = re.compile(r"import ministack\b|from ministack\b|[\"']ministack\.(core|services|app)")
    reaching = [
        name
        for folder in ("labkit", "tests/cloud", "tests/fidelity", "tests/support", "tests/unit")
        for path in (ROOT / folder).rglob("*.py")
        if reaches.search(path.read_text("utf-8")) and path != Path(__file__)
        for name in [path.relative_to(ROOT).as_posix()]
    ]
    assert reaching
    assert [name for name in reaching if not name.startswith(SEAM)] == []


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


def test_no_class_name_stands_twice_in_the_local_cloud() -> None:
    names = Counter(
        node.name
        for path in (ROOT / "labkit" / "local").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
