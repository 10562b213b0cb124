"""Reads an API definition, JSON or YAML, within bounds.

YAML is read as JSON's types only, as AWS's reader does: ``012``, ``1:30``, ``yes`` and dates stay text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import yaml

from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

MAX_BYTES = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/apigateway/latest/api/API_ImportRestApi.html"""
MAX_DEPTH, MAX_NODES = 100, 500_000
"""Of a definition with its aliases written out; no limit of AWS's is known."""

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")


def invalid_input() -> ApiError:
    """Of a file that isn't an API definition (recorded 22.1)."""
    return ApiError("BadRequestException", "Invalid OpenAPI input.")


def read_definition(body: bytes) -> JsonObject:
    """The object that a file holds. The keys are text, also in YAML.

    Raises:
        ApiError: ``Invalid OpenAPI input.``: it is too large or too deep, broken, no object, or has a key twice.
    """
    if len(body) > MAX_BYTES:
        raise invalid_input()
    try:
        text = body.decode()
        try:
            found = json.loads(
                text, parse_constant=_no_constant, object_pairs_hook=_without_duplicates
            )
        except json.JSONDecodeError:
            found = _from_yaml(text)
        found = _plain(found, iter(range(MAX_NODES)), 0)
    except (ValueError, RecursionError, yaml.YAMLError):
        raise invalid_input() from None
    if not isinstance(found, dict):
        raise invalid_input()
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _without_duplicates(pairs: list[tuple[str, object]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """SafeLoader without what JSON hasn't: no dates, no octal numbers, no sets."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> JsonObject:
        """Refuse a key that comes twice, and ``<<``: whether AWS merges isn't known."""
        del deep
        if any(k.value == "<<" and not k.style for k, _value in node.value):
            raise ValueError("a merge")
        pairs = [
            (self.construct_object(k, True), self.construct_object(v, True)) for k, v in node.value
        ]
        return _without_duplicates([(_key(name), value) for name, value in pairs])


def _construct_map(loader: _Loader, node: Any) -> JsonObject:
    return loader.construct_mapping(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
for _tag, _form, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", NUMBER.pattern, "-0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(rf"(?:{_form})\Z"),
        ["" if one == "\0" else one for one in _first],
    )


def _from_yaml(text: str) -> object:
    """The first document; its nesting is counted before anything is built.

    Raises:
        ValueError: it is too deep, or has too many nodes.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > 2 * MAX_NODES:
            raise ValueError("too deep, or too large")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


def _plain(value: object, left: Iterator[int], depth: int) -> Any:
    """A copy of JSON's types, aliases written out.

    Raises:
        ValueError: it is too deep or too large, or has another type.
    """
    if depth > MAX_DEPTH or next(left, None) is None:
        raise ValueError("too deep, or too large")
    if isinstance(value, dict):
        return {_key(name): _plain(one, left, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, left, depth + 1) for one in value]
    if isinstance(value, float) and value - value != 0:  # 1e999 is infinite
        raise ValueError("no number")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        value.encode()  # no half of a surrogate pair
        return value
    raise ValueError(f"{type(value)} isn't JSON's")


def _key(name: object) -> str:
    """``200`` and ``true`` are names, too."""
    if isinstance(name, bool):
        return str(name).lower()
    if isinstance(name, str | int | float):
        return str(name)
    raise ValueError("no name")
