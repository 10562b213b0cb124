"""What a REST API brings to its Lambda authorizers, ``TOKEN`` and ``REQUEST`` (gateway 3)."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.authorizer_results import AuthorizerResult, read_policy_result
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizerDoor, Values
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.lambda_proxy import proxy_event
from labkit.local.apigateway.rest.records import RestAuthorizer
from labkit.local.apigateway.rest.responses import (
    AUTHORIZER_CONFIGURATION_ERROR,
    UNAUTHORIZED,
    GatewayError,
)
from labkit.local.apigateway.rest.values import identity_values
from labkit.local.apigateway.rest.words import deny_caller

LIMIT_SECONDS = 29.0
"""That the gateway gives up is measured, after how many seconds isn't known (gateway 3.18b)."""


def authorizer_of(call: RestCall) -> RestAuthorizer | None:
    """The authorizer that the method names, if the deployment has it."""
    return call.deployment.authorizers.get(call.found.method.authorizer_id)


def event_of(call: RestCall, authorizer: RestAuthorizer, values: Values) -> dict[str, Any]:
    """The event that the function gets (gateway 3.1, 3.2)."""
    if authorizer.type != "REQUEST":
        token = next((found[0] for found in values if found), None)
        return {"type": "TOKEN", "methodArn": call.invoked_arn(), "authorizationToken": token}
    whole = proxy_event(call)
    return {
        "type": "REQUEST",
        "methodArn": call.invoked_arn(),
        **{name: value for name, value in whole.items() if name not in ("body", "isBase64Encoded")},
    }


def read_result(_authorizer: RestAuthorizer, payload: object) -> AuthorizerResult:
    """The function's result, checked."""
    return read_policy_result(payload)


DOOR = LambdaAuthorizerDoor(
    limit=LIMIT_SECONDS,
    unauthorized=GatewayError(UNAUTHORIZED),
    misconfigured=GatewayError(AUTHORIZER_CONFIGURATION_ERROR),
    unauthorized_message="Unauthorized",
    authorizer_of=authorizer_of,
    values=identity_values,
    event=event_of,
    read_result=read_result,
    deny=deny_caller,
)
