"""Methods of REST APIs and their responses: ``PutMethod``, ``PutMethodResponse`` and the like."""

from __future__ import annotations

import copy
import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchOperation,
    PatchPath,
    PatchTable,
    apply_patch,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import method, resource
from labkit.local.apigateway.control.store import GatewayStore, RestApi
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
MAX_SCOPES = 10
"""Of a method (gateway 14)."""
_EVERY = ("add", "remove", "replace")
_SCOPES = "/authorizationScopes"
PATCHES = PatchTable(
    (
        PatchPath("/apiKeyRequired", ("replace",), "boolean"),
        PatchPath("/authorizationType"),
        PatchPath("/authorizerId"),
        PatchPath(_SCOPES, _EVERY),
        PatchPath("/operationName"),
        PatchPath("/requestParameters/{}", _EVERY, "boolean"),
        PatchPath("/requestModels/{}", _EVERY),
        PatchPath("/requestValidatorId"),
    ),
    invalid_path,
    one_of_operations,
)
RESPONSE_PATCHES = PatchTable(
    (
        PatchPath("/responseParameters/{}", _EVERY, "boolean"),
        PatchPath("/responseModels/{}", _EVERY),
    ),
    invalid_path,
    one_of_operations,
)
_PARAMETER = re.compile(r"method\.request\.(?:querystring|header|path)\.(?P<name>[^\s]+)")
_RESPONSE_PARAMETER = re.compile(r"method\.response\.header\.[^\s]+")
_AUTHORIZER_TYPES = {
    "CUSTOM": ("TOKEN", "REQUEST"),
    "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",),
    "JWT": ("JWT",),
}
_NO_AUTHORIZER = (
    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid "
    "authorizer."
)


