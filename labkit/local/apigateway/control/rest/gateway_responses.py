"""Gateway responses of REST APIs: ``PutGatewayResponse`` and the like (gateway 1.1–1.5, recorded 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.rest.lookup import rest_api
from labkit.local.apigateway.control.rest.methods import invalid_parameter
from labkit.local.apigateway.control.store import GatewayStore, Records

JsonObject = dict[str, Any]

DEFAULT_STATUS: Mapping[str, str | None] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
"""The types and their status (gateway 1.1, 1.2)."""
_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
_EVERY = ("add", "remove", "replace")
PATCHES = PatchTable(
    (
        PatchPath("/statusCode"),
        PatchPath("/responseParameters/{}", _EVERY),
        PatchPath("/responseTemplates/{}", _EVERY),
    ),
    invalid_path,
    lambda patch, _path: invalid_path(patch),
)
_STATUS = re.compile("[1-5][0-9]{2}")
_HEADER = re.compile(r"gatewayresponse\.header\.\S+")


class GatewayResponseOperations:
    """The operations on gateway responses.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def put_gateway_response(self, call: Call) -> JsonObject:
        """Set a type; what isn't given is the type's default (recorded 7.1, 7.15)."""
        kind = call.text("responseType")
        made = {
            **_default(kind),
            "defaultResponse": False,
            **{
                name: call.parameters[name]
                for name in ("statusCode", "responseParameters", "responseTemplates")
                if call.parameters.get(name) not in (None, {})
            },
        }
        _check(made)
        rest_api(self._store, call).gateway_responses[kind] = made
        return made

    def get_gateway_response(self, call: Call) -> JsonObject:
        """One type: as it was set, or as its family says (recorded 7.3, 7.16)."""
        return shown_response(
            rest_api(self._store, call).gateway_responses, call.text("responseType")
        )

    def get_gateway_responses(self, call: Call) -> JsonObject:
        """All types, in the alphabet's order."""
        customised = rest_api(self._store, call).gateway_responses
        return {"item": [shown_response(customised, kind) for kind in DEFAULT_STATUS]}

    def update_gateway_response(self, call: Call) -> JsonObject:
        """Change a type; a default becomes a customised one (recorded 7.10–7.14)."""
        api = rest_api(self._store, call)
        kind = call.text("responseType")
        record = api.gateway_responses.get(kind) or {**_default(kind), "defaultResponse": False}
        for operation in call.patches:
            if operation.get("path") is None:
                raise bad_request("Invalid patch path null")
        for patch in patches_of(call.patches):
            path = PATCHES.find(patch)
            part, *names = patch.names
            if names and patch.op != "remove" and not patch.value:
                raise bad_request(f"Invalid null or empty value in {part}")
            if names and (
                patch.op == "remove" or (part == "responseParameters" and patch.op == "replace")
            ):
                _check_is_there(record, part, names[0])
            record = {name: dict(v) if isinstance(v, dict) else v for name, v in record.items()}
            if names and patch.op == "remove":
                del record[part][names[0]]
            elif names:
                record[part][names[0]] = patch.value
            elif path.template == "/statusCode":
                record["statusCode"] = str(patch.value or "")
        _check(record)
        api.gateway_responses[kind] = record
        return record

    def delete_gateway_response(self, call: Call) -> None:
        """Make a type the default again (recorded 7.2)."""
        customised = rest_api(self._store, call).gateway_responses
        if call.text("responseType") not in customised:
            raise not_found("Gateway response type not defined on api")
        del customised[call.text("responseType")]


def shown_response(customised: Records, kind: str) -> JsonObject:
    """A type as answers show it: one that isn't set has what its ``DEFAULT_*`` type has (gateway 1.3)."""
    if kind in customised:
        return customised[kind]
    status = DEFAULT_STATUS[kind] or ""
    family = customised.get(f"DEFAULT_{status[:1]}XX") if status else None
    inherited: JsonObject = {
        name: family[name]
        for name in ("responseParameters", "responseTemplates", "statusCode")
        if family and name in family
    }
    return {**_default(kind), **inherited, "defaultResponse": True}


def _default(kind: str) -> JsonObject:
    status = DEFAULT_STATUS[kind]
    return {
        "responseType": kind,
        **({"statusCode": status} if status else {}),
        "responseParameters": {},
        "responseTemplates": dict(_TEMPLATES),
    }


def _check(record: JsonObject) -> None:
    status = record.get("statusCode")
    if status is not None and not _STATUS.fullmatch(str(status)):
        raise bad_request("Invalid status code specified")
    for name in record["responseParameters"]:
        if not _HEADER.fullmatch(name):
            raise invalid_parameter(name)


def _check_is_there(record: JsonObject, part: str, name: str) -> None:
    if name not in record[part]:
        raise not_found(
            "Invalid parameter name specified"
            if part == "responseParameters"
            else "Content-Type specified was not found"
        )
