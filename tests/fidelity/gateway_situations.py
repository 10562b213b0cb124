"""The APIs that the rows of the gateway's ledger find."""

from __future__ import annotations

import json
from typing import Any

from tests.support.gateway import ADMIN_SCOPE, STAGE
from tests.support.rest_api import Api, situation


@situation
def a_fresh_api(api: Api) -> None:
    """Nothing but the root."""


@situation
def open_routes(api: Api) -> None:
    api.mock("GET", "/open")
    api.function("ANY", "/event")
    api.function("GET", "/event/{name}")
    api.function("GET", "/files/{proxy+}")
    api.deploy(variables={"colour": "blue"})


@situation
def results(api: Api) -> None:
    """``POST /give`` returns the request's body as the function's result."""
    api.function("POST", "/give", "give")
    api.function("GET", "/crash", "crash")
    api.function("GET", "/slow", "slow", integration={"timeoutInMillis": 50})
    api.function("GET", "/with-get", integration={"integrationHttpMethod": "GET"})
    api.deploy()


@situation
def a_function_without_permission(api: Api) -> None:
    api.function("GET", "/closed", "echo-closed", source_arn=None)
    api.deploy()


@situation
def strict_mock(api: Api) -> None:
    api.mock("POST", "/strict", integration={"passthroughBehavior": "NEVER"})
    api.deploy()


@situation
def cognito(api: Api) -> None:
    pool = api.gateway.pool
    guarded = api.authorizer(pool)
    api.function("ANY", "/id", **guarded)
    api.function("GET", "/scoped", authorizationScopes=["demo/read", ADMIN_SCOPE], **guarded)
    api.function("GET", "/other-scope", authorizationScopes=["demo/write"], **guarded)
    custom = api.authorizer(pool, identitySource="method.request.header.X-Token")
    api.mock("GET", "/x-token", **custom)
    app = api.authorizer(pool, identityValidationExpression=pool.clients["app"])
    api.mock("GET", "/one-app", **app)
    api.mock("GET", "/one-app/scoped", authorizationScopes=[ADMIN_SCOPE], **app)
    anybody = api.authorizer(pool, identityValidationExpression=".*")
    api.mock("GET", "/any-app/scoped", authorizationScopes=[ADMIN_SCOPE], **anybody)
    two = api.authorizer(pool, api.gateway.other_pool)
    api.mock("GET", "/two-pools", **two)
    api.mock("GET", "/two-pools/scoped", authorizationScopes=[ADMIN_SCOPE], **two)
    template = '{"email": "$context.authorizer.claims.email"}'
    api.mock("GET", "/template", body=template, **guarded)
    template = '{"name": "$context.authorizer.claims[\'cognito:username\']"}'
    api.mock("GET", "/template/quoted", body=template, **guarded)
    api.deploy()


@situation
def pets(api: Api) -> None:
    """Static, parameter, greedy and ANY, all on one path each; no greedy resource at the root.

    AWS takes no parameter beside a greedy one (recorded 2.11).
    """
    api.mock("GET", "/pets")
    api.mock("GET", "/pets/{id}")
    api.mock("GET", "/pets/mine")
    api.mock("GET", "/files/{proxy+}")
    api.mock("GET", "/files/readme")
    api.mock("ANY", "/any")
    api.mock("GET", "/any")
    api.deploy()


@situation
def half_guarded(api: Api) -> None:
    """An authorizer that one method names; another method, and the ANY beside it, don't."""
    guarded = api.authorizer(api.gateway.pool)
    api.mock("GET", "/orders")
    api.mock("GET", "/stock", **guarded)
    api.mock("ANY", "/stock")
    api.deploy()


@situation
def a_proxy_at_the_root(api: Api) -> None:
    api.mock("POST", "/admin", authorizationType="AWS_IAM")
    api.mock("OPTIONS", "/preflight")
    api.resource("/bare")
    api.mock("POST", "/test")
    api.mock("GET", "/part1/known")
    api.mock("ANY", "/{proxy+}")
    api.deploy()


@situation
def the_greedy_resource_first(api: Api) -> None:
    api.mock("GET", "/{proxy+}")
    api.mock("GET", "/known")
    api.deploy()


@situation
def changed_after_the_deployment(api: Api) -> None:
    """Deployed, then a route, a method, an authorizer and a scope were added and a route was deleted."""
    api.mock("GET", "/old")
    api.mock("GET", "/open")
    api.mock("GET", "/gone")
    api.mock("GET", "/scoped", **(guarded := api.authorizer(api.gateway.pool)))
    api.deploy()
    api.mock("GET", "/new")
    api.mock("POST", "/old")
    api.guard("GET", "/open", guarded)
    api.patch("GET", "/scoped", {"op": "add", "path": "/authorizationScopes", "value": ADMIN_SCOPE})
    api.aws.delete_method(restApiId=api.id, resourceId=api.resource("/gone"), httpMethod="GET")


@situation
def changed_and_deployed_again(api: Api) -> None:
    api.mock("GET", "/open")
    api.mock("GET", "/gone")
    api.deploy()
    api.mock("GET", "/new")
    api.guard("GET", "/open", api.authorizer(api.gateway.pool))
    api.aws.delete_method(restApiId=api.id, resourceId=api.resource("/gone"), httpMethod="GET")
    api.deploy()


@situation
def back_on_the_first_deployment(api: Api) -> None:
    api.mock("GET", "/first")
    first = api.deploy()
    api.mock("GET", "/second")
    api.deploy()
    api.aws.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )


