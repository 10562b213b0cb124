"""The element ``Condition``: operators, and how a request's values are compared with a policy's.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import operator as compare
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.local.iam.pattern import (
    Pieces,
    PolicyPattern,
    ValueOf,
    fill,
    read_pattern,
    read_pieces,
)
from labkit.local.iam.truth import Truth, all_of, any_of

_OPERATOR = re.compile(r"(?:(forallvalues|foranyvalue):)?(.*?)(ifexists)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operator:
    """How a kind of values is compared.

    Attributes:
        read: a policy's value as it is compared: (text, whether it has variables); ValueError for what isn't one.
        fits: whether a request's value fits it: (value, what was read, the request's values); ValueError for a value
            that can't be compared.
        is_negated: the condition holds when no value fits.
    """

    read: Callable[[str, bool], Any]
    fits: Callable[[str, Any, ValueOf], bool]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class PolicyCondition:
    """One key of one condition operator.

    Attributes:
        operator: its name, lower case, without what stands around it: ``stringequals``.
        quantifier: the set operator in front of it, ``forallvalues`` or ``foranyvalue``.
        if_exists: a request without the key fulfils it.
        key: the condition key, lower case.
        values: the policy's, as the operator reads them.
    """

    operator: str
    quantifier: str | None
    if_exists: bool
    key: str
    values: tuple[Any, ...]

    def holds(self, value_of: ValueOf) -> Truth:
        """Whether a request fulfils it.

        Several values in a request need a set operator: without one AWS's answer isn't documented. Nor is it for a
        value that can't be compared, and for a variable without a value that nothing may equal.
        """
        found = value_of(self.key)
        if not found and found != "":
            found = None
        if self.operator == "null":
            return any((found is None) == value for value in self.values)
        rule = OPERATORS[self.operator]
        if found is None and (self.if_exists or self.quantifier == "forallvalues"):
            return True
        if rule.is_negated and not all(_is_known(value, value_of) for value in self.values):
            return None
        if found is None:
            return rule.is_negated and self.quantifier is None
        if isinstance(found, str):
            return self._holds_for(found, rule, value_of)
        if self.quantifier is None:
            return None
        each = (self._holds_for(value, rule, value_of) for value in found)
        return all_of(each) if self.quantifier == "forallvalues" else any_of(each)

    def _holds_for(self, found: str | None, rule: Operator, value_of: ValueOf) -> Truth:
        if found is None:
            return None
        try:
            fits = any(rule.fits(found, value, value_of) for value in self.values)
        except (ValueError, OverflowError, OSError):
            return None
        return fits != rule.is_negated


def _is_known(value: Any, value_of: ValueOf) -> bool:
    """Whether the variables in a policy's value have values."""
    if isinstance(value, PolicyPattern):
        return value.regex_for(value_of) is not None
    return not isinstance(value, tuple) or fill(value, value_of) is not None


# -- the operators ---------------------------------------------------------------------------


def _read_text(text: str, has_variables: bool) -> Pieces:
    return read_pieces(text, has_variables=has_variables, has_wildcards=False)


def _text(pieces: Pieces, value_of: ValueOf) -> str | None:
    filled = fill(pieces, value_of)
    return None if filled is None else "".join(map(str, filled))


def _equals(found: str, value: Pieces, value_of: ValueOf) -> bool:
    return found == _text(value, value_of)


def _equals_ignoring_case(found: str, value: Pieces, value_of: ValueOf) -> bool:
    text = _text(value, value_of)
    return text is not None and found.lower() == text.lower()


def _is_like(found: str, value: PolicyPattern, value_of: ValueOf) -> bool:
    return value.fits(found, value_of) is True


