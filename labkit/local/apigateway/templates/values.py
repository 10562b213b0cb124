"""The values of a mapping template, and how Java writes them.

``dict`` and ``list`` are the template's own and can be changed; other mappings and sequences can't.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.local.apigateway.templates.limits import MAX_DEPTH, Budget, UnsupportedTemplateError

Value = Any
"""None, bool, int, float, str, a mapping, a list, an :class:`Entry` or a :class:`Tool`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What ``entrySet`` lists."""

    key: Value
    value: Value


@dataclass(frozen=True, slots=True)
class Tool:
    """``$input``, ``$util`` and the like: it has properties and functions, and no text of its own.

    Attributes:
        properties: name → value.
        functions: name → function of the arguments.
    """

    properties: Mapping[str, Value] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)


def is_number(value: Value) -> bool:
    """Whether a value counts; true and false don't."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_scalar(value: Value) -> bool:
    """Whether a value is a text, a number, true or false."""
    return isinstance(value, str | int | float)


def is_list(value: Value) -> bool:
    """Whether a value is a list."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def write(value: Value, budget: Budget, depth: int = 0) -> str:
    """A value as Java's ``toString`` writes it; nothing and tools are the empty text.

    Raises:
        UnsupportedTemplateError: it is too large or too deep.
    """
    budget.step()
    if depth > MAX_DEPTH:
        raise UnsupportedTemplateError("a value is nested too deeply")
    if value is None or isinstance(value, Tool):
        text = "" if depth == 0 else "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = value
    elif isinstance(value, int):
        text = _digits(value)
    elif isinstance(value, float):
        text = _write_double(value)
    elif isinstance(value, Entry):
        text = f"{write(value.key, budget, depth + 1)}={write(value.value, budget, depth + 1)}"
    elif isinstance(value, Mapping):
        pairs = (
            f"{write(key, budget, depth + 1)}={write(held, budget, depth + 1)}"
            for key, held in value.items()
        )
        text = "{" + ", ".join(pairs) + "}"
    else:
        text = "[" + ", ".join(write(item, budget, depth + 1) for item in value) + "]"
    budget.make(len(text))
    return text


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python writes no number of more than 4,300 digits
        raise UnsupportedTemplateError("a number has too many digits") from error


def _write_double(value: float) -> str:
    """A double as Java writes it.

    >>> _write_double(1.0), _write_double(12345678.0), _write_double(0.0001)
    ('1.0', '1.2345678E7', '1.0E-4')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits, _e, exponent = f"{value!r}".partition("e")
    if not exponent:
        digits, _e, exponent = _scientific(value)
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def _scientific(value: float) -> tuple[str, str, str]:
    for precision in range(18):
        text = f"{value:.{precision}e}"
        if float(text) == value:
            break
    return text.partition("e")
