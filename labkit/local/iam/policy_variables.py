"""Policy variables: ``${aws:username}`` and its like in a policy stand for a value of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from labkit.local.iam.policy import AS_LITERAL, wildcard_pattern

VERSION = "2012-10-17"
"""Only a policy of this version has variables; in an older one ``${`` is plain text."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_QUOTED = re.compile(r"'([^']*)'")
_SPECIAL = frozenset("*?$")

ValueOf = Callable[[str], Any]
"""The value of a condition key in this request; None when it has none, a list when it has several."""


class Unresolved(Exception):  # noqa: N818 - no error: a statement that doesn't apply
    """A variable has no value in this request."""


def filled(text: str, value_of: ValueOf, *, is_pattern: bool) -> str:
    """The text with its variables filled in, once: a value that looks like a variable stays as it is.

    Args:
        text: of a resource, or a value in a condition.
        value_of: looks a condition key up.
        is_pattern: ``*`` and ``?`` in the text are wildcards; those of a value never are.

    Raises:
        Unresolved: a variable has no value, or more than one.

    >>> filled("home/${aws:username}", {"aws:username": "ana"}.get, is_pattern=False)
    'home/ana'
    >>> filled("${aws:PrincipalTag/team, 'none'}", {}.get, is_pattern=False)
    'none'
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in _SPECIAL:
            return _literal(name) if is_pattern else name
        key, _comma, otherwise = name.partition(",")
        default = _QUOTED.fullmatch(otherwise.strip())
        value = value_of((key if default else name).strip())
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if value is None:
            if default is None:
                raise Unresolved(name)
            value = default[1]
        return _literal(str(value)) if is_pattern else str(value)

    return _VARIABLE.sub(fill, text)


def _literal(value: str) -> str:
    return "".join(AS_LITERAL.get(char, char) for char in value)


# -- a statement ---------------------------------------------------------------------------

_IS_PATTERN = re.compile("(?:like|arn(?:not)?equals)")
_NEGATED = "not"
_SET_OPERATOR = re.compile("^(?:forallvalues|foranyvalue):")

_MATCHES_NOTHING = "\x00"
"""A pattern that no ARN fits, nor the ``*`` of a call that is about no resource."""


class Parts(NamedTuple):
    """What a statement is about: patterns of resources, patterns of what is left out, conditions."""

    resources: list[str]
    excluded: list[str]
    conditions: dict[str, Any]

    @property
    def have_variables(self) -> bool:
        """Whether there is anything to fill in.

        >>> Parts(["arn:aws:s3:::b/${aws:username}/*"], [], {}).have_variables
        True
        >>> Parts(["arn:aws:s3:::b/*"], [], {}).have_variables
        False
        """
        patterns = (*self.resources, *self.excluded)
        in_conditions = bool(self.conditions) and "${" in str(self.conditions)
        return in_conditions or any("${" in one for one in patterns)

    def filled(self, effect: str, value_of: ValueOf) -> Parts | None:
        """The parts for one request; None for a statement that can't apply to it."""
        try:
            conditions = _filled_conditions(self.conditions, value_of)
            excluded = [filled(one, value_of, is_pattern=True) for one in self.excluded]
        except Unresolved:
            # A Deny that nobody can evaluate denies; an Allow doesn't allow.
            if effect == "Allow":
                return None
            resources = ["*"] if self.excluded else self._filled_resources(value_of)
            return Parts(resources, [], {})
        return Parts(self._filled_resources(value_of), excluded, conditions)

    def _filled_resources(self, value_of: ValueOf) -> list[str]:
        return [_filled_resource(one, value_of) for one in self.resources]


def _filled_resource(pattern: str, value_of: ValueOf) -> str:
    """A pattern of ``Resource``; without a value for its variable no ARN fits it.

    Nor does it ever fit the ``*`` of a call about no resource: only a policy's own ``*`` does. (On AWS a ``Resource``
    is ``*`` or begins as an ARN does.)
    """
    try:
        found = filled(pattern, value_of, is_pattern=True)
    except Unresolved:
        return _MATCHES_NOTHING
    fits_none = "${" in pattern and wildcard_pattern(found, False).match("*") is not None
    return _MATCHES_NOTHING if fits_none else found


def filled_policy(document: Any, value_of: ValueOf) -> Any:
    """A policy that names principals with its variables filled in; one without variables as it is.

    The result has no ``Version``: what was filled in isn't looked at again.

    Args:
        document: JSON text or parsed JSON; what is neither is returned as it is, for the evaluator to refuse.
        value_of: looks a condition key up.
    """
    try:
        data = json.loads(document) if isinstance(document, str) else document
    except (ValueError, RecursionError):
        return document
    if not isinstance(data, dict) or data.get("Version") != VERSION:
        return document
    statements = data.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    found = [_filled_statement(one, value_of) for one in listed if isinstance(one, dict)]
    return {"Statement": [one for one in found if one is not None]}


def _filled_statement(statement: dict[str, Any], value_of: ValueOf) -> dict[str, Any] | None:
    conditions = statement.get("Condition") or {}
    parts = Parts(
        _texts(statement.get("Resource")), _texts(statement.get("NotResource")), conditions
    )
    if not isinstance(conditions, dict) or not parts.have_variables:
        return statement
    now = parts.filled(str(statement.get("Effect")), value_of)
    if now is None:
        return None
    rest = {
        name: value
        for name, value in statement.items()
        if name not in ("Resource", "NotResource", "Condition")
    }
    lists = {"Resource": now.resources, "NotResource": now.excluded}
    return {**rest, "Condition": now.conditions, **{k: v for k, v in lists.items() if v}}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _filled_conditions(conditions: dict[str, Any], value_of: ValueOf) -> dict[str, Any]:
    """The conditions with their values filled in; a value without one is left out, so nothing equals it.

    Raises:
        Unresolved: the value of a negated operator is unknown, so nobody can say that it differs.
    """
    return {
        operator: {
            key: _filled_values(operator.lower(), values, value_of) for key, values in block.items()
        }
        if isinstance(block, dict)
        else block
        for operator, block in conditions.items()
    }


def _filled_values(operator: str, values: Any, value_of: ValueOf) -> Any:
    plain = _SET_OPERATOR.sub("", operator)
    if not plain.startswith(("string", "arn")):
        return values
    found = []
    for value in values if isinstance(values, list) else [values]:
        try:
            is_pattern = _IS_PATTERN.search(plain) is not None
            found.append(filled(str(value), value_of, is_pattern=is_pattern))
        except Unresolved:
            if _NEGATED in plain:
                raise
    return found
