"""Task 7's checks: each part that was left gets its own sentence, and an account without them passes."""

import json
from typing import Any

import boto3
import pytest

import labkit
from labkit import names
from labkit.course import build
from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of


def cognito_idp() -> Any:
    return boto3.client("cognito-idp")


def iam() -> Any:
    return boto3.client("iam")


def delete_api(demo: Demo) -> None:
    boto3.client("apigateway").delete_rest_api(restApiId=demo.rest_api_id)


def delete_pool(demo: Demo) -> None:
    cognito_idp().delete_user_pool(UserPoolId=demo.user_pool_id)


def delete_function() -> None:
    boto3.client("lambda").delete_function(FunctionName=names.FUNCTION)


def change_pool(demo: Demo, **settings: Any) -> None:
    cognito_idp().update_user_pool(
        UserPoolId=demo.user_pool_id, UserPoolTags=names.TAGS, **settings
    )


# -- 7.1 --


def nothing_deleted(_lab: Lab, _demo: Demo) -> None:
    pass


def the_pool_left(_lab: Lab, demo: Demo) -> None:
    delete_api(demo)
    delete_function()


def the_pool_protected(_lab: Lab, demo: Demo) -> None:
    delete_api(demo)
    change_pool(demo, DeletionProtection="ACTIVE")


def the_pool_with_a_domain(_lab: Lab, demo: Demo) -> None:
    delete_api(demo)
    cognito_idp().create_user_pool_domain(Domain="the-lab", UserPoolId=demo.user_pool_id)


def the_pool_under_its_first_name(_lab: Lab, demo: Demo) -> None:
    delete_api(demo)
    change_pool(demo, PoolName=names.NEW_USER_POOL)


def the_function_left(_lab: Lab, demo: Demo) -> None:
    delete_api(demo)
    delete_pool(demo)


# -- 7.2 --


def the_role_with_its_policy(lab: Lab, demo: Demo) -> None:
    the_function_left(lab, demo)
    delete_function()


def the_role_with_an_inline_policy(lab: Lab, demo: Demo) -> None:
    the_role_with_its_policy(lab, demo)
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam().put_role_policy(RoleName=names.ROLE, PolicyName="mine", PolicyDocument=document)
    iam().detach_role_policy(RoleName=names.ROLE, PolicyArn=build.BASIC_EXECUTION_POLICY)


def the_role_alone(lab: Lab, demo: Demo) -> None:
    the_role_with_its_policy(lab, demo)
    iam().detach_role_policy(RoleName=names.ROLE, PolicyArn=build.BASIC_EXECUTION_POLICY)


def a_role_as_the_console_names_it(lab: Lab, demo: Demo) -> None:
    the_role_alone(lab, demo)
    iam().delete_role(RoleName=names.ROLE)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam().create_role(
        RoleName=f"{names.ROLE}-a1b2c3d4",
        Path="/service-role/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        Tags=[{"Key": key, "Value": value} for key, value in names.TAGS.items()],
    )


def the_log_group_left(lab: Lab, demo: Demo) -> None:
    lab.http.get(f"{demo.invoke_url}/demo", timeout=30)
    boto3.client("lambda").invoke(FunctionName=names.FUNCTION)
    the_role_alone(lab, demo)
    iam().delete_role(RoleName=names.ROLE)


WRONG = [
    WrongState("7.1", 7, nothing_deleted, "The REST API d-apigw-cmp-demo is still in us-east-1"),
    WrongState("7.1", 7, the_pool_left, f"{names.USER_POOL} is still in us-east-1, with its users"),
    WrongState("7.1", 7, the_pool_protected, "its deletion protection is on"),
    WrongState("7.1", 7, the_pool_with_a_domain, "it has the domain the-lab"),
    WrongState("7.1", 7, the_pool_under_its_first_name, "The user pool User pool - course is"),
    WrongState("7.1", 7, the_function_left, "The function d-lambda-nonvpc-cmp-demo-function is"),
    WrongState("7.2", 7, the_role_with_its_policy, "AWSLambdaBasicExecutionRole is attached to it"),
    WrongState("7.2", 7, the_role_with_an_inline_policy, "it has the inline policy mine"),
    WrongState("7.2", 7, the_role_alone, f"{names.ROLE} is still there, and no policy"),
    WrongState("7.2", 7, a_role_as_the_console_names_it, "-role-a1b2c3d4 is still there"),
    WrongState("7.2", 7, the_log_group_left, "its logs are kept for ever"),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)
    if state.make is a_role_as_the_console_names_it:
        iam().delete_role(RoleName=f"{names.ROLE}-a1b2c3d4")
    if state.make is the_pool_with_a_domain:
        lab.clean_up()


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


@pytest.mark.parametrize(
    "make", [the_pool_protected, the_pool_under_its_first_name, the_role_with_an_inline_policy]
)
def test_the_next_task_begins_all_the_same(lab: Lab, make: Any) -> None:
    make(lab, lab.start_task(7))
    demo = lab.start_task(7)
    assert lab.http.get(f"{demo.invoke_url}/demo", timeout=30).status_code == 401


@pytest.mark.parametrize("make", [the_pool_protected, the_pool_with_a_domain])
def test_the_clean_up_deletes_it_too(lab: Lab, make: Any) -> None:
    make(lab, lab.start_task(7))
    assert any(names.USER_POOL in one for one in lab.clean_up().deleted)


@pytest.mark.parametrize("task", ["7.1", "7.2"])
def test_an_empty_account_passes(lab: Lab, task: str) -> None:
    labkit.start().clean_up()
    build.rest_api("somebody-else-s")
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")
