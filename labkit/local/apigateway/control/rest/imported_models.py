"""The schemas of an OpenAPI file as models of a REST API."""

from __future__ import annotations

import json
import re
from typing import Any

from labkit.local.apigateway.control.openapi.document import Document, object_in
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft

JsonObject = dict[str, Any]

_MEDIA_TYPE = "application/json"
_REFERENCE = re.compile(r"#/(?:definitions|components/schemas)/(?P<name>[^/]+)")


class ModelImport:
    """The import of models.

    Args:
        draft: the API.
        document: the file.
    """

    def __init__(self, draft: RestApiDraft, document: Document) -> None:
        self._draft = draft
        self._document = document
        self._generated: dict[str, str] = {}

    def import_all(self) -> None:
        """Make a model of each schema that has a name (recorded 22.13, 22.14)."""
        for name in self._document.schemas:
            with self._draft.report.step(f"Unable to create model for '{name}'"):
                self._create(name, object_in(self._document.schemas, name))

    def _create(self, name: str, schema: JsonObject) -> None:
        models = self._draft.api.models
        former = models.pop(name, None)
        description = schema.get("description")
        made = self._draft.perform(
            "CreateModel",
            name=name,
            contentType=_MEDIA_TYPE,
            description=description if isinstance(description, str) else None,
            schema=self._text(schema),
        )
        if former:
            made["id"] = former["id"]

    def names(self, schemas: dict[str, JsonObject], attribute: str) -> dict[str, str] | None:
        """The models of a body by media type; a schema without a name gets one.

        Args:
            schemas: by media type.
            attribute: where they stand, as warnings name it.
        """
        found = {}
        for kind, schema in schemas.items():
            match = _REFERENCE.fullmatch(str(schema.get("$ref", "")))
            if match is None:
                found[kind] = self._name(schema)
            elif match["name"] in self._draft.api.models:
                found[kind] = match["name"]
            else:  # moto, after AWS
                self._draft.report.warnings.append(
                    f"Parse issue: attribute {attribute}.content.schema.{schema['$ref']} is missing"
                )
        return found or None

    def _name(self, schema: JsonObject) -> str:
        text = self._text(schema)
        if text not in self._generated:
            name = f"MODEL{self._draft.new_id()}"
            self._create(name, schema)
            self._generated[text] = name
        return self._generated[text]

    def _text(self, schema: JsonObject) -> str:
        found = _rewritten(schema, self._draft.api.settings["id"])
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def _rewritten(value: Any, api_id: str) -> Any:
    """A schema whose references name the API's models (recorded 22.14).

    >>> _rewritten({"items": {"$ref": "#/definitions/Pet"}}, "a")
    {'items': {'$ref': 'https://apigateway.amazonaws.com/restapis/a/models/Pet'}}
    """
    if isinstance(value, list):
        return [_rewritten(one, api_id) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _rewritten(one, api_id) for name, one in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise not_offered(f"the reference {reference} in a schema")
        found["$ref"] = f"https://apigateway.amazonaws.com/restapis/{api_id}/models/{match['name']}"
    return found
