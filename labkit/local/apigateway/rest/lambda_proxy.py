"""The ``AWS_PROXY`` integration with a Lambda function: the event, the permission, the answer (gateway 1.13)."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

from labkit.journey import Code
from labkit.local.apigateway.event_parts import identity_of, last_of, listed, request_time
from labkit.local.apigateway.invocation import (
    FUNCTION_URI,
    Invoker,
    LambdaFunctions,
    function_name,
    with_stage_variables,
)
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import (
    FORMAT_1_KEYS,
    MalformedProxyResultError,
    read_proxy_result,
)
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import NEVER_FORWARDED, backend_headers
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    DEFAULT_5XX,
    INTEGRATION_TIMEOUT,
    GatewayError,
)
from labkit.local.messages import Response
from labkit.local.random_ids import new_uuid

_FAULTS = {
    "timeout": (GatewayError(INTEGRATION_TIMEOUT), Code.INTEGRATION_TIMEOUT),
    "throttled": (GatewayError(DEFAULT_5XX), Code.INTEGRATION_THROTTLED),
    "failed": (GatewayError(DEFAULT_5XX, status=502), Code.INTEGRATION_FAILED),
}
_BROKEN = GatewayError(DEFAULT_5XX)


class LambdaProxyIntegration:
    """Calls a function with the whole request and turns its result into the response.

    Args:
        functions: where the functions are.
        numbers: for the ids of invocations.
    """

    def __init__(self, functions: LambdaFunctions, numbers: random.Random) -> None:
        self._invoker = Invoker(functions)
        self._numbers = numbers

    async def __call__(
        self, call: RestCall, integration: RestIntegration
    ) -> Answer | Stop[GatewayError]:
        """The function's answer; 500 when it can't be invoked, 502 when its result is malformed, 504 when late."""
        uri = with_stage_variables(integration.uri, call.stage_variables)
        match = FUNCTION_URI.fullmatch(uri)
        if match is None:
            call.write("Execution failed due to configuration error: Invalid endpoint address")
            reason = "the integration's URI names no Lambda function"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.INTEGRATION_SETTINGS, reason)
        arn = match["function"]
        name = function_name(arn)
        evidence = {"function": name}
        if integration.http_method != "POST":
            reason = "a Lambda function is invoked with POST: integrationHttpMethod is another"
            return Stop(_BROKEN, Code.INTEGRATION_SETTINGS, reason, evidence)
        source_arn = call.arn_of(call.found.resource.path)
        if not self._invoker.may_invoke(arn, source_arn):
            call.write(
                "Execution failed due to configuration error: Invalid permissions on Lambda function"
            )
            reason = f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}"
            evidence["source ARN"] = source_arn
            return Stop(_BROKEN, Code.INTEGRATION_PERMISSION, reason, evidence)
        event = proxy_event(call)
        _log_request(call, match["region"], arn, event)
        started = time.perf_counter()
        invocation = await self._invoker.invoke(arn, event, integration.timeout)
        if invocation.fault is not None:
            _log_fault(call, invocation.fault, self._numbers)
            error, code = _FAULTS[invocation.fault]
            return Stop(error, code, invocation.integration_reason, evidence)
        _log_answer(call, invocation.payload, time.perf_counter() - started)
        try:
            response = read_result(invocation.payload, call)
        except MalformedProxyResultError as error:
            call.write(
                "Execution failed due to configuration error: Malformed Lambda proxy response"
            )
            reason = f"{name} returned a malformed result: {error}"
            refusal = GatewayError(DEFAULT_5XX, status=502)
            return Stop(refusal, Code.INTEGRATION_RESULT, reason, evidence)
        return Answer(response, f"{name} answered {response.status}", evidence)


def _log_fault(call: RestCall, fault: str, numbers: random.Random) -> None:
    if fault == "timeout":
        call.write("Execution failed due to a timeout error")
    elif fault == "throttled":
        request_id = new_uuid(numbers)
        call.write(f"Lambda invocation failed with status: 429. Lambda request id: {request_id}")
        call.write("Execution failed due to configuration error: Rate Exceeded.")
    else:
        call.write("Lambda execution failed with status 200 due to customer function error")


def _log_request(call: RestCall, region: str, arn: str, event: Mapping[str, Any]) -> None:
    if call.log is None:
        return
    uri = f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
    call.write(f"Endpoint request URI: {uri}")
    call.write(
        f"Endpoint request headers: {{X-Amz-Date={time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(call.time))}, "
        f"x-amzn-apigateway-api-id={call.deployment.api_id}, Accept=application/json, "
        f"User-Agent=AmazonAPIGateway_{call.deployment.api_id}, Host=lambda.{region}.amazonaws.com, "
        f"X-Amz-Content-Sha256={'*' * 64}, X-Amzn-Trace-Id={call.trace_id}, "
        f"x-amzn-lambda-integration-tag={call.request_id}, Authorization={'*' * 50}, "
        f"X-Amz-Source-Arn={call.invoked_arn()}, X-Amz-Security-Token={'*' * 40} [TRUNCATED]"
    )
    call.write(
        f"Endpoint request body after transformations: {json.dumps(event)[:900]} [TRUNCATED]"
    )
    call.write(f"Sending request to {uri}")


def _log_answer(call: RestCall, payload: object, seconds: float) -> None:
    if call.log is None:
        return
    text = json.dumps(payload)
    call.write(f"Received response. Status: 200, Integration latency: {int(seconds * 1000)} ms")
    call.write(
        "Endpoint response headers: {Content-Type=application/json, "
        f"Content-Length={len(text)}, X-Amz-Executed-Version=$LATEST, X-Amzn-Trace-Id={call.trace_id}}}"
    )
    call.write(f"Endpoint response body before transformations: {text}")


def proxy_event(call: RestCall) -> dict[str, Any]:
    """The event of a Lambda proxy integration, payload format 1.0 (gateway 4.22, 0.7)."""
    request, route = call.request, call.found
    headers, query = listed(backend_headers(call, NEVER_FORWARDED)), listed(request.query)
    binary = _media_type_matches(request.header("content-type"), call.deployment.binary_media_types)
    return {
        "resource": route.resource.path,
        "path": _decoded_path(call),
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


def _decoded_path(call: RestCall) -> str:
    return unquote(call.client_path)


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
        "identity": _identity(call),
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


def _identity(call: RestCall) -> dict[str, Any]:
    request = call.request
    identity = identity_of(call.caller, request.source_ip, request.header("user-agent"))
    if call.key_use is not None:
        identity.update({"apiKey": call.key_use.value, "apiKeyId": call.key_use.key_id})
    return identity


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
        decode=_media_type_matches(
            call.request.header("accept"), call.deployment.binary_media_types
        ),
    )
    response.headers.append(("X-Amzn-Trace-Id", call.trace_id))
    return response


def _media_type_matches(header: str | None, binary_types: Collection[str]) -> bool:
    if "*/*" in binary_types:
        return True
    first = (header or "").split(",")[0].split(";")[0].strip().lower()
    return bool(first) and first in binary_types
