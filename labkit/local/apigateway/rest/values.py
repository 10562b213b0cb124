"""The values that templates and parameters may name: ``context.*``, ``stageVariables.*``, ``method.request.*``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from labkit.local.apigateway.event_parts import identity_of, request_time
from labkit.local.apigateway.mutual_tls import client_certificate_of
from labkit.local.apigateway.rest.call import RestCall

_HEADER = "method.request.header."


def look_up(call: RestCall, name: str) -> str | None:
    """The text behind a reference, without its ``$``; None when there is no such value."""
    head, _dot, rest = name.partition(".")
    if head == "context":
        return _context_value(call, rest)
    if head == "stageVariables":
        return call.stage_variables.get(rest)
    if head == "method" and rest.startswith("request."):
        return _request_value(call, rest.removeprefix("request."))
    return None


def identity(call: RestCall) -> dict[str, Any]:
    """``$context.identity`` and an event's ``requestContext.identity`` (gateway 4.22)."""
    request = call.request
    found = identity_of(call.caller, request.source_ip, request.header("user-agent"))
    found.update(client_certificate_of(request))
    if call.key_use is not None:
        found.update({"apiKey": call.key_use.value, "apiKeyId": call.key_use.key_id})
    return found


def context_values(call: RestCall) -> dict[str, str | None]:
    """``$context`` without the authorizer's part: dotted name → text, None when there is none."""
    route = call.route
    return {
        **{f"identity.{name}": value for name, value in _flat(identity(call))},
        "accountId": call.account_id,
        "apiId": call.deployment.api_id,
        "deploymentId": call.deployment.id,
        "domainName": call.domain_name,
        "domainPrefix": call.domain_name.split(".", 1)[0],
        "extendedRequestId": call.extended_request_id,
        "httpMethod": call.verb,
        "isCanaryRequest": None if call.is_canary is None else str(call.is_canary).lower(),
        "path": call.full_path,
        "protocol": "HTTP/1.1",
        "requestId": call.request_id,
        "requestTime": request_time(call.time),
        "requestTimeEpoch": str(int(call.time * 1000)),
        "resourceId": route.resource.id if route else None,
        "resourcePath": route.resource.path if route else None,
        "stage": call.stage,
    }


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Dotted name → text, of a certificate's parts too."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", text) for inner, text in _flat(value))
        else:
            yield name, value


def _context_value(call: RestCall, name: str) -> str | None:
    simple = context_values(call)
    if name in simple:
        return simple[name]
    claims = call.claims or {}
    if name.startswith("authorizer.claims."):
        return claims.get(name.removeprefix("authorizer.claims."))
    if name.startswith("authorizer.claims['"):
        return claims.get(name.removeprefix("authorizer.claims['").removesuffix("']"))
    if name.startswith("authorizer.") and not name.startswith("authorizer.claims"):
        return _text((call.authorizer_context or {}).get(name.removeprefix("authorizer.")))
    return None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _request_value(call: RestCall, name: str) -> str | None:
    kind, _dot, key = name.partition(".")
    if kind == "header":
        return call.request.header(key)
    if kind == "querystring":
        return next((value for k, value in reversed(call.request.query) if k == key), None)
    if kind == "path":
        found = call.route.path_parameters.get(key) if call.route else None
        return None if found is None else unquote(found)
    return None


def identity_values(call: RestCall, source: str) -> list[str]:
    """What the request has for an identity source: all of a header's values, else the one value."""
    if source.startswith(_HEADER):
        wanted = source.removeprefix(_HEADER).lower()
        return [value for name, value in call.request.headers if name.lower() == wanted]
    found = look_up(call, source.removeprefix("$"))
    return [] if found is None else [found]
