"""An engine that isn't the one that labkit knows: it doesn't start, and one error lists all that is different."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labkit.errors import SetupError
from labkit.local.engine.names import Name, check, shape_of

ROOT = Path(__file__).resolve().parents[3]
LOCAL = ROOT / "labkit" / "local"
ENGINE = LOCAL / "engine"
BOOTSTRAP = ROOT / "labkit" / "_bootstrap"

KNOWN = (
    Name("services.cognito", "_users", "dict", "users"),
    Name("services.cognito", "_sign_in", "(user, password=...)", "signs in"),
    Name("services.cognito", "_answer", "async (action, data)", "answers"),
    Name("core.policies", "evaluate", "(policy, *, now=...)", "evaluates"),
    Name("services.sts", "Session", "(key, secret)", "a session"),
)


class Session:
    def __init__(self, key: str, secret: str) -> None: ...


async def answer(action: str, data: object) -> None: ...


def as_known() -> dict[str, dict[str, Any]]:
    return {
        "services.cognito": {
            "_users": {},
            "_sign_in": lambda user, password="": None,
            "_answer": answer,
        },
        "core.policies": {"evaluate": lambda policy, *, now=0: None},
        "services.sts": {"Session": Session},
    }


def install(monkeypatch: pytest.MonkeyPatch, modules: dict[str, dict[str, Any]]) -> None:
    for name in ("ministack", "ministack.core", "ministack.services"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name, contents in modules.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, f"ministack.{name}", module)


def test_the_known_engine_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, as_known())
    check(KNOWN)


def test_one_error_lists_all_that_is_different(monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded = as_known()
    del upgraded["services.cognito"]["_users"]
    upgraded["services.cognito"]["_sign_in"] = lambda user, secret="": None
    upgraded["services.cognito"]["_answer"] = lambda action, data: None
    upgraded["core.policies"]["evaluate"] = lambda policy, now=0: None
    del upgraded["services.sts"]
    install(monkeypatch, upgraded)
    with pytest.raises(SetupError) as refused:
        check(KNOWN)
    _sentence, *problems = str(refused.value).splitlines()
    assert problems == [
        "ministack.services.cognito._users is gone: users",
        "ministack.services.cognito._sign_in is (user, secret=...), not (user, password=...): signs in",
        "ministack.services.cognito._answer is (action, data), not async (action, data): answers",
        "ministack.core.policies.evaluate is (policy, now=...), not (policy, *, now=...): evaluates",
        "ministack.services.sts.Session is gone: a session",
    ]


@pytest.mark.parametrize(
    ("changed", "shape"),
    [
        (lambda user, password: None, "(user, password)"),
        (lambda *all_of_them: None, "(*all_of_them)"),
        ([], "list"),
        (max, "builtin_function_or_method"),
        (None, "NoneType"),
    ],
)
def test_what_it_became_is_said(
    monkeypatch: pytest.MonkeyPatch, changed: object, shape: str
) -> None:
    upgraded = as_known()
    upgraded["services.cognito"]["_sign_in"] = changed
    install(monkeypatch, upgraded)
    assert shape_of(changed) == shape
    with pytest.raises(SetupError, match=re.escape(f" is {shape}, not (user, password=...)")):
        check(KNOWN)


# -- nothing else reaches into MiniStack ---------------------------------------------------------------


def strings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_only_the_table_and_its_reader_import_ministack() -> None:
    """They do it by name, so that nothing of MiniStack's is used that isn't in the table."""
    importing = {
        path
        for path in (ROOT / "labkit").rglob("*.py")
        if BOOTSTRAP
        not in path.parents  # imports it once, in a process of its own, to have it compiled
        and (
            "ministack" in imports(path)
            or (
                "importlib" in imports(path) and any("ministack." in text for text in strings(path))
            )
        )
    }
    assert importing == {ENGINE / "names.py", ENGINE / "ministack.py"}


def test_the_records_own_keys_stay_in_the_engine() -> None:
    """MiniStack's own keys begin with an underscore; who reads one elsewhere goes around the typed records."""
    reading = {
        (path.relative_to(LOCAL).as_posix(), text)
        for path in LOCAL.rglob("*.py")
        if ENGINE not in path.parents
        for text in strings(path)
        if re.fullmatch(r"_[a-z][a-z_]*", text)
    }
    assert reading == {
        ("front/access.py", "_user_request_"),  # in a path
        ("functions/environment.py", "_time_machine"),  # a module
    }
