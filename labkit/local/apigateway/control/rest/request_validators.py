"""Request validators: ``CreateRequestValidator`` and the like."""

from __future__ import annotations

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
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.store import GatewayStore, RestApi

JsonObject = dict[str, Any]

_PATHS = ("/name", "/validateRequestParameters", "/validateRequestBody")
PATCHES = PatchTable(
    (PatchPath(_PATHS[0]), *(PatchPath(one, ("replace",), "boolean") for one in _PATHS[1:])),
    one_of_paths(*_PATHS),
    choose_supported,
)


class RequestValidatorOperations:
    """The operations on request validators.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def create_request_validator(self, call: Call) -> JsonObject:
        """Make a validator (recorded 5.1)."""
        api = self._store.region(call.region).rest_apis.get(call.text("restApiId"))
        if api is None:
            raise bad_request("Invalid REST API identifier specified")
        validator = {
            "id": self._store.new_id(6),
            "name": call.text("name"),
            "validateRequestBody": bool(call.parameters.get("validateRequestBody")),
            "validateRequestParameters": bool(call.parameters.get("validateRequestParameters")),
        }
        if not validator["name"]:
            del validator["name"]
        api.request_validators[str(validator["id"])] = validator
        return validator

    def get_request_validator(self, call: Call) -> JsonObject:
        """One validator (recorded 5.3)."""
        return self._validator(call)[1]

    def get_request_validators(self, call: Call) -> JsonObject:
        """All of an API (recorded 5.2)."""
        return page(rest_api(self._store, call).request_validators.values(), call)

    def update_request_validator(self, call: Call) -> JsonObject:
        """Change a validator (recorded 5.5–5.8)."""
        api, validator = self._validator(call)
        patches = patches_of(call.patches)
        changed = PATCHES.apply(validator, patches)
        if any(patch.path == "/name" and not patch.value for patch in patches):
            raise bad_request("Request Validator name cannot be blank")
        api.request_validators[validator["id"]] = changed
        return changed

    def delete_request_validator(self, call: Call) -> None:
        """Delete a validator that no method names (recorded 5.4, 5.9); AWS's words for one in use aren't known."""
        api, validator = self._validator(call)
        for resource, verb, method in api.methods():
            if method.get("requestValidatorId") == validator["id"]:
                where = f"{resource['path']}/{verb}"
                raise conflict(
                    f"Cannot delete Request Validator '{validator['id']}', is referenced in method: {where}"
                )
        del api.request_validators[validator["id"]]

    def _validator(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = self._store.region(call.region).rest_apis.get(call.text("restApiId"))
        found = api and api.request_validators.get(call.text("requestValidatorId"))
        if api is None or not found:
            raise not_found("Invalid Request Validator identifier specified")
        return api, found
