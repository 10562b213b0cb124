"""``ExportApi``: an HTTP API as an OpenAPI file (its form is inferred from exports of REST APIs and public files)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol

from labkit.local.apigateway.control.http.lookup import http_api
from labkit.local.apigateway.control.openapi.document import ANY_METHOD, ENDPOINT, EXTENSION
from labkit.local.apigateway.control.openapi.writing import as_yaml
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.http.records import DEFAULT, HttpDeployment
from labkit.local.messages import Response

JsonObject = dict[str, Any]

_INTEGRATION_MEMBERS = {
    "payloadFormatVersion": "payloadFormatVersion",
    "integrationMethod": "httpMethod",
    "integrationUri": "uri",
    "connectionType": "connectionType",
    "timeoutInMillis": "timeoutInMillis",
}
_AUTHORIZER_MEMBERS = (
    "authorizerUri",
    "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds",
    "enableSimpleResponses",
    "jwtConfiguration",
)


class HttpSnapshots(Protocol):
    """What was deployed."""

    def deployment(self, api_id: str, deployment_id: str) -> HttpDeployment | None:
        """A deployment's snapshot, or None."""


class HttpExportOperations:
    """The operation that exports.

    Args:
        store: the records.
        snapshots: what stages serve.
    """

    def __init__(self, store: GatewayStore, snapshots: HttpSnapshots) -> None:
        self._store = store
        self._snapshots = snapshots

    async def export_api(self, call: Call) -> Response:
        """The file: what a stage serves, or without a stage what the API is now."""
        api = http_api(self._store, call)
        if call.text("exportVersion") not in ("", "1.0"):
            raise bad_request("Invalid export version specified. The only one is 1.0")
        configuration: Mapping[str, Any] = api.parts
        stage = call.text("stageName")
        if stage:
            if stage not in api.stages:
                raise not_found(f"Unable to find Stage by name {stage}")
            deployment_id = str(api.stages[stage].get("deploymentId"))
            frozen = self._snapshots.deployment(api.settings["apiId"], deployment_id)
            if frozen is None:
                raise bad_request("Nothing that this cloud has kept is deployed on the stage")
            configuration = frozen.configuration
        with_extensions = call.parameters.get("includeExtensions", True)
        document = exported_http_api(configuration, stage, with_extensions=with_extensions)
        is_yaml = call.text("outputType") == "YAML"
        text = await asyncio.to_thread(
            lambda: as_yaml(document) if is_yaml else json.dumps(document, indent=2)
        )
        return Response(200, [("Content-Type", "application/octet-stream")], text.encode())


def exported_http_api(
    configuration: Mapping[str, Any], stage: str, *, with_extensions: bool
) -> JsonObject:
    """The file of an API.

    Args:
        configuration: ``api``, ``routes``, ``integrations`` and ``authorizers``.
        stage: which stage's address it names; empty for none.
        with_extensions: whether it says what only API Gateway reads, such as integrations.
    """
    settings = configuration["api"]
    authorizers: Mapping[str, JsonObject] = configuration["authorizers"]
    path = "" if stage in ("", DEFAULT) else f"/{stage}"
    variables = {"basePath": {"default": path.removeprefix("/")}}
    server: JsonObject = {"url": f"{settings['apiEndpoint']}/{{basePath}}", "variables": variables}
    paths: JsonObject = {}
    for route in configuration["routes"].values():
        verb, _space, place = route["routeKey"].partition(" ")
        name = ANY_METHOD if verb in (DEFAULT, "ANY") else verb.lower()
        integration = configuration["integrations"].get(_target(route))
        operation = _operation(route, authorizers, integration if with_extensions else None)
        paths.setdefault(place or f"/{DEFAULT}", {})[name] = operation
    schemes = {
        one["name"]: _scheme(one, with_extensions=with_extensions) for one in authorizers.values()
    }
    info = {"title": settings["name"], "description": settings.get("description")}
    info["version"] = settings.get("version") or settings["createdDate"]
    found: JsonObject = {
        "openapi": "3.0.1",
        "info": {name: value for name, value in info.items() if value is not None},
        "servers": [server],
        "paths": paths,
        "components": {"securitySchemes": schemes} if schemes else {},
    }
    if with_extensions:
        if settings.get("corsConfiguration"):
            found[f"{EXTENSION}cors"] = settings["corsConfiguration"]
        if settings["disableExecuteApiEndpoint"]:
            server[ENDPOINT] = {"disableExecuteApiEndpoint": True}
        found[f"{EXTENSION}importexport-version"] = "1.0"
    return found


def _target(route: JsonObject) -> str:
    return str(route.get("target") or "").removeprefix("integrations/")


def _operation(
    route: JsonObject, authorizers: Mapping[str, JsonObject], integration: JsonObject | None
) -> JsonObject:
    description = f"Default response for {route['routeKey']}"
    found: JsonObject = {"responses": {"default": {"description": description}}}
    if route.get("operationName"):
        found = {"operationId": route["operationName"], **found}
    authorizer = authorizers.get(str(route.get("authorizerId")))
    if authorizer:
        found["security"] = [{authorizer["name"]: list(route.get("authorizationScopes") or ())}]
    if route["authorizationType"] == "AWS_IAM":
        found[f"{EXTENSION}auth"] = {"type": "AWS_IAM"}
    if route["routeKey"] == DEFAULT:
        found["isDefaultRoute"] = True
    if integration:
        described = {
            wire: integration[name]
            for name, wire in _INTEGRATION_MEMBERS.items()
            if name in integration
        }
        described["type"] = integration["integrationType"].lower()
        found[f"{EXTENSION}integration"] = described
    return found


def _scheme(authorizer: JsonObject, *, with_extensions: bool) -> JsonObject:
    is_jwt = authorizer["authorizerType"] == "JWT"
    found: JsonObject = {"type": "oauth2"} if is_jwt else {"type": "apiKey"}
    if not is_jwt:
        found.update({"name": "Unused", "in": "header"})
    if with_extensions:
        described = {name: authorizer[name] for name in _AUTHORIZER_MEMBERS if name in authorizer}
        if authorizer.get("identitySource"):
            described["identitySource"] = ",".join(authorizer["identitySource"])
        described["type"] = authorizer["authorizerType"].lower()
        found[f"{EXTENSION}authorizer"] = described
    return found
