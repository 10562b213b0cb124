"""What a docstring points at is there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
POINTER = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`([\w.]+)`")
POINTERS = [
    (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), target)
    for path in sorted((ROOT / "labkit").rglob("*.py"))
    for target in POINTER.findall(path.read_text("utf-8"))
]


def is_there(module: str, target: str) -> bool:
    """Whether a dotted name, or one of the module's or of its classes' own, is something."""
    own = importlib.import_module(module)
    for scope in (own, *(each for _name, each in inspect.getmembers(own, inspect.isclass))):
        if hasattr(scope, target.partition(".")[0]):
            found: object = scope
            for part in target.split("."):
                found = getattr(found, part, None)
            return found is not None
    try:
        return pkgutil.resolve_name(target) is not None
    except (ImportError, AttributeError):
        return False


@pytest.mark.parametrize(("module", "target"), POINTERS)
def test_what_it_points_at_is_there(module: str, target: str) -> None:
    assert is_there(module, target)


def test_there_are_pointers() -> None:
    assert len(POINTERS) > 20
    assert not is_there("labkit.clock", "ProcessClock.move")
    assert not is_there("labkit.clock", "labkit.local.Nothing")