def _number(text: str, _has_variables: bool = False) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _date(text: str, _has_variables: bool = False) -> dt.datetime:
    """ISO 8601, or seconds since the epoch; without an offset it is UTC."""
    try:
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return dt.datetime.fromtimestamp(float(text), dt.UTC)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _boolean(text: str, _has_variables: bool = False) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _network(
    text: str, _has_variables: bool = False
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


def _compared(read: Callable[[str, bool], Any], fits: Callable[[Any, Any], bool]) -> Operator:
    return Operator(read, lambda found, value, _value_of: fits(read(found, False), value))


def _in_order(read: Callable[[str, bool], Any], kind: str) -> dict[str, Operator]:
    ways = {
        "equals": compare.eq,
        "lessthan": compare.lt,
        "lessthanequals": compare.le,
        "greaterthan": compare.gt,
        "greaterthanequals": compare.ge,
    }
    return {f"{kind}{name}": _compared(read, way) for name, way in ways.items()}


_TEXT = Operator(_read_text, _equals)
_PATTERN = Operator(lambda text, more: read_pattern(text, has_variables=more), _is_like)
_ARN = Operator(lambda text, more: read_pattern(text, has_variables=more, is_arn=True), _is_like)
_ADDRESS = Operator(_network, lambda found, value, _value_of: ipaddress.ip_address(found) in value)
_POSITIVE = {
    "stringequals": _TEXT,
    "stringequalsignorecase": Operator(_read_text, _equals_ignoring_case),
    "stringlike": _PATTERN,
    **_in_order(_number, "numeric"),
    **_in_order(_date, "date"),
    "bool": _compared(_boolean, compare.eq),
    "ipaddress": _ADDRESS,
    "arnequals": _ARN,
    "arnlike": _ARN,
    "binaryequals": Operator(lambda text, _more: (text,), _equals),
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
OPERATORS = _POSITIVE | {
    name: Operator(_POSITIVE[of].read, _POSITIVE[of].fits, is_negated=True)
    for name, of in _NEGATED.items()
}
"""The condition operators of the policy language, lower case; ``null`` isn't one that compares."""


# -- reading ---------------------------------------------------------------------------------


def read_conditions(element: object, *, has_variables: bool) -> tuple[PolicyCondition, ...]:
    """The conditions of a statement, all of which must hold.

    An unknown operator and a value that can't be compared would never match, which opens a Deny: they are refused.

    Raises:
        ValueError: in words for who wrote the policy.
    """
    if not isinstance(element, dict):
        raise ValueError("a statement's Condition isn't an object")
    found = []
    for name, block in element.items():
        if not isinstance(block, dict) or not block:
            raise ValueError(f"the condition {name!r} isn't an object of keys")
        found += [_read_condition(name, key, block[key], has_variables) for key in block]
    return tuple(found)


def is_operator(name: str) -> bool:
    """Whether it is a condition operator, with all that may stand around it.

    >>> is_operator("ForAnyValue:StringEqualsIfExists"), is_operator("StringNotEqual")
    (True, False)
    """
    return name.lower() == "null" or _parts_of(name)[1] in OPERATORS


def _parts_of(name: str) -> tuple[str | None, str, str | None]:
    match = _OPERATOR.fullmatch(name.lower())
    return match.groups() if match else (None, "", None)  # type: ignore[return-value]


def _read_condition(name: str, key: str, given: object, has_variables: bool) -> PolicyCondition:
    quantifier, operator, if_exists = _parts_of(name)
    if not is_operator(name):
        raise ValueError(f"the condition operator {name!r} is unknown")
    read = OPERATORS[operator].read if operator in OPERATORS else _boolean
    values = given if isinstance(given, list) else [given]
    texts = [as_text(value) for value in values if isinstance(value, str | int | float)]
    if not values or len(texts) < len(values):
        raise ValueError(f"a value of the condition {name!r} isn't text")
    try:
        operands = tuple(read(text, has_variables) for text in texts)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"a value of the condition {name!r} can't be compared") from error
    return PolicyCondition(operator, quantifier, if_exists is not None, key.lower(), operands)


def as_text(value: str | float) -> str:
    """A value of a policy or of a request as text.

    >>> as_text(True), as_text(5)
    ('true', '5')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)
