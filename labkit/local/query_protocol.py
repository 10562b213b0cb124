"""AWS's query protocol: an operation's parameters are the fields of a form, ``Tags.member.1.Key=team``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit.local.json_protocol import JsonObject, ServiceModel

_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
_ITEM = re.compile(r"member\.([1-9]\d{0,4})(?:\.|$)", re.ASCII)


def read_form(model: ServiceModel, operation: str, form: Mapping[str, str]) -> JsonObject:
    """The parameters that a form has, as the service's model shapes them; unknown fields are left out.

    A value that isn't of its type stays text, for the check against the model.
    """
    shape = model.input_of(operation)
    found = _read(model.shapes, shape, "", form) if shape else {}
    return found if isinstance(found, dict) else {}


def _read(shapes: JsonObject, name: str, path: str, form: Mapping[str, str]) -> Any:
    shape = shapes[name]
    kind = shape["type"]
    if kind == "structure":
        start = f"{path}." if path else ""
        members = {
            member: _read(shapes, target["shape"], f"{start}{member}", form)
            for member, target in shape["members"].items()
        }
        found = {member: value for member, value in members.items() if value is not None}
        return found if found or not path else None
    if kind == "list":
        numbers = _numbers(path, form)
        items = (
            _read(shapes, shape["member"]["shape"], f"{path}.member.{number}", form)
            for number in numbers
        )
        return [item for item in items if item is not None] or None
    text = form.get(path)
    if text is None:
        return None
    if kind in ("integer", "long") and _NUMBER.fullmatch(text):
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _numbers(path: str, form: Mapping[str, str]) -> list[int]:
    """Which items of a list a form has."""
    start = f"{path}."
    matches = (_ITEM.match(name, len(start)) for name in form if name.startswith(start))
    return sorted({int(match[1]) for match in matches if match})
