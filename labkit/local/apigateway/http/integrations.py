"""The integrations of HTTP APIs: Lambda functions, and HTTP servers on this machine.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html. A function that
can't be invoked, fails or returns nonsense is 500 ``Internal Server Error``. What a late function or a dead server
gives wasn't recorded: here it is 503 ``Service Unavailable``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from labkit.local.apigateway.http.call import UNAVAILABLE, HttpCall, Stop, broken
from labkit.local.apigateway.http.deployment import DEFAULT, Record
from labkit.local.apigateway.http.events import forwarded_headers, integration_event
from labkit.local.apigateway.invocation import (
    FUNCTION_URI,
    Functions,
    Invoker,
    function_name,
    with_stage_variables,
)
from labkit.local.apigateway.loopback import LoopbackClient, encoded_path_value, is_loopback
from labkit.local.apigateway.rest.call import Answer
from labkit.local.apigateway.rest.lambda_proxy import (
    MalformedResultError,
    header_value,
    remapped,
    result_headers,
    result_status,
)
from labkit.local.messages import Headers, Response, utf8, without_headers

DEFAULT_TIMEOUT_MS = MAX_TIMEOUT_MS = 30_000
_FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[\w-]+:\d+:function:[\w$-]+(:[\w$-]+)?")
_PATH_PARAMETER = re.compile(r"\{(\w+)\+?\}")
_KNOWN_KEYS = {
    "1.0": frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}),
    "2.0": frozenset({"statusCode", "headers", "cookies", "body", "isBase64Encoded"}),
}
_NOT_DONE_HERE = ("requestParameters", "responseParameters", "requestTemplates", "credentialsArn")


class Integrations:
    """Lets the backend answer.

    Args:
        functions: where the functions are.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._invoker = Invoker(functions)
        self._client = LoopbackClient()

    async def __call__(self, call: HttpCall) -> Answer | Stop:
        """The integration's answer."""
        integration = call.deployment.integration_of(call.found)
        if integration is None:
            return broken("the route has no integration")
        unknown = [name for name in _NOT_DONE_HERE if integration.get(name)]
        if unknown:
            return broken(f"the local cloud doesn't apply {unknown[0]}, so it stops here")
        if (integration.get("connectionType") or "INTERNET") != "INTERNET":
            return broken("the local cloud has no VPC links, so it stops here")
        kind = integration.get("integrationType")
        if kind == "AWS_PROXY":
            return await self._invoke(call, integration)
        if kind == "HTTP_PROXY":
            return await self._forward(call, integration)
        return broken(f"the local cloud has no {kind} integration for HTTP APIs")

    async def _invoke(self, call: HttpCall, integration: Record) -> Answer | Stop:
        uri = with_stage_variables(
            str(integration.get("integrationUri") or ""), call.stage_variables
        )
        match = FUNCTION_URI.fullmatch(uri)
        arn = match["function"] if match else uri
        if not _FUNCTION_ARN.fullmatch(arn):
            return broken("the integration's URI names no Lambda function")
        name = function_name(arn)
        version = str(integration.get("payloadFormatVersion") or "")
        if version not in _KNOWN_KEYS:
            return broken("the integration's payload format is neither 1.0 nor 2.0")
        source = call.source_arn()
        if not self._functions.function_allows(arn, "apigateway.amazonaws.com", source):
            reason = f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}"
            return broken(reason, **{"function": name, "source ARN": source})
        timeout = _timeout(integration)
        result = await self._invoker.result(arn, integration_event(call, version), timeout)
        if result is None:
            return _late(name, timeout)
        payload = result["payload"]
        if result["error"]:
            kind = payload.get("errorType") if isinstance(payload, dict) else "error"
            return broken(f"{name} failed ({kind}); the client isn't told why", function=name)
        try:
            response = read_answer(payload, version)
        except MalformedResultError as error:
            return broken(f"{name} returned a malformed result: {error}", function=name)
        return Answer(response, f"{name} answered {response.status}", {"function": name})

    async def _forward(self, call: HttpCall, integration: Record) -> Answer | Stop:
        url = _url(call, integration)
        if not is_loopback(url):
            return broken(
                "the local cloud only calls servers on this machine", url=url.partition("?")[0]
            )
        verb = str(integration.get("integrationMethod") or "ANY")
        verb = call.verb if verb == "ANY" else verb
        sent = without_headers(forwarded_headers(call), "host")
        timeout = _timeout(integration)
        try:
            status, headers, body = await self._client.send(
                verb, url, sent, call.request.body, timeout
            )
        except httpx.TimeoutException:
            return _late("the server", timeout)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Stop(UNAVAILABLE, f"the server can't be reached ({type(error).__name__})")
        return Answer(Response(status, remapped(headers), body), f"the server answered {status}")


def _timeout(integration: Record) -> float:
    """The integration's timeout in seconds: 30 unless set, and never more (section 14)."""
    return min(int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS), MAX_TIMEOUT_MS) / 1000


def _late(what: str, timeout: float) -> Stop:
    return Stop(UNAVAILABLE, f"{what} did not answer within {timeout:g} s")


def _url(call: HttpCall, integration: Record) -> str:
    """The integration's URL with path parameters, and the request's query; ``$default`` adds the whole path."""
    uri = with_stage_variables(str(integration.get("integrationUri") or ""), call.stage_variables)
    parameters = call.path_parameters
    url = _PATH_PARAMETER.sub(lambda m: encoded_path_value(parameters.get(m[1], "")), uri)
    if call.found.key == DEFAULT:
        url = url.rstrip("/") + call.raw_path
    if call.request.query_string:
        url += ("&" if "?" in url else "?") + call.request.query_string
    return url


# -- what a function returns ----------------------------------------------------------------


def read_answer(payload: object, version: str) -> Response:
    """The HTTP response that a function's result stands for.

    In format 2.0 a result without ``statusCode`` is the body itself.

    Raises:
        MalformedResultError: API Gateway answers 500 for it.
    """
    if not isinstance(payload, dict) or "statusCode" not in payload:
        if version == "1.0":
            raise MalformedResultError("it has no statusCode")
        body = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(200, [("Content-Type", "application/json")], utf8(body))
    if unknown := sorted(set(payload) - _KNOWN_KEYS[version]):
        raise MalformedResultError(f"it has the unknown key {unknown[0]!r}")
    headers = result_headers(payload)
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", "text/plain;charset=UTF-8"))
    headers += _cookies(payload)
    return Response(result_status(payload["statusCode"]), headers, _body_of(payload))


def _cookies(payload: Mapping[str, Any]) -> Headers:
    cookies = payload.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedResultError("its cookies isn't a list")
    return [("set-cookie", header_value(cookie)) for cookie in cookies]


def _body_of(payload: Mapping[str, Any]) -> bytes:
    body = payload.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError("its body isn't text")
    if payload.get("isBase64Encoded") is not True:
        return body.encode("utf-8", errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedResultError("its body isn't Base64") from error
