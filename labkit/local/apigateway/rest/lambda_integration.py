"""The ``AWS`` integration with a Lambda function: templates make the event and the answer (gateway 17.9)."""

from __future__ import annotations

import json

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.function_backend import FunctionBackend, write_payload
from labkit.local.apigateway.rest.mapping import (
    MAX_MATCHED,
    choose_response,
    default_response,
    map_request,
    map_response,
    refuse_body,
    refuse_mapping,
    refuse_template,
)
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import DEFAULT_5XX, GatewayError
from labkit.local.apigateway.rest.template_data import run_by_size
from labkit.local.messages import utf8

_OF_AN_INVOCATION = "integration.request.header.x-amz-"


class LambdaIntegration:
    """Calls a function with what the request template makes, and maps its result.

    Args:
        backend: finds and invokes the function.
    """

    def __init__(self, backend: FunctionBackend) -> None:
        self._backend = backend

    async def __call__(
        self, call: RestCall, integration: RestIntegration
    ) -> Answer | Stop[GatewayError]:
        """The mapped answer; an error of the function that no selection pattern fits is answered as a success is."""
        target = self._backend.find(call, integration)
        if isinstance(target, Stop):
            return target
        if any(name.lower().startswith(_OF_AN_INVOCATION) for name in integration.parameters):
            reason = "the local cloud maps no X-Amz-… header: it invokes a function and waits"
            return Stop(GatewayError(DEFAULT_5XX), Code.UNSUPPORTED, reason)
        body = await map_request(call, integration)
        if isinstance(body, Stop):
            return body
        try:
            # An empty body is an empty event (recorded 19.4).
            event = await run_by_size(len(body), json.loads, body or b"{}")
        except (ValueError, RecursionError):
            return refuse_body("what the request template makes isn't JSON, as an event must be")
        found = await self._backend.invoke(call, target, event, integration.timeout)
        if isinstance(found, Stop):
            return found
        evidence = {"function": target.name}
        if found.fault is None:
            chosen = default_response(integration)
        else:
            error = found.error_message or ""
            if len(error) > MAX_MATCHED:
                return refuse_template(
                    f"the local cloud matches no error text of more than {MAX_MATCHED} characters"
                )
            chosen = choose_response(integration, error)
        if chosen is None:
            return refuse_mapping(
                call, 200, f"no integration response for what {target.name} answered"
            )
        response = await map_response(call, chosen, utf8(write_payload(found.payload)))
        if isinstance(response, Stop):
            return response
        response.headers.append(("X-Amzn-Trace-Id", call.trace_id))
        failed = "failed" if found.fault else "answered"
        return Answer(
            response, f"{target.name} {failed}, the client gets {response.status}", evidence
        )
