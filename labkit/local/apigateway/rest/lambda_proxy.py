"""The ``AWS_PROXY`` integration with a Lambda function: the event, the permission, the answer (gateway.md 1.13)."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from labkit.local.apigateway.event_parts import identity_of, last_of, listed
from labkit.local.apigateway.invocation import (
    FUNCTION_URI,
    Functions,
    Invoker,
    function_name,
    with_stage_variables,
)
from labkit.local.apigateway.rest.call import Answer, Call, Stop
from labkit.local.apigateway.rest.edge_optimized import as_forwarded, is_edge_optimized
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    DEFAULT_5XX,
    INTEGRATION_TIMEOUT,
    GatewayError,
    ResponseType,
)
from labkit.local.apigateway.rest.values import request_time
from labkit.local.messages import CONTROL_CHARACTER, Headers, Response, without_headers

_KNOWN_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_REMAPPED = frozenset(
    """
    authorization connection content-length content-md5 date expect host max-forwards
    proxy-authenticate server te trailer upgrade user-agent via warn www-authenticate
    """.split()
)
"""Headers that API Gateway renames in an answer (Developer Guide, "important notes")."""

_STATUS = re.compile(r"[2-5][0-9]{2}(\.0+)?")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

DEFAULT_TIMEOUT_MS = 29_000


class LambdaProxyIntegration:
    """Calls a function with the whole request and turns its result into the response.

    Args:
        functions: where the functions are.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._invoker = Invoker(functions)

    async def __call__(self, call: Call, integration: Mapping[str, Any]) -> Answer | Stop:
        """The function's answer; 500 when it can't be invoked, 502 when its result is malformed, 504 when late."""
        uri = with_stage_variables(str(integration.get("uri") or ""), call.stage_variables)
        match = FUNCTION_URI.fullmatch(uri)
        if match is None:
            call.write("Execution failed due to configuration error: Invalid endpoint address")
            return _failure(
                API_CONFIGURATION_ERROR, "the integration's URI names no Lambda function"
            )
        arn = match["function"]
        name = function_name(arn)
        evidence = {"function": name}
        if (integration.get("httpMethod") or "") != "POST":
            return _failure(
                DEFAULT_5XX,
                "a Lambda function is invoked with POST: integrationHttpMethod is another",
                evidence,
            )
        if integration.get("credentials"):
            return _failure(
                DEFAULT_5XX,
                "the local cloud doesn't use integration credentials yet, so it stops here",
                evidence,
            )
        source_arn = call.arn_of(call.found.resource.path)
        if not self._functions.function_allows(arn, "apigateway.amazonaws.com", source_arn):
            call.write(
                "Execution failed due to configuration error: Invalid permissions on Lambda function"
            )
            reason = f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}"
            return _failure(DEFAULT_5XX, reason, {**evidence, "source ARN": source_arn})
        event = proxy_event(call)
        _log_request(call, match["region"], arn, event)
        timeout = int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000
        started = time.perf_counter()
        result = await self._invoker.result(arn, event, timeout)
        if result is None:
            call.write("Execution failed due to a timeout error")
            reason = f"{name} did not answer within the integration's {timeout:g} s"
            return Stop(GatewayError(INTEGRATION_TIMEOUT), reason, evidence)
        if result.get("throttled"):
            call.write(
                f"Lambda invocation failed with status: 429. Lambda request id: {uuid.uuid4()}"
            )
            call.write("Execution failed due to configuration error: Rate Exceeded.")
            reason = f"Lambda didn't run {name}: its concurrency is used up"
            return _failure(DEFAULT_5XX, reason, evidence)
        if result["error"]:
            call.write("Lambda execution failed with status 200 due to customer function error")
            detail = result["payload"] if isinstance(result["payload"], dict) else {}
            error_type = str(detail.get("errorType", "error"))
            return _failure(
                DEFAULT_5XX,
                f"{name} failed ({error_type}); the client isn't told why",
                evidence,
                status=502,
            )
        _log_answer(call, result["payload"], time.perf_counter() - started)
        try:
            response = read_result(result["payload"], call)
        except MalformedResultError as error:
            call.write(
                "Execution failed due to configuration error: Malformed Lambda proxy response"
            )
            return _failure(
                DEFAULT_5XX, f"{name} returned a malformed result: {error}", evidence, status=502
            )
        return Answer(response, f"{name} answered {response.status}", evidence)


class MalformedResultError(Exception):
    """The function's result isn't a proxy response."""


def _failure(
    kind: ResponseType,
    reason: str,
    evidence: Mapping[str, Any] | None = None,
    status: int | None = None,
) -> Stop:
    return Stop(GatewayError(kind, status=status), reason, evidence or {})


def _log_request(call: Call, region: str, arn: str, event: Mapping[str, Any]) -> None:
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
        f"X-Amz-Source-Arn={call.method_arn()}, X-Amz-Security-Token={'*' * 40} [TRUNCATED]"
    )
    call.write(
        f"Endpoint request body after transformations: {json.dumps(event)[:900]} [TRUNCATED]"
    )
    call.write(f"Sending request to {uri}")


def _log_answer(call: Call, payload: object, seconds: float) -> None:
    if call.log is None:
        return
    text = json.dumps(payload)
    call.write(f"Received response. Status: 200, Integration latency: {int(seconds * 1000)} ms")
    call.write(
        "Endpoint response headers: {Content-Type=application/json, "
        f"Content-Length={len(text)}, X-Amz-Executed-Version=$LATEST, X-Amzn-Trace-Id={call.trace_id}}}"
    )
    call.write(f"Endpoint response body before transformations: {text}")


