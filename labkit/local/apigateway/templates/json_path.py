"""The JSONPath expressions of ``$input.path`` and ``$input.json``: members, elements and ``[*]``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labkit.local.apigateway.templates.limits import UnsupportedTemplateError
from labkit.local.apigateway.templates.values import Value

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)|\['(?P<single>[^']*)'\]|\[\"(?P<double>[^\"]*)\"\]"
    r"|\[(?P<index>\d{1,9})\]|(?P<all>\[\*\])"
)


class _Missing:
    """Nothing is there."""


MISSING = _Missing()


def find(data: Value, path: str) -> Value:
    """What a path leads to; ``MISSING`` when nothing is there.

    >>> find({"pets": [{"id": 1}, {"id": 2}]}, "$.pets[*].id")
    [1, 2]

    Raises:
        UnsupportedTemplateError: the path has a filter, a slice or ``..``.
    """
    if not path.startswith("$"):
        raise UnsupportedTemplateError(f"the JSONPath {path[:80]} doesn't begin with $")
    found, several, position = [data], False, 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise UnsupportedTemplateError(f"the local cloud doesn't evaluate {path[:80]}")
        position = step.end()
        if step["all"]:
            several = True
            found = [item for held in found for item in _elements(held)]
        else:
            found = [inner for held in found if (inner := _inside(held, step)) is not MISSING]
    if several:
        return found
    return found[0] if found else MISSING


def _elements(held: Value) -> list[Value]:
    if isinstance(held, Mapping):
        return list(held.values())
    return list(held) if isinstance(held, list) else []


def _inside(held: Value, step: re.Match[str]) -> Value:
    if step["index"] is not None:
        index = int(step["index"])
        return held[index] if isinstance(held, list) and index < len(held) else MISSING
    name = next(text for text in (step["name"], step["single"], step["double"]) if text is not None)
    return held.get(name, MISSING) if isinstance(held, Mapping) else MISSING
