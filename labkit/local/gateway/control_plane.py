"""Corrections in front of the engine's API Gateway control plane.

The engine keeps the configuration; here a deployment becomes a snapshot, ``TestInvokeMethod`` runs, and
``UpdateMethod`` understands ``/authorizationScopes``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.local.gateway.cognito_authorizer import CognitoAuthorizer
from labkit.local.gateway.gateway_response_operations import (
    GatewayResponses,
    answer_gateway_response_operation,
    is_gateway_response_operation,
)
from labkit.local.gateway.lambda_authorizer import LambdaAuthorizer
from labkit.local.gateway.pipeline import Pipeline
from labkit.local.gateway.rest_api import RestApiDataPlane, RestApis
from labkit.local.gateway.testinvoke import answer_test_invoke_method, failure, is_test_invoke
from labkit.local.gateway.testinvoke_authorizer import (
    answer_test_invoke_authorizer,
    is_test_invoke_authorizer,
)
from labkit.local.messages import Request, Response, without_headers

Forward = Callable[[Request], Awaitable[Response]]

_API = re.compile(r"/restapis/([^/]+)")
_DEPLOYMENTS = re.compile(r"/restapis/([^/]+)/deployments")
_DEPLOYMENT = re.compile(r"/restapis/([^/]+)/deployments/([^/]+)")
_AUTHORIZER_CACHE = re.compile(r"/restapis/([^/]+)/stages/([^/]+)/cache/authorizers")
_AUTHORIZERS = re.compile(r"/restapis/([^/]+)/authorizers/?")
_METHOD = re.compile(r"/restapis/([^/]+)/resources/([^/]+)/methods/([^/]+)")


class RestApiState(RestApis, GatewayResponses, Protocol):
    """The control plane's state."""

    def method(
        self, api_id: str, region: str, resource_id: str, http_method: str
    ) -> dict[str, Any] | None:
        """The live record of a method, or None."""

    def rest_api(self, api_id: str, region: str) -> dict[str, Any] | None:
        """The live record of an API, or None."""

    def serves(self, api_id: str, region: str, deployment_id: str) -> bool:
        """Whether a stage points to the deployment."""


@dataclass(frozen=True, slots=True)
class Authorizers:
    """The authorizers that look at tokens."""

    cognito: CognitoAuthorizer
    lambda_authorizer: LambdaAuthorizer


