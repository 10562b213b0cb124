"""``UpdateResource``: the patches that AWS refuses, found before the engine applies any.

The engine follows a resource's parents to its path, for ever when they form a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.apigateway.answers import bad_request, refuse
from labkit.local.messages import Response

_PATHS = ("/parentId", "/pathPart")


def refuse_update(
    resources: Mapping[str, Mapping[str, Any]],
    resource_id: str,
    operations: Iterable[Mapping[str, Any]],
) -> Response | None:
    """AWS's refusal of a patch (recorded 2.4-2.9, 2.14, 2.15), or None.

    Args:
        resources: the API's, by id: ``parentId`` (none at the root) and ``pathPart``.
        resource_id: which one is patched; of an unknown one the engine says that it is.
        operations: the patch operations, in order.
    """
    if resource_id not in resources:
        return None
    parents = {key: record.get("parentId") for key, record in resources.items()}
    parts = {key: record.get("pathPart") for key, record in resources.items()}
    for operation in operations:
        verb, path, value = (operation.get(name) for name in ("op", "path", "value"))
        if verb != "replace" or path not in _PATHS or not isinstance(value, str):
            return bad_request(
                f"Invalid patch path  '{path}' specified for op '{verb}'. "
                "Please choose supported operations"
            )
        if parents[resource_id] is None:
            return bad_request(f"Root resource cannot update its {path.removeprefix('/')}.")
        if path == "/pathPart":
            parts[resource_id] = value
        elif value not in parents:
            return refuse(404, "NotFoundException", "Invalid Resource identifier specified")
        elif resource_id in _line(parents, value):
            return bad_request("Resources cannot be cyclical.")
        else:
            parents[resource_id] = value
        place = (parents[resource_id], parts[resource_id])
        if any(place == (parents[key], parts[key]) for key in parents if key != resource_id):
            return refuse(
                409,
                "ConflictException",
                f"Another resource with the same parent already has this name: {place[1]}",
            )
    return None


def _line(parents: Mapping[str, str | None], resource_id: str | None) -> list[str]:
    """A resource and what is above it.

    >>> _line({"c": "b", "b": "a", "a": None}, "b")
    ['b', 'a']
    """
    found: list[str] = []
    while resource_id is not None:
        found.append(resource_id)
        resource_id = parents.get(resource_id)
    return found
