"""Resources of REST APIs: ``CreateResource`` and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    choose_supported,
    one_of_paths,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import page, resource, rest_api
from labkit.local.apigateway.control.store import GatewayStore, Records
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

MAX_RESOURCES = 300
"""Of an API (gateway 14)."""
PATCHES = PatchTable(
    (PatchPath("/parentId"), PatchPath("/pathPart")),
    one_of_paths("/parentId", "/pathPart"),
    choose_supported,
)
_PART = re.compile(r"[A-Za-z0-9._\-:]+|\{[A-Za-z0-9._\-:]+\+?\}")
_METHODS = "methods"


class ResourceOperations:
    """The operations on resources.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def create_resource(self, call: Call) -> JsonObject:
        """Make a resource below another one (recorded 2.2, 2.11–2.13)."""
        parent = resource(self._store, call, "parentId")
        api = rest_api(self._store, call)
        part = call.text("pathPart")
        check_part(api.resources, parent, part)
        if len(api.resources) >= MAX_RESOURCES:
            raise bad_request("Maximum number of resources for this API has been reached.")
        made = {
            "id": self._store.new_id(6),
            "parentId": parent["id"],
            "pathPart": part,
            "path": _below(parent, part),
        }
        api.resources[made["id"]] = made
        return made

    def get_resource(self, call: Call) -> JsonObject:
        """One resource; its methods in full with ``embed=methods``."""
        found = resource(self._store, call)
        return shown_resource(found, embed=_METHODS in call.parameters.get("embed", ()))

    def get_resources(self, call: Call) -> JsonObject:
        """All resources of an API (recorded 2.1)."""
        embed = _METHODS in call.parameters.get("embed", ())
        resources = rest_api(self._store, call).resources.values()
        return page((shown_resource(one, embed=embed) for one in resources), call)

    def update_resource(self, call: Call) -> JsonObject:
        """Move or rename a resource (recorded 2.3–2.9, 2.14, 2.15)."""
        found = resource(self._store, call)
        api = rest_api(self._store, call)
        resources = {key: dict(record) for key, record in api.resources.items()}
        changed = resources[found["id"]]
        for patch in patches_of(call.patches):
            PATCHES.find(patch)
            value = str(patch.value or "")
            if "parentId" not in changed:
                raise bad_request(f"Root resource cannot update its {patch.names[0]}.")
            if patch.path == "/pathPart":
                parent = resources[changed["parentId"]]
                _check_form(parent, value)
            else:
                if value not in resources:
                    raise not_found("Invalid Resource identifier specified")
                if changed["id"] in _line(resources, value):
                    raise bad_request("Resources cannot be cyclical.")
                parent = resources[value]
            part = value if patch.path == "/pathPart" else changed["pathPart"]
            _check_siblings(resources, parent, part, changed["id"])
            if part.endswith("+}") and _children(resources, changed["id"]):
                raise _below_greedy(part)
            changed.update(parentId=parent["id"], pathPart=part)
            _renew_paths(resources)
        api.resources = resources
        return shown_resource(changed)

    def delete_resource(self, call: Call) -> None:
        """Delete a resource and all below it (recorded 2.10)."""
        found = resource(self._store, call)
        api = rest_api(self._store, call)
        if "parentId" not in found:
            raise bad_request("Root resource cannot be deleted.")
        api.resources = {
            key: record
            for key, record in api.resources.items()
            if found["id"] not in _line(api.resources, key)
        }


def shown_resource(record: Mapping[str, Any], *, embed: bool = False) -> JsonObject:
    """A resource as answers show it: of its methods only the verbs, unless they are asked for."""
    shown = {name: value for name, value in record.items() if name != "resourceMethods"}
    methods = record.get("resourceMethods") or {}
    if methods:
        shown["resourceMethods"] = {verb: (methods[verb] if embed else {}) for verb in methods}
    return shown


def check_part(resources: Records, parent: Mapping[str, Any], part: str) -> None:
    """Refuse a path part that can't be made below a resource.

    Raises:
        ApiError: ``BadRequestException`` or ``ConflictException``.
    """
    _check_form(parent, part)
    _check_siblings(resources, parent, part, "")


def _check_form(parent: Mapping[str, Any], part: str) -> None:
    if not _PART.fullmatch(part):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
            "beginning and the end."
        )
    if str(parent.get("pathPart", "")).endswith("+}"):
        raise _below_greedy(parent["pathPart"])


def _below_greedy(part: str) -> ApiError:
    return bad_request(f"Cannot create a child of a resource with a greedy path variable: {part}")


def _check_siblings(resources: Records, parent: Mapping[str, Any], part: str, own: str) -> None:
    if str(parent.get("pathPart", "")).endswith("+}"):
        raise _below_greedy(parent["pathPart"])
    siblings = [one for one in _children(resources, parent["id"]) if one["id"] != own]
    if any(one["pathPart"] == part for one in siblings):
        raise conflict(f"Another resource with the same parent already has this name: {part}")
    variable = next((s["pathPart"] for s in siblings if s["pathPart"].startswith("{")), None)
    if part.startswith("{") and variable is not None:
        raise bad_request(
            f"A sibling ({variable}) of this resource already has a variable path part -- only one is allowed"
        )


def _children(resources: Records, resource_id: str) -> list[JsonObject]:
    return [one for one in resources.values() if one.get("parentId") == resource_id]


def _line(resources: Mapping[str, Mapping[str, Any]], resource_id: str | None) -> list[str]:
    """A resource and what is above it."""
    found: list[str] = []
    while resource_id is not None:
        found.append(resource_id)
        resource_id = resources[resource_id].get("parentId")
    return found


def _below(parent: Mapping[str, Any], part: str) -> str:
    return f"{parent['path'].rstrip('/')}/{part}"


def _renew_paths(resources: Records) -> None:
    """Give each resource the path of its place; a parent may stand behind its children."""
    for key in resources:
        above = reversed(_line(resources, key))
        parts = [resources[one].get("pathPart", "") for one in above]
        resources[key]["path"] = "/" + "/".join(part for part in parts if part)
