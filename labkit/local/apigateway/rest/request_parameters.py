"""What an integration's request parameters map: headers, query parameters and path parameters for the backend."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.journey import Code
from labkit.local.apigateway.loopback import encode_path_parameter
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.mapping import refuse_template, value_in_body
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, GatewayError
from labkit.local.apigateway.rest.template_data import BodyNotJsonError
from labkit.local.apigateway.rest.values import look_up
from labkit.local.apigateway.templates.limits import UnsupportedTemplateError
from labkit.local.messages import Headers

_PREFIX = "integration.request."
_PATH = "method.request.path."
_OF_A_SERVER = frozenset({"content-length", "transfer-encoding"})
"""Headers that can't be mapped for a server: 500 (recorded 18.19)."""
_OF_A_FUNCTION = _OF_A_SERVER | {
    "authorization",
    "connection",
    "expect",
    "proxy-authenticate",
    "te",
}
"""Those that can't be mapped for an AWS service (recorded 19.5)."""


@dataclass(slots=True)
class RequestParameters:
    """What was mapped.

    Attributes:
        headers: for the backend.
        query: for the backend.
        path: for the placeholders of the URI, encoded.
    """

    headers: Headers = field(default_factory=list)
    query: Headers = field(default_factory=list)
    path: dict[str, str] = field(default_factory=dict)


def refuse_headers(integration: RestIntegration) -> Stop[GatewayError] | None:
    """Why the integration's mapped headers can't be sent, or None."""
    forbidden = _OF_A_FUNCTION if integration.type.startswith("AWS") else _OF_A_SERVER
    for target in integration.parameters:
        name = target.removeprefix(f"{_PREFIX}header.")
        if name != target and name.lower() in forbidden:
            reason = f"API Gateway sets {name} itself: it can't be mapped"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.INTEGRATION_SETTINGS, reason)
    return None


def map_parameters(
    call: RestCall, integration: RestIntegration
) -> RequestParameters | Stop[GatewayError]:
    """The values of the integration's request parameters; what isn't there isn't sent (gateway 17.2)."""
    found = RequestParameters()
    try:
        for target, source in integration.parameters.items():
            kind, _dot, name = target.removeprefix(_PREFIX).partition(".")
            value = _value_of(call, source)
            if value is None:
                continue
            if kind == "path":
                sent = call.found.path_parameters.get(source.removeprefix(_PATH))
                as_sent = source.startswith(_PATH) and sent is not None
                found.path[name] = sent if as_sent and sent else encode_path_parameter(value)
            else:
                (found.headers if kind == "header" else found.query).append((name, value))
    except (BodyNotJsonError, UnsupportedTemplateError) as error:
        return refuse_template(f"a request parameter can't be mapped: {error}")
    return found


def _value_of(call: RestCall, source: str) -> str | None:
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    place = source.removeprefix("method.request.")
    if place == source:
        return look_up(call, source)
    kind, _dot, name = place.partition(".")
    request = call.request
    if kind == "body":
        return value_in_body(request.body, name)
    if kind in ("header", "multivalueheader"):
        values = [value for key, value in request.headers if key.lower() == name.lower()]
    elif kind in ("querystring", "multivaluequerystring"):
        values = [value for key, value in request.query if key == name]
    else:
        return look_up(call, source)
    if not values:
        return None
    return ",".join(values) if kind.startswith("multivalue") else values[-1]
