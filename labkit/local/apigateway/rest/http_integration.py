"""``HTTP`` and ``HTTP_PROXY`` integrations, to servers on this machine only: nothing leaves it."""

from __future__ import annotations

from labkit.journey import Code
from labkit.local.apigateway.invocation import with_stage_variables
from labkit.local.apigateway.loopback import (
    LateAnswerError,
    LoopbackClient,
    UnreachableServerError,
    is_loopback,
    with_path_parameters,
)
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import remap_headers
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import backend_headers
from labkit.local.apigateway.rest.mapping import choose_response, map_response
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    DEFAULT_5XX,
    INTEGRATION_FAILURE,
    INTEGRATION_TIMEOUT,
    GatewayError,
)
from labkit.local.apigateway.rest.values import look_up
from labkit.local.messages import Headers, Response, without_headers


class HttpServerIntegration:
    """Calls a server on loopback."""

    def __init__(self) -> None:
        self._client = LoopbackClient()

    async def __call__(
        self, call: RestCall, integration: RestIntegration
    ) -> Answer | Stop[GatewayError]:
        """The server's answer; 504 when it can't be reached or is late."""
        url = self._url(call, integration)
        if not is_loopback(url):
            call.write("Execution failed due to configuration error: Invalid endpoint address")
            reason = "the local cloud only calls servers on this machine"
            return Stop(
                GatewayError(API_CONFIGURATION_ERROR),
                Code.UNSUPPORTED,
                reason,
                {"url": url.partition("?")[0]},
            )
        timeout = integration.timeout
        call.write(f"Sending request to {url}")
        try:
            status, headers, body = await self._send(call, integration, url, timeout)
        except LateAnswerError:
            reason = f"the server did not answer within {timeout:g} s"
            return Stop(GatewayError(INTEGRATION_TIMEOUT), Code.INTEGRATION_TIMEOUT, reason)
        except UnreachableServerError as error:
            reason = f"the server can't be reached ({error})"
            return Stop(GatewayError(INTEGRATION_FAILURE), Code.INTEGRATION_UNREACHABLE, reason)
        if integration.type == "HTTP_PROXY":
            return Answer(
                Response(status, remap_headers(headers), body), f"the server answered {status}"
            )
        return await self._mapped(call, integration, status, headers, body)

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
            reason = f"no integration response for the server's {status}"
            return Stop(GatewayError(DEFAULT_5XX), Code.INTEGRATION_RESPONSE, reason)
        response = await map_response(call, chosen, body, headers)
        if isinstance(response, Stop):
            return response
        response.headers.append(("X-Amzn-Trace-Id", call.trace_id))
        return Answer(response, f"the server answered {status}, the client gets {response.status}")

    def _url(self, call: RestCall, integration: RestIntegration) -> str:
        parameters = integration.parameters

        def value_of(name: str) -> str | None:
            source = parameters.get(f"integration.request.path.{name}")
            return _source_value(call, source) if source else call.found.path_parameters.get(name)

        uri = with_stage_variables(integration.uri, call.stage_variables)
        url = with_path_parameters(uri, value_of)
        if integration.type == "HTTP_PROXY" and call.request.query_string:
            url += ("&" if "?" in url else "?") + call.request.query_string
        return url

    async def _send(
        self, call: RestCall, integration: RestIntegration, url: str, timeout: float
    ) -> tuple[int, Headers, bytes]:
        sent: Headers = []
        if integration.type == "HTTP_PROXY":
            sent = without_headers(backend_headers(call), "host")
        for target, source in integration.parameters.items():
            name = target.removeprefix("integration.request.header.")
            value = _source_value(call, source)
            if name != target and value is not None:
                sent.append((name, value))
        verb = integration.http_method or call.verb
        verb = call.verb if verb == "ANY" else verb
        return await self._client.send(verb, url, sent, call.request.body, timeout)


def _source_value(call: RestCall, source: str) -> str | None:
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    return look_up(call, source)
