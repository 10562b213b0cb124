"""Models of REST APIs: ``CreateModel`` and the like."""

from __future__ import annotations

import json
import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    choose_supported,
    one_of_paths,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found, not_offered
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.store import GatewayStore, RestApi

JsonObject = dict[str, Any]

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_NAME = re.compile("[A-Za-z0-9]+")
PATCHES = PatchTable(
    (PatchPath("/description"), PatchPath("/schema")),
    one_of_paths("/description", "/schema"),
    choose_supported,
)


def _schema(title: str, **members: object) -> str:
    document = {"$schema": _DRAFT_4, "title": title, "type": "object", **members}
    return json.dumps(document, indent=2)


DEFAULT_MODELS: tuple[JsonObject, ...] = (
    {
        "name": "Empty",
        "description": "This is a default empty schema model",
        "schema": _schema("Empty Schema"),
        "contentType": "application/json",
    },
    {
        "name": "Error",
        "description": "This is a default error schema model",
        "schema": _schema("Error Schema", properties={"message": {"type": "string"}}),
        "contentType": "application/json",
    },
)
"""What every new API has."""


class ModelOperations:
    """The operations on models.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def create_model(self, call: Call) -> JsonObject:
        """Make a model (recorded 4.1–4.4)."""
        api = rest_api(self._store, call)
        name = call.text("name")
        if not name:
            raise bad_request("Model name must be non-empty")
        if not _NAME.fullmatch(name):
            raise bad_request(f"Model name must be alphanumeric: {name}")
        if name in api.models:
            raise conflict("Model name already exists for this REST API")
        _check_schema(call.text("schema"))
        kept = call.given("name", "description", "schema", "contentType")
        model: JsonObject = {"id": self._store.new_id(6), **kept}
        api.models[name] = model
        return model

    def get_model(self, call: Call) -> JsonObject:
        """One model; ``flatten`` isn't offered."""
        if call.parameters.get("flatten"):
            raise not_offered("flatten")
        return self._model(call)[1]

    def get_models(self, call: Call) -> JsonObject:
        """All models of an API."""
        return page(rest_api(self._store, call).models.values(), call)

    def update_model(self, call: Call) -> JsonObject:
        """Change a model (recorded 4.5)."""
        api, model = self._model(call)
        changed = PATCHES.apply(model, patches_of(call.patches))
        _check_schema(str(changed.get("schema") or ""))
        if not changed.get("description"):
            changed.pop("description", None)
        api.models[model["name"]] = changed
        return changed

    def delete_model(self, call: Call) -> None:
        """Delete a model that no method names (recorded 3.16)."""
        api, model = self._model(call)
        name = model["name"]
        for resource, verb, method in api.methods():
            where = f"{resource['path']}/{verb}"
            if name in (method.get("requestModels") or {}).values():
                raise conflict(
                    f"Cannot delete model '{name}', is referenced in method request: {where}"
                )
            for response in (method.get("methodResponses") or {}).values():
                if name in (response.get("responseModels") or {}).values():
                    raise conflict(
                        f"Cannot delete model '{name}', is referenced in method response: {where}"
                    )
        del api.models[name]

    def _model(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = self._store.region(call.region).rest_apis.get(call.text("restApiId"))
        found = api and api.models.get(call.text("modelName"))
        if api is None or not found:
            raise not_found(f"Invalid model name specified: {call.text('modelName')}")
        return api, found


def _check_schema(text: str) -> None:
    """Refuse a schema that says nothing (recorded 4.4, 4.5), and what isn't a JSON object."""
    if not text.strip():
        raise bad_request("Model schema must have at least 1 property or array items defined")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise bad_request(
            "Invalid model specified: Validation Result: warnings : [], errors : "
            "[Invalid model schema specified]"
        )


def _no_constant(name: str) -> object:
    raise ValueError(name)
