"""``TestInvokeAuthorizer``: the console's Test authorizer (gateway 12.7-12.10).

It tests the authorizer, not the access: a policy that denies is a success (gateway 12.8).
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from labkit.local.apigateway.answers import bad_request, refuse
from labkit.local.apigateway.control.rest.testinvoke import TestCalls, execution_log
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizer, mask_value
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.data_plane import RestApis
from labkit.local.apigateway.rest.pipeline import RestGates
from labkit.local.apigateway.rest.records import Method, Resource, RestAuthorizer, freeze
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.routing import Route
from labkit.local.messages import Request, Response

_OPERATION = re.compile(r"/restapis/([^/]+)/authorizers/([^/]+)")
TEST_STAGE = "ESTestInvoke-stage"


def is_test_invoke_authorizer(request: Request) -> bool:
    """Whether a control-plane call is ``TestInvokeAuthorizer``."""
    return request.method == "POST" and _OPERATION.fullmatch(request.raw_path) is not None


async def answer_test_invoke_authorizer(
    request: Request, rest_apis: RestApis, gates: RestGates, test_calls: TestCalls
) -> Response:
    """Answer the operation: ``clientStatus``, ``log``, ``latency``, ``principalId``, ``policy``, ``claims``."""
    match = _OPERATION.fullmatch(request.raw_path)
    assert match is not None
    api_id, authorizer_id = match.groups()
    region = rest_apis.rest_api_region(api_id)
    if region is None:
        return refuse(404, "NotFoundException", "Invalid API identifier specified")
    deployment = freeze(api_id, region, "", rest_apis.rest_api_configuration(api_id, region))
    authorizer = deployment.authorizers.get(authorizer_id)
    if authorizer is None:
        return refuse(404, "NotFoundException", "Invalid Authorizer identifier specified")
    try:
        asked = json.loads(request.body or b"{}")
        call = test_calls.make(deployment, asked, TEST_STAGE, "/")
    except (ValueError, TypeError, AttributeError):
        return bad_request("Invalid request input")
    call.route = Route(Resource("", "/", (), {}), Method("CUSTOM", authorizer_id), {})
    started = time.perf_counter()
    call.write(f"Starting authorizer: {authorizer_id} for request: {call.request_id}")
    if authorizer.type == "COGNITO_USER_POOLS":
        result = _test_cognito(call, gates.cognito)
    else:
        result = await _test_lambda(call, authorizer, gates.lambda_authorizer)
    return Response.of_json(
        {
            **result,
            "log": execution_log(call),
            "latency": int((time.perf_counter() - started) * 1000),
        }
    )


def _test_cognito(call: RestCall, cognito: CognitoAuthorizer) -> dict[str, Any]:
    """The console's test takes ID tokens only (gateway 2.17): the method has no scopes here."""
    outcome = cognito(call)
    if isinstance(outcome, Stop):
        call.write(f"Unauthorized request: {call.request_id}")
        return {"clientStatus": 401}
    return {"clientStatus": 0, "claims": call.claims or {}}


async def _test_lambda(
    call: RestCall,
    authorizer: RestAuthorizer,
    lambda_authorizer: LambdaAuthorizer[RestCall, RestAuthorizer, GatewayError],
) -> dict[str, Any]:
    values = lambda_authorizer.identity_values(call, authorizer)
    identity = ", ".join(mask_value(found[0] if found else "") for found in values)
    call.write(f"Incoming identity: {identity}")
    if lambda_authorizer.refuse_identity(authorizer, values) is not None:
        call.write(f"Unauthorized request: {call.request_id}")
        return {"clientStatus": 401}
    result = await lambda_authorizer.ask(call, authorizer, values)
    if isinstance(result, Stop):
        status = result.refusal.shown_status
        if status >= 500:
            call.write("AuthorizerConfigurationException")
        return {"clientStatus": status}
    call.write("Successfully completed authorizer execution")
    document = result.document
    return {
        "clientStatus": 0,
        "principalId": result.principal_id,
        "policy": document if isinstance(document, str) else json.dumps(document),
        "authorization": {},
    }
