"""A setting overlooked on purpose: the product sees each call without one of its members."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from labkit.local.apigateway.control.control_plane import ApiGatewayControlPlane
from labkit.local.apigateway.control.operations import Call, Operation
from labkit.local.cognito.user_pools import UserPoolService
from labkit.local.front.access import service_of
from labkit.local.front.called_operation import _IN_LISTS, read_action, read_path, read_target
from labkit.local.front.services import Services
from labkit.local.messages import Request, Response
from labkit.local.offered import PATCHES, fits

Answer = Callable[[Any, Request], Awaitable[Response]]
QUERY_SERVICES = ("iam", "sts")
API_GATEWAY = ("apigateway", "apigatewayv2")


def overlook(stack: ExitStack, service: str, operation: str, member: str) -> None:
    """Until the stack is closed, calls of the operation come without the member."""
    if service in API_GATEWAY:
        own = ApiGatewayControlPlane._answer

        async def without(self: ApiGatewayControlPlane, called: Operation, call: Call) -> Response:
            if (called.service, called.name) == (service, operation):
                call = replace(call, parameters=_parameters_without(call.parameters, member))
            return await own(self, called, call)

        stack.enter_context(patch.object(ApiGatewayControlPlane, "_answer", without))
        return
    for owner, name in ((Services, "answer"), (UserPoolService, "handle")):
        stack.enter_context(
            patch.object(owner, name, _without(getattr(owner, name), service, operation, member))
        )


def _without(own: Answer, service: str, operation: str, member: str) -> Answer:
    async def answer(self: Any, request: Request) -> Response:
        return await own(self, without_member(request, service, operation, member))

    return answer


def without_member(request: Request, service: str, operation: str, member: str) -> Request:
    """The request without a member, if it calls the operation."""
    if service_of(request) != service:
        return request
    if request.header("x-amz-target"):
        called = read_target(request)
    elif service in QUERY_SERVICES:
        called = read_action(request)
    else:
        called = read_path(request, service)
    if called.operation != operation:
        return request
    if service in QUERY_SERVICES:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        kept = [pair for pair in pairs if not _is_in(_IN_LISTS.sub("", pair[0]), member)]
        return replace(request, body=urlencode(kept).encode())
    if operation == "Invoke":
        return _invocation_without(request, member)
    query = [pair for pair in request.query if pair[0] != member]
    return replace(request, body=_body_without(request.body, member), query_string=urlencode(query))


def _is_in(name: str, member: str) -> bool:
    return name == member or name.startswith(f"{member}.")


def _invocation_without(request: Request, member: str) -> Request:
    name = f"x-amz-{'invocation-type' if member == 'InvocationType' else 'log-type'}"
    return replace(
        request,
        headers=[pair for pair in request.headers if pair[0].lower() != name],
        query_string="" if member == "Qualifier" else request.query_string,
        body=b"{}" if member == "Payload" else request.body,
    )


def _body_without(body: bytes, member: str) -> bytes:
    try:
        data = json.loads(body or b"null")
    except ValueError:
        return body
    _drop(data, member.split("."))
    return json.dumps(data).encode() if data is not None else body


def _parameters_without(parameters: dict[str, Any], member: str) -> dict[str, Any]:
    """Parameters of API Gateway, which begin with a small letter, without a member or a path of patch operations."""
    found = copy.deepcopy(parameters)
    if member.startswith("/"):
        kept = [one for one in found.get(PATCHES, ()) if not fits(member, str(one.get("path")))]
        return {**found, PATCHES: kept}
    _drop(found, [f"{name[:1].lower()}{name[1:]}" for name in member.split(".")])
    return found


def _drop(value: Any, path: list[str]) -> None:
    if isinstance(value, list):
        for one in value:
            _drop(one, path)
    elif isinstance(value, dict):
        if path[0] == "*":
            for one in value.values():
                _drop(one, path[1:])
        elif len(path) == 1:
            value.pop(path[0], None)
        else:
            _drop(value.get(path[0]), path[1:])
