"""``HTTP`` and ``HTTP_PROXY`` integrations, to servers on this machine only: nothing leaves it."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from labkit.journey import Code
from labkit.local.apigateway.event_parts import listed
from labkit.local.apigateway.invocation import missing_stage_variable, with_stage_variables
from labkit.local.apigateway.loopback import (
    LateAnswerError,
    LoopbackClient,
    UnreachableServerError,
    encode_path_parameter,
    is_loopback,
    with_path_parameters,
)
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import remap_headers
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import NEVER_FORWARDED, backend_headers
from labkit.local.apigateway.rest.endpoint_log import log_answer, log_request, show_headers
from labkit.local.apigateway.rest.mapping import (
    choose_response,
    content_type_of,
    map_request,
    map_response,
    refuse_mapping,
    with_override,
)
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.request_parameters import (
    RequestParameters,
    map_parameters,
    refuse_headers,
)
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    INTEGRATION_FAILURE,
    INTEGRATION_TIMEOUT,
    GatewayError,
)
from labkit.local.apigateway.rest.template_data import run_by_size
from labkit.local.messages import Headers, Response, without_headers

_NEVER_MAPPED = frozenset({"connection", "expect", "proxy-authenticate", "te", "via"})
"""Headers that don't reach a server although they are mapped (recorded 18.18)."""

_NEVER_OVERRIDDEN = _NEVER_MAPPED | {"content-length", "transfer-encoding"}


class HttpServerIntegration:
    """Calls a server on loopback."""

    def __init__(self) -> None:
        self._client = LoopbackClient()

    async def __call__(
        self, call: RestCall, integration: RestIntegration
    ) -> Answer | Stop[GatewayError]:
        """The server's answer; 504 when it can't be reached or is late."""
        made = await self._request(call, integration)
        if isinstance(made, Stop):
            return made
        verb, url, sent, body = made
        if not is_loopback(url):
            call.write("Execution failed due to configuration error: Invalid endpoint address")
            reason = "the local cloud only calls servers on this machine"
            return Stop(
                GatewayError(API_CONFIGURATION_ERROR),
                Code.UNSUPPORTED,
                reason,
                {"url": url.partition("?")[0]},
            )
        if call.log is not None:
            log_request(call, url, show_headers(sent), body.decode(errors="replace"))
        timeout, started = integration.timeout, time.perf_counter()
        try:
            status, headers, answered = await self._client.send(verb, url, sent, body, timeout)
        except LateAnswerError:
            reason = f"the server did not answer within {timeout:g} s"
            return Stop(GatewayError(INTEGRATION_TIMEOUT), Code.INTEGRATION_TIMEOUT, reason)
        except UnreachableServerError as error:
            reason = f"the server can't be reached ({error})"
            return Stop(GatewayError(INTEGRATION_FAILURE), Code.INTEGRATION_UNREACHABLE, reason)
        if call.log is not None:
            shown = answered.decode(errors="replace")
            log_answer(call, status, show_headers(headers), shown, started)
        if integration.type == "HTTP_PROXY":
            kept = remap_headers(without_headers(headers, "keep-alive"))
            return Answer(Response(status, kept, answered), f"the server answered {status}")
        return await self._mapped(call, integration, status, headers, answered)

    async def _mapped(
        self,
        call: RestCall,
        integration: RestIntegration,
        status: int,
        headers: Headers,
        body: bytes,
    ) -> Answer | Stop[GatewayError]:
        chosen = choose_response(integration, str(status), str(status))
        if chosen is None:
            return refuse_mapping(
                call, status, f"no integration response for the server's {status}"
            )
        response = await map_response(call, chosen, body, headers)
        if isinstance(response, Stop):
            return response
        response.headers.append(("X-Amzn-Trace-Id", call.trace_id))
        return Answer(response, f"the server answered {status}, the client gets {response.status}")

    async def _request(
        self, call: RestCall, integration: RestIntegration
    ) -> tuple[str, str, Headers, bytes] | Stop[GatewayError]:
        """Verb, URL, headers and body for the server."""
        refused = refuse_headers(integration)
        if refused is not None:
            return refused
        mapped = await run_by_size(len(call.request.body), map_parameters, call, integration)
        if isinstance(mapped, Stop):
            return mapped
        if missing := missing_stage_variable(integration.uri, call.stage_variables):
            reason = f"the URI names the stage variable {missing}, and the stage has none"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.INTEGRATION_SETTINGS, reason)
        is_proxy = integration.type == "HTTP_PROXY"
        body = call.request.body if is_proxy else await map_request(call, integration)
        if isinstance(body, Stop):
            return body
        headers = _forwarded(call) if is_proxy else _own_headers(call, body)
        sent = [(k, v) for k, v in mapped.headers if k.lower() not in _NEVER_MAPPED]
        overrides = call.override("requestOverride", "header")
        kept = {k: v for k, v in overrides.items() if k.lower() not in _NEVER_OVERRIDDEN}
        headers = with_override(with_override(headers, listed(sent)), kept)
        verb = integration.http_method or call.verb
        verb = call.verb if verb == "ANY" else verb
        return verb, self._url(call, integration, mapped), headers, body

    def _url(self, call: RestCall, integration: RestIntegration, mapped: RequestParameters) -> str:
        places = {**call.found.path_parameters, **mapped.path}
        overrides = call.override("requestOverride", "path")
        places.update({k: encode_path_parameter(str(value)) for k, value in overrides.items()})
        uri = with_stage_variables(integration.uri, call.stage_variables)
        url = with_path_parameters(uri, places.get)
        changed = with_override(mapped.query, call.override("requestOverride", "querystring"))
        query = call.request.query_string if integration.type == "HTTP_PROXY" else ""
        if changed and query:
            names = {name for name, _value in changed}
            query = urlencode([(k, v) for k, v in call.request.query if k not in names])
        query = "&".join(part for part in (query, urlencode(changed)) if part)
        return url + (("&" if "?" in url else "?") + query if query else "")


def _own_headers(call: RestCall, body: bytes) -> Headers:
    """What the gateway sends of its own (recorded 18.17, 18.24)."""
    api_id = call.deployment.api_id
    headers = [
        ("Accept", "application/json"),
        ("User-Agent", f"AmazonAPIGateway_{api_id}"),
        ("X-Amzn-Apigateway-Api-Id", api_id),
        ("X-Amzn-Trace-Id", call.trace_id),
    ]
    return [*headers, ("Content-Type", content_type_of(call))] if body else headers


def _forwarded(call: RestCall) -> Headers:
    """What the caller sent, as far as a server gets it (recorded 18.3, 18.23)."""
    headers = without_headers(
        backend_headers(call, NEVER_FORWARDED), "host", "content-encoding", "via"
    )
    return [*headers, ("x-amzn-apigateway-api-id", call.deployment.api_id)]
