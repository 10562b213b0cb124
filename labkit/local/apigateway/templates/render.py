"""Evaluates a parsed mapping template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeGuard

from labkit.local.apigateway.templates.limits import (
    MAX_DEPTH,
    MAX_ITERATIONS,
    Budget,
    UnsupportedTemplateError,
)
from labkit.local.apigateway.templates.methods import call_method
from labkit.local.apigateway.templates.operators import calculate, is_truthy
from labkit.local.apigateway.templates.parser import parse_template
from labkit.local.apigateway.templates.syntax import (
    Binary,
    Break,
    Expression,
    Foreach,
    If,
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
    Set,
    Unary,
)
from labkit.local.apigateway.templates.values import Entry, Tool, Value, is_list, write

Roots = Mapping[str, Callable[[Budget], Value]]
"""Name → what makes ``$name`` when it is first needed."""

_nodes_of = lru_cache(128)(parse_template)


class _BrokenLoop(Exception):  # noqa: N818 - #break
    pass


def render(template: str, roots: Roots) -> str:
    """The text that a template makes.

    Raises:
        UnsupportedTemplateError: it needs more than the local cloud evaluates.
    """
    try:
        nodes = _nodes_of(template)
        if len(nodes) == 1 and isinstance(nodes[0], Literal):
            return str(nodes[0].value)
        return _Rendering(roots).text_of(nodes)
    except RecursionError as error:
        raise UnsupportedTemplateError("it is nested too deeply") from error
    except _BrokenLoop:
        raise UnsupportedTemplateError("#break outside of a #foreach") from None


class _Rendering:
    def __init__(self, roots: Roots) -> None:
        self._budget = Budget()
        self._roots = roots
        self._variables: dict[str, Value] = {}
        self._depth = 0

    def text_of(self, nodes: tuple[Node, ...]) -> str:
        parts: list[str] = []
        self._write(nodes, parts)
        return "".join(parts)

    def _write(self, nodes: tuple[Node, ...], parts: list[str]) -> None:
        for node in nodes:
            self._budget.step()
            if isinstance(node, Literal):
                parts.append(write(node.value, self._budget))
            elif isinstance(node, Reference):
                parts.append(write(self._value(node), self._budget))
            elif isinstance(node, Set):
                self._assign(node.target, self._value(node.value))
            elif isinstance(node, If):
                self._write_branch(node, parts)
            elif isinstance(node, Foreach):
                self._write_loop(node, parts)
            else:
                assert isinstance(node, Break)
                raise _BrokenLoop

    def _write_branch(self, node: If, parts: list[str]) -> None:
        for condition, body in node.branches:
            if is_truthy(self._value(condition)):
                self._write(body, parts)
                return

    def _write_loop(self, node: Foreach, parts: list[str]) -> None:
        items = self._value(node.items)
        if items is None:
            return
        if isinstance(items, Mapping):
            items = tuple(items.values())
        if not is_list(items):
            raise UnsupportedTemplateError("#foreach was given no list")
        if len(items) > MAX_ITERATIONS:
            raise UnsupportedTemplateError(f"#foreach goes through more than {MAX_ITERATIONS}")
        names = (node.name, "foreach", "velocityCount")
        before = {name: self._variables.get(name) for name in names}
        for index, item in enumerate(tuple(items)):
            last = index == len(items) - 1
            self._variables[node.name] = item
            self._variables["velocityCount"] = index + 1
            self._variables["foreach"] = MappingProxyType(
                {
                    "index": index,
                    "count": index + 1,
                    "hasNext": not last,
                    "first": index == 0,
                    "last": last,
                    "parent": before["foreach"],
                }
            )
            try:
                self._write(node.body, parts)
            except _BrokenLoop:
                break
        self._variables.update(before)

    # -- assignments --------------------------------------------------------------

    def _assign(self, target: Reference, value: Value) -> None:
        if not target.accesses:
            if target.name in self._roots:
                raise UnsupportedTemplateError(f"${target.name} can't be set")
            if value is None and self._variables.get(target.name) is not None:
                raise UnsupportedTemplateError(
                    f"${target.name} is set to nothing: it isn't known whether AWS keeps its value"
                )
            self._variables[target.name] = value
            return
        holder = self._value(Reference(target.name, target.accesses[:-1]))
        last = target.accesses[-1]
        if isinstance(last, MethodCall) or not isinstance(holder, dict | list):
            raise UnsupportedTemplateError("#set changes only the template's own values")
        key = last.name if isinstance(last, PropertyAccess) else self._value(last.key)
        if isinstance(holder, dict) and isinstance(key, str):
            holder[key] = value
            return
        if not (isinstance(holder, list) and _is_index(key, holder)):
            raise UnsupportedTemplateError("#set names no place of a list or map")
        holder[key] = value

    # -- values -------------------------------------------------------------------

    def _value(self, expression: Expression) -> Value:
        self._budget.step()
        self._depth += 1
        if self._depth > 2 * MAX_DEPTH:
            raise UnsupportedTemplateError("it is nested too deeply")
        found = self._evaluate(expression)
        self._depth -= 1
        return found

    def _evaluate(self, expression: Expression) -> Value:
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Reference):
            return self._follow(expression)
        if isinstance(expression, Interpolation):
            return self.text_of(expression.nodes)
        if isinstance(expression, Unary):
            value = self._value(expression.operand)
            if expression.operator == "!":
                return not is_truthy(value)
            return calculate("-", 0, value, self._budget)
        if isinstance(expression, Binary):
            return self._binary(expression)
        if isinstance(expression, ListLiteral):
            return [self._value(item) for item in expression.items]
        if isinstance(expression, RangeLiteral):
            return self._range(expression)
        assert isinstance(expression, MapLiteral)
        return {
            write(self._value(key), self._budget): self._value(value)
            for key, value in expression.items
        }

    def _binary(self, expression: Binary) -> Value:
        left = self._value(expression.left)
        if expression.operator == "&&":
            return is_truthy(left) and is_truthy(self._value(expression.right))
        if expression.operator == "||":
            return is_truthy(left) or is_truthy(self._value(expression.right))
        return calculate(expression.operator, left, self._value(expression.right), self._budget)

    def _range(self, expression: RangeLiteral) -> Value:
        first, last = self._value(expression.first), self._value(expression.last)
        if not (isinstance(first, int) and isinstance(last, int)):
            raise UnsupportedTemplateError("a range has an end that is no whole number")
        if abs(last - first) >= MAX_ITERATIONS:
            raise UnsupportedTemplateError(f"a range has more than {MAX_ITERATIONS} elements")
        step = 1 if last >= first else -1
        return list(range(first, last + step, step))

    def _follow(self, reference: Reference) -> Value:
        name = reference.name
        if name in self._roots and name not in self._variables:
            self._variables[name] = self._roots[name](self._budget)
        value = self._variables.get(name)
        for access in reference.accesses:
            self._budget.step()
            if value is None:
                return None
            if isinstance(access, MethodCall):
                arguments = [self._value(argument) for argument in access.arguments]
                value = call_method(value, access.name, arguments, self._budget)
            else:
                key = access.name if isinstance(access, PropertyAccess) else self._value(access.key)
                value = _inside(value, key, by_index=isinstance(access, IndexAccess))
        return value


def _inside(value: Value, key: Value, *, by_index: bool) -> Value:
    """``value.key`` or ``value[key]``; None when nothing is there."""
    if isinstance(value, Tool):
        return value.properties.get(key) if isinstance(key, str) else None
    if isinstance(value, Mapping):
        return value.get(key) if isinstance(key, str) else None
    if isinstance(value, Entry) and not by_index:
        return {"key": value.key, "value": value.value}.get(key)
    if is_list(value) and by_index:
        return value[key] if _is_index(key, value) else None
    if by_index:
        raise UnsupportedTemplateError("[…] stands behind something that has no elements")
    raise UnsupportedTemplateError(f"the local cloud doesn't evaluate .{key} of this value")


def _is_index(key: Value, items: Sequence[Value]) -> TypeGuard[int]:
    return isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(items)
