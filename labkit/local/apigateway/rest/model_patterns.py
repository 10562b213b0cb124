"""A model's regular expressions are ECMA's, which Python reads a little otherwise (gateway 1.16)."""

from __future__ import annotations

import re
from typing import Any

_ESCAPE_CLASS_OR_END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
_OF_NAMES = frozenset({"properties", "definitions", "dependencies"})
_OF_ONE = frozenset({"items", "additionalItems", "additionalProperties", "not"})
_OF_MANY = frozenset({"items", "allOf", "anyOf", "oneOf"})


def with_exact_patterns(schema: Any) -> Any:
    r"""A JSON schema, draft 4, in which ``$`` is the very end of a text and ``\d`` a digit from 0 to 9.

    >>> with_exact_patterns({"items": {"pattern": r"^[$a]\$$"}})
    {'items': {'pattern': '(?a)^[$a]\\$\\Z'}}
    """
    if not isinstance(schema, dict):
        return schema
    return {name: _exact(name, value) for name, value in schema.items()}


def _exact(name: str, value: Any) -> Any:
    if name == "pattern" and isinstance(value, str):
        return _exact_pattern(value)
    if name == "patternProperties" and isinstance(value, dict):
        return {_exact_pattern(key): with_exact_patterns(one) for key, one in value.items()}
    if name in _OF_NAMES and isinstance(value, dict):
        return {key: with_exact_patterns(one) for key, one in value.items()}
    if name in _OF_MANY and isinstance(value, list):
        return [with_exact_patterns(one) for one in value]
    return with_exact_patterns(value) if name in _OF_ONE else value


def _exact_pattern(pattern: str) -> str:
    exact = _ESCAPE_CLASS_OR_END.sub(lambda m: r"\Z" if m[0] == "$" else m[0], pattern)
    return f"(?a){exact}"
