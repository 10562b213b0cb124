"""The operators of a mapping template's expressions.

Where the versions of Velocity disagree, and nothing says which one AWS runs, the template is refused.
"""

from __future__ import annotations

import math

from labkit.local.apigateway.templates.limits import Budget, UnsupportedTemplateError
from labkit.local.apigateway.templates.values import Tool, Value, is_number, is_scalar, write

_MAX_NUMBER = 2**63 - 1


def is_truthy(value: Value) -> bool:
    """Whether a condition holds: anything but false and nothing.

    Raises:
        UnsupportedTemplateError: it is an empty text or list, or zero, which Velocity 1 and 2 see differently.
    """
    if value is None or isinstance(value, Tool):
        return False
    if isinstance(value, bool):
        return value
    if value == 0 or (hasattr(value, "__len__") and len(value) == 0):
        what = (
            "it isn't known whether AWS takes an empty text or list, or zero, for true: compare it"
        )
        raise UnsupportedTemplateError(what)
    return True


def calculate(operator: str, left: Value, right: Value, budget: Budget) -> Value:
    """What an operator makes of two values.

    Raises:
        UnsupportedTemplateError: they don't go together.
    """
    if operator in ("==", "!="):
        return _are_equal(left, right, budget) is (operator == "==")
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        if left is None or right is None:
            raise UnsupportedTemplateError("+ has nothing on one side")
        joined = write(left, budget) + write(right, budget)
        budget.make(len(joined))
        return joined
    if not (is_number(left) and is_number(right)):
        raise UnsupportedTemplateError(f"{operator} stands between values that aren't numbers")
    return _with_numbers(operator, left, right)


def _are_equal(left: Value, right: Value, budget: Budget) -> bool:
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is type(right) is bool:
        return left is right
    if not (is_scalar(left) and is_scalar(right)):
        raise UnsupportedTemplateError("it compares lists or maps")
    return write(left, budget) == write(right, budget)


def _with_numbers(operator: str, left: float, right: float) -> Value:
    comparisons = {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}
    if operator in comparisons:
        return comparisons[operator]
    if operator in ("/", "%"):
        found = _divide(operator, left, right)
    else:
        found = {"+": left + right, "-": left - right, "*": left * right}[operator]
    if abs(found) > _MAX_NUMBER or not math.isfinite(found):
        raise UnsupportedTemplateError("a number is too large")
    return found


def _divide(operator: str, left: float, right: float) -> float:
    """Java's division: of whole numbers the whole part, and the remainder has the sign of the left side."""
    if right == 0:
        raise UnsupportedTemplateError("it divides by zero")
    if isinstance(left, int) and isinstance(right, int):
        whole = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return whole if operator == "/" else left - whole * right
    return left / right if operator == "/" else math.fmod(left, right)
