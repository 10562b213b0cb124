"""Task 4's checks: each wrong state that people make gets its own sentence, and the right one passes."""

from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course import build
from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

COGNITO = "COGNITO_USER_POOLS"


def gateway() -> Any:
    return boto3.client("apigateway")


def pool_arn(demo: Demo) -> str:
    pool = boto3.client("cognito-idp").describe_user_pool(UserPoolId=demo.user_pool_id)
    return str(pool["UserPool"]["Arn"])


def make_authorizer(demo: Demo, **changes: Any) -> str:
    parameters = {
        "name": names.AUTHORIZER,
        "type": COGNITO,
        "providerARNs": [pool_arn(demo)],
        "identitySource": "method.request.header.Authorization",
    }
    made = gateway().create_authorizer(restApiId=demo.rest_api_id, **(parameters | changes))
    return str(made["id"])


def attach(demo: Demo, verb: str = "GET", **fields: str) -> None:
    operations = [
        {
            "op": "add" if name == "authorizationScopes" else "replace",
            "path": f"/{name}",
            "value": value,
        }
        for name, value in fields.items()
    ]
    gateway().update_method(
        restApiId=demo.rest_api_id,
        resourceId=demo.resource_id,
        httpMethod=verb,
        patchOperations=operations,
    )


def other_pool() -> str:
    made = boto3.client("cognito-idp").create_user_pool(PoolName="another", UserPoolTags=names.TAGS)
    return str(made["UserPool"]["Arn"])


def deploy(demo: Demo, stage: str = names.STAGE) -> None:
    gateway().create_deployment(restApiId=demo.rest_api_id, stageName=stage)


# -- 4.1 --


def nothing_made(_lab: Lab, _demo: Demo) -> None:
    pass


def another_name(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo, name="mine")


def a_lambda_authorizer(_lab: Lab, demo: Demo) -> None:
    uri = build.invocation_uri(demo.function_arn or "")
    made = gateway().create_authorizer(
        restApiId=demo.rest_api_id,
        name=names.AUTHORIZER,
        type="TOKEN",
        authorizerUri=uri,
        identitySource="method.request.header.Authorization",
    )
    assert made["type"] == "TOKEN"


def the_other_pool(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo, providerARNs=[other_pool()])


def both_pools(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo, providerARNs=[pool_arn(demo), other_pool()])


def another_token_source(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo, identitySource="method.request.header.X-Token")


def a_token_validation(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo, identityValidationExpression="^Bearer .*")


def no_api(_lab: Lab, demo: Demo) -> None:
    gateway().delete_rest_api(restApiId=demo.rest_api_id)


def two_apis(_lab: Lab, _demo: Demo) -> None:
    build.rest_api(names.REST_API)


def no_pool(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)
    boto3.client("cognito-idp").delete_user_pool(UserPoolId=demo.user_pool_id)


# -- 4.2 --


def the_method_still_open(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)


def the_wrong_verb(_lab: Lab, demo: Demo) -> None:
    build.mock(
        demo.rest_api_id or "",
        "/demo",
        verb="POST",
        authorizationType=COGNITO,
        authorizerId=make_authorizer(demo),
    )


def iam_instead(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)
    attach(demo, authorizationType="AWS_IAM")


def another_authorizer(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)
    attach(demo, authorizationType=COGNITO, authorizerId=make_authorizer(demo, name="other"))


def no_scope(_lab: Lab, demo: Demo) -> None:
    attach(demo, authorizationType=COGNITO, authorizerId=make_authorizer(demo))


def a_scope_of_id_tokens(_lab: Lab, demo: Demo) -> None:
    attach(
        demo,
        authorizationType=COGNITO,
        authorizerId=make_authorizer(demo),
        authorizationScopes="openid",
    )


def one_scope_too_many(_lab: Lab, demo: Demo) -> None:
    attach(
        demo,
        authorizationType=COGNITO,
        authorizerId=make_authorizer(demo),
        authorizationScopes=names.SCOPE,
    )
    attach(demo, authorizationScopes="email")


def no_method(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)
    gateway().delete_method(
        restApiId=demo.rest_api_id, resourceId=demo.resource_id, httpMethod="GET"
    )


def attached(_lab: Lab, demo: Demo) -> None:
    attach(
        demo,
        authorizationType=COGNITO,
        authorizerId=make_authorizer(demo),
        authorizationScopes=names.SCOPE,
    )


# -- 4.3 --


def nothing_deployed(lab: Lab, demo: Demo) -> None:
    attached(lab, demo)


