"""Reads the references and expressions of a mapping template."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from labkit.local.apigateway.templates.limits import MAX_DEPTH
from labkit.local.apigateway.templates.syntax import (
    Access,
    Binary,
    Expression,
    IndexAccess,
    Interpolation,
    ListLiteral,
    Literal,
    MapLiteral,
    MethodCall,
    Node,
    PropertyAccess,
    RangeLiteral,
    Reference,
    Unary,
)

_BLANKS = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_START = re.compile(r"\$(!?)(\{?)(?=[A-Za-z_])")
_NUMBER = re.compile(r"(-?\d{1,18})(\.\d{1,18})?(?!\.?\d)")
_STRING = re.compile(r"'(?P<single>(?:[^']|'')*)'|\"(?P<double>(?:[^\"]|\"\")*)\"", re.DOTALL)
_NOT = re.compile(r"!|not\b")
_LEVELS = (
    {"||": "||", "or": "||"},
    {"&&": "&&", "and": "&&"},
    {"==": "==", "!=": "!=", "eq": "==", "ne": "!="},
    {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)
"""The binary operators, those that bind least first."""
_OPERATORS = tuple(
    re.compile("|".join(rf"{word}\b" if word.isalpha() else re.escape(word) for word in level))
    for level in _LEVELS
)
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class SyntaxFault(Exception):  # noqa: N818 - it never leaves the parser
    """What can't be read, and where.

    Args:
        message: what.
        position: where, in characters.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class ExpressionParser(ABC):
    """Reads expressions from a text.

    Args:
        text: the whole template, or what stands between double quotes.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0

    @abstractmethod
    def nodes_of(self, text: str) -> tuple[Node, ...]:
        """What stands between double quotes, read as a template of its own."""

    def skip_blanks(self) -> None:
        """Go on behind white space."""
        blanks = _BLANKS.match(self.text, self.position)
        assert blanks is not None
        self.position = blanks.end()

    def expect(self, text: str) -> None:
        """Go on behind a text; blanks may stand before it."""
        self.skip_blanks()
        if not self.text.startswith(text, self.position):
            raise SyntaxFault(f"{text} is missing", self.position)
        self.position += len(text)

    def _is_next(self, text: str) -> bool:
        self.skip_blanks()
        if self.text.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    # -- references ---------------------------------------------------------------

    def reference(self, *, in_text: bool) -> Reference | None:
        """The reference that begins here, or None; in text it ends where none of its parts follows."""
        start = _START.match(self.text, self.position)
        if start is None:
            return None
        self.position = start.end()
        name = self._name()
        accesses: list[Access] = []
        while (access := self._access(in_text=in_text and not start[2])) is not None:
            accesses.append(access)
        if start[2]:
            if not self.text.startswith("}", self.position):
                raise SyntaxFault("a reference lacks its }", self.position)
            self.position += 1
        return Reference(name, tuple(accesses))

    def _name(self) -> str:
        match = _NAME.match(self.text, self.position)
        if match is None:
            raise SyntaxFault("a name is missing", self.position)
        self.position = match.end()
        return match[0]

    def _access(self, *, in_text: bool) -> Access | None:
        if self.text.startswith("[", self.position):
            before, depth = self.position, self.depth
            self.position += 1
            try:
                key = self.expression()
                self.expect("]")
            except SyntaxFault:
                if not in_text:
                    raise
                self.position, self.depth = before, depth
                return None
            return IndexAccess(key)
        if self.text.startswith(".", self.position):
            match = _NAME.match(self.text, self.position + 1)
            if match is None:
                return None
            self.position = match.end()
            if self.text.startswith("(", self.position):
                self.position += 1
                return MethodCall(match[0], self._items(")"))
            return PropertyAccess(match[0])
        return None

    # -- expressions --------------------------------------------------------------

    def expression(self) -> Expression:
        """The expression that begins here."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxFault("it is nested too deeply", self.position)
        found = self._level(0)
        self.depth -= 1
        return found

    def _level(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        operands = 0
        while True:
            self.skip_blanks()
            operator = _OPERATORS[level].match(self.text, self.position)
            if operator is None:
                return left
            operands += 1
            if operands > MAX_DEPTH:  # each makes the tree deeper
                raise SyntaxFault("it has too many operands", self.position)
            self.position = operator.end()
            left = Binary(_LEVELS[level][operator[0]], left, self._level(level + 1))

    def _unary(self) -> Expression:
        self.skip_blanks()
        if negation := _NOT.match(self.text, self.position):
            self.position = negation.end()
            return Unary("!", self._nested_unary())
        if number := _NUMBER.match(self.text, self.position):
            self.position = number.end()
            return Literal(float(number[0]) if number[2] else int(number[1]))
        if self._is_next("-"):
            return Unary("-", self._nested_unary())
        return self._primary()

    def _nested_unary(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxFault("it is nested too deeply", self.position)
        found = self._unary()
        self.depth -= 1
        return found

    def _primary(self) -> Expression:
        if string := _STRING.match(self.text, self.position):
            self.position = string.end()
            if string["single"] is not None:
                return Literal(string["single"].replace("''", "'"))
            return Interpolation(self.nodes_of(string["double"].replace('""', '"')))
        if (reference := self.reference(in_text=False)) is not None:
            return reference
        if self._is_next("("):
            found = self.expression()
            self.expect(")")
            return found
        if self._is_next("["):
            return self._list_or_range()
        if self._is_next("{"):
            return self._map()
        name = _NAME.match(self.text, self.position)
        if name is not None and name[0] in _CONSTANTS:
            self.position = name.end()
            return Literal(_CONSTANTS[name[0]])
        raise SyntaxFault("an expression is missing or can't be read", self.position)

    def _items(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        if self._is_next(end):
            return ()
        while True:
            items.append(self.expression())
            if self._is_next(end):
                return tuple(items)
            self.expect(",")

    def _list_or_range(self) -> Expression:
        if self._is_next("]"):
            return ListLiteral(())
        first = self.expression()
        if self._is_next(".."):
            last = self.expression()
            self.expect("]")
            return RangeLiteral(first, last)
        if self._is_next("]"):
            return ListLiteral((first,))
        self.expect(",")
        return ListLiteral((first, *self._items("]")))

    def _map(self) -> Expression:
        items: list[tuple[Expression, Expression]] = []
        if self._is_next("}"):
            return MapLiteral(())
        while True:
            key = self.expression()
            self.expect(":")
            items.append((key, self.expression()))
            if self._is_next("}"):
                return MapLiteral(tuple(items))
            self.expect(",")
