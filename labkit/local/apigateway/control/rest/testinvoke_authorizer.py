"""``TestInvokeAuthorizer``: the console's Test authorizer (gateway.md 12.7-12.10).

It tests the authorizer, not the access: a policy that denies is a success (12.8).
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from labkit.local.apigateway.control.rest.testinvoke import call_from, execution_log, failure
from labkit.local.apigateway.rest.call import Call, Stop
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.data_plane import RestApis
from labkit.local.apigateway.rest.deployment import Deployment, Resource
from labkit.local.apigateway.rest.lambda_authorizer import (
    LambdaAuthorizer,
    identity_values,
    masked,
    missing_identity,
    ttl_of,
)
from labkit.local.apigateway.rest.routing import Route
from labkit.local.messages import Request, Response

_OPERATION = re.compile(r"/restapis/([^/]+)/authorizers/([^/]+)")
TEST_STAGE = "ESTestInvoke-stage"


def is_test_invoke_authorizer(request: Request) -> bool:
    """Whether a control-plane call is ``TestInvokeAuthorizer``."""
    return request.method == "POST" and _OPERATION.fullmatch(request.raw_path) is not None


async def answer_test_invoke_authorizer(
    request: Request,
    rest_apis: RestApis,
    account_id: str,
    cognito: CognitoAuthorizer,
    lambda_authorizer: LambdaAuthorizer,
) -> Response:
    """Answer the operation: ``clientStatus``, ``log``, ``latency``, ``principalId``, ``policy``, ``claims``."""
    match = _OPERATION.fullmatch(request.raw_path)
    assert match is not None
    api_id, authorizer_id = match.groups()
    region = rest_apis.rest_api_region(api_id)
    if region is None:
        return failure(404, "NotFoundException", "Invalid API identifier specified")
    deployment = Deployment(api_id, region, "", rest_apis.rest_api_configuration(api_id, region))
    authorizer = deployment.authorizers.get(authorizer_id)
    if authorizer is None:
        return failure(404, "NotFoundException", "Invalid Authorizer identifier specified")
    try:
        asked = json.loads(request.body or b"{}")
        call = call_from(deployment, account_id, asked, TEST_STAGE, "/")
    except (ValueError, TypeError, AttributeError):
        return failure(400, "BadRequestException", "Invalid request input")
    method: dict[str, Any] = {"authorizerId": authorizer_id, "authorizationScopes": []}
    call.route = Route(Resource("", "/", (), {}), method, {})
    started = time.perf_counter()
    call.write(f"Starting authorizer: {authorizer_id} for request: {call.request_id}")
    if authorizer.get("type") == "COGNITO_USER_POOLS":
        result = _test_cognito(call, cognito)
    else:
        result = await _test_lambda(call, authorizer, lambda_authorizer)
    return Response.of_json(
        {
            **result,
            "log": execution_log(call),
            "latency": int((time.perf_counter() - started) * 1000),
        }
    )


def _test_cognito(call: Call, cognito: CognitoAuthorizer) -> dict[str, Any]:
    """The console's test takes ID tokens only (2.17): the method has no scopes here."""
    outcome = cognito(call)
    if isinstance(outcome, Stop):
        call.write(f"Unauthorized request: {call.request_id}")
        return {"clientStatus": 401}
    return {"clientStatus": 0, "claims": (call.authorizer or {}).get("claims", {})}


async def _test_lambda(
    call: Call, authorizer: Any, lambda_authorizer: LambdaAuthorizer
) -> dict[str, Any]:
    values = identity_values(call, authorizer)
    call.write(f"Incoming identity: {', '.join(masked(value or '') for _name, value in values)}")
    if missing_identity(call, authorizer, values, cached=ttl_of(authorizer) > 0) is not None:
        call.write(f"Unauthorized request: {call.request_id}")
        return {"clientStatus": 401}
    result = await lambda_authorizer.ask(call, authorizer)
    if isinstance(result, Stop):
        status = result.error.status or result.error.type.status
        if status >= 500:
            call.write("AuthorizerConfigurationException")
        return {"clientStatus": status}
    call.write("Successfully completed authorizer execution")
    return {
        "clientStatus": 0,
        "principalId": result.principal_id,
        "policy": json.dumps(result.policy),
        "authorization": {},
    }