def proxy_event(call: Call) -> dict[str, Any]:
    """The event of a Lambda proxy integration, payload format 1.0 (4.22, 0.7)."""
    request, route = call.request, call.found
    headers, query = listed(_forwarded_headers(call)), listed(request.query)
    binary = _media_type_matches(
        request.header("content-type"), call.deployment.api.get("binaryMediaTypes")
    )
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


def _decoded_path(call: Call) -> str:
    return unquote(call.client_path)


def _event_body(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if binary else body.decode("utf-8", errors="replace")


def _forwarded_headers(call: Call) -> Headers:
    request = call.request
    own = {
        "host",
        "x-amzn-trace-id",
        "x-forwarded-for",
        "x-forwarded-port",
        "x-forwarded-proto",
        "connection",
    }
    kept = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in own and name.lower() not in ("content-length", "transfer-encoding")
    ]
    if (request.header("authorization") or "").startswith("AWS4-"):
        kept = without_headers(kept, "authorization")  # API Gateway drops a signature (4.24)
    if is_edge_optimized(call.deployment.api):
        kept = as_forwarded(kept)
    forwarded = request.header("x-forwarded-for")
    return [
        *kept,
        ("Host", call.domain_name),
        ("X-Amzn-Trace-Id", call.trace_id),
        (
            "X-Forwarded-For",
            f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        ),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _request_context(call: Call) -> dict[str, Any]:
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
    if call.authorizer is not None:
        context["authorizer"] = call.authorizer
    return context


def _identity(call: Call) -> dict[str, Any]:
    request = call.request
    identity = identity_of(call.caller, request.source_ip, request.header("user-agent"))
    if call.key_use is not None:
        identity.update({"apiKey": call.key_use.value, "apiKeyId": call.key_use.key_id})
    return identity


def read_result(result: object, call: Call) -> Response:
    """The HTTP response that a function's result stands for.

    Raises:
        MalformedResultError: API Gateway answers 502 for it.
    """
    if not isinstance(result, dict):
        raise MalformedResultError("it isn't an object")
    if not result:
        raise MalformedResultError("it is empty")
    if unknown := sorted(set(result) - _KNOWN_KEYS):
        raise MalformedResultError(f"it has the unknown key {unknown[0]!r}")
    if "statusCode" not in result and result.keys() - {"headers", "multiValueHeaders"}:
        raise MalformedResultError("it has no statusCode")
    headers = result_headers(result)
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", "application/json"))
    headers.append(("X-Amzn-Trace-Id", call.trace_id))
    return Response(
        result_status(result.get("statusCode", 200)), headers, _result_body(result, call)
    )


def result_status(status: object) -> int:
    """The HTTP status in a function's result.

    Raises:
        MalformedResultError: it isn't one.
    """
    if isinstance(status, bool) or not isinstance(status, int | float | str):
        raise MalformedResultError("its statusCode isn't a number")
    if (
        isinstance(status, int) and not 200 <= status <= 599
    ):  # before str(): it may have any number of digits
        raise MalformedResultError("its statusCode isn't an HTTP status")
    if not _STATUS.fullmatch(str(status)):
        raise MalformedResultError("its statusCode isn't an HTTP status")
    return int(str(status)[:3])


def result_headers(result: Mapping[str, Any]) -> Headers:
    """The headers of a function's result, as the client gets them.

    Raises:
        MalformedResultError: they can't be headers.
    """
    found: Headers = []
    single, multi = result.get("headers"), result.get("multiValueHeaders")
    if multi is not None:
        if not isinstance(multi, dict) or not all(
            isinstance(values, list) for values in multi.values()
        ):
            raise MalformedResultError("its multiValueHeaders isn't an object of lists")
        found += [(name, header_value(value)) for name, values in multi.items() for value in values]
    if single is not None:
        if not isinstance(single, dict):
            raise MalformedResultError("its headers isn't an object")
        already = {name.lower() for name, _value in found}
        found += [(k, header_value(v)) for k, v in single.items() if k.lower() not in already]
    if unfit := [name for name, _value in found if not HEADER_NAME.fullmatch(name)]:
        raise MalformedResultError(f"{unfit[0]!r} isn't a header's name")
    return remapped(found)


def remapped(headers: Headers) -> Headers:
    """The headers of a backend's answer as the client gets them: some are renamed."""
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, value)
        for name, value in headers
        if name.lower() != "transfer-encoding"
    ]


def header_value(value: object) -> str:
    """A header's value in a function's result.

    Raises:
        MalformedResultError: it can't be one.
    """
    if isinstance(value, dict | list):
        raise MalformedResultError("a header's value isn't text")
    text = value if isinstance(value, str) else json.dumps(value)
    if CONTROL_CHARACTER.search(text):
        raise MalformedResultError("a header's value has a line break or another control character")
    return text


def _result_body(result: Mapping[str, Any], call: Call) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError("its body isn't text")
    wants_binary = _media_type_matches(
        call.request.header("accept"), call.deployment.api.get("binaryMediaTypes")
    )
    if result.get("isBase64Encoded") is True and wants_binary:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedResultError("its body isn't Base64") from error
    return body.encode("utf-8", errors="replace")


def _media_type_matches(header: str | None, binary_types: object) -> bool:
    types = binary_types if isinstance(binary_types, list) else []
    if "*/*" in types:
        return True
    first = (header or "").split(",")[0].split(";")[0].strip().lower()
    return bool(first) and first in {str(kind).replace("~1", "/").lower() for kind in types}
