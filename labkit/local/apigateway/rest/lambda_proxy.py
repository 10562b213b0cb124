"""The ``AWS_PROXY`` integration with a Lambda function: the event, the permission, the answer (gateway 1.13)."""

from __future__ import annotations

import base64
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.event_parts import last_of, listed, request_time
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import (
    FORMAT_1_KEYS,
    MalformedProxyResultError,
    read_proxy_result,
)
from labkit.local.apigateway.rest.binary_media import media_type_matches
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import NEVER_FORWARDED, backend_headers
from labkit.local.apigateway.rest.function_backend import FunctionBackend
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import (
    DEFAULT_5XX,
    GatewayError,
)
from labkit.local.apigateway.rest.values import identity
from labkit.local.messages import Response


class LambdaProxyIntegration:
    """Calls a function with the whole request and turns its result into the response.

    Args:
        backend: finds and invokes the function.
    """

    def __init__(self, backend: FunctionBackend) -> None:
        self._backend = backend

    async def __call__(
        self, call: RestCall, integration: RestIntegration
    ) -> Answer | Stop[GatewayError]:
        """The function's answer; 500 when it can't be invoked, 502 when its result is malformed, 504 when late."""
        target = self._backend.find(call, integration)
        if isinstance(target, Stop):
            return target
        evidence = {"function": target.name}
        found = await self._backend.invoke(call, target, proxy_event(call), integration.timeout)
        if isinstance(found, Stop):
            return found
        if found.fault is not None:
            call.write("Lambda execution failed with status 200 due to customer function error")
            refusal = GatewayError(DEFAULT_5XX, status=502)
            return Stop(refusal, Code.INTEGRATION_FAILED, found.integration_reason, evidence)
        try:
            response = read_result(found.payload, call)
        except MalformedProxyResultError as error:
            call.write(
                "Execution failed due to configuration error: Malformed Lambda proxy response"
            )
            reason = f"{target.name} returned a malformed result: {error}"
            refusal = GatewayError(DEFAULT_5XX, status=502)
            return Stop(refusal, Code.INTEGRATION_RESULT, reason, evidence)
        return Answer(response, f"{target.name} answered {response.status}", evidence)


def proxy_event(call: RestCall) -> dict[str, Any]:
    """The event of a Lambda proxy integration, payload format 1.0 (gateway 4.22, 0.7)."""
    request, route = call.request, call.found
    headers, query = listed(backend_headers(call, NEVER_FORWARDED)), listed(request.query)
    binary = media_type_matches(request.header("content-type"), call.deployment.binary_media_types)
    return {
        "resource": route.resource.path,
        "path": call.client_path,
        "httpMethod": call.verb,
        "headers": last_of(headers) or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": last_of(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": route.path_parameters or None,
        "stageVariables": dict(call.stage_variables) or None,
        "requestContext": _request_context(call),
        "body": _event_body(request.body, binary=binary),
        "isBase64Encoded": bool(request.body) and binary,
    }


def _event_body(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if binary else body.decode("utf-8", errors="replace")


def _request_context(call: RestCall) -> dict[str, Any]:
    route = call.found
    context: dict[str, Any] = {
        "accountId": call.account_id,
        "apiId": call.deployment.api_id,
        "deploymentId": call.deployment.id,
        "domainName": call.domain_name,
        "domainPrefix": call.domain_name.split(".", 1)[0],
        "extendedRequestId": call.extended_request_id,
        "httpMethod": call.verb,
        "identity": identity(call),
        "path": call.full_path,
        "protocol": "HTTP/1.1",
        "requestId": call.request_id,
        "requestTime": request_time(call.time),
        "requestTimeEpoch": int(call.time * 1000),
        "resourceId": route.resource.id,
        "resourcePath": route.resource.path,
        "stage": call.stage,
    }
    authorizer = call.authorizer_context
    if authorizer is not None:
        context["authorizer"] = authorizer
    return context


def read_result(result: object, call: RestCall) -> Response:
    """The HTTP response that a function's result stands for.

    Raises:
        MalformedProxyResultError: API Gateway answers 502 for it.
    """
    if not isinstance(result, dict):
        raise MalformedProxyResultError("it isn't an object")
    if not result:
        raise MalformedProxyResultError("it is empty")
    if "statusCode" not in result and result.keys() & {"body", "isBase64Encoded"}:
        raise MalformedProxyResultError("it has no statusCode")
    response = read_proxy_result(
        result,
        keys=FORMAT_1_KEYS,
        content_type="application/json",
        decode=media_type_matches(
            call.request.header("accept"), call.deployment.binary_media_types
        ),
    )
    response.headers.append(("X-Amzn-Trace-Id", call.trace_id))
    return response
