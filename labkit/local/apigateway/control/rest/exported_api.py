"""A REST API's frozen configuration as an OpenAPI file."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from labkit.local.apigateway.control.openapi.document import ANY_METHOD, ENDPOINT, EXTENSION
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.control.rest.exported_methods import SWAGGER, V3, Form, MethodExport
from labkit.local.apigateway.control.rest.models import DEFAULT_MODELS

JsonObject = dict[str, Any]

_MODEL = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/(?P<name>[^/]+)")
_AUTHORIZER_MEMBERS = (
    "authorizerUri",
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "identityValidationExpression",
    "providerARNs",
)
_HEADER = "method.request.header."
_RESPONSE_MEMBERS = ("statusCode", "responseParameters", "responseTemplates")


class ApiExport:
    """An API that a deployment froze.

    Args:
        configuration: ``api``, ``resources``, ``authorizers``, ``models``, ``validators``, ``gateway_responses``.
        region: of the API.
        stage: its name.
        extensions: which of ``integrations``, ``authorizers`` and ``apigateway`` the file has.
    """

    def __init__(
        self,
        configuration: Mapping[str, Any],
        region: str,
        stage: str,
        extensions: frozenset[str],
    ) -> None:
        self._configuration = configuration
        self._settings: JsonObject = configuration["api"]
        self._region = region
        self._stage = stage
        self._extensions = extensions
        self._authorizers: Mapping[str, JsonObject] = configuration["authorizers"]
        self._methods = MethodExport(configuration, extensions)

    @property
    def version(self) -> str:
        """As the API says it, or when it was made (recorded 23.4)."""
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._settings["createdDate"]))
        return str(self._settings.get("version") or made)

    def swagger(self) -> JsonObject:
        """Version 2.0 (recorded 23.2)."""
        models, schemes = self._models(SWAGGER), self._security_schemes()
        return {
            "swagger": "2.0",
            "info": self._info("description", "version", "title"),
            "host": self._host,
            "basePath": f"/{self._stage}",
            "schemes": ["https"],
            "paths": self._paths(SWAGGER),
            **({"securityDefinitions": schemes} if schemes else {}),
            **({"definitions": models} if models else {}),
            **self._own_extensions(),
        }

    def openapi(self) -> JsonObject:
        """Version 3.0 (recorded 23.3)."""
        models, schemes = self._models(V3), self._security_schemes()
        server = {
            "url": f"https://{self._host}/{{basePath}}",
            "variables": {"basePath": {"default": self._stage}},
        }
        extensions = self._own_extensions()
        endpoint = extensions.pop(ENDPOINT, None)  # of a server in this version
        return {
            "openapi": "3.0.1",
            "info": self._info("title", "description", "version"),
            "servers": [{**server, **({ENDPOINT: endpoint} if endpoint else {})}],
            "paths": self._paths(V3),
            "components": {
                **({"schemas": models} if models else {}),
                **({"securitySchemes": schemes} if schemes else {}),
            },
            **extensions,
        }

    @property
    def _host(self) -> str:
        return f"{self._settings['id']}.execute-api.{self._region}.amazonaws.com"

    def _info(self, *order: str) -> JsonObject:
        found = {
            "title": self._settings["name"],
            "description": self._settings.get("description"),
            "version": self.version,
        }
        return {name: found[name] for name in order if found[name] is not None}

    def _paths(self, form: Form) -> JsonObject:
        found: JsonObject = {}
        for resource in self._configuration["resources"].values():
            for verb, method in (resource.get("resourceMethods") or {}).items():
                name = ANY_METHOD if verb == "ANY" else verb.lower()
                operation = self._methods.operation(method, resource["id"], form)
                found.setdefault(resource["path"], {})[name] = operation
        return found

    def _models(self, form: Form) -> JsonObject:
        """The schemas, without a new API's two as long as nobody uses them (recorded 23.2, 23.5)."""
        models: Mapping[str, JsonObject] = self._configuration["models"]
        schemas = {name: json.loads(model["schema"]) for name, model in models.items()}
        used = self._methods.models() | {
            name for one in schemas.values() for name in _named_in(one)
        }
        unused = {
            model["name"]
            for model in DEFAULT_MODELS
            if model["name"] not in used
            and models.get(model["name"], {}).get("schema") == model["schema"]
        }
        return {
            name: _local(schema, form) for name, schema in schemas.items() if name not in unused
        }

    def _security_schemes(self) -> JsonObject:
        schemes = {}
        names = self._methods.scheme_names
        for authorizer in self._authorizers.values():
            schemes[authorizer["name"]] = self._authorizer_scheme(authorizer)
        if self._methods.uses_keys:
            schemes[names.api_key] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
        if self._methods.uses_iam:
            scheme: JsonObject = {"type": "apiKey", "name": "Authorization", "in": "header"}
            if "authorizers" in self._extensions:
                scheme[f"{EXTENSION}authtype"] = "awsSigv4"
            schemes[names.sigv4] = scheme
        return schemes

    def _authorizer_scheme(self, authorizer: JsonObject) -> JsonObject:
        source = str(authorizer.get("identitySource") or "")
        is_header = authorizer["type"] != "REQUEST" and source.startswith(_HEADER)
        scheme: JsonObject = {
            "type": "apiKey",
            "name": source.removeprefix(_HEADER) if is_header else "Unused",
            "in": "header",
        }
        if "authorizers" in self._extensions:
            if authorizer["type"] == "JWT":  # how a file describes one isn't known (rest_jwt 16.19)
                raise not_offered(f"the export of the JWT authorizer {authorizer['name']}")
            described = {
                name: authorizer[name] for name in _AUTHORIZER_MEMBERS if name in authorizer
            }
            if source and not is_header:
                described["identitySource"] = source
            described["type"] = authorizer["type"].lower()
            scheme[f"{EXTENSION}authtype"] = authorizer["authType"]
            scheme[f"{EXTENSION}authorizer"] = described
        return scheme

    def _own_extensions(self) -> JsonObject:
        """What the API itself has beside its methods."""
        if "apigateway" not in self._extensions:
            return {}
        settings = self._settings
        validators = {
            self._methods.validator_name(one): {
                "validateRequestParameters": one["validateRequestParameters"],
                "validateRequestBody": one["validateRequestBody"],
            }
            for one in self._configuration["validators"].values()
        }
        responses = {
            kind: {name: one[name] for name in _RESPONSE_MEMBERS if one.get(name) is not None}
            for kind, one in self._configuration["gateway_responses"].items()
        }
        is_closed = settings["disableExecuteApiEndpoint"]
        source = settings["apiKeySource"]
        found: JsonObject = {
            "gateway-responses": responses or None,
            "request-validators": validators or None,
            "binary-media-types": settings.get("binaryMediaTypes"),
            "api-key-source": source if source != "HEADER" else None,
            "endpoint-configuration": {"disableExecuteApiEndpoint": True} if is_closed else None,
            "policy": json.loads(settings["policy"]) if settings.get("policy") else None,
        }
        return {f"{EXTENSION}{name}": one for name, one in found.items() if one is not None}


def _local(value: Any, form: Form) -> Any:
    """A schema whose references stay in the file."""
    if isinstance(value, list):
        return [_local(one, form) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _local(one, form) for name, one in value.items()}
    match = _MODEL.fullmatch(str(value.get("$ref", "")))
    if match:
        found["$ref"] = form.schemas + match["name"]
    return found


def _named_in(value: Any) -> set[str]:
    """The models to which a schema refers."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            match = _MODEL.fullmatch(str(one.get("$ref", "")))
            found |= {match["name"]} if match else set()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found
