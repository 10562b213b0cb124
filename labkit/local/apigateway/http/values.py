"""The values that an identity source may name: ``$request.header.x``, ``$context.routeKey``… (gateway 13.11)."""

from __future__ import annotations

from labkit.local.apigateway.http.call import HttpCall


def look_up(call: HttpCall, expression: str) -> str | None:
    """The text behind a selection expression; None when there is no such value.

    Header names have no case, query string names have.
    """
    found = identity_values(call, expression)
    return ",".join(found) if found else None


def identity_values(call: HttpCall, source: str) -> list[str]:
    """What the request has for an identity source; a header or a query parameter may come twice."""
    kind, _dot, name = source.removeprefix("$").partition(".")
    if kind == "request":
        place, _dot, key = name.partition(".")
        if place == "header":
            return [v for k, v in call.request.headers if k.lower() == key.lower()]
        return [v for k, v in call.request.query if k == key] if place == "querystring" else []
    if kind == "stageVariables":
        found = call.stage_variables.get(name)
    else:
        found = _context(call).get(name) if kind == "context" else None
    return [] if found is None else [found]


def _context(call: HttpCall) -> dict[str, str | None]:
    return {
        "accountId": call.account_id,
        "apiId": call.deployment.api_id,
        "domainName": call.domain_name,
        "domainPrefix": call.domain_name.split(".", 1)[0],
        "httpMethod": call.verb,
        "identity.sourceIp": call.request.source_ip,
        "identity.userAgent": call.request.header("user-agent"),
        "path": call.event_path,
        "protocol": "HTTP/1.1",
        "requestId": call.request_id,
        "routeKey": call.found.key,
        "stage": call.stage,
    }
