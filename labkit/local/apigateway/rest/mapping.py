"""How a non-proxy integration maps: the request with a template, the backend's result to an integration response."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.proxy_results import remap_mapped_headers
from labkit.local.apigateway.rest.binary_media import media_type_matches
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.records import IntegrationResponse, RestIntegration
from labkit.local.apigateway.rest.responses import (
    BAD_REQUEST_BODY,
    DEFAULT_5XX,
    UNSUPPORTED_MEDIA_TYPE,
    GatewayError,
    status_of,
)
from labkit.local.apigateway.rest.template_data import (
    BodyNotJsonError,
    render_template,
    run_by_size,
)
from labkit.local.apigateway.rest.values import look_up
from labkit.local.apigateway.templates.json_path import MISSING, find
from labkit.local.apigateway.templates.limits import UnsupportedTemplateError
from labkit.local.messages import Headers, Response, utf8

MAX_MATCHED = 2_000
"""Characters of an error text that a selection pattern is tried on."""


def content_type_of(call: RestCall) -> str:
    """The request's media type, ``application/json`` unless it says so."""
    sent = call.request.header("content-type") or "application/json"
    return sent.split(";")[0].strip().lower()


async def map_request(call: RestCall, integration: RestIntegration) -> bytes | Stop[GatewayError]:
    """The body for the backend: from the template of the request's content type, else as it came."""
    templates, content_type = integration.templates, content_type_of(call)
    template = templates.get(content_type)
    if template is None:
        passthrough = integration.passthrough_behavior
        if passthrough == "NEVER" or (passthrough == "WHEN_NO_TEMPLATES" and templates):
            reason = f"no request template for the content type {content_type}"
            return Stop(
                GatewayError(UNSUPPORTED_MEDIA_TYPE),
                Code.INTEGRATION_MEDIA_TYPE,
                reason,
                {"passthroughBehavior": passthrough},
            )
        return call.request.body
    if media_type_matches(content_type, call.deployment.binary_media_types):
        return refuse_template("the local cloud applies no template to a binary body")
    try:
        return utf8(await render_template(call, template, call.request.body))
    except BodyNotJsonError as error:
        return refuse_body(f"the request template reads the body as JSON: {error}")
    except UnsupportedTemplateError as error:
        return refuse_template(f"the request template can't be used: {error}")


def refuse_body(reason: str) -> Stop[GatewayError]:
    """A body that isn't JSON where it must be; what AWS says behind the colon is its parser's (gateway 17.8)."""
    message = "Could not parse request body into json: it isn't JSON"
    return Stop(GatewayError(BAD_REQUEST_BODY, message), Code.VALIDATION_BODY, reason)


def refuse_mapping(call: RestCall, status: int, reason: str) -> Stop[GatewayError]:
    """No integration response fits what the backend answered (gateway 17.15)."""
    call.write(
        "Execution failed due to configuration error: No match for output mapping and no default"
        f" output mapping configured. Endpoint Response Status Code: {status}"
    )
    return Stop(GatewayError(DEFAULT_5XX), Code.INTEGRATION_RESPONSE, reason)


def refuse_template(reason: str) -> Stop[GatewayError]:
    """A template that AWS would perhaps evaluate; the local cloud doesn't guess."""
    return Stop(GatewayError(DEFAULT_5XX), Code.UNSUPPORTED, reason)


def choose_response(
    integration: RestIntegration, selected_by: str, status: str = ""
) -> IntegrationResponse | None:
    """The integration response whose selection pattern fits, else the one without a pattern.

    Args:
        integration: has the responses.
        selected_by: what a pattern must fit: a backend's status, or the error text of a function.
        status: prefers the response of this status among those without a pattern.
    """
    for response in integration.responses.values():
        pattern = response.selection_pattern
        if pattern and re.fullmatch(pattern, selected_by[:MAX_MATCHED], re.ASCII):
            return response
    return default_response(integration, status)


def default_response(integration: RestIntegration, status: str = "") -> IntegrationResponse | None:
    """An integration response without a selection pattern: that of the status, else the first."""
    responses = integration.responses
    by_status = responses.get(status)
    if by_status is not None and not by_status.selection_pattern:
        return by_status
    return next((r for r in responses.values() if not r.selection_pattern), None)


async def map_response(
    call: RestCall,
    chosen: IntegrationResponse,
    body: bytes,
    backend_headers: Headers | None = None,
) -> Response | Stop[GatewayError]:
    """The client's response, of what the backend answered.

    Args:
        call: the request.
        chosen: the integration response.
        body: the backend's.
        backend_headers: the backend's.
    """
    templates = chosen.templates
    content_type = "application/json"
    try:
        headers = await run_by_size(
            len(body), _mapped_headers, call, chosen, body, backend_headers or []
        )
        if templates:
            content_type = content_type if content_type in templates else next(iter(templates))
            body = utf8(await render_template(call, templates[content_type], body))
    except BodyNotJsonError as error:
        return refuse_template(f"the response template reads the backend's body as JSON: {error}")
    except UnsupportedTemplateError as error:
        return refuse_template(f"the response template can't be used: {error}")
    overridden = call.overrides["responseOverride"].get("status", chosen.status_code)
    status = status_of(overridden, 0)
    if not 100 <= status <= 599:
        return refuse_template("the response's status isn't an HTTP status")
    headers = with_override(headers, call.override("responseOverride", "header"))
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Response(status, headers, body)


def _mapped_headers(
    call: RestCall, chosen: IntegrationResponse, body: bytes, backend_headers: Headers
) -> Headers:
    headers: Headers = []
    for target, source in chosen.parameters.items():
        name = target.removeprefix("method.response.header.")
        value = _response_value(call, source, body, backend_headers)
        if name != target and value is not None:
            headers.append((name, value))
    return remap_mapped_headers(headers)


def _response_value(
    call: RestCall, source: str, body: bytes, backend_headers: Headers
) -> str | None:
    """What a response parameter is mapped from (gateway 17.2)."""
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    place = source.removeprefix("integration.response.")
    if place == source:
        return look_up(call, source)
    kind, _dot, name = place.partition(".")
    values = [value for key, value in backend_headers if key.lower() == name.lower()]
    if kind == "header":
        return values[-1] if values else None
    if kind == "multivalueheader":
        return ",".join(values) if values else None
    return value_in_body(body, name) if kind == "body" else None


def value_in_body(body: bytes, path: str) -> str | None:
    """``….body`` or ``….body.JSON.path`` as text; None when nothing is there."""
    if not path:
        return body.decode("utf-8", errors="replace")
    try:
        found = find(json.loads(body), path if path.startswith("$") else f"$.{path}")
    except (ValueError, RecursionError) as error:
        raise BodyNotJsonError("the body isn't JSON") from error
    if found is MISSING or found is None:
        return None
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))


def with_override(pairs: Headers, override: Mapping[str, Any]) -> Headers:
    """Headers or query parameters of which a template has overridden some; a list gives several."""
    changed = {name.lower() for name in override}
    kept = [(name, value) for name, value in pairs if name.lower() not in changed]
    for name, value in override.items():
        values = value if isinstance(value, list) else [value]
        kept += [(name, str(item)) for item in values if item is not None]
    return kept
