"""The import of an OpenAPI file into a REST API."""

from __future__ import annotations

import json
from typing import Any

from labkit.local.apigateway.control.openapi.document import (
    ENDPOINT,
    EXTENSION,
    Document,
    list_in,
    object_in,
    text_in,
)
from labkit.local.apigateway.control.permissions import check_policy_change
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft
from labkit.local.apigateway.control.rest.imported_methods import MethodImport
from labkit.local.apigateway.control.rest.imported_models import ModelImport
from labkit.local.apigateway.control.rest.imported_security import import_authorizers, rename
from labkit.local.apigateway.control.rest.methods import checked_method
from labkit.local.apigateway.control.store import RestApi

JsonObject = dict[str, Any]

_KEPT = ("id", "createdDate", "endpointConfiguration", "rootResourceId", "tags")
"""The settings that an overwriting file doesn't touch. Sources: [DG:api-gateway-import-api-update];
terraform-provider-aws, ``aws_api_gateway_rest_api``."""
_EXTENSIONS = frozenset(
    "api-key-source binary-media-types endpoint-configuration gateway-responses importexport-version integrations "
    "minimum-compression-size policy request-validator request-validators tag-value".split()
)


class RestImport:
    """An import into one API.

    Args:
        draft: where it takes place.
        document: the file.
        base_path: ``ignore``, ``prepend`` or ``split``.
        ignores_documentation: whether the file's documentation parts are left out.
    """

    def __init__(
        self,
        draft: RestApiDraft,
        document: Document,
        base_path: str,
        *,
        ignores_documentation: bool,
    ) -> None:
        self._draft = draft
        self._document = document
        self._base_path = base_path
        self._extensions = _EXTENSIONS | ({"documentation"} if ignores_documentation else set())

    def create(self, endpoint_types: list[str] | None) -> None:
        """Make the file's API: no models but its own (recorded 22.13)."""
        endpoint = self._document.endpoint_configuration()
        types = endpoint_types or list_in(endpoint, "types")
        self._draft.perform(
            "CreateRestApi",
            name=text_in(self._document.info, "title"),
            **({"endpointConfiguration": {"types": types}} if types else {}),
        )
        self._draft.api.models.clear()
        self._import()

    def update(self, api: RestApi, endpoint_types: str | None, *, overwrite: bool) -> None:
        """Import the file into an API.

        Args:
            api: may be changed.
            endpoint_types: as the call says it; ``PutRestApi`` doesn't change it.
            overwrite: whether what the file doesn't have goes.
        """
        endpoint = self._document.endpoint_configuration()
        types = [endpoint_types] if endpoint_types else list_in(endpoint, "types")
        if types and types != api.settings["endpointConfiguration"]["types"]:
            raise not_offered("a change of the endpoint type by PutRestApi")
        ids = {record["path"]: key for key, record in api.resources.items()}
        if overwrite:
            if "policy" in api.settings and self._document.extension("policy") is None:
                check_policy_change(api.settings["id"], self._draft.region)
            settings = {name: api.settings[name] for name in _KEPT if name in api.settings}
            root = settings["rootResourceId"]
            settings.update(apiKeySource="HEADER", disableExecuteApiEndpoint=False)
            api = RestApi(settings, resources={root: {"id": root, "path": "/"}})
        self._draft.begin(api)
        with self._draft.report.step("Unable to update API"):
            self._patch("/name", text_in(self._document.info, "title"))
        self._import()
        if overwrite:
            _restore_ids(self._draft.api, ids)

    def _import(self) -> None:
        document, draft = self._document, self._draft
        for name in document.data:
            if name.startswith(EXTENSION) and name.removeprefix(EXTENSION) not in self._extensions:
                raise not_offered(name)
        with draft.report.step("Unable to update API"):
            self._settings()
        models = ModelImport(draft, document)
        models.import_all()
        security = import_authorizers(draft, document)
        validators = self._validators()
        self._gateway_responses()
        MethodImport(draft, document, models, security, validators, self._base_path).import_all()
        for (
            resource,
            verb,
            method,
        ) in draft.api.methods():  # an authorizer may have another type now
            where = f"'{verb}' on resource at path '{resource['path']}'"
            with draft.report.step(f"Unable to put method {where}"):
                checked_method(draft.api, method)

    def _patch(self, path: str, value: str, op: str = "replace") -> None:
        self._draft.perform(
            "UpdateRestApi", patchOperations=[{"op": op, "path": path, "value": value}]
        )

    def _settings(self) -> None:
        document = self._document
        for name in ("description", "version"):
            if text := text_in(document.info, name):
                self._patch(f"/{name}", text)
        for kind in list_in(document.data, f"{EXTENSION}binary-media-types"):
            name = str(kind).replace("~", "~0").replace("/", "~1")
            self._patch(f"/binaryMediaTypes/{name}", "", "add")
        for name, path in (
            ("api-key-source", "/apiKeySource"),
            ("minimum-compression-size", "/minimumCompressionSize"),
        ):
            if document.extension(name) is not None:
                self._patch(path, text_in(document.data, f"{EXTENSION}{name}"))
        endpoint = document.endpoint_configuration()
        for name in endpoint:
            if name not in ("disableExecuteApiEndpoint", "types"):
                raise not_offered(f"{ENDPOINT}.{name}")
        if "disableExecuteApiEndpoint" in endpoint:
            value = text_in(endpoint, "disableExecuteApiEndpoint")
            self._patch("/disableExecuteApiEndpoint", value)
        if document.extension("policy") is not None:
            self._patch("/policy", json.dumps(document.extension("policy")))

    def _validators(self) -> dict[str, str]:
        """Make the file's request validators; the id of each by its name."""
        asked = object_in(self._document.data, f"{EXTENSION}request-validators")
        for name in asked:
            with self._draft.report.step(f"Unable to create request validator '{name}'"):
                records = self._draft.api.request_validators
                former = next((k for k, one in records.items() if one.get("name") == name), None)
                validator = object_in(asked, name)
                made = self._draft.perform(
                    "CreateRequestValidator",
                    name=name,
                    validateRequestBody=validator.get("validateRequestBody"),
                    validateRequestParameters=validator.get("validateRequestParameters"),
                )
                if former:
                    del records[former]
                    rename(records, made["id"], former)
        found = self._draft.api.request_validators.values()
        return {one["name"]: one["id"] for one in found if "name" in one}

    def _gateway_responses(self) -> None:
        asked = object_in(self._document.data, f"{EXTENSION}gateway-responses")
        for kind in asked:
            response = object_in(asked, kind)
            with self._draft.report.step(f"Unable to put gateway response '{kind}'"):
                self._draft.perform(
                    "PutGatewayResponse",
                    responseType=kind,
                    statusCode=text_in(response, "statusCode") or None,
                    responseParameters=response.get("responseParameters"),
                    responseTemplates=response.get("responseTemplates"),
                )


def _restore_ids(api: RestApi, ids: dict[str, str]) -> None:
    """Give each resource the id that its path had; the integrations keep their cache namespaces (recorded 22.8)."""
    names = {key: ids.get(one["path"], key) for key, one in api.resources.items()}
    for record in api.resources.values():
        record["id"] = names[record["id"]]
        if "parentId" in record:
            record["parentId"] = names[record["parentId"]]
    api.resources = {record["id"]: record for record in api.resources.values()}
