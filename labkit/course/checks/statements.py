"""What a policy's statement says, whichever of its spellings it has: a value alone, or a list of them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any


def as_list(value: Any) -> list[Any]:
    """A list as it is, a value alone as a list of one, nothing as an empty one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def principals_of(statement: dict[str, Any]) -> Iterator[str]:
    """The principals of a statement, of each kind: services, accounts, ``*``; federated ones are marked so."""
    principal = statement.get("Principal")
    for kind, value in (principal if isinstance(principal, dict) else {"": principal}).items():
        mark = " (Federated)" if kind == "Federated" else ""
        yield from (f"{each}{mark}" for each in as_list(value))


def allows(statement: dict[str, Any], action: str) -> bool:
    """Whether a statement allows an action; its principal and its conditions are not looked at."""
    patterns = (str(each).casefold() for each in as_list(statement.get("Action")))
    return statement.get("Effect") == "Allow" and any(
        fnmatchcase(action.casefold(), pattern) for pattern in patterns
    )


def conditions_of(statement: dict[str, Any]) -> dict[str, list[str]]:
    """The keys of a statement's conditions, in small letters, and the values that they are compared with."""
    return {
        key.casefold(): [str(value) for value in as_list(values)]
        for tests in (statement.get("Condition") or {}).values()
        for key, values in tests.items()
    }
