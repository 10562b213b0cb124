"""``TestInvokeAuthorizer``: the console's Test authorizer (gateway 12.7-12.10).

It tests the authorizer, not the access: a policy that denies is a success (gateway 12.8).
"""

from __future__ import annotations

import json
import time
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import not_found, not_offered
from labkit.local.apigateway.control.rest.lookup import rest_api
from labkit.local.apigateway.control.rest.testinvoke import TestCalls, execution_log
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizer, mask_value
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.pipeline import RestGates
from labkit.local.apigateway.rest.records import Method, Resource, RestAuthorizer, freeze
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.routing import Route

JsonObject = dict[str, Any]

TEST_STAGE = "ESTestInvoke-stage"


class TestInvokeAuthorizer:
    """The operation.

    Args:
        store: the records.
        gates: the authorizers that it asks.
        test_calls: makes the call.
    """

    __test__ = False  # for pytest: it isn't one

    def __init__(self, store: GatewayStore, gates: RestGates, test_calls: TestCalls) -> None:
        self._store = store
        self._gates = gates
        self._test_calls = test_calls

    async def test_invoke_authorizer(self, call: Call) -> JsonObject:
        """Answer ``clientStatus``, ``log``, ``latency``, ``principalId``, ``policy``, ``claims``."""
        rest_api(self._store, call)
        api_id, authorizer_id = call.text("restApiId"), call.text("authorizerId")
        configuration = self._store.rest_api_configuration(api_id, call.region)
        deployment = freeze(api_id, call.region, "", configuration)
        authorizer = deployment.authorizers.get(authorizer_id)
        if authorizer is None:
            raise not_found("Invalid Authorizer identifier specified")
        if authorizer.type == "JWT":  # whether AWS serves it isn't known (rest_jwt 16.17)
            raise not_offered("TestInvokeAuthorizer for JWT authorizers")
        test_call = self._test_calls.make(deployment, call.parameters, TEST_STAGE, "/")
        test_call.route = Route(Resource("", "/", (), {}), Method("CUSTOM", authorizer_id), {})
        started = time.perf_counter()
        test_call.write(f"Starting authorizer: {authorizer_id} for request: {test_call.request_id}")
        if authorizer.type == "COGNITO_USER_POOLS":
            result = _test_cognito(test_call, self._gates.cognito)
        else:
            result = await _test_lambda(test_call, authorizer, self._gates.lambda_authorizer)
        return {
            **result,
            "log": execution_log(test_call),
            "latency": int((time.perf_counter() - started) * 1000),
        }


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
