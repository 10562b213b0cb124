"""The integrations of HTTP APIs: Lambda functions, and HTTP servers on this machine.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html. A function that
can't be invoked, fails or returns nonsense is 500 ``Internal Server Error``. What a late function or a dead server
gives wasn't recorded: here it is 503 ``Service Unavailable``.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.cors import answer_to_preflight, is_preflight, with_cors_headers
from labkit.local.apigateway.http.events import backend_headers, integration_event
from labkit.local.apigateway.http.records import DEFAULT, HttpIntegration, function_arn_in
from labkit.local.apigateway.http.responses import SERVER_ERROR, UNAVAILABLE, HttpError, broken
from labkit.local.apigateway.invocation import (
    Invoker,
    LambdaFunctions,
    function_name,
    with_stage_variables,
)
from labkit.local.apigateway.loopback import (
    HOP_BY_HOP,
    LateAnswerError,
    LoopbackClient,
    UnreachableServerError,
    encode_path_parameter,
    is_loopback,
    with_path_parameters,
)
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import (
    FORMAT_1_KEYS,
    MalformedProxyResultError,
    header_value,
    read_proxy_result,
    remap_headers,
)
from labkit.local.messages import Headers, Response, utf8, without_headers

_KEYS = {
    "1.0": FORMAT_1_KEYS,
    "2.0": frozenset({"statusCode", "headers", "cookies", "body", "isBase64Encoded"}),
}
_FAULTS = {
    "timeout": (UNAVAILABLE, Code.INTEGRATION_TIMEOUT),
    "throttled": (SERVER_ERROR, Code.INTEGRATION_THROTTLED),
    "failed": (SERVER_ERROR, Code.INTEGRATION_FAILED),
}

Answered = Answer | Stop[HttpError]


class HttpIntegrations:
    """Lets the backend answer, and adds the API's CORS headers; answers a preflight by itself.

    Args:
        functions: where the functions are.
    """

    def __init__(self, functions: LambdaFunctions) -> None:
        self._invoker = Invoker(functions)
        self._client = LoopbackClient()

    def __call__(self, call: HttpCall) -> Answered | Coroutine[Any, Any, Answered]:
        """The integration's answer."""
        cors = call.deployment.cors
        if cors is not None and is_preflight(call.request):
            response = answer_to_preflight(cors, call.request)
            reason = "the API's CORS configuration answers the preflight"
            return Answer(response, reason, {"answered by": "the API's CORS configuration"})
        integration = call.deployment.integrations.get(call.found.integration_id)
        if integration is None:
            return broken(Code.INTEGRATION_MISSING, "the route has no integration")
        if integration.unusable is not None:
            return broken(*integration.unusable)
        return self._answer(call, integration)

    async def _answer(self, call: HttpCall, integration: HttpIntegration) -> Answered:
        ask = self._invoke if integration.type == "AWS_PROXY" else self._forward
        answer = await ask(call, integration)
        cors = call.deployment.cors
        if cors is not None and isinstance(answer, Answer):
            answer.response = with_cors_headers(cors, call.request, answer.response)
        return answer

    async def _invoke(self, call: HttpCall, integration: HttpIntegration) -> Answered:
        arn = function_arn_in(with_stage_variables(integration.uri, call.stage_variables))
        if not arn:
            reason = "the integration's URI names no Lambda function"
            return broken(Code.INTEGRATION_SETTINGS, reason)
        name = function_name(arn)
        source = call.source_arn()
        if not self._invoker.may_invoke(arn, source):
            reason = f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}"
            evidence = {"function": name, "source ARN": source}
            return broken(Code.INTEGRATION_PERMISSION, reason, **evidence)
        version = integration.payload_version
        event = integration_event(call, version)
        invocation = await self._invoker.invoke(arn, event, integration.timeout)
        if invocation.fault is not None:
            error, code = _FAULTS[invocation.fault]
            reason = invocation.integration_reason
            return Stop(error, code, reason, {"function": name})
        try:
            response = read_answer(invocation.payload, version)
        except MalformedProxyResultError as malformed:
            reason = f"{name} returned a malformed result: {malformed}"
            return broken(Code.INTEGRATION_RESULT, reason, function=name)
        return Answer(response, f"{name} answered {response.status}", {"function": name})

    async def _forward(self, call: HttpCall, integration: HttpIntegration) -> Answered:
        url = _url(call, integration)
        if not is_loopback(url):
            reason = "the local cloud only calls servers on this machine"
            return broken(Code.UNSUPPORTED, reason, url=url.partition("?")[0])
        verb = call.verb if integration.method == "ANY" else integration.method
        sent = without_headers(backend_headers(call), "host")
        timeout = integration.timeout
        try:
            status, headers, body = await self._client.send(
                verb, url, sent, call.request.body, timeout
            )
        except LateAnswerError:
            reason = f"the server did not answer within {timeout:g} s"
            return Stop(UNAVAILABLE, Code.INTEGRATION_TIMEOUT, reason)
        except UnreachableServerError as error:
            reason = f"the server can't be reached ({error})"
            return Stop(UNAVAILABLE, Code.INTEGRATION_UNREACHABLE, reason)
        kept = remap_headers(without_headers(headers, *HOP_BY_HOP))
        return Answer(Response(status, kept, body), f"the server answered {status}")


def _url(call: HttpCall, integration: HttpIntegration) -> str:
    """The integration's URL with path parameters, and the request's query; ``$default`` adds the whole path."""
    uri = with_stage_variables(integration.uri, call.stage_variables)
    parameters = {
        name: encode_path_parameter(value) for name, value in call.path_parameters.items()
    }
    url = with_path_parameters(uri, parameters.get)
    if call.found.key == DEFAULT:
        url = url.rstrip("/") + call.raw_path
    if call.request.query_string:
        url += ("&" if "?" in url else "?") + call.request.query_string
    return url


def read_answer(payload: object, version: str) -> Response:
    """The HTTP response that a function's result stands for.

    In format 2.0 a result without ``statusCode`` is the body itself.

    Raises:
        MalformedProxyResultError: API Gateway answers 500 for it.
    """
    if not isinstance(payload, dict) or "statusCode" not in payload:
        if version == "1.0":
            raise MalformedProxyResultError("it has no statusCode")
        body = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(200, [("Content-Type", "application/json")], utf8(body))
    response = read_proxy_result(
        payload, keys=_KEYS[version], content_type="text/plain;charset=UTF-8", decode=True
    )
    response.headers += _cookies(payload)
    return response


def _cookies(payload: Mapping[str, Any]) -> Headers:
    cookies = payload.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedProxyResultError("its cookies isn't a list")
    return [("set-cookie", header_value(cookie)) for cookie in cookies]
