"""Corrections in front of the engine's API Gateway control plane.

The engine keeps the configuration; here a deployment becomes a snapshot, ``TestInvokeMethod`` runs, and
``UpdateMethod`` understands ``/authorizationScopes``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from labkit.local.apigateway.answers import bad_request, refuse, with_body
from labkit.local.apigateway.control.rest.authorizer_operations import (
    refusal_of,
    refusal_of_patch,
    with_number,
)
from labkit.local.apigateway.control.rest.deployment_operations import with_api_summary
from labkit.local.apigateway.control.rest.gateway_response_operations import (
    GatewayResponses,
    answer_gateway_response_operation,
    is_gateway_response_operation,
)
from labkit.local.apigateway.control.rest.resource_operations import refuse_update
from labkit.local.apigateway.control.rest.rest_api_operations import (
    InvalidSettingError,
    check_policy,
    check_stage,
    check_timeout,
    patched_types,
    saved_policy,
)
from labkit.local.apigateway.control.rest.testinvoke import (
    TestCalls,
    answer_test_invoke_method,
    is_test_invoke,
)
from labkit.local.apigateway.control.rest.testinvoke_authorizer import (
    answer_test_invoke_authorizer,
    is_test_invoke_authorizer,
)
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane, RestApis
from labkit.local.apigateway.rest.pipeline import RestGates, RestIntegrations
from labkit.local.apigateway.rest.records import freeze
from labkit.local.messages import Request, Response

Forward = Callable[[Request], Awaitable[Response]]

_API = re.compile(r"/restapis/([^/]+)")
_DEPLOYMENTS = re.compile(r"/restapis/([^/]+)/deployments")
_EXPORT = re.compile(r"/restapis/([^/]+)/stages/([^/]+)/exports/[^/]+")
_DEPLOYMENT = re.compile(r"/restapis/([^/]+)/deployments/([^/]+)")
_AUTHORIZER_CACHE = re.compile(r"/restapis/([^/]+)/stages/([^/]+)/cache/authorizers")
_AUTHORIZERS = re.compile(r"/restapis/([^/]+)/authorizers/?")
_AUTHORIZER = re.compile(r"/restapis/([^/]+)/authorizers/([^/]+)/?")
_STAGE = re.compile(r"/restapis/([^/]+)/stages/([^/]+)")
_RESOURCE = re.compile(r"/restapis/([^/]+)/resources/([^/]+)")
_METHOD = re.compile(r"/restapis/([^/]+)/resources/([^/]+)/methods/([^/]+)")
_INTEGRATION = re.compile(r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+/integration")


class RestApiState(RestApis, GatewayResponses, Protocol):
    """The control plane's state."""

    def resources(self, api_id: str, region: str) -> dict[str, dict[str, Any]]:
        """The live records of an API's resources, by id."""

    def method(
        self, api_id: str, region: str, resource_id: str, http_method: str
    ) -> dict[str, Any] | None:
        """The live record of a method, or None."""

    def rest_api(self, api_id: str, region: str) -> dict[str, Any] | None:
        """The live record of an API, or None."""

    def serves(self, api_id: str, region: str, deployment_id: str) -> bool:
        """Whether a stage points to the deployment."""


