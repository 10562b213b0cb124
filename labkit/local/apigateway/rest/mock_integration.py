"""The ``MOCK`` integration: API Gateway answers by itself, from templates."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.records import IntegrationResponse, RestIntegration
from labkit.local.apigateway.rest.responses import (
    DEFAULT_5XX,
    UNSUPPORTED_MEDIA_TYPE,
    GatewayError,
    status_of,
)
from labkit.local.apigateway.rest.values import look_up
from labkit.local.messages import Headers, Response, utf8

_REFERENCE = re.compile(
    r"\$(?:\{(?P<braced>[\w.]+(?:\['[^']*'\])?)\}"
    r"|(?P<plain>(?:context|stageVariables)(?:\.\w+)+(?:\['[^']*'\])?)"
    r"|input\.params\('(?P<param>[^']*)'\)|(?P<body>input\.body))"
)
_SHORT = 100
_MORE_VTL = re.compile(r"#(?:set|if|elseif|else|end|foreach|#|\*)|\$!?\{?[A-Za-z]")


class UnsupportedTemplateError(Exception):
    """The mapping template needs more of VTL than the local cloud knows."""


def mock_integration(call: RestCall, integration: RestIntegration) -> Answer | Stop[GatewayError]:
    """The answer of a MOCK integration.

    The request template yields ``{"statusCode": n}``, which chooses the integration response. A template with more
    VTL than plain references isn't guessed: the request is stopped with 500 and a reason.
    """
    templates = integration.templates
    content_type = (
        (call.request.header("content-type") or "application/json").split(";")[0].strip().lower()
    )
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
    try:
        rendered = (
            render_template(call, template)
            if template is not None
            else call.request.body.decode("utf-8")
        )
        status = _status_in(rendered) if len(rendered) > _SHORT else _status_in_short(rendered)
    except (UnsupportedTemplateError, UnicodeDecodeError) as error:
        reason = f"the request template can't be used: {error}"
        return _broken(Code.INTEGRATION_TEMPLATE, reason)
    if status is None:
        reason = 'the request template yields no {"statusCode": …}'
        return _broken(Code.INTEGRATION_TEMPLATE, reason)
    chosen = integration_response(integration, status)
    if chosen is None:
        reason = f"no integration response for the status {status}"
        return _broken(Code.INTEGRATION_RESPONSE, reason)
    try:
        response = response_of(call, chosen)
    except UnsupportedTemplateError as error:
        reason = f"the response template can't be used: {error}"
        return _broken(Code.INTEGRATION_TEMPLATE, reason)
    return Answer(response, f"MOCK answered {response.status}")


def _broken(code: Code, reason: str) -> Stop[GatewayError]:
    return Stop(GatewayError(DEFAULT_5XX), code, reason)


def render_template(call: RestCall, template: str) -> str:
    """A template whose only VTL are plain references.

    Raises:
        UnsupportedTemplateError: it has directives, methods or expressions.
    """

    def value(match: re.Match[str]) -> str:
        if match["body"]:
            return call.request.body.decode("utf-8", errors="replace")
        if match["param"] is not None:
            places = ("path", "querystring", "header")
            found = (look_up(call, f"method.request.{place}.{match['param']}") for place in places)
            return next((text for text in found if text is not None), "")
        return look_up(call, match["braced"] or match["plain"]) or ""

    if _has_more_than_references(template):
        raise UnsupportedTemplateError("it has VTL beyond plain references")
    return _REFERENCE.sub(value, template)


@lru_cache(512)
def _has_more_than_references(template: str) -> bool:
    return _MORE_VTL.search(_REFERENCE.sub("", template)) is not None


def _status_in(rendered: str) -> int | None:
    try:
        data = json.loads(rendered)
    except (ValueError, RecursionError):
        return None
    status = data.get("statusCode") if isinstance(data, dict) else None
    try:
        return (
            int(status) if isinstance(status, int | str) and not isinstance(status, bool) else None
        )
    except ValueError:
        return None


_status_in_short = lru_cache(256)(_status_in)
"""Most request templates are ``{"statusCode": 200}``."""


def integration_response(integration: RestIntegration, status: int) -> IntegrationResponse | None:
    """The integration response whose selection pattern fits the status, else the one without a pattern."""
    responses = integration.responses
    for response in responses.values():
        pattern = response.selection_pattern
        try:
            if pattern and re.fullmatch(pattern, str(status)):
                return response
        except re.error:
            continue
    by_status = responses.get(str(status))
    if by_status is not None and not by_status.selection_pattern:
        return by_status
    return next((r for r in responses.values() if not r.selection_pattern), None)


def response_of(call: RestCall, chosen: IntegrationResponse) -> Response:
    """The response that an integration response describes.

    Raises:
        UnsupportedTemplateError: its template needs more of VTL than plain references.
    """
    headers: Headers = []
    for target, source in chosen.parameters.items():
        name = target.removeprefix("method.response.header.")
        literal = (
            source[1:-1]
            if len(source) >= 2 and source[0] == source[-1] == "'"
            else look_up(call, source)
        )
        if name != target and literal is not None:
            headers.append((name, literal))
    templates = chosen.templates
    content_type, body = "application/json", b""
    if templates:
        content_type = content_type if content_type in templates else next(iter(templates))
        body = utf8(render_template(call, templates[content_type]))
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Response(status_of(chosen.status_code, 0), headers, body)