class RestApiControlPlane:
    """Answers the control-plane calls of REST APIs.

    Args:
        state: the engine's state.
        forward: lets the engine authorize and answer a call.
        data_plane: gets the snapshots.
        pipeline: runs ``TestInvokeMethod``.
        account_id: the account.
        authorizers: what ``TestInvokeAuthorizer`` asks and ``FlushStageAuthorizersCache`` empties.
    """

    def __init__(
        self,
        state: RestApiState,
        forward: Forward,
        data_plane: RestApiDataPlane,
        pipeline: Pipeline,
        account_id: str,
        authorizers: Authorizers,
    ) -> None:
        self._state = state
        self._forward = forward
        self._data_plane = data_plane
        self._pipeline = pipeline
        self._account_id = account_id
        self._authorizers = authorizers

    async def handle(self, request: Request) -> Response:
        """Answer one call. The engine decides first whether the caller may make it."""
        if is_test_invoke(request):
            return await self._test_invoke(request)
        if is_test_invoke_authorizer(request):
            return await self._test_invoke_authorizer(request)
        if request.method == "DELETE" and (match := _AUTHORIZER_CACHE.fullmatch(request.raw_path)):
            return await self._flush_authorizers_cache(request, *match.groups())
        if is_gateway_response_operation(request):
            return await answer_gateway_response_operation(request, self._state, self._forward)
        if _lacks_identity_source(request):
            return _bad_request("Invalid identity source specified")
        if request.method == "PATCH" and (match := _METHOD.fullmatch(request.raw_path)):
            return await self._update_method(request, *match.groups())
        if request.method == "DELETE" and (match := _DEPLOYMENT.fullmatch(request.raw_path)):
            return await self._delete_deployment(request, *match.groups())
        response = await self._forward(request)
        if response.status < 300:
            await self._follow(request, response)
        if request.method == "PATCH" and (match := _API.fullmatch(request.raw_path)):
            return self._with_truth_values(response, match[1])
        return response

    async def _follow(self, request: Request, response: Response) -> None:
        """Keep the snapshots in step with a change that the engine accepted."""
        if request.method == "POST" and (match := _DEPLOYMENTS.fullmatch(request.raw_path)):
            deployment = self._data_plane.deploy(match[1], response.json()["id"])
            if deployment is not None and deployment.validators:
                # It takes a second to load: not while a request waits.
                await asyncio.to_thread(importlib.import_module, "jsonschema")
        elif request.method == "DELETE" and (match := _API.fullmatch(request.raw_path)):
            self._data_plane.forget_deployment(match[1])

    async def _delete_deployment(
        self, request: Request, api_id: str, deployment_id: str
    ) -> Response:
        """A deployment that a stage serves stays. The engine would delete it, so it isn't asked."""
        region = self._state.rest_api_region(api_id)
        if region and self._state.serves(api_id, region, deployment_id):
            return _bad_request(
                "Active stages pointing to this deployment must be moved or deleted"
            )
        response = await self._forward(request)
        if response.status < 300:
            self._data_plane.forget_deployment(api_id, deployment_id)
        return response

    def _with_truth_values(self, response: Response, api_id: str) -> Response:
        """Patch values are text; the engine keeps ``"false"``, which isn't false."""
        region = self._state.rest_api_region(api_id)
        record = region and self._state.rest_api(api_id, region)
        if response.status >= 300 or not record:
            return response
        truth_values(record)
        headers = without_headers(response.headers, "content-length")
        return Response(
            response.status, headers, Response.of_json(truth_values(response.json())).body
        )

    async def _test_invoke(self, request: Request) -> Response:
        """The engine doesn't know the operation: its 404 means that the caller was authorized."""
        verdict = await self._forward(request)
        if verdict.status != 404:
            return verdict
        return await answer_test_invoke_method(
            request, self._state, self._pipeline, self._account_id
        )

    async def _test_invoke_authorizer(self, request: Request) -> Response:
        verdict = await self._forward(request)
        if verdict.status in (401, 403):
            return verdict
        return await answer_test_invoke_authorizer(
            request,
            self._state,
            self._account_id,
            self._authorizers.cognito,
            self._authorizers.lambda_authorizer,
        )

    async def _flush_authorizers_cache(self, request: Request, api_id: str, stage: str) -> Response:
        verdict = await self._forward(request)
        if verdict.status in (401, 403):
            return verdict
        region = self._state.rest_api_region(api_id)
        if region is None or self._state.stage(api_id, region, stage) is None:
            return failure(404, "NotFoundException", "Invalid stage identifier specified")
        self._authorizers.lambda_authorizer.flush(api_id, stage)
        return Response(202)

    async def _update_method(
        self, request: Request, api_id: str, resource_id: str, verb: str
    ) -> Response:
        """Apply the operations on ``/authorizationScopes`` here and leave the others to the engine."""
        # The engine authorizes the call as it was signed and applies it; what it makes of the scopes is replaced.
        try:
            operations = list(json.loads(request.body or b"{}").get("patchOperations") or [])
            scoped = [op for op in operations if op.get("path") == "/authorizationScopes"]
        except (ValueError, AttributeError, TypeError):
            return await self._forward(request)
        region = self._state.rest_api_region(api_id)
        method = region and self._state.method(api_id, region, resource_id, verb)
        before = [str(scope) for scope in (method or {}).get("authorizationScopes") or []]
        response = await self._forward(request)
        method = region and self._state.method(api_id, region, resource_id, verb)
        if response.status >= 300 or not method:
            return response
        if scoped:
            method["authorizationScopes"] = patched_scopes(before, scoped)
        truth_values(method)
        return Response(
            response.status,
            without_headers(response.headers, "content-length"),
            Response.of_json(method).body,
        )


def truth_values(record: dict[str, Any]) -> dict[str, Any]:
    """The record, its settings that are true or false no longer text.

    >>> truth_values({"apiKeyRequired": "false", "name": "false"})
    {'apiKeyRequired': False, 'name': 'false'}
    """
    for name in ("apiKeyRequired", "disableExecuteApiEndpoint"):
        if isinstance(record.get(name), str):
            record[name] = record[name].lower() == "true"
    return record


def _bad_request(message: str) -> Response:
    return Response.of_json(
        {"message": message}, 400, [("x-amzn-ErrorType", "BadRequestException")]
    )


def _lacks_identity_source(request: Request) -> bool:
    """Whether ``CreateAuthorizer`` leaves out what a Cognito or ``TOKEN`` authorizer needs (2.7)."""
    if request.method != "POST" or not _AUTHORIZERS.fullmatch(request.raw_path):
        return False
    try:
        asked = json.loads(request.body)
        return asked.get("type") in ("COGNITO_USER_POOLS", "TOKEN") and not asked.get(
            "identitySource"
        )
    except (ValueError, AttributeError):
        return False


def patched_scopes(scopes: list[str], operations: list[Mapping[str, Any]]) -> list[str]:
    """The scopes after some patch operations; a value may list several, separated by commas.

    >>> patched_scopes(["a"], [{"op": "add", "value": "b"}, {"op": "remove", "value": "a"}])
    ['b']
    """
    result = list(scopes)
    for operation in operations:
        values = [v.strip() for v in str(operation.get("value") or "").split(",") if v.strip()]
        if operation.get("op") == "replace":
            result = values
        elif operation.get("op") == "remove":
            result = [scope for scope in result if values and scope not in values]
        else:
            result += [value for value in values if value not in result]
    return result
