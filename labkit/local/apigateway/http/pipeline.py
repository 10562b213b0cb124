"""The order of an HTTP API's gates, and the journey that they write.

An HTTP API has no web ACL, resource policy, API keys and validation (13.12): their steps say so, and everybody passes.
The order of the others is the REST API's; nobody is known to have recorded it for HTTP APIs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from labkit.journey import Journey, Step
from labkit.local.apigateway.http.authorization import Authorization
from labkit.local.apigateway.http.call import HttpCall, Outcome, Stop
from labkit.local.apigateway.http.cors import answer_to_preflight, is_preflight, with_cors_headers
from labkit.local.apigateway.http.integrations import Integrations
from labkit.local.apigateway.http.routing import route
from labkit.local.apigateway.http.throttling import Throttle
from labkit.local.apigateway.rest.call import Answer, Skip
from labkit.local.messages import Response


@dataclass(frozen=True)
class HttpPipeline:
    """Takes a call through the gates to its response.

    Attributes:
        authorization: the authorizers.
        throttle: the token buckets.
        integrations: the backends.
    """

    authorization: Authorization
    throttle: Throttle
    integrations: Integrations

    async def run(self, call: HttpCall, journey: Journey) -> Response:
        """The response, with the journey's steps filled in."""
        async for gate, outcome in self._outcomes(call):
            journey.steps.append(_step(gate, outcome))
            if isinstance(outcome, Stop):
                return outcome.response()
        answer = await self._integrate(call)
        journey.steps.append(_step("integration", answer))
        return answer.response() if isinstance(answer, Stop) else answer.response

    async def _outcomes(self, call: HttpCall) -> AsyncIterator[tuple[str, Outcome]]:
        yield "waf", Skip("an HTTP API can't have a web ACL")
        yield "route", route(call)
        yield "resource policy", Skip("an HTTP API can't have a resource policy")
        yield "authorizer", await self.authorization(call)
        yield "api key and usage plan", Skip("an HTTP API has no API keys")
        yield "throttle", self.throttle(call)
        yield "validation", Skip("an HTTP API doesn't validate requests")

    async def _integrate(self, call: HttpCall) -> Answer | Stop:
        """The backend's answer with the API's CORS headers; a preflight is answered here, behind the authorizer."""
        cors = call.deployment.cors
        if cors and is_preflight(call.request):
            response = answer_to_preflight(cors, call.request)
            return Answer(response, "the API's CORS configuration answers the preflight")
        answer = await self.integrations(call)
        if isinstance(answer, Stop):
            return answer
        response = with_cors_headers(cors, call.request, answer.response)
        return Answer(response, answer.reason, answer.evidence)


def _step(gate: str, outcome: Outcome | Answer) -> Step:
    if isinstance(outcome, Stop):
        return Step(gate, "stop", outcome.reason, outcome.evidence)
    return Step(
        gate, "skip" if isinstance(outcome, Skip) else "pass", outcome.reason, outcome.evidence
    )
