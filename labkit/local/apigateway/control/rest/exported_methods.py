"""A REST API's methods as operations of an OpenAPI file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labkit.local.apigateway.control.openapi.document import EXTENSION
from labkit.local.apigateway.control.rest.integrations import TIMEOUT_MS

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between the versions.

    Attributes:
        is_swagger: version 2.0, not 3.0.
        schemas: how a reference to a schema begins.
    """

    is_swagger: bool
    schemas: str


SWAGGER = Form(is_swagger=True, schemas="#/definitions/")
V3 = Form(is_swagger=False, schemas="#/components/schemas/")


@dataclass(frozen=True, slots=True)
class SchemeNames:
    """How the file names the security schemes that aren't authorizers."""

    api_key: str
    sigv4: str


_PLACES = {"querystring": "query", "header": "header", "path": "path"}
_INTEGRATION_MEMBERS = (
    "connectionType",
    "connectionId",
    "contentHandling",
    "credentials",
    "httpMethod",
    "uri",
    "requestParameters",
    "requestTemplates",
)
_RESPONSE_MEMBERS = ("statusCode", "responseParameters", "responseTemplates", "contentHandling")


class MethodExport:
    """The methods of an API that a deployment froze.

    Args:
        configuration: the frozen records.
        extensions: which extensions the file has.
    """

    def __init__(self, configuration: Mapping[str, Any], extensions: frozenset[str]) -> None:
        self._authorizers: Mapping[str, JsonObject] = configuration["authorizers"]
        self._validators: Mapping[str, JsonObject] = configuration["validators"]
        self._extensions = extensions
        self._all: list[JsonObject] = [
            method
            for resource in configuration["resources"].values()
            for method in (resource.get("resourceMethods") or {}).values()
        ]
        taken = {one["name"] for one in self._authorizers.values()}
        self.scheme_names = SchemeNames(_free("api_key", taken), _free("sigv4", taken))

    @property
    def uses_keys(self) -> bool:
        """Whether a method wants an API key."""
        return any(method.get("apiKeyRequired") for method in self._all)

    @property
    def uses_iam(self) -> bool:
        """Whether a method wants a signature."""
        return any(method["authorizationType"] == "AWS_IAM" for method in self._all)

    def models(self) -> set[str]:
        """The models that methods name."""
        found: set[str] = set()
        for method in self._all:
            responses = (method.get("methodResponses") or {}).values()
            for owner in (
                (method.get("requestModels")),
                *(r.get("responseModels") for r in responses),
            ):
                found |= set((owner or {}).values())
        return found

    def validator_name(self, validator: JsonObject) -> str:
        """A validator's name; one without has its id."""
        return str(validator.get("name") or validator["id"])

    def operation(self, method: JsonObject, resource_id: str, form: Form) -> JsonObject:
        """One method (recorded 23.6, 23.7)."""
        found: JsonObject = {}
        if method.get("operationName"):
            found["operationId"] = method["operationName"]
        if form.is_swagger:
            found.update(_media_types(method))
        parameters = _parameters(method, form)
        models = method.get("requestModels") or {}
        if models and form.is_swagger:
            name = next(iter(models.values()))
            schema = {"$ref": form.schemas + name}
            parameters.append({"in": "body", "name": name, "required": True, "schema": schema})
        if parameters:
            found["parameters"] = parameters
        if models and not form.is_swagger:
            found["requestBody"] = {"content": _content(models, form), "required": True}
        responses = method.get("methodResponses") or {}
        if responses:
            found["responses"] = {
                status: _response(status, one, form) for status, one in responses.items()
            }
        security = self._security(method)
        if security:
            found["security"] = security
        validator = self._validators.get(str(method.get("requestValidatorId")))
        if validator and "apigateway" in self._extensions:
            found[f"{EXTENSION}request-validator"] = self.validator_name(validator)
        integration = method.get("methodIntegration")
        if integration and "integrations" in self._extensions:
            found[f"{EXTENSION}integration"] = _integration(integration, resource_id)
        return found

    def _security(self, method: JsonObject) -> list[JsonObject]:
        found: list[JsonObject] = []
        authorizer = self._authorizers.get(str(method.get("authorizerId")))
        if authorizer:
            found.append({authorizer["name"]: list(method.get("authorizationScopes") or ())})
        elif method["authorizationType"] == "AWS_IAM":
            found.append({self.scheme_names.sigv4: []})
        if method.get("apiKeyRequired"):
            found.append({self.scheme_names.api_key: []})
        return found


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _media_types(method: JsonObject) -> JsonObject:
    """``consumes`` and ``produces``: of the models, else of the templates."""
    integration = method.get("methodIntegration") or {}
    consumes = method.get("requestModels") or integration.get("requestTemplates") or {}
    produces: dict[str, None] = {}
    for owner, member in (
        (method.get("methodResponses"), "responseModels"),
        (integration.get("integrationResponses"), "responseTemplates"),
    ):
        for response in (owner or {}).values() if not produces else ():
            produces.update(dict.fromkeys(response.get(member) or ()))
    found = {"consumes": list(consumes), "produces": list(produces)}
    return {name: kinds for name, kinds in found.items() if kinds}


def _parameters(method: JsonObject, form: Form) -> list[JsonObject]:
    found = []
    for name, required in (method.get("requestParameters") or {}).items():
        place, _dot, rest = name.removeprefix("method.request.").partition(".")
        one: JsonObject = {"name": rest, "in": _PLACES[place]}
        if required or form.is_swagger:
            one["required"] = required
        found.append({**one, **_text(form)})
    return found


def _text(form: Form) -> JsonObject:
    return {"type": "string"} if form.is_swagger else {"schema": {"type": "string"}}


def _content(models: Mapping[str, str], form: Form) -> JsonObject:
    return {kind: {"schema": {"$ref": form.schemas + name}} for kind, name in models.items()}


def _response(status: str, response: JsonObject, form: Form) -> JsonObject:
    found: JsonObject = {"description": f"{status} response"}
    models = response.get("responseModels") or {}
    headers = {
        name.removeprefix("method.response.header."): _text(form)
        for name in response.get("responseParameters") or {}
    }
    if form.is_swagger and models:
        found["schema"] = {"$ref": form.schemas + next(iter(models.values()))}
    if headers:
        found["headers"] = headers
    if not form.is_swagger:
        found["content"] = _content(models, form)
    return found


def _integration(integration: JsonObject, resource_id: str) -> JsonObject:
    """An integration; what has its default isn't written (recorded 23.8)."""
    found: JsonObject = {
        name: integration[name]
        for name in _INTEGRATION_MEMBERS
        if name in integration and (name, integration[name]) != ("connectionType", "INTERNET")
    }
    responses = {
        response.get("selectionPattern") or "default": {
            name: response[name] for name in _RESPONSE_MEMBERS if name in response
        }
        for response in (integration.get("integrationResponses") or {}).values()
    }
    if responses:
        found["responses"] = responses
    found["passthroughBehavior"] = integration["passthroughBehavior"].lower()
    if integration["timeoutInMillis"] != TIMEOUT_MS[1]:
        found["timeoutInMillis"] = integration["timeoutInMillis"]
    if integration["cacheNamespace"] != resource_id:
        found["cacheNamespace"] = integration["cacheNamespace"]
    if integration["cacheKeyParameters"]:
        found["cacheKeyParameters"] = integration["cacheKeyParameters"]
    found["type"] = integration["type"].lower()
    return found
