"""The import of an OpenAPI file into an HTTP API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.apigateway.control.openapi.document import (
    ANY_METHOD,
    ENDPOINT,
    EXTENSION,
    VERBS,
    Document,
    object_in,
    placed_path,
    text_in,
)
from labkit.local.apigateway.control.openapi.report import ImportReport
from labkit.local.apigateway.control.openapi.security import AUTHORIZER, SecurityRequirements
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.http.records import DEFAULT

JsonObject = dict[str, Any]
Perform = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Calls an operation on the API that is made."""

_EXTENSIONS = frozenset(
    "cors endpoint-configuration importexport-version integrations tag-value".split()
)
_OPERATION_EXTENSIONS = frozenset(f"{EXTENSION}{name}" for name in ("auth", "integration"))
_CORS = f"{EXTENSION}cors"
_INTEGRATION_MEMBERS = {
    "connectionId": "connectionId",
    "connectionType": "connectionType",
    "contentHandling": "contentHandlingStrategy",
    "credentials": "credentialsArn",
    "httpMethod": "integrationMethod",
    "integrationSubtype": "integrationSubtype",
    "passthroughBehavior": "passthroughBehavior",
    "payloadFormatVersion": "payloadFormatVersion",
    "requestParameters": "requestParameters",
    "requestTemplates": "requestTemplates",
    "responseParameters": "responseParameters",
    "timeoutInMillis": "timeoutInMillis",
    "tlsConfig": "tlsConfig",
    "type": "integrationType",
    "uri": "integrationUri",
}
"""How a file calls the members of ``CreateIntegration``."""
_AUTHORIZER_MEMBERS = {
    "authorizerCredentials": "authorizerCredentialsArn",
    "authorizerPayloadFormatVersion": "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds": "authorizerResultTtlInSeconds",
    "authorizerUri": "authorizerUri",
    "enableSimpleResponses": "enableSimpleResponses",
    "identityValidationExpression": "identityValidationExpression",
    "jwtConfiguration": "jwtConfiguration",
}
"""How a file calls the members of ``CreateAuthorizer``."""


