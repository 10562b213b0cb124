"""The values that an identity source may name: ``$request.header.x``, ``$context.routeKey``… (gateway.md 13.11)."""

from __future__ import annotations

from labkit.local.apigateway.http.call import HttpCall


def look_up(call: HttpCall, expression: str) -> str | None:
    """The text behind a selection expression; None when there is no such value.

    Header names have no case, query string names have.
    """
    kind, _dot, name = expression.removeprefix("$").partition(".")
    if kind == "request":
        place, _dot, key = name.partition(".")
        if place == "header":
            found = [v for k, v in call.request.headers if k.lower() == key.lower()]
        elif place == "querystring":
            found = [v for k, v in call.request.query if k == key]
        else:
            return None
        return ",".join(found) if found else None
    if kind == "stageVariables":
        return call.stage_variables.get(name)
    return _context(call).get(name) if kind == "context" else None


def comes_twice(call: HttpCall, expression: str) -> bool:
    """Whether a header or a query parameter comes twice: function, cache and backend could each take another one."""
    place, _dot, key = expression.removeprefix("$request.").partition(".")
    if place == "header":
        return sum(name.lower() == key.lower() for name, _value in call.request.headers) > 1
    return place == "querystring" and sum(name == key for name, _value in call.request.query) > 1


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
