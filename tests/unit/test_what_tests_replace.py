"""A test hands in what should be otherwise: it replaces no name of labkit's modules and classes.

The mutations are the exception: they make the product wrong, which it offers nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
MUTATIONS = {TESTS / "fidelity" / name for name in ("mutations.py", "overlooked.py")}
REPLACING = {"setattr", "delattr", "object", "patch", "dict"}
"""monkeypatch.setattr, mock.patch, mock.patch.object and their like."""


def replaced(text: str) -> Iterator[str]:
    """What a module of tests replaces of labkit's, with the lines."""
    tree = ast.parse(text)
    ours = {"labkit"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            ours |= {name.asname for name in node.names if name.asname and is_ours(name.name)}
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            ours |= {name.asname or name.name for name in node.names}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        whose = node.args[0]
        while isinstance(whose, ast.Attribute):
            whose = whose.value
        by_name = isinstance(whose, ast.Name) and whose.id in ours
        by_text = isinstance(whose, ast.Constant) and is_ours(str(whose.value))
        if called in REPLACING and (by_name or by_text):
            yield f"{node.lineno}: {ast.unparse(node)}"


def is_ours(dotted: str) -> bool:
    return dotted.partition(".")[0] == "labkit"


@pytest.mark.parametrize(
    "path", sorted(set(TESTS.rglob("*.py")) - MUTATIONS), ids=lambda path: path.name
)
def test_no_name_of_a_module_is_replaced(path: Path) -> None:
    assert list(replaced(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "call",
    [
        'monkeypatch.setattr("labkit.lab.session.Lab", None)',
        'monkeypatch.setattr(session, "Lab", None)',
        'monkeypatch.setattr(session.Lab, "clock", None)',
        'mock.patch.object(labkit.lab, "session", None)',
        'patch("labkit.lab.session.Lab")',
    ],
)
def test_what_replaces_is_seen(call: str) -> None:
    assert list(replaced(f"from labkit.lab import session\n{call}"))
