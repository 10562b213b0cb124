"""The order of the gates (gateway.md, section 9), and the journey that they write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from labkit.journey import Journey, Step
from labkit.local.apigateway.authorization_header import not_signature_v4
from labkit.local.apigateway.rest.authorization import Authorization
from labkit.local.apigateway.rest.call import Answer, Call, Outcome, Pass, Skip, Stop
from labkit.local.apigateway.rest.endpoint import closed_endpoint, waf
from labkit.local.apigateway.rest.http_integration import HttpIntegration
from labkit.local.apigateway.rest.lambda_proxy import LambdaProxyIntegration
from labkit.local.apigateway.rest.mock_integration import mock_integration
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    INCOMPLETE_SIGNATURE,
    MISSING_AUTHENTICATION_TOKEN,
    GatewayError,
    render,
)
from labkit.local.apigateway.rest.routing import find_route
from labkit.local.apigateway.rest.throttling import Throttle
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.apigateway.rest.validation import validation
from labkit.local.apigateway.rest.values import look_up
from labkit.local.messages import Response

Gate = Callable[[Call], Outcome]


@dataclass(frozen=True)
class Gates:
    """The gates and integrations that keep state or ask another part of the cloud.

    Attributes:
        authorization: the resource policy and the authorizers.
        usage_plans: API keys, usage plans and quotas.
        throttle: the token buckets.
        lambda_proxy: the ``AWS_PROXY`` integration.
        http: the ``HTTP`` and ``HTTP_PROXY`` integrations.
    """

    authorization: Authorization
    usage_plans: UsagePlans
    throttle: Throttle
    lambda_proxy: LambdaProxyIntegration
    http: HttpIntegration


class Pipeline:
    """Takes a call through the gates to its response.

    Args:
        gates: see there.
    """

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._before: tuple[tuple[str, Gate], ...] = (("waf", waf), ("route", _route))
        self._after: tuple[tuple[str, Gate], ...] = (
            ("api key and usage plan", gates.usage_plans),
            ("throttle", gates.throttle),
            ("validation", validation),
        )

    async def run(self, call: Call, journey: Journey) -> Response:
        """The response, with the journey's steps filled in."""
        # No asynchronous generator: one that a Stop leaves unfinished costs the event loop a task to close it.
        stop = (
            self._through(self._before, call, journey)
            or _note(await self._gates.authorization.outcomes(call), journey)
            or self._through(self._after, call, journey)
        )
        if stop is not None:
            return reject(call, stop)
        answer = await self.integrate(call)
        journey.steps.append(_step("integration", answer))
        return reject(call, answer) if isinstance(answer, Stop) else answer.response

    def _through(
        self, gates: Iterable[tuple[str, Gate]], call: Call, journey: Journey
    ) -> Stop | None:
        """Take a call through some gates; the Stop of the one that turned it away."""
        return _note(((name, gate(call)) for name, gate in gates), journey)

    async def integrate(self, call: Call) -> Answer | Stop:
        """Let the backend answer."""
        integration = call.found.method.get("methodIntegration")
        if not integration:
            reason = "the method has no integration"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), reason)
        kind = integration.get("type")
        if kind == "MOCK":
            return mock_integration(call, integration)
        if kind == "AWS_PROXY":
            return await self._gates.lambda_proxy(call, integration)
        if kind in ("HTTP", "HTTP_PROXY"):
            return await self._gates.http(call, integration)
        reason = f"the local cloud has no {kind} integration, so it turns the request away"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), reason, {"integration type": str(kind)})


def reject(call: Call, stop: Stop) -> Response:
    """The gateway response for a rejection."""
    return render(stop.error, call.deployment.gateway_responses, lambda name: look_up(call, name))


def _route(call: Call) -> Outcome:
    closed = closed_endpoint(call)
    if closed is not None:
        return closed
    call.route = find_route(call.deployment, call.verb, call.raw_path)
    if call.route is not None:
        path = call.route.resource.path
        return Pass(f"{call.verb} {path} is deployed on the stage {call.stage}", {"resource": path})
    reason = f"the deployed snapshot of the stage {call.stage} has no {call.verb} {call.raw_path}"
    complaint = not_signature_v4(call.request)
    if complaint is not None:
        return Stop(GatewayError(INCOMPLETE_SIGNATURE, complaint), reason)
    return Stop(GatewayError(MISSING_AUTHENTICATION_TOKEN), reason)


def _note(outcomes: Iterable[tuple[str, Outcome]], journey: Journey) -> Stop | None:
    """Write the outcomes into the journey, up to the first Stop, which is returned."""
    for name, outcome in outcomes:
        journey.steps.append(_step(name, outcome))
        if isinstance(outcome, Stop):
            return outcome
    return None


def _step(gate: str, outcome: Outcome | Answer) -> Step:
    if isinstance(outcome, Stop):
        return Step(gate, "stop", outcome.reason, outcome.evidence)
    return Step(
        gate, "skip" if isinstance(outcome, Skip) else "pass", outcome.reason, outcome.evidence
    )
