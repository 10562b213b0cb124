"""What guards a method must stop a stranger's request, whether the local cloud knows the guard or not: never 200.

These aren't facts of AWS, so they aren't in the ledger. Where AWS would look closer, the answer is a refusal or a 500
with a journey that says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import STAGE, Gateway
from tests.support.rest_api import Api

DENY_ALL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        }
    ],
}
ROLE = "arn:aws:iam::123456789012:role/r"
OPEN = '{"answered": "by the backend"}'


def _replace(path: str, value: str) -> list[dict[str, str]]:
    return [{"op": "replace", "path": path, "value": value}]


def _custom(api: Api, kind: str) -> dict[str, str]:
    made = api.aws.create_authorizer(
        restApiId=api.id,
        name=kind,
        type=kind,
        authorizerUri=api.gateway.function_uri("crash"),
        identitySource="method.request.header.Authorization",
    )
    return {"authorizationType": "CUSTOM", "authorizerId": made["id"]}


def iam(api: Api) -> None:
    api.mock("GET", "/x", OPEN, authorizationType="AWS_IAM")
    api.deploy()


def token_authorizer(api: Api) -> None:
    api.mock("GET", "/x", OPEN, **_custom(api, "TOKEN"))
    api.deploy()


def request_authorizer(api: Api) -> None:
    api.mock("GET", "/x", OPEN, **_custom(api, "REQUEST"))
    api.deploy()


def cognito_without_an_authorizer(api: Api) -> None:
    guarded = {**api.authorizer(api.gateway.pool), "authorizerId": "zzzzzz"}
    api.mock("GET", "/x", OPEN, **guarded)
    api.deploy()


def cognito_without_a_pool(api: Api) -> None:
    api.mock("GET", "/x", OPEN, **api.authorizer())
    api.deploy()


def api_key(api: Api) -> None:
    api.mock("GET", "/x", OPEN, apiKeyRequired=True)
    api.deploy()


def resource_policy(api: Api) -> None:
    api.mock("GET", "/x", OPEN)
    api.aws.update_rest_api(
        restApiId=api.id, patchOperations=_replace("/policy", json.dumps(DENY_ALL))
    )
    api.deploy()


def unreadable_resource_policy(api: Api) -> None:
    api.mock("GET", "/x", OPEN)
    api.aws.update_rest_api(restApiId=api.id, patchOperations=_replace("/policy", "{"))
    api.deploy()


def validator(api: Api) -> None:
    made = api.aws.create_request_validator(
        restApiId=api.id, name="all", validateRequestParameters=True
    )
    api.mock(
        "GET",
        "/x",
        OPEN,
        requestValidatorId=made["id"],
        requestParameters={"method.request.querystring.needed": True},
    )
    api.deploy()


def throttled_to_nothing(api: Api) -> None:
    api.mock("GET", "/x", OPEN)
    api.deploy()
    api.aws.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[
            *_replace("/*/*/throttling/rateLimit", "0"),
            *_replace("/*/*/throttling/burstLimit", "0"),
        ],
    )


def http_integration_to_nowhere(api: Api) -> None:
    api.mock("GET", "/x", OPEN)
    where = {"restApiId": api.id, "resourceId": api.resource("/x"), "httpMethod": "GET"}
    api.aws.put_integration(
        **where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:9/"
    )
    api.deploy()


def mock_with_credentials(api: Api) -> None:
    api.mock("GET", "/x", OPEN, {"credentials": ROLE})
    api.deploy()


def http_with_credentials(api: Api) -> None:
    _http_server(api, credentials=ROLE)


def vpc_link(api: Api) -> None:
    _http_server(api, connectionType="VPC_LINK", connectionId="v1")


def _http_server(api: Api, **settings: Any) -> None:
    """A server that is there: only the settings keep a stranger from its answer."""
    made = {
        "type": "HTTP_PROXY",
        "integrationHttpMethod": "GET",
        "uri": f"{api.gateway.cloud.endpoint}/_labkit/health",
    }
    api.aws.put_integration(**api.method("GET", "/x"), **{**made, **settings})
    api.deploy()


def aws_integration(api: Api) -> None:
    where = api.method("GET", "/x")
    api.aws.put_integration(
        **where, type="AWS", integrationHttpMethod="POST", uri=api.gateway.function_uri("echo")
    )
    api.deploy()


def vtl_that_is_not_understood(api: Api) -> None:
    api.mock("GET", "/x", '#set($a = "b")$a.matches("b")')
    api.deploy()


def unknown_deployment(api: Api) -> None:
    api.mock("GET", "/x", OPEN)
    api.deploy()
    api.aws.update_stage(
        restApiId=api.id, stageName=STAGE, patchOperations=_replace("/deploymentId", "zzzzzz")
    )


GUARDS: list[Callable[[Api], None]] = [
    iam,
    token_authorizer,
    request_authorizer,
    api_key,
    resource_policy,
    validator,
    throttled_to_nothing,
    http_integration_to_nowhere,
    mock_with_credentials,
    http_with_credentials,
    aws_integration,
    vtl_that_is_not_understood,
]


REFUSED: list[tuple[Callable[[Api], None], str]] = [
    (cognito_without_an_authorizer, "requires a valid authorizer"),
    (cognito_without_a_pool, "Invalid Provider ARN"),
    (unreadable_resource_policy, "Invalid policy document"),
    (vpc_link, "The local cloud doesn't offer this value of connectionType"),
    (unknown_deployment, "Deployment id does not exist"),
]
"""What can't guard isn't stored, and AWS's words or the cloud's say so."""


def _refused(gateway: Gateway, api_id: str, **request: Any) -> None:
    response = gateway.cloud.send(api_id, f"/{STAGE}/x", **request)
    assert 400 <= response.status_code <= 504, response.text
    assert b"answered" not in response.content
    journey = gateway.cloud.journey(response)
    stopped = [step for step in journey["steps"] if step["outcome"] == "stop"]
    assert len(stopped) == 1
    assert stopped[0] == journey["steps"][-1]
    assert len(stopped[0]["reason"]) > 20


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_a_stranger_is_refused(guard: Callable[[Api], None], gateway: Gateway) -> None:
    api = Api(gateway)
    guard(api)
    _refused(gateway, api.id)
    _refused(gateway, api.id, headers={"Authorization": "Bearer x", "X-API-Key": "x" * 20})
    _refused(gateway, api.id, method="POST", headers={"X-HTTP-Method-Override": "GET"})


@pytest.mark.parametrize(
    ("setting", "words"), REFUSED, ids=lambda one: getattr(one, "__name__", "")
)
def test_what_cannot_guard_is_refused(
    setting: Callable[[Api], None], words: str, gateway: Gateway
) -> None:
    with pytest.raises(ClientError, match=words):
        setting(Api(gateway))


def test_a_guard_that_is_taken_away_with_a_text_is_gone(gateway: Gateway) -> None:
    """Patch values are text: "false" isn't true."""
    api = Api(gateway)
    api.mock("GET", "/x", OPEN, apiKeyRequired=True)
    api.patch("GET", "/x", *_replace("/apiKeyRequired", "false"))
    api.aws.update_rest_api(
        restApiId=api.id, patchOperations=_replace("/disableExecuteApiEndpoint", "false")
    )
    api.deploy()
    assert gateway.cloud.send(api.id, f"/{STAGE}/x").text == OPEN


