"""API keys: ``CreateApiKey`` and the like (recorded 11)."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import page
from labkit.local.apigateway.control.store import GatewayStore

JsonObject = dict[str, Any]

MAX_DESCRIPTION, MAX_NAME = 125, 1_024
VALUE_LENGTH = range(20, 129)
_DESCRIPTION = re.compile(r"[\s\S]{0,125}")
_ALPHABET = string.ascii_letters + string.digits
PATCHES = PatchTable(
    (
        PatchPath("/name"),
        PatchPath("/description"),
        PatchPath("/enabled", ("replace",), "boolean"),
        PatchPath("/customerId"),
    ),
    invalid_path,
    one_of_operations,
)


class ApiKeyOperations:
    """The operations on API keys.

    Args:
        store: the records.
        clock: seconds since the epoch.
    """

    def __init__(self, store: GatewayStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def create_api_key(self, call: Call) -> JsonObject:
        """Make a key; it is disabled unless it is asked for otherwise (recorded 11.11)."""
        keys = self._store.region(call.region).api_keys
        value = call.text("value")
        if value and len(value) < VALUE_LENGTH[0]:
            raise bad_request(f"API Key value should be at least {VALUE_LENGTH[0]} characters")
        if len(value) > VALUE_LENGTH[-1]:
            raise bad_request(
                f"API Key value exceeds maximum size of {VALUE_LENGTH[-1]} characters"
            )
        if any(value and one["value"] == value for one in keys.values()):
            raise conflict("API Key already exists")
        now = int(self._clock())
        made = {
            "id": self._store.new_id(10),
            "value": value or "".join(secrets.choice(_ALPHABET) for _ in range(40)),
            "enabled": bool(call.parameters.get("enabled")),
            "createdDate": now,
            "lastUpdatedDate": now,
            "stageKeys": [],
            **call.given("name", "description", "customerId", "tags"),
        }
        _check(made)
        keys[made["id"]] = made
        return made

    def get_api_key(self, call: Call) -> JsonObject:
        """One key; its value only with ``includeValue``."""
        found = self._key(call)
        shown = _shown(found, bool(call.parameters.get("includeValue")))
        return {**shown, "tags": found.get("tags", {})}

    def get_api_keys(self, call: Call) -> JsonObject:
        """All keys, newest first; their values only with ``includeValues`` (recorded 11.12–11.17)."""
        prefix, customer = call.text("nameQuery"), call.text("customerId")
        values = bool(call.parameters.get("includeValues"))
        newest = reversed(self._store.region(call.region).api_keys.values())
        found = (
            _shown(key, values)
            for key in newest
            if str(key.get("name", "")).startswith(prefix)
            and customer in ("", key.get("customerId"))
        )
        return page(found, call)

    def update_api_key(self, call: Call) -> JsonObject:
        """Change a key (recorded 11.10, 11.18, 11.23)."""
        found = self._key(call)
        patches = patches_of(call.patches)
        for patch in patches:
            if patch.path == "/enabled" and str(patch.value).lower() not in ("true", "false"):
                raise bad_request(f"Invalid value {patch.value} for /enabled")
        changed = PATCHES.apply(found, patches)
        _check(changed)
        changed["lastUpdatedDate"] = int(self._clock())
        self._store.region(call.region).api_keys[found["id"]] = changed
        return {**_shown(changed, False), "tags": changed.get("tags", {})}

    def delete_api_key(self, call: Call) -> None:
        """Delete a key; it leaves its usage plans."""
        key_id = self._key(call)["id"]
        region = self._store.region(call.region)
        del region.api_keys[key_id]
        for keys in region.usage_plan_keys.values():
            if key_id in keys:
                keys.remove(key_id)

    def _key(self, call: Call) -> JsonObject:
        found = self._store.region(call.region).api_keys.get(call.text("apiKey"))
        if found is None:
            raise not_found("Invalid API Key identifier specified")
        return found


def _check(record: JsonObject) -> None:
    if not _DESCRIPTION.fullmatch(str(record.get("description") or "")):
        raise bad_request("Invalid API Key description specified.")
    if len(str(record.get("name") or "")) > MAX_NAME:
        raise bad_request(f"Invalid API Key name, can be at most {MAX_NAME} characters.")


def _shown(record: JsonObject, with_value: bool) -> JsonObject:
    hidden = () if with_value else ("value",)
    return {name: value for name, value in record.items() if name not in hidden}
