"""What a parsed mapping template consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """Text outside of VTL, or a constant of an expression."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class PropertyAccess:
    """``.name`` behind a reference."""

    name: str


@dataclass(frozen=True, slots=True)
class MethodCall:
    """``.name(…)`` behind a reference."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class IndexAccess:
    """``[…]`` behind a reference."""

    key: Expression


Access = PropertyAccess | MethodCall | IndexAccess


@dataclass(frozen=True, slots=True)
class Reference:
    """``$name`` and what is behind it."""

    name: str
    accesses: tuple[Access, ...]


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A text in double quotes."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``!`` or ``-``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands, the operator in its short spelling."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    """``[a..b]``."""

    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """``{"a": b}``."""

    items: tuple[tuple[Expression, Expression], ...]


Expression = (
    Literal | Reference | Interpolation | Unary | Binary | ListLiteral | RangeLiteral | MapLiteral
)


@dataclass(frozen=True, slots=True)
class Set:
    """``#set($target = value)``."""

    target: Reference
    value: Expression


@dataclass(frozen=True, slots=True)
class If:
    """``#if``, ``#elseif`` and ``#else``, whose condition is true."""

    branches: tuple[tuple[Expression, tuple[Node, ...]], ...]


@dataclass(frozen=True, slots=True)
class Foreach:
    """``#foreach($name in items)``."""

    name: str
    items: Expression
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Break:
    """``#break``."""


Node = Literal | Reference | Set | If | Foreach | Break