class HttpApiImport:
    """An import into one HTTP API. What AWS only warns of, an authorizer that can't be made, ends it here.

    Args:
        perform: calls an operation on the API.
        document: the file.
        base_path: ``ignore``, ``prepend`` or ``split``.
    """

    def __init__(self, perform: Perform, document: Document, base_path: str) -> None:
        self._perform = perform
        self._document = document
        self._base_path = base_path
        self._security = SecurityRequirements(document)
        self._shared: dict[str, str] = {}
        self.report = ImportReport()

    async def run(self, *, is_new: bool) -> None:
        """Make all that the file describes."""
        for name in self._document.data:
            if name.startswith(EXTENSION) and name.removeprefix(EXTENSION) not in _EXTENSIONS:
                raise not_offered(f"{name} of an HTTP API")
        settings = self._settings()
        await self._perform(
            "CreateApi" if is_new else "UpdateApi",
            {**settings, "protocolType": "HTTP"} if is_new else settings,
        )
        for name, scheme in self._security.described().items():
            with self.report.step(f"Unable to create Authorizer '{name}'", is_warning=True):
                await self._authorizer(name, object_in(scheme, AUTHORIZER))
        self.report.check(fail_on_warnings=True)
        for path in self._document.paths:
            if not path.startswith("x-"):
                await self._path(path, object_in(self._document.paths, path))

    def _settings(self) -> JsonObject:
        document = self._document
        endpoint = document.endpoint_configuration()
        for name in endpoint:
            if name != "disableExecuteApiEndpoint":
                raise not_offered(f"{ENDPOINT}.{name}")
        return {
            "name": text_in(document.info, "title"),
            "description": text_in(document.info, "description") or None,
            "version": text_in(document.info, "version") or None,
            "disableExecuteApiEndpoint": endpoint.get("disableExecuteApiEndpoint", False),
            "corsConfiguration": document.data.get(_CORS),
        }

    async def _authorizer(self, name: str, asked: JsonObject) -> None:
        for member in asked:
            if member not in (*_AUTHORIZER_MEMBERS, "type", "identitySource"):
                raise not_offered(f"{AUTHORIZER}.{member} of an HTTP API")
        kind, source = text_in(asked, "type").upper(), asked.get("identitySource") or []
        if isinstance(source, str):
            source = [one.strip() for one in source.split(",") if one.strip()]
        members = {wire: asked[m] for m, wire in _AUTHORIZER_MEMBERS.items() if m in asked}
        version = asked.get("authorizerPayloadFormatVersion")
        if version is not None:
            members["authorizerPayloadFormatVersion"] = _format(version)
        made = await self._perform(
            "CreateAuthorizer",
            {**members, "name": name, "authorizerType": kind, "identitySource": source},
        )
        asks = {"authorizationType": "JWT" if kind == "JWT" else "CUSTOM"}
        self._security.authorizers[name] = {**asks, "authorizerId": made["authorizerId"]}

    async def _path(self, path: str, item: JsonObject) -> None:
        if "$ref" in item:
            raise not_offered("$ref of a path")
        if not path.startswith("/"):
            self.report.warnings.append(  # recorded 22.24
                f"Parse issue: attribute paths. Resource {path} should start with /"
            )
        for name in item:
            if name in VERBS or name == ANY_METHOD:
                operation = object_in(item, name)
                is_default = path.removeprefix("/") == DEFAULT
                verb = "ANY" if name == ANY_METHOD else name.upper()
                key = DEFAULT if is_default else f"{verb} {self._placed(path)}"
                with self.report.step(f"Unable to create Route '{key}'"):
                    await self._route(key, operation)
            elif name.startswith(EXTENSION):
                raise not_offered(f"{name} of a path")

    def _placed(self, path: str) -> str:
        parts = placed_path(path, self._document.base_path(), self._base_path)
        return "/" + "/".join(parts)

    async def _route(self, key: str, operation: JsonObject) -> None:
        for name in operation:
            if name.startswith(EXTENSION) and name not in _OPERATION_EXTENSIONS:
                raise not_offered(f"{name} of an HTTP API")
        is_default = operation.get("isDefaultRoute")
        if is_default is not None and is_default is not (key == DEFAULT):
            raise not_offered(f"isDefaultRoute at {key}")
        asked = self._security.asked_by(operation)
        target = None
        if operation.get(f"{EXTENSION}integration") is not None:
            target = f"integrations/{await self._integration(operation)}"
        await self._perform(
            "CreateRoute",
            {
                "routeKey": key,
                "target": target,
                "operationName": text_in(operation, "operationId") or None,
                **asked,
            },
        )

    async def _integration(self, operation: JsonObject) -> str:
        """The id of an operation's integration; one that several name is made once."""
        reference = str(object_in(operation, f"{EXTENSION}integration").get("$ref", ""))
        if reference in self._shared:
            return self._shared[reference]
        asked = self._document.integration(operation)
        members: JsonObject = {}
        for name, value in asked.items():
            if name not in _INTEGRATION_MEMBERS:
                raise not_offered(f"{EXTENSION}integration.{name} of an HTTP API")
            members[_INTEGRATION_MEMBERS[name]] = value
        for name in ("integrationType", "integrationMethod", "connectionType"):
            if isinstance(members.get(name), str):
                members[name] = members[name].upper()
        if "payloadFormatVersion" in members:
            members["payloadFormatVersion"] = _format(members["payloadFormatVersion"])
        made = await self._perform("CreateIntegration", members)
        integration_id = str(made["integrationId"])
        if reference:
            self._shared[reference] = integration_id
        return integration_id


def _format(version: object) -> object:
    """A format's version as text: YAML has ``2.0`` as a number."""
    return str(version) if isinstance(version, float) else version
