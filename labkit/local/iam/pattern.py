"""Wildcards and policy variables: what ``*``, ``?`` and ``${aws:username}`` in a policy stand for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

Value = str | Sequence[str | None]
"""What a condition key is in a request: one text, or a list of several; None in it is one that can't be read."""
ValueOf = Callable[[str], Value | None]
"""Looks a condition key up; None when the request has none."""


class Wildcard(Enum):
    """A character of a pattern that doesn't mean itself."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """``${key, 'default'}``: the value of a condition key."""

    key: str
    default: str | None


Literal = str | Wildcard
Pieces = tuple[Literal | Variable, ...]

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WILDCARD = re.compile(r"([*?])")
_QUOTED = re.compile(r"'([^']*)'")
_SPECIAL = frozenset("*?$")


def read_pieces(text: str, *, has_variables: bool, has_wildcards: bool) -> Pieces:
    """The pieces of a policy's text.

    Args:
        text: of an action, a resource, or a value in a condition.
        has_variables: as in policies of version 2012-10-17; in older ones ``${`` is plain text.
        has_wildcards: ``*`` and ``?`` stand for other characters.

    >>> read_pieces("home/${aws:username}/?", has_variables=True, has_wildcards=False)
    ('home/', Variable(key='aws:username', default=None), '/?')
    >>> read_pieces("${*}${a, 'b'}*", has_variables=True, has_wildcards=True)
    ('', '*', '', Variable(key='a', default='b'), '', <Wildcard.ANY: '*'>, '')
    """
    read = read_wildcards if has_wildcards else lambda plain: (plain,)
    pieces: list[Literal | Variable] = []
    end = 0
    for match in _VARIABLE.finditer(text) if has_variables else ():
        pieces += [*read(text[end : match.start()]), _read_variable(match[1])]
        end = match.end()
    return (*pieces, *read(text[end:]))


def read_wildcards(text: str) -> tuple[Literal, ...]:
    """The pieces of a text that has no variables.

    >>> read_wildcards("s3:*Object")
    ('s3:', <Wildcard.ANY: '*'>, 'Object')
    """
    pieces = _WILDCARD.split(text)
    return tuple(Wildcard(one) if one in ("*", "?") else one for one in pieces)


def _read_variable(inside: str) -> str | Variable:
    if inside in _SPECIAL:
        return inside
    key, _comma, otherwise = inside.partition(",")
    default = _QUOTED.fullmatch(otherwise.strip())
    return Variable((key if default else inside).strip(), default[1] if default else None)


def fill(pieces: Pieces, value_of: ValueOf) -> tuple[Literal, ...] | None:
    """The pieces with each variable's value, which is plain text whatever it looks like; None if one has no value.

    >>> fill(("a/", Variable("aws:userid", None)), {"aws:userid": "*"}.get)
    ('a/', '*')
    >>> fill((Variable("aws:userid", None),), {"aws:userid": ["several", "values"]}.get) is None
    True
    """
    filled: list[Literal] = []
    for piece in pieces:
        found = _value(piece, value_of) if isinstance(piece, Variable) else piece
        if found is None:
            return None
        filled.append(found)
    return tuple(filled)


def _value(variable: Variable, value_of: ValueOf) -> str | None:
    value = value_of(variable.key)
    if value is not None and not isinstance(value, str):
        value = value[0] if len(value) == 1 else None
    return variable.default if value is None else value


@lru_cache(512)
def wildcard_regex(pieces: tuple[Literal, ...], *, ignore_case: bool = False) -> re.Pattern[str]:
    """What a pattern's pieces stand for, as a regular expression.

    Args:
        pieces: texts and wildcards.
        ignore_case: of ASCII letters; for actions.

    >>> pieces = read_wildcards("execute-api:*")
    >>> bool(wildcard_regex(pieces, ignore_case=True).match("Execute-API:Invoke"))
    True
    >>> bool(wildcard_regex(pieces).match("Execute-API:Invoke"))
    False
    """
    flags = re.DOTALL | re.ASCII | (re.IGNORECASE if ignore_case else 0)
    return re.compile(_source(pieces, ".") + r"\Z", flags)


@lru_cache(512)
def arn_regex(pieces: tuple[Literal, ...]) -> re.Pattern[str] | None:
    """The same for an ``Arn*`` operator, which compares each of an ARN's six parts for itself.

    None for a pattern that hasn't six parts.
    """
    parts: list[list[Literal]] = [[]]
    for piece in pieces:
        first, *others = piece.split(":") if isinstance(piece, str) else [piece]
        parts[-1].append(first)
        parts += [[one] for one in others]
    if len(parts) < 6:
        return None
    last = parts[5]
    for part in parts[6:]:
        last += [":", *part]
    sources = [*(_source(part, "[^:]") for part in parts[:5]), _source(last, ".")]
    return re.compile(":".join(sources) + r"\Z", re.DOTALL)


def _source(pieces: Sequence[Literal], any_character: str) -> str:
    """A regular expression in which each ``*`` but the last takes the first place where what follows it fits.

    It never looks for another place, so no pattern takes more than quadratic time: with eight ``*`` the
    straightforward expression takes minutes.
    """
    between = [""]
    for piece in pieces:
        if piece is Wildcard.ANY:
            between.append("")
        else:
            between[-1] += any_character if isinstance(piece, Wildcard) else re.escape(piece)
    first, *others = between
    if not others:
        return first
    *middle, last = others
    skipping = "".join(f"(?>{any_character}*?{part})" for part in middle)
    return f"{first}{skipping}{any_character}*{last}"


@dataclass(frozen=True, slots=True)
class PolicyPattern:
    """A ``Resource``, or a value of a ``StringLike`` or ``Arn*`` condition.

    Attributes:
        text: as the policy writes it.
        pieces: what it consists of.
        regex: what it stands for when it has no variables; otherwise each request has its own.
        is_arn: its six parts are compared one by one.
    """

    text: str
    pieces: Pieces
    regex: re.Pattern[str] | None
    is_arn: bool

    def regex_for(self, value_of: ValueOf) -> re.Pattern[str] | None:
        """What it stands for in a request; None without a value for a variable, or if it is no ARN with one."""
        if self.regex is not None:
            return self.regex
        pieces = fill(self.pieces, value_of)
        if pieces is None:
            return None
        return arn_regex(pieces) if self.is_arn else wildcard_regex(pieces)

    def fits(self, text: str, value_of: ValueOf) -> bool | None:
        """Whether the text is what it stands for in a request; None when it stands for nothing."""
        regex = self.regex_for(value_of)
        return None if regex is None else regex.match(text) is not None


def read_pattern(text: str, *, has_variables: bool, is_arn: bool = False) -> PolicyPattern:
    """The pattern that a policy's text is, compiled unless it has variables.

    Raises:
        ValueError: it should be an ARN, and hasn't six parts.
    """
    pieces = read_pieces(text, has_variables=has_variables, has_wildcards=True)
    literals = tuple(piece for piece in pieces if not isinstance(piece, Variable))
    if len(literals) < len(pieces):
        return PolicyPattern(text, pieces, None, is_arn)
    regex = arn_regex(literals) if is_arn else wildcard_regex(literals)
    if regex is None:
        raise ValueError(text)
    return PolicyPattern(text, pieces, regex, is_arn)
