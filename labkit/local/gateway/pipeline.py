"""The order of the gates (gateway.md, section 9), and the journey that they write."""

from __future__ import annotations

from collections.abc import Callable

from labkit.journey import Journey, Step
from labkit.local.gateway import not_enforced
from labkit.local.gateway.authorization_header import not_signature_v4
from labkit.local.gateway.call import Answer, Call, Outcome, Pass, Skip, Stop
from labkit.local.gateway.cognito_authorizer import CognitoAuthorizer
from labkit.local.gateway.lambda_proxy import LambdaProxyIntegration
from labkit.local.gateway.mock_integration import mock_integration
from labkit.local.gateway.responses import (
    API_CONFIGURATION_ERROR,
    INCOMPLETE_SIGNATURE,
    MISSING_AUTHENTICATION_TOKEN,
    GatewayError,
    render,
)
from labkit.local.gateway.routing import find_route
from labkit.local.gateway.values import look_up
from labkit.local.messages import Response

Gate = Callable[[Call], Outcome]


class Pipeline:
    """Takes a call through the gates to its response.

    Args:
        cognito_authorizer: the gate for ``COGNITO_USER_POOLS``.
        lambda_proxy: the ``AWS_PROXY`` integration.
    """

    def __init__(
        self, cognito_authorizer: CognitoAuthorizer, lambda_proxy: LambdaProxyIntegration
    ) -> None:
        self._cognito_authorizer = cognito_authorizer
        self._lambda_proxy = lambda_proxy
        self._gates: tuple[tuple[str, Gate], ...] = (
            ("waf", not_enforced.waf),
            ("route", _route),
            ("resource policy", not_enforced.resource_policy),
            ("authorizer", self._authorize),
            ("api key and usage plan", not_enforced.api_key),
            ("throttle", not_enforced.throttle),
            ("validation", not_enforced.validation),
        )

    async def run(self, call: Call, journey: Journey) -> Response:
        """The response, with the journey's steps filled in."""
        for name, gate in self._gates:
            outcome = gate(call)
            journey.steps.append(_step(name, outcome))
            if isinstance(outcome, Stop):
                return reject(call, outcome)
        answer = await self.integrate(call)
        journey.steps.append(_step("integration", answer))
        return reject(call, answer) if isinstance(answer, Stop) else answer.response

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
            return await self._lambda_proxy(call, integration)
        reason = f"the local cloud has no {kind} integration yet, so it turns the request away"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), reason, {"integration type": str(kind)})

    def _authorize(self, call: Call) -> Outcome:
        kind = call.found.method.get("authorizationType") or "NONE"
        if kind == "NONE":
            return Skip("the method is open to everybody (authorization NONE)")
        if kind == "COGNITO_USER_POOLS":
            return self._cognito_authorizer(call)
        return not_enforced.authorization_type(call)


def reject(call: Call, stop: Stop) -> Response:
    """The gateway response for a rejection."""
    return render(stop.error, call.deployment.gateway_responses, lambda name: look_up(call, name))


def _route(call: Call) -> Outcome:
    closed = not_enforced.endpoint(call)
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


def _step(gate: str, outcome: Outcome | Answer) -> Step:
    if isinstance(outcome, Stop):
        return Step(gate, "stop", outcome.reason, outcome.evidence)
    return Step(
        gate, "skip" if isinstance(outcome, Skip) else "pass", outcome.reason, outcome.evidence
    )
