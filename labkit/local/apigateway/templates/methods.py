"""The methods of texts, lists and maps that a mapping template may call: these and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from labkit.local.apigateway.templates.limits import Budget, UnsupportedTemplateError
from labkit.local.apigateway.templates.values import (
    Entry,
    Tool,
    Value,
    is_list,
    is_number,
    is_scalar,
    write,
)

_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_SPECIAL = frozenset(".*+?()[]{}|^$\\")


def call_method(receiver: Value, name: str, arguments: list[Value], budget: Budget) -> Value:
    """What a method of a value returns.

    Raises:
        UnsupportedTemplateError: the value has no such method here, or doesn't take the arguments.
    """
    budget.make(len(receiver) if hasattr(receiver, "__len__") else 1)
    if isinstance(receiver, Tool):
        method: Callable[..., Value] | None = receiver.functions.get(name)
    else:
        method = _method_of(receiver, name, budget)
    if method is None:
        raise UnsupportedTemplateError(f"the local cloud doesn't evaluate .{name}() of this value")
    try:
        return method(*arguments)
    except (TypeError, AttributeError, IndexError, ValueError) as error:
        raise UnsupportedTemplateError(f".{name}() doesn't take these arguments") from error


def _method_of(receiver: Value, name: str, budget: Budget) -> Callable[..., Value] | None:
    if name == "toString":
        return lambda: write(receiver, budget)
    if name == "equals":
        return lambda other: _is_same(receiver, other)
    if isinstance(receiver, str):
        return _of_text(receiver, budget).get(name)
    if isinstance(receiver, Mapping):
        return _of_map(receiver).get(name)
    if isinstance(receiver, Entry):
        return {"getKey": lambda: receiver.key, "getValue": lambda: receiver.value}.get(name)
    if is_list(receiver):
        return _of_list(receiver).get(name)
    if is_number(receiver):
        return {"intValue": lambda: int(receiver)}.get(name)
    return None


def _of_text(text: str, budget: Budget) -> Mapping[str, Callable[..., Value]]:
    def substring(first: int, last: int | None = None) -> str:
        last = len(text) if last is None else last
        if not 0 <= first <= last <= len(text):
            raise IndexError
        return text[first:last]

    def replace(old: str, new: str) -> str:
        budget.make(len(text) + text.count(old) * len(new))
        return text.replace(old, new)

    return {
        "length": lambda: len(text),
        "isEmpty": lambda: not text,
        "trim": lambda: text.strip("".join(map(chr, range(33)))),
        "toLowerCase": text.lower,
        "toUpperCase": text.upper,
        "substring": substring,
        "contains": lambda part: _text(part) in text,
        "startsWith": lambda part: text.startswith(_text(part)),
        "endsWith": lambda part: text.endswith(_text(part)),
        "indexOf": lambda part: text.find(_text(part)),
        "lastIndexOf": lambda part: text.rfind(_text(part)),
        "equalsIgnoreCase": lambda other: text.casefold() == _text(other).casefold(),
        "concat": lambda other: text + _text(other),
        "replace": lambda old, new: replace(_text(old), _text(new)),
        "replaceAll": lambda old, new: replace(literal_of(old), _replacement(new)),
        "split": lambda separator: _split(text, literal_of(separator)),
    }


def _of_map(values: Mapping[str, Value]) -> Mapping[str, Callable[..., Value]]:
    found: dict[str, Callable[..., Value]] = {
        "get": lambda key: values.get(_text(key)),
        "containsKey": lambda key: _text(key) in values,
        "keySet": lambda: tuple(values),
        "values": lambda: tuple(values.values()),
        "entrySet": lambda: tuple(Entry(key, value) for key, value in values.items()),
        "size": lambda: len(values),
        "isEmpty": lambda: not values,
    }
    if isinstance(values, dict):

        def put(key: str, value: Value) -> Value:
            before = values.get(_text(key))
            values[key] = value
            return before

        found.update({"put": put, "remove": lambda key: values.pop(_text(key), None)})
    return found


def _of_list(items: Sequence[Value]) -> Mapping[str, Callable[..., Value]]:
    found: dict[str, Callable[..., Value]] = {
        "get": lambda index: items[_position(index, items)],
        "size": lambda: len(items),
        "isEmpty": lambda: not items,
        "contains": lambda value: any(_is_same(item, value) for item in items),
    }
    if isinstance(items, list):

        def add(value: Value) -> bool:
            items.append(value)
            return True

        found["add"] = add
    return found


def _is_same(value: Value, other: Value) -> bool:
    if not (is_scalar(value) and is_scalar(other)):
        raise TypeError
    return type(value) is type(other) and value == other


def _position(index: Value, items: Sequence[Value]) -> int:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(items):
        raise IndexError
    return index


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _split(text: str, separator: str) -> list[str]:
    """Java's ``split``: empty texts at the end are dropped."""
    parts = text.split(separator)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def literal_of(pattern: Value) -> str:
    r"""The text that a regular expression of ordinary and escaped characters fits; another isn't run.

    A caller's text against an author's expression could take for ever.

    >>> literal_of(r"\\'"), literal_of(r"a\.b")
    ("\\'", 'a.b')
    """
    text = _ESCAPED.sub("", _text(pattern))
    if not pattern or _SPECIAL & set(text):
        raise UnsupportedTemplateError("the local cloud evaluates no regular expressions")
    return _ESCAPED.sub(r"\1", pattern)


def _replacement(text: Value) -> str:
    if {"\\", "$"} & set(_text(text)):
        raise UnsupportedTemplateError("the local cloud evaluates no \\ or $ in a replacement")
    return str(text)