class RestApiControlPlane:
    """Answers the control-plane calls of REST APIs.

    Args:
        state: the engine's state.
        forward: lets the engine authorize and answer a call.
        data_plane: gets the snapshots.
        account_id: the account.
        gates: what ``TestInvokeMethod`` and ``TestInvokeAuthorizer`` ask, and
            ``FlushStageAuthorizersCache`` empties.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    def __init__(
        self,
        state: RestApiState,
        forward: Forward,
        data_plane: RestApiDataPlane,
        account_id: str,
        gates: RestGates,
        clock: Callable[[], float],
        numbers: random.Random,
    ) -> None:
        self._state = state
        self._forward = forward
        self._data_plane = data_plane
        self._account_id = account_id
        self._gates = gates
        self._test_calls = TestCalls(account_id, clock, numbers)

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
        if _AUTHORIZERS.fullmatch(request.raw_path) or _AUTHORIZER.fullmatch(request.raw_path):
            return await self._authorizer(request)
        if request.method == "POST" and request.raw_path == "/restapis":
            return await self._create_api(request)
        if request.method == "PATCH" and (match := _API.fullmatch(request.raw_path)):
            return await self._update_api(request, match[1])
        if request.method == "PATCH" and (match := _RESOURCE.fullmatch(request.raw_path)):
            return await self._update_resource(request, *match.groups())
        if request.method == "PATCH" and (match := _METHOD.fullmatch(request.raw_path)):
            return await self._update_method(request, *match.groups())
        if request.method == "PATCH" and _STAGE.fullmatch(request.raw_path):
            return await self._update_stage(request)
        if request.method in ("PUT", "PATCH") and _INTEGRATION.fullmatch(request.raw_path):
            return await self._configure_integration(request)
        if request.method == "DELETE" and (match := _DEPLOYMENT.fullmatch(request.raw_path)):
            return await self._delete_deployment(request, *match.groups())
        if request.method == "GET" and (match := _EXPORT.fullmatch(request.raw_path)):
            return await self._export(request, *match.groups())
        response = await self._forward(request)
        if response.status < 300:
            await self._follow(request, response)
            return self._with_snapshots(request, response)
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

    def _with_snapshots(self, request: Request, response: Response) -> Response:
        match = _DEPLOYMENTS.fullmatch(request.raw_path) or _DEPLOYMENT.fullmatch(request.raw_path)
        if match is None or request.method not in ("GET", "POST"):
            return response
        find = partial(self._data_plane.deployment, match[1])
        return with_body(response, with_api_summary(response.json(), dict(request.query), find))

    async def _export(self, request: Request, api_id: str, stage_name: str) -> Response:
        """The engine exports the draft, AWS what the stage serves: so only while they are the same."""
        response = await self._forward(request)
        region = self._state.rest_api_region(api_id)
        stage = region and self._state.stage(api_id, region, stage_name)
        if response.status >= 300 or not region or not stage:
            return response
        draft = freeze(api_id, region, "", self._state.rest_api_configuration(api_id, region))
        served = self._data_plane.deployment(api_id, str(stage.get("deploymentId")))
        if served is not None and served.same_as(draft):
            return response
        return refuse(
            501,
            "NotImplementedException",
            "The API was changed since the deployment that the stage serves. The local cloud can export a stage only "
            "before that: look at get_deployment(embed=['apisummary']), or deploy.",
        )

    async def _delete_deployment(
        self, request: Request, api_id: str, deployment_id: str
    ) -> Response:
        """A deployment that a stage serves stays. The engine would delete it, so it isn't asked."""
        region = self._state.rest_api_region(api_id)
        if region and self._state.serves(api_id, region, deployment_id):
            return bad_request("Active stages pointing to this deployment must be moved or deleted")
        response = await self._forward(request)
        if response.status < 300:
            self._data_plane.forget_deployment(api_id, deployment_id)
        return response

    async def _create_api(self, request: Request) -> Response:
        """An API is edge-optimized unless it says otherwise (gateway 10.2); the engine's is regional."""
        asked = _json(request)
        try:
            check_policy(asked.get("policy"))
        except InvalidSettingError as error:
            return bad_request(str(error))
        response = await self._forward(request)
        if response.status >= 300:
            return response
        endpoint = asked.get("endpointConfiguration")
        types = endpoint.get("types") if isinstance(endpoint, dict) else None
        return self._with_saved_settings(response, response.json()["id"], types or ["EDGE"])

    async def _update_api(self, request: Request, api_id: str) -> Response:
        """Patch values are text, an endpoint's type is replaced, and a policy is saved expanded."""
        region = self._state.rest_api_region(api_id)
        record = (region and self._state.rest_api(api_id, region)) or {}
        before = (record.get("endpointConfiguration") or {}).get("types") or []
        operations = _operations(request)
        try:
            types = patched_types(before, operations)
            for operation in operations:
                check_policy(operation.get("path") == "/policy" and operation.get("value"))
        except InvalidSettingError as error:
            return bad_request(str(error))
        response = await self._forward(request)
        if response.status >= 300:
            return response
        return self._with_saved_settings(response, api_id, types)

    async def _update_stage(self, request: Request) -> Response:
        """The engine falls over a limit that is no number."""
        try:
            check_stage(_operations(request))
        except InvalidSettingError as error:
            return bad_request(str(error))
        return await self._forward(request)

    async def _configure_integration(self, request: Request) -> Response:
        """The engine keeps any timeout."""
        asked = [_json(request).get("timeoutInMillis")]
        patched = (op for op in _operations(request) if op.get("path") == "/timeoutInMillis")
        asked += [operation.get("value") for operation in patched]
        try:
            for value in asked:
                check_timeout(value)
        except InvalidSettingError as error:
            return bad_request(str(error))
        return await self._forward(request)

    def _with_saved_settings(
        self, response: Response, api_id: str, endpoint_types: list[str]
    ) -> Response:
        region = self._state.rest_api_region(api_id)
        record = region and self._state.rest_api(api_id, region)
        if not record:
            return response
        endpoint = dict(record.get("endpointConfiguration") or {})
        record["endpointConfiguration"] = {**endpoint, "types": endpoint_types}
        prefix = f"arn:aws:execute-api:{region}:{self._account_id}:{api_id}/"
        shown = {**response.json(), "endpointConfiguration": record["endpointConfiguration"]}
        if record.get("policy"):
            record["policy"] = saved_policy(record["policy"], prefix)
            shown["policy"] = json.dumps(record["policy"], ensure_ascii=False)[1:-1]
        truth_values(record)
        return with_body(response, truth_values(shown))

    async def _authorizer(self, request: Request) -> Response:
        """Refuse what can't be an authorizer; a time to live that wasn't asked for isn't echoed (gateway 3.12)."""
        asked = _json(request)
        refusal = None
        if request.method == "POST":
            refusal = refusal_of(asked)
        elif request.method == "PATCH":
            refusal = refusal_of_patch(_operations(request))
        if refusal is not None:
            return bad_request(refusal)
        response = await self._forward(request)
        if response.status >= 300 or request.method not in ("POST", "PATCH"):
            return response
        shown = with_number(response.json())
        if request.method == "POST" and asked.get("authorizerResultTtlInSeconds") is None:
            shown.pop("authorizerResultTtlInSeconds", None)
        return with_body(response, shown)

    async def _test_invoke(self, request: Request) -> Response:
        """The engine doesn't know the operation: its 404 means that the caller was authorized."""
        verdict = await self._forward(request)
        if verdict.status != 404:
            return verdict
        return await answer_test_invoke_method(
            request, self._state, RestIntegrations(self._gates.integrations), self._test_calls
        )

    async def _test_invoke_authorizer(self, request: Request) -> Response:
        verdict = await self._forward(request)
        if verdict.status in (401, 403):
            return verdict
        return await answer_test_invoke_authorizer(
            request, self._state, self._gates, self._test_calls
        )

    async def _flush_authorizers_cache(self, request: Request, api_id: str, stage: str) -> Response:
        verdict = await self._forward(request)
        if verdict.status in (401, 403):
            return verdict
        region = self._state.rest_api_region(api_id)
        if region is None or self._state.stage(api_id, region, stage) is None:
            return refuse(404, "NotFoundException", "Invalid stage identifier specified")
        self._gates.lambda_authorizer.forget(api_id, stage)
        return Response(202)

    async def _update_resource(self, request: Request, api_id: str, resource_id: str) -> Response:
        region = self._state.rest_api_region(api_id)
        resources = self._state.resources(api_id, region) if region else {}
        refused = refuse_update(resources, resource_id, _operations(request))
        return refused or await self._forward(request)

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
        return with_body(response, method)


def truth_values(record: dict[str, Any]) -> dict[str, Any]:
    """The record, its settings that are true or false no longer text.

    >>> truth_values({"apiKeyRequired": "false", "name": "false"})
    {'apiKeyRequired': False, 'name': 'false'}
    """
    for name in ("apiKeyRequired", "disableExecuteApiEndpoint"):
        if isinstance(record.get(name), str):
            record[name] = record[name].lower() == "true"
    return record


def _json(request: Request) -> dict[str, Any]:
    """The body, if it is a JSON object; the engine refuses another one."""
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _operations(request: Request) -> list[dict[str, Any]]:
    operations = _json(request).get("patchOperations")
    return [op for op in operations if isinstance(op, dict)] if isinstance(operations, list) else []


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
