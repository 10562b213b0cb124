"""The ``MOCK`` integration: API Gateway answers by itself, from templates."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from labkit.local.apigateway.rest.call import Answer, Call, Stop
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


def mock_integration(call: Call, integration: Mapping[str, Any]) -> Answer | Stop:
    """The answer of a MOCK integration.

    The request template yields ``{"statusCode": n}``, which chooses the integration response. A template with more
    VTL than plain references isn't guessed: the request is stopped with 500 and a reason.
    """
    templates = integration.get("requestTemplates") or {}
    content_type = (
        (call.request.header("content-type") or "application/json").split(";")[0].strip().lower()
    )
    template = templates.get(content_type)
    if template is None:
        passthrough = integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
        if passthrough == "NEVER" or (passthrough == "WHEN_NO_TEMPLATES" and templates):
            reason = f"no request template for the content type {content_type}"
            return Stop(
                GatewayError(UNSUPPORTED_MEDIA_TYPE), reason, {"passthroughBehavior": passthrough}
            )
    try:
        rendered = (
            render_template(call, template)
            if template is not None
            else call.request.body.decode("utf-8")
        )
        status = _status_in(rendered) if len(rendered) > _SHORT else _status_in_short(rendered)
    except (UnsupportedTemplateError, UnicodeDecodeError) as error:
        return Stop(GatewayError(DEFAULT_5XX), f"the request template can't be used: {error}")
    if status is None:
        return Stop(GatewayError(DEFAULT_5XX), 'the request template yields no {"statusCode": …}')
    chosen = integration_response(integration, status)
    if chosen is None:
        return Stop(GatewayError(DEFAULT_5XX), f"no integration response for the status {status}")
    try:
        response = response_of(call, chosen)
    except UnsupportedTemplateError as error:
        return Stop(GatewayError(DEFAULT_5XX), f"the response template can't be used: {error}")
    return Answer(response, f"MOCK answered {response.status}")


def render_template(call: Call, template: str) -> str:
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


def integration_response(integration: Mapping[str, Any], status: int) -> Mapping[str, Any] | None:
    """The integration response whose selection pattern fits the status, else the one without a pattern."""
    responses = integration.get("integrationResponses") or {}
    for response in responses.values():
        pattern = response.get("selectionPattern")
        try:
            if pattern and re.fullmatch(pattern, str(status)):
                return dict(response)
        except re.error:
            continue
    by_status = responses.get(str(status))
    if by_status is not None and not by_status.get("selectionPattern"):
        return dict(by_status)
    return next((dict(r) for r in responses.values() if not r.get("selectionPattern")), None)


def response_of(call: Call, chosen: Mapping[str, Any]) -> Response:
    """The response that an integration response describes.

    Raises:
        UnsupportedTemplateError: its template needs more of VTL than plain references.
    """
    headers: Headers = []
    for target, source in (chosen.get("responseParameters") or {}).items():
        name = target.removeprefix("method.response.header.")
        literal = (
            source[1:-1]
            if len(source) >= 2 and source[0] == source[-1] == "'"
            else look_up(call, source)
        )
        if name != target and literal is not None:
            headers.append((name, literal))
    templates = chosen.get("responseTemplates") or {}
    content_type, body = "application/json", b""
    if templates:
        content_type = content_type if content_type in templates else next(iter(templates))
        body = utf8(render_template(call, templates[content_type] or ""))
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Response(status_of(chosen.get("statusCode") or 200, 0), headers, body)