class MethodOperations:
    """The operations on methods and method responses.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def put_method(self, call: Call) -> JsonObject:
        """Make a method (recorded 3.1–3.6)."""
        below = resource(self._store, call)
        verb = call.text("httpMethod")
        if verb not in VERBS:
            raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(VERBS)}")
        if verb in below.get("resourceMethods", {}):
            raise conflict("Method already exists for this resource")
        asked = call.given(
            "authorizerId",
            "authorizationScopes",
            "operationName",
            "requestParameters",
            "requestModels",
            "requestValidatorId",
        )
        made = {
            "httpMethod": verb,
            "apiKeyRequired": bool(call.parameters.get("apiKeyRequired")),
            **asked,
            # in small letters too (recorded 3.39)
            "authorizationType": call.text("authorizationType").upper(),
        }
        made = checked_method(self._api(call), made)
        below.setdefault("resourceMethods", {})[verb] = made
        return made

    def get_method(self, call: Call) -> JsonObject:
        """One method with its integration and its responses."""
        return method(self._store, call)

    def update_method(self, call: Call) -> JsonObject:
        """Change a method (recorded 3.8–3.15)."""
        found = method(self._store, call)
        changed = copy.deepcopy(found)
        for patch in patches_of(call.patches):
            path = PATCHES.find(patch)
            if path.template == _SCOPES:
                changed["authorizationScopes"] = patched_scopes(
                    changed.get("authorizationScopes") or [], patch
                )
            else:
                apply_patch(changed, patch, path)
        for name in ("requestValidatorId", "operationName", "authorizerId", "authorizationScopes"):
            if not changed.get(name):
                changed.pop(name, None)
        changed = checked_method(self._api(call), changed)
        found.clear()
        found.update(changed)
        return found

    def delete_method(self, call: Call) -> None:
        """Delete a method with its integration."""
        verb = method(self._store, call)["httpMethod"]
        del resource(self._store, call)["resourceMethods"][verb]

    # -- method responses ---------------------------------------------------------------

    def put_method_response(self, call: Call) -> JsonObject:
        """Make a response of a method."""
        found = method(self._store, call)
        status = call.text("statusCode")
        if status in found.get("methodResponses", {}):
            raise conflict("Response already exists for this resource")
        asked: JsonObject = {
            name: call.parameters[name]
            for name in ("responseParameters", "responseModels")
            if name in call.parameters
        }
        made = {"statusCode": status, **asked}
        check_method_response(self._api(call), made)
        found.setdefault("methodResponses", {})[status] = made
        return made

    def get_method_response(self, call: Call) -> JsonObject:
        """One response of a method."""
        return self._response(call)

    def update_method_response(self, call: Call) -> JsonObject:
        """Change a response of a method (recorded 8.21–8.24)."""
        found = self._response(call)
        patches = patches_of(call.patches)
        for patch in patches:
            path = RESPONSE_PATCHES.find(patch)
            if patch.op != "add":
                check_is_there(found, path, patch)
        changed = RESPONSE_PATCHES.apply(found, patches)
        check_method_response(self._api(call), changed)
        method(self._store, call)["methodResponses"][found["statusCode"]] = changed
        return changed

    def delete_method_response(self, call: Call) -> None:
        """Delete a response of a method."""
        status = self._response(call)["statusCode"]
        del method(self._store, call)["methodResponses"][status]

    def _response(self, call: Call) -> JsonObject:
        responses = method(self._store, call).get("methodResponses", {})
        found: JsonObject | None = responses.get(call.text("statusCode"))
        if found is None:
            raise not_found("Invalid Response status code specified")
        return found

    def _api(self, call: Call) -> RestApi:
        return self._store.region(call.region).rest_apis[call.text("restApiId")]


def checked_method(api: RestApi, record: JsonObject) -> JsonObject:
    """A method, if its API has what it names; an authorizer id that its type doesn't use goes (recorded 3.14).

    Raises:
        ApiError: ``BadRequestException``.
    """
    kind = record.get("authorizationType")
    if kind not in ("NONE", "AWS_IAM", *_AUTHORIZER_TYPES):  # its words aren't known
        raise bad_request(
            "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS"
        )
    if kind in _AUTHORIZER_TYPES:
        authorizer = api.authorizers.get(str(record.get("authorizerId"))) or {}
        if authorizer.get("type") not in _AUTHORIZER_TYPES[kind]:
            raise bad_request(_NO_AUTHORIZER)
    else:
        record = {name: value for name, value in record.items() if name != "authorizerId"}
    scopes = record.get("authorizationScopes") or []
    if scopes and kind not in ("COGNITO_USER_POOLS", "JWT"):  # rest_jwt 16.14
        raise bad_request(
            "Authorization Scopes are only valid for COGNITO_USER_POOLS authorization type"
        )
    if len(scopes) > MAX_SCOPES:
        raise bad_request(f"A method can't have more than {MAX_SCOPES} authorization scopes")
    names = []
    for parameter in record.get("requestParameters") or {}:
        match = _PARAMETER.fullmatch(parameter)
        if match is None:  # recorded 3.36
            raise invalid_mapping(f"Invalid mapping expression specified: {parameter}")
        names.append(match["name"])
    if len(names) != len(set(names)):
        raise bad_request("Parameter names must be unique across querystring, header and path")
    _check_models(api, record.get("requestModels") or {})
    validator = record.get("requestValidatorId")
    if validator and validator not in api.request_validators:
        raise bad_request("Invalid Request Validator identifier specified")
    return record


def check_method_response(api: RestApi, record: JsonObject) -> None:
    """Refuse a method response that names what isn't there.

    Raises:
        ApiError: ``BadRequestException``.
    """
    for parameter in record.get("responseParameters") or {}:
        if not _RESPONSE_PARAMETER.fullmatch(parameter):
            raise invalid_parameter(parameter)
    _check_models(api, record.get("responseModels") or {})


def check_is_there(record: JsonObject, path: PatchPath, patch: PatchOperation) -> None:
    """Refuse to replace or remove an entry that a map doesn't have (recorded 8.23).

    Raises:
        ApiError: ``NotFoundException``.
    """
    kind = path.template.split("/")[1]
    if kind.endswith("Parameters") and patch.names[-1] not in record.get(kind, {}):
        raise not_found("Invalid parameter name specified")
    if kind.endswith(("Models", "Templates")) and patch.names[-1] not in record.get(kind, {}):
        raise not_found("Content-Type specified was not found")


def invalid_parameter(expression: object) -> ApiError:
    """The refusal of a parameter that nobody declared, or that is none."""
    return invalid_mapping(f"Invalid mapping expression parameter specified: {expression}")


def invalid_mapping(error: str) -> ApiError:
    """The refusal of a mapping."""
    return bad_request(
        f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [{error}]"
    )


def patched_scopes(scopes: list[str], patch: PatchOperation) -> list[str]:
    """The scopes after a patch operation, whose value may list several, separated by commas.

    >>> patched_scopes(["a"], PatchOperation("add", "/authorizationScopes", "b,c"))
    ['a', 'b', 'c']
    """
    values = [v.strip() for v in str(patch.value or "").split(",") if v.strip()]
    if patch.op == "replace":
        return values
    if patch.op == "remove":
        return [scope for scope in scopes if values and scope not in values]
    return [*scopes, *(value for value in values if value not in scopes)]


def _check_models(api: RestApi, models: JsonObject) -> None:
    for name in models.values():
        if name not in api.models:
            raise bad_request(f"Invalid model identifier specified: {name}")
