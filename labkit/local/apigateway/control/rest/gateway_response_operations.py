"""``GetGatewayResponses``, ``GetGatewayResponse`` and ``UpdateGatewayResponse`` (gateway 1.1-1.5).

The engine lists the types in another order, doesn't let them inherit a ``DEFAULT_*`` status, and can't update one.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from labkit.local.apigateway.answers import bad_request, with_body
from labkit.local.messages import Request, Response

Record = dict[str, Any]

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

_RESPONSES = re.compile(r"/restapis/([^/]+)/gatewayresponses(?:/([^/]+))?/?")
_STATUS = re.compile(r"[1-5][0-9]{2}")


class GatewayResponses(Protocol):
    """What the operations ask of the control plane's state."""

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region of an API, or None."""

    def gateway_responses(self, api_id: str, region: str) -> dict[str, Record]:
        """The live customised responses by type; may be changed."""


def is_gateway_response_operation(request: Request) -> bool:
    """Whether a control-plane call is one of the operations."""
    return request.method in ("GET", "PATCH") and bool(_RESPONSES.fullmatch(request.raw_path))


async def answer_gateway_response_operation(
    request: Request, state: GatewayResponses, forward: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Answer one of the operations; the engine decides first whether the caller may make it."""
    match = _RESPONSES.fullmatch(request.raw_path)
    assert match is not None
    api_id, kind = match.groups()
    verdict = await forward(request)
    region = state.rest_api_region(api_id)
    if region is None:
        return verdict
    customised = state.gateway_responses(api_id, region)
    if request.method == "PATCH":
        # The engine doesn't know the operation: its 404 means that the caller was authorized.
        if verdict.status != 404:
            return verdict
        if kind not in DEFAULT_STATUS:
            return bad_request(f"Invalid gateway response type: {kind}")
        return _update(request, kind, customised)
    if verdict.status != 200:
        return verdict
    answer = verdict.json()
    if kind is None:
        answer["item"] = sorted(
            (_inherited(item, customised) for item in answer["item"]),
            key=lambda r: str(r["responseType"]),
        )
    else:
        answer = _inherited(answer, customised)
    return with_body(verdict, answer)


def _inherited(shown: Record, customised: Mapping[str, Record]) -> Record:
    """The record of a type; one that isn't customised reports the status of its ``DEFAULT_*`` type (gateway 1.3)."""
    status = str(shown.get("statusCode") or "")
    family = customised.get(f"DEFAULT_{status[0]}XX", {}) if status else {}
    if shown.get("defaultResponse") and family.get("statusCode"):
        return {**shown, "statusCode": family["statusCode"]}
    return shown


def _default(kind: str) -> Record:
    status = DEFAULT_STATUS[kind]
    return {
        "responseType": kind,
        **({"statusCode": status} if status else {}),
        "responseParameters": {},
        "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
        "defaultResponse": False,
    }


def _update(request: Request, kind: str, customised: dict[str, Record]) -> Response:
    """Apply the patch operations to a type; the first one turns a default into a customised response."""
    record = copy.deepcopy(customised.get(kind)) or _default(kind)
    try:
        for operation in json.loads(request.body or b"{}").get("patchOperations") or []:
            _apply(record, operation["op"], operation["path"], operation.get("value"))
    except _InvalidPatchError as error:
        return bad_request(str(error))
    except (ValueError, AttributeError, KeyError, TypeError):
        return bad_request("Invalid request input")
    customised[kind] = record
    return Response.of_json(record)


class _InvalidPatchError(Exception):
    """The operation can't be applied; its text is the client's message."""


def _apply(record: Record, verb: str, path: str, value: object) -> None:
    part, _slash, key = path.removeprefix("/").partition("/")
    if part == "statusCode" and not key and verb == "replace":
        if not _STATUS.fullmatch(str(value)):
            raise _InvalidPatchError("Invalid status code specified")
        record["statusCode"] = str(value)
    elif (
        part in ("responseParameters", "responseTemplates")
        and key
        and verb in ("add", "replace", "remove")
    ):
        values = record[part] = dict(record.get(part) or {})
        name = key.replace("~1", "/").replace("~0", "~")
        if verb == "remove":
            values.pop(name, None)
        else:
            values[name] = str(value or "")
    else:
        raise _InvalidPatchError(f"Invalid patch path {path}")