def another_stage(lab: Lab, demo: Demo) -> None:
    attached(lab, demo)
    deploy(demo, "prod")


def deployed_before_the_edit(lab: Lab, demo: Demo) -> None:
    deploy(demo)
    attached(lab, demo)


def deployed_before_the_method(lab: Lab, demo: Demo) -> None:
    where = {"restApiId": demo.rest_api_id, "resourceId": demo.resource_id, "httpMethod": "GET"}
    gateway().delete_method(**where)
    build.mock(demo.rest_api_id or "", "/other", authorizationType="NONE")
    deploy(demo)
    build.proxy(demo.rest_api_id or "", "/demo", demo.function_arn or "", authorizationType="NONE")
    attached(lab, demo)


def deployed_before_the_scope(lab: Lab, demo: Demo) -> None:
    attach(demo, authorizationType=COGNITO, authorizerId=make_authorizer(demo))
    deploy(demo)
    attach(demo, authorizationScopes=names.SCOPE)


def a_disabled_endpoint(lab: Lab, demo: Demo) -> None:
    attached(lab, demo)
    operation = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}
    gateway().update_rest_api(restApiId=demo.rest_api_id, patchOperations=[operation])
    deploy(demo)


def deployed_and_still_open(_lab: Lab, demo: Demo) -> None:
    make_authorizer(demo)
    deploy(demo)


def a_function_without_permission(_lab: Lab, demo: Demo) -> None:
    build.mock(demo.rest_api_id or "", "/other", authorizationType="NONE")
    lambda_ = boto3.client("lambda")
    lambda_.remove_permission(
        FunctionName=names.FUNCTION, StatementId=f"apigateway-{demo.rest_api_id}"
    )
    deploy(demo)


WRONG = [
    WrongState("4.1", 4, nothing_made, f"named {names.AUTHORIZER}. Create it"),
    WrongState("4.1", 4, another_name, "It has mine."),
    WrongState("4.1", 4, a_lambda_authorizer, "it calls a Lambda function"),
    WrongState("4.1", 4, the_other_pool, "asks another user pool"),
    WrongState("4.1", 4, both_pools, "asks 2 user pools"),
    WrongState("4.1", 4, another_token_source, "The token source is method.request.header.X-Token"),
    WrongState("4.1", 4, a_token_validation, "each token that doesn't match ^Bearer .*"),
    WrongState("4.1", 4, no_api, "There is no REST API named"),
    WrongState("4.1", 4, two_apis, "There are 2 REST APIs named"),
    WrongState("4.1", 4, no_pool, "There is no user pool named"),
    WrongState("4.2", 4, the_method_still_open, "GET /demo is open: its authorizationType is NONE"),
    WrongState("4.2", 4, the_wrong_verb, "POST /demo asks the authorizer, and GET /demo doesn't"),
    WrongState("4.2", 4, iam_instead, "The authorizationType of GET /demo is AWS_IAM"),
    WrongState("4.2", 4, another_authorizer, "GET /demo asks another authorizer"),
    WrongState("4.2", 4, no_scope, "takes ID tokens and refuses access tokens"),
    WrongState("4.2", 4, a_scope_of_id_tokens, "GET /demo wants the scope openid"),
    WrongState("4.2", 4, one_scope_too_many, "also takes tokens with the scope email"),
    WrongState("4.2", 4, no_method, "The API has no method GET /demo"),
    WrongState("4.3", 4, nothing_deployed, "Nothing is deployed."),
    WrongState("4.3", 4, another_stage, "It has prod."),
    WrongState("4.3", 4, deployed_before_the_edit, "The deployed copy is older than your edit"),
    WrongState("4.3", 4, deployed_before_the_method, "The deployed copy has no GET /demo"),
    WrongState("4.3", 4, deployed_before_the_scope, "In the deployed copy GET /demo has no scope"),
    WrongState("4.3", 4, a_disabled_endpoint, "A call without a token gets 403"),
    WrongState("4.3", 4, deployed_and_still_open, "GET /demo is open: its authorizationType"),
    WrongState("4.3", 4, a_function_without_permission, "A call without a token gets 500"),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)
    for pool in boto3.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]:
        if pool["Name"] == "another":
            boto3.client("cognito-idp").delete_user_pool(UserPoolId=pool["Id"])


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


@pytest.mark.parametrize("task", ["4.1", "4.2", "4.3"])
def test_the_lab_as_it_ends_passes(lab: Lab, task: str) -> None:
    lab.start_task(5)
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")
