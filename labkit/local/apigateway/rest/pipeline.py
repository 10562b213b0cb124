"""The gates of a REST API, in their order (gateway 9), once its stage is found."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.authorization import Authorization
from labkit.local.apigateway.authorization_header import not_signature_v4
from labkit.local.apigateway.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.limits import Throttle
from labkit.local.apigateway.outcomes import Answer, Pass, Skip, Stop
from labkit.local.apigateway.pipeline import Pipeline
from labkit.local.apigateway.rest.call import RestCall, RestOutcome
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.endpoint import closed_endpoint, waf
from labkit.local.apigateway.rest.jwt_authorizer import RestJwtAuthorizer
from labkit.local.apigateway.rest.records import RestAuthorizer, RestIntegration
from labkit.local.apigateway.rest.resource_policy import ResourcePolicy
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    INCOMPLETE_SIGNATURE,
    MISSING_AUTHENTICATION_TOKEN,
    UNAUTHORIZED,
    GatewayError,
    render,
)
from labkit.local.apigateway.rest.routing import find_route
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.apigateway.rest.validation import validation
from labkit.local.apigateway.rest.values import look_up
from labkit.local.messages import Response

MAX_ARN_BYTES = 1_600
_OPEN = Skip("the method is open to everybody (authorization NONE)", Code.AUTHORIZATION_NONE)

Answered = Answer | Stop[GatewayError]
Integration = Callable[[RestCall, RestIntegration], Answered | Coroutine[Any, Any, Answered]]


@dataclass(frozen=True)
class RestGates:
    """The gates that keep state or ask another part of the cloud.

    Attributes:
        resource_policy: asked before and after the authorizer.
        cognito: for ``COGNITO_USER_POOLS``.
        jwt: for ``JWT``.
        iam: for ``AWS_IAM``.
        lambda_authorizer: for ``CUSTOM``.
        usage_plans: API keys, usage plans and quotas.
        throttle: the token buckets.
        integrations: by type.
    """

    resource_policy: ResourcePolicy
    cognito: CognitoAuthorizer
    jwt: RestJwtAuthorizer
    iam: IamAuthorizer[RestCall, GatewayError]
    lambda_authorizer: LambdaAuthorizer[RestCall, RestAuthorizer, GatewayError]
    usage_plans: UsagePlans
    throttle: Throttle[RestCall, GatewayError]
    integrations: Mapping[str, Integration]


def rest_pipeline(gates: RestGates) -> Pipeline[RestCall, GatewayError]:
    """What a request to a REST API goes through."""
    authorizer = Authorization[RestCall, GatewayError](
        {
            "NONE": lambda call: _OPEN,
            "COGNITO_USER_POOLS": gates.cognito,
            "JWT": gates.jwt,
            "AWS_IAM": gates.iam,
            "CUSTOM": lambda call: _too_long(call) or gates.lambda_authorizer(call),
        },
        GatewayError(API_CONFIGURATION_ERROR),
    )
    return Pipeline(
        (
            ("waf", waf),
            ("route", closed_endpoint),
            ("route", route),
            ("resource policy", gates.resource_policy.before_authorizer),
            ("authorizer", authorizer),
            ("resource policy", gates.resource_policy.after_authorizer),
            ("api key and usage plan", gates.usage_plans),
            ("throttle", gates.throttle),
            ("validation", validation),
            ("integration", RestIntegrations(gates.integrations)),
        ),
        reject,
    )


class RestIntegrations:
    """Lets the method's backend answer.

    Args:
        by_type: what a method's integration may be; another type turns everybody away.
    """

    def __init__(self, by_type: Mapping[str, Integration]) -> None:
        self.by_type = by_type

    def __call__(self, call: RestCall) -> Answered | Coroutine[Any, Any, Answered]:
        """The backend's answer."""
        configured = call.found.method.integration
        if configured is None:
            reason = "the method has no integration"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.INTEGRATION_MISSING, reason)
        if configured.unusable is not None:
            return Stop(GatewayError(API_CONFIGURATION_ERROR), *configured.unusable)
        integration = self.by_type.get(configured.type)
        if integration is not None:
            return integration(call, configured)
        kind = configured.type
        reason = f"the local cloud has no {kind} integration, so it turns the request away"
        evidence = {"integration type": kind}
        return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.UNSUPPORTED, reason, evidence)


def route(call: RestCall) -> RestOutcome:
    """Find the method that serves the request."""
    call.route = find_route(call.deployment, call.verb, call.raw_path)
    if call.route is not None:
        path = call.route.resource.path
        return Pass(f"{call.verb} {path} is deployed on the stage {call.stage}", {"resource": path})
    reason = f"the deployed snapshot of the stage {call.stage} has no {call.verb} {call.raw_path}"
    complaint = not_signature_v4(call.request)
    refusal = GatewayError(MISSING_AUTHENTICATION_TOKEN)
    if complaint is not None:
        refusal = GatewayError(INCOMPLETE_SIGNATURE, complaint)
    return Stop(refusal, Code.ROUTE_NOT_FOUND, reason)


def reject(call: RestCall, stop: Stop[GatewayError]) -> Response:
    """The gateway response for a rejection."""
    return render(stop.refusal, call.deployment.gateway_responses, lambda name: look_up(call, name))


def _too_long(call: RestCall) -> Stop[GatewayError] | None:
    """A Lambda authorizer isn't asked about an ARN of more than 1,600 bytes (gateway 3.13)."""
    if len(call.invoked_arn().encode()) <= MAX_ARN_BYTES:
        return None
    reason = f"the method's ARN is longer than {MAX_ARN_BYTES} bytes"
    return Stop(GatewayError(UNAUTHORIZED, "Request URI too long", 414), Code.URI_TOO_LONG, reason)