def test_a_private_api_is_not_public(gateway: Gateway) -> None:
    api = Api(
        gateway,
        endpointConfiguration={"types": ["PRIVATE"]},
        policy=json.dumps(
            {**DENY_ALL, "Statement": [{**DENY_ALL["Statement"][0], "Effect": "Allow"}]}
        ),
    )
    api.mock("GET", "/x", OPEN)
    api.deploy()
    _refused(gateway, api.id)


def test_a_deleted_stage_and_a_deleted_api_answer_nobody(gateway: Gateway) -> None:
    api = Api(gateway)
    api.mock("GET", "/x", OPEN)
    api.deploy()
    api.aws.delete_stage(restApiId=api.id, stageName=STAGE)
    _refused(gateway, api.id)
    api.aws.delete_rest_api(restApiId=api.id)
    _refused(gateway, api.id)


def test_the_deployment_of_a_stage_is_not_deleted_under_it(gateway: Gateway) -> None:
    api = Api(gateway)
    api.mock("GET", "/x", OPEN)
    deployment = api.deploy()
    with pytest.raises(api.aws.exceptions.BadRequestException, match="Active stages"):
        api.aws.delete_deployment(restApiId=api.id, deploymentId=deployment)
    assert gateway.cloud.send(api.id, f"/{STAGE}/x").text == OPEN


def test_a_stage_is_exported_only_as_it_is_served(gateway: Gateway) -> None:
    """An undeployed route must not look deployed."""
    api = Api(gateway)
    api.mock("GET", "/served")
    api.deploy()

    def exported() -> list[str]:
        answer = api.aws.get_export(restApiId=api.id, stageName=STAGE, exportType="oas30")
        return list(json.load(answer["body"])["paths"])

    assert exported() == ["/served"]
    api.mock("GET", "/draft")
    assert exported() == ["/served"]
    api.deploy()
    assert exported() == ["/served", "/draft"]
