"""The events that functions get, in payload formats 1.0 and 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from labkit.local.apigateway.event_parts import (
    forwarded_headers,
    identity_of,
    last_of,
    listed,
    request_time,
)
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.records import DEFAULT
from labkit.local.apigateway.mutual_tls import client_certificate_of
from labkit.local.iam.caller import Caller
from labkit.local.messages import Headers

_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")


def integration_event(call: HttpCall, version: str) -> dict[str, Any]:
    """What the integration's function gets."""
    body, is_base64 = _body(call)
    if version == "1.0":
        return {**_event_1(call), "body": body, "isBase64Encoded": is_base64}
    event = {**_event_2(call), "isBase64Encoded": is_base64}
    return event if body is None else {**event, "body": body}


def authorizer_event(call: HttpCall, version: str, values: list[str]) -> dict[str, Any]:
    """What an authorizer's function gets: the request without its body."""
    if version == "1.0":
        joined = ",".join(values)
        return {
            **_event_1(call),
            "type": "REQUEST",
            "methodArn": call.invoked_arn(),
            "identitySource": joined,
            "authorizationToken": joined,
        }
    return {
        **_event_2(call),
        "type": "REQUEST",
        "routeArn": call.invoked_arn(),
        "identitySource": values or None,
    }


def backend_headers(call: HttpCall) -> Headers:
    """The request's headers as a backend gets them: their names are in lower case."""
    return [(name.lower(), value) for name, value in forwarded_headers(call)]


def _event_2(call: HttpCall) -> dict[str, Any]:
    """Payload format 2.0: what a request doesn't have isn't there."""
    headers = backend_headers(call)
    cookies = [
        cookie.strip()
        for name, value in headers
        if name == "cookie"
        for cookie in value.split(";")
        if cookie.strip()
    ]
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(call.request.query),
        "pathParameters": call.path_parameters,
        "stageVariables": dict(call.stage_variables),
    }
    return {
        "version": "2.0",
        "routeKey": call.found.key,
        "rawPath": call.event_path,
        "rawQueryString": call.request.query_string,
        "headers": _joined(pair for pair in headers if pair[0] != "cookie"),
        "requestContext": _context_2(call),
        **{name: value for name, value in optional.items() if value},
    }


def _context_2(call: HttpCall) -> dict[str, Any]:
    context: dict[str, Any] = {
        "accountId": call.account_id,
        "apiId": call.deployment.api_id,
        "domainName": call.domain_name,
        "domainPrefix": call.domain_name.split(".", 1)[0],
        "http": {
            "method": call.verb,
            "path": call.event_path,
            "protocol": "HTTP/1.1",
            "sourceIp": call.request.source_ip,
            "userAgent": call.request.header("user-agent") or "",
        },
        "requestId": call.request_id,
        "routeKey": call.found.key,
        "stage": call.stage,
        "time": request_time(call.time),
        "timeEpoch": int(call.time * 1000),
    }
    certificate = client_certificate_of(call.request)
    if certificate:
        context["authentication"] = certificate
    authorizer = _authorizer_2(call)
    if authorizer is not None:
        context["authorizer"] = authorizer
    return context


def _event_1(call: HttpCall) -> dict[str, Any]:
    """Payload format 1.0: what a request doesn't have is null."""
    headers, query = listed(backend_headers(call)), listed(call.request.query)
    return {
        "version": "1.0",
        "resource": _resource(call),
        "path": call.event_path,
        "httpMethod": call.verb,
        "headers": last_of(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last_of(query) or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": _context_1(call),
        "pathParameters": call.path_parameters or None,
        "stageVariables": dict(call.stage_variables) or None,
    }


def _context_1(call: HttpCall) -> dict[str, Any]:
    request = call.request
    return {
        "accountId": call.account_id,
        "apiId": call.deployment.api_id,
        "authorizer": _authorizer_1(call),
        "domainName": call.domain_name,
        "domainPrefix": call.domain_name.split(".", 1)[0],
        "extendedRequestId": call.request_id,
        "httpMethod": call.verb,
        "identity": {
            **identity_of(call.caller, request.source_ip, request.header("user-agent") or ""),
            **client_certificate_of(request),
        },
        "path": call.event_path,
        "protocol": "HTTP/1.1",
        "requestId": call.request_id,
        "requestTime": request_time(call.time),
        "requestTimeEpoch": int(call.time * 1000),
        "resourceId": None,
        "resourcePath": _resource(call),
        "stage": call.stage,
    }


def _authorizer_2(call: HttpCall) -> dict[str, Any] | None:
    """``requestContext.authorizer`` in format 2.0, by the kind of authorizer; None without one."""
    if call.jwt is not None:
        return {"jwt": call.jwt}
    if call.caller is not None:
        return {"iam": _iam(call.caller)}
    result = call.authorizer_result
    return None if result is None else {"lambda": result.context}


def _iam(caller: Caller) -> dict[str, object]:
    """The caller, as the Developer Guide shows it."""
    cognito = None
    if caller.cognito.get("cognitoIdentityId"):
        cognito = {
            "amr": [caller.cognito.get("cognitoAuthenticationType")],
            "identityId": caller.cognito.get("cognitoIdentityId"),
            "identityPoolId": caller.cognito.get("cognitoIdentityPoolId"),
        }
    return {
        "accessKey": caller.access_key_id,
        "accountId": caller.account_id,
        "callerId": caller.id,
        "cognitoIdentity": cognito,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.id,
    }


def _authorizer_1(call: HttpCall) -> dict[str, Any]:
    """``requestContext.authorizer`` in format 1.0: the claims, or a Lambda authorizer's context beside its name."""
    result = call.authorizer_result
    if result is not None:
        named = {} if result.principal_id is None else {"principalId": result.principal_id}
        return {**(result.context or {}), **named}
    jwt = call.jwt or {}
    return {"claims": jwt.get("claims"), "scopes": jwt.get("scopes")}


def _resource(call: HttpCall) -> str:
    return call.found.path or DEFAULT


def _body(call: HttpCall) -> tuple[str | None, bool]:
    """The body and whether it is Base64: text stays text only for a few content types."""
    body = call.request.body
    if not body:
        return None, False
    kind = (call.request.header("content-type") or "").split(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        return body.decode("utf-8", errors="replace"), False
    return base64.b64encode(body).decode(), True


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Format 2.0 has no lists: what comes more than once is joined with commas."""
    return {name: ",".join(values) for name, values in listed(pairs).items()}