@situation
def a_stage_variable_changed(api: Api) -> None:
    api.mock("GET", "/colour", body='{"colour": "$stageVariables.colour"}')
    api.deploy(variables={"colour": "blue"})
    api.aws.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[{"op": "replace", "path": "/variables/colour", "value": "red"}],
    )


def _canary(api: Api, percent: float) -> None:
    """The stage's own deployment leaves ``/x`` open; the canary's guards it."""
    template = '{"colour": "$stageVariables.colour", "canary": "$context.isCanaryRequest"}'
    api.mock("GET", "/x", body=template)
    api.mock("GET", "/colour", body=template)
    api.deploy(variables={"colour": "blue"})
    api.guard("GET", "/x", api.authorizer(api.gateway.pool))
    api.deploy(
        canarySettings={
            "percentTraffic": percent,
            "stageVariableOverrides": {"colour": "red"},
        }
    )


@situation
def a_canary_for_everybody(api: Api) -> None:
    _canary(api, 100)


@situation
def a_canary_for_nobody(api: Api) -> None:
    _canary(api, 0)


@situation
def own_responses(api: Api) -> None:
    """Every way to customise a gateway response, on UNAUTHORIZED and MISSING_AUTHENTICATION_TOKEN."""
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond(
        "UNAUTHORIZED",
        statusCode="418",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'https://example.com'",
            "gatewayresponse.header.X-Sent": "method.request.header.X-Sent",
        },
        responseTemplates={
            "application/json": '{"error":$context.error.messageString,"plain":"$context.error.message",'
            '"type":"$context.error.responseType","colour":"$stageVariables.colour",'
            '"sent":"$method.request.header.X-Sent"}'
        },
    )
    api.respond(
        "MISSING_AUTHENTICATION_TOKEN",
        responseTemplates={"application/json": "#set($a = 1)$context.error.messageString"},
    )
    api.deploy(variables={"colour": "blue"})


@situation
def default_4xx_with_cors(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond(
        "DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )
    api.respond(
        "MISSING_AUTHENTICATION_TOKEN",
        responseParameters={"gatewayresponse.header.X-Own": "'yes'"},
    )
    api.deploy()


@situation
def default_4xx_with_a_status(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond("DEFAULT_4XX", statusCode="404")
    api.deploy()


@situation
def default_5xx_with_cors(api: Api) -> None:
    api.function("GET", "/crash", "crash")
    api.function("GET", "/slow", "slow", integration={"timeoutInMillis": 50})
    api.respond(
        "DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={"application/json": '{"oops":$context.error.messageString}'},
    )
    api.deploy()


@situation
def a_response_changed_after_the_deployment(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.deploy()
    api.respond("UNAUTHORIZED", statusCode="418")


@situation
def a_413_of_its_own(api: Api) -> None:
    api.mock("POST", "/upload")
    api.respond(
        "REQUEST_TOO_LARGE",
        statusCode="400",
        responseParameters={"gatewayresponse.header.X-Own": "'yes'"},
    )
    api.deploy()


@situation
def guarded_and_validated(api: Api) -> None:
    validator = api.aws.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    guarded = api.authorizer(api.gateway.pool)
    api.mock("POST", "/both", requestValidatorId=validator, **guarded)
    api.mock("GET", "/key", apiKeyRequired=True, **guarded)
    api.deploy()


@situation
def no_default_endpoint(api: Api) -> None:
    api.mock("GET", "/open")
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[_DISABLE])
    api.deploy()


@situation
def no_default_endpoint_yet_undeployed(api: Api) -> None:
    api.mock("GET", "/open")
    api.deploy()
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[_DISABLE])


_DISABLE = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}


@situation
def a_fresh_api_with_an_authorizer(api: Api) -> None:
    api.authorizer(api.gateway.pool)


@situation
def never_deployed(api: Api) -> None:
    """For ``TestInvokeMethod``: guarded, and not deployed."""
    api.mock("GET", "/pets/{petId}", apiKeyRequired=True, **api.authorizer(api.gateway.pool))
    api.function("GET", "/event")
    api.function(
        "GET",
        "/broken",
        integration={
            "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${stageVariables.none}/invocations"
        },
    )


@situation
def an_imported_api(api: Api) -> None:
    """Two Cognito authorizers, an API key and a validator, all from a file."""
    pool = {"type": "cognito_user_pools", "providerARNs": [api.gateway.pool.arn]}
    scheme = {
        "type": "apiKey",
        "name": "TestHeaderAuth",
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": pool,
    }
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    answer: dict[str, Any] = {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": mock,
    }
    pet = {"$ref": "#/components/schemas/Pet"}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "1"},
        "security": [{"one": ["email"]}],
        "paths": {
            "/inherited": {"get": answer},
            "/own": {"get": {**answer, "security": [{"two": [ADMIN_SCOPE]}]}},
            "/any": {"get": {**answer, "security": [{"two": []}]}},
            "/key": {"get": {**answer, "security": [{"api_key": []}]}},
            "/open": {"get": {**answer, "security": []}},
            "/valid": {
                "post": {
                    **answer,
                    "security": [],
                    "x-amazon-apigateway-request-validator": "basic",
                    "requestBody": {"content": {"application/json": {"schema": pet}}},
                }
            },
        },
        "x-amazon-apigateway-request-validators": {
            "basic": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "components": {
            "schemas": {
                "Pet": {"type": "object", "required": ["name"], "properties": {"mother": pet}}
            },
            "securitySchemes": {
                "one": scheme,
                "two": scheme,
                "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            },
        },
    }
    body = json.dumps(document).encode()
    api.aws.put_rest_api(restApiId=api.id, mode="overwrite", body=body, failOnWarnings=True)
    api.deploy()
