"""Policy variables: ``${aws:username}`` and its like in a policy stand for a value of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.policy import AS_LITERAL

VERSION = "2012-10-17"
"""Only a policy of this version has variables; in an older one ``${`` is plain text."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DEFAULT = re.compile(r"([^,]*?)\s*,\s*'([^']*)'\s*")
_SPECIAL = frozenset("*?$")

ValueOf = Callable[[str], Any]
"""The value of a condition key in this request; None when it has none, a list when it has several."""


class Unresolved(Exception):  # noqa: N818 - no error: a statement that doesn't apply
    """A variable has no value in this request."""


def uses_variables(resources: list[str], conditions: dict[str, Any]) -> bool:
    """Whether there is anything to fill in.

    >>> uses_variables(["arn:aws:s3:::b/${aws:username}/*"], {}), uses_variables(["arn:aws:s3:::b/*"], {})
    (True, False)
    """
    return any("${" in one for one in resources) or (bool(conditions) and "${" in str(conditions))


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
        default = _DEFAULT.fullmatch(name)
        value = value_of((default[1] if default else name).strip())
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if value is None:
            if default is None:
                raise Unresolved(name)
            value = default[2]
        return _literal(str(value)) if is_pattern else str(value)

    return _VARIABLE.sub(fill, text)


def _literal(value: str) -> str:
    return "".join(AS_LITERAL.get(char, char) for char in value)


# -- a statement ---------------------------------------------------------------------------

_IS_PATTERN = re.compile("(?:like|arn(?:not)?equals)")
_NEGATED = "not"
_SET_OPERATOR = re.compile("^(?:forallvalues|foranyvalue):")


_MATCHES_NOTHING = AS_LITERAL["*"]


def filled_resources(
    patterns: list[str], value_of: ValueOf, *, unknown_is_error: bool = False
) -> list[str]:
    """The patterns of ``Resource`` or ``NotResource``; one without a value becomes one that no ARN fits.

    Raises:
        Unresolved: a variable has no value, and that is an error: it says what is *not* meant.
    """
    found = []
    for pattern in patterns:
        try:
            found.append(filled(pattern, value_of, is_pattern=True))
        except Unresolved:
            if unknown_is_error:
                raise
            found.append(_MATCHES_NOTHING)
    return found


def filled_conditions(conditions: dict[str, Any], value_of: ValueOf) -> dict[str, Any]:
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
