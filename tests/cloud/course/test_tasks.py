"""start_task puts the lab where a task begins, from wherever it is."""

import itertools
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import boto3
import pytest

import labkit
from labkit import names
from labkit.course import build
from labkit.course.tasks import Demo
from labkit.errors import SetupError
from labkit.lab.session import Lab
from tests.support.absent_fields import absent_fields


def function_state() -> dict[str, Any] | None:
    lambda_ = boto3.client("lambda")
    try:
        found = lambda_.get_function(FunctionName=names.FUNCTION)
    except lambda_.exceptions.ResourceNotFoundException:
        return None
    try:
        policy = json.loads(lambda_.get_policy(FunctionName=names.FUNCTION)["Policy"])
        allowed = [s["Condition"]["ArnLike"]["AWS:SourceArn"] for s in policy["Statement"]]
    except lambda_.exceptions.ResourceNotFoundException:
        allowed = []
    return {
        "arn": found["Configuration"]["FunctionArn"],
        "tags": found["Tags"],
        "runtime": found["Configuration"]["Runtime"],
        "handler": found["Configuration"]["Handler"],
        "role": found["Configuration"]["Role"].rsplit("/", 1)[-1],
        "allowed": allowed,
    }


def pool_states() -> list[dict[str, Any]]:
    cognito = boto3.client("cognito-idp")
    states = []
    for listed in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        pool = cognito.describe_user_pool(UserPoolId=listed["Id"])["UserPool"]
        clients = cognito.list_user_pool_clients(UserPoolId=listed["Id"])["UserPoolClients"]
        users = cognito.list_users(UserPoolId=listed["Id"])["Users"]
        states.append(
            {
                "id": listed["Id"],
                "name": pool["Name"],
                "tags": pool["UserPoolTags"],
                "factors": pool["Policies"]["SignInPolicy"]["AllowedFirstAuthFactors"],
                "clients": [(client["ClientId"], client["ClientName"]) for client in clients],
                "users": [
                    {a["Name"]: a["Value"] for a in user["Attributes"] if a["Name"] != "sub"}
                    for user in users
                ],
            }
        )
    return states


def api_states() -> list[dict[str, Any]]:
    gateway = boto3.client("apigateway")
    states = []
    for api in gateway.get_rest_apis()["items"]:
        api_id = api["id"]
        items = gateway.get_resources(restApiId=api_id, embed=["methods"])["items"]
        methods = {
            (item["path"], verb): method
            for item in items
            for verb, method in item.get("resourceMethods", {}).items()
        }
        method = methods.get(("/demo", "GET"), {})
        deployments = gateway.get_deployments(restApiId=api_id)["items"]
        stages = gateway.get_stages(restApiId=api_id)["item"]
        assert {stage["deploymentId"] for stage in stages} <= {d["id"] for d in deployments}
        states.append(
            {
                "id": api_id,
                "name": api["name"],
                "tags": api["tags"],
                "methods": list(methods),
                "type": method.get("authorizationType"),
                "authorizer": method.get("authorizerId")
                if method.get("authorizationType") != "NONE"
                else None,
                "scopes": method.get("authorizationScopes") or [],
                "authorizers": [
                    (a["id"], a["name"], a["providerARNs"][0].rsplit("/", 1)[-1])
                    for a in gateway.get_authorizers(restApiId=api_id)["items"]
                ],
                "stages": [stage["stageName"] for stage in stages],
            }
        )
    return states


def roles_and_logs() -> list[str]:
    roles = [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    return roles + [group["logGroupName"] for group in groups]


def expected(number: int, demo: Demo) -> list[Any]:
    """The state in which a task begins, in words of the API."""
    function = {
        "arn": demo.function_arn,
        "tags": names.TAGS,
        "runtime": "python3.13",
        "handler": "lambda_function.lambda_handler",
        "role": names.ROLE,
        "allowed": [
            f"arn:aws:execute-api:us-east-1:123456789012:{demo.rest_api_id}/*/GET/{names.RESOURCE}"
        ]
        if number > 3
        else [],
    }
    user = {"email": names.EMAIL, "email_verified": "true"}
    pool = {
        "id": demo.user_pool_id,
        "name": names.USER_POOL,
        "tags": names.TAGS,
        "factors": ["PASSWORD", "EMAIL_OTP"],
        "clients": [(demo.client_id, names.APP_CLIENT)],
        "users": [user] if number > 5 else [],
    }
    guarded = number > 4
    api = {
        "id": demo.rest_api_id,
        "name": names.REST_API,
        "tags": names.TAGS,
        "methods": [("/demo", "GET")],
        "type": "COGNITO_USER_POOLS" if guarded else "NONE",
        "authorizer": demo.authorizer_id,
        "scopes": [names.SCOPE] if guarded else [],
        "authorizers": [(demo.authorizer_id, names.AUTHORIZER, demo.user_pool_id)]
        if guarded
        else [],
        "stages": [names.STAGE] if guarded else [],
    }
    return [
        function if number > 1 else None,
        [pool] if number > 2 else [],
        [api] if number > 3 else [],
    ]


def ids_are_told(number: int, demo: Demo) -> bool:
    """Ids of what is there, None for the rest."""
    told = {name for name, value in vars(demo).items() if value is not None}
    by_task = [
        {"function_arn"},
        {"user_pool_id", "client_id"},
        {"rest_api_id", "resource_id"},
        {"authorizer_id", "invoke_url"},
        {"email"},
    ]
    return told == set().union(*by_task[: number - 1])


def every_pair_once() -> list[int]:
    """A walk over the tasks in which each of them comes once after each of them, itself included."""
    left = {one: list(range(7, 0, -1)) for one in range(1, 8)}
    stack, walk = [1], []
    while stack:
        here = left[stack[-1]]
        if here:
            stack.append(here.pop())
        else:
            walk.append(stack.pop())
    return walk[::-1]


def test_the_walk_has_every_pair() -> None:
    walk = every_pair_once()
    assert len(set(itertools.pairwise(walk))) == 49


def test_any_task_can_follow_any_task(lab: Lab) -> None:
    before, demo_before = 0, None
    for number in every_pair_once():
        demo = lab.start_task(number)
        where = f"task {number} after task {before}"
        assert ids_are_told(number, demo), where
        assert [function_state(), pool_states(), api_states()] == expected(number, demo), where
        if number == 1:
            assert roles_and_logs() == [], where
        if number == before:
            assert demo == demo_before, where
        if number > 4:
            assert lab.http.get(f"{demo.invoke_url}/demo").status_code == 401, where
        before, demo_before = number, demo


def test_a_task_keeps_what_earlier_tasks_made(lab: Lab) -> None:
    first = lab.start_task(7)
    for number in (6, 7, 5, 4, 3, 2):
        demo = lab.start_task(number)
        kept = {name: value for name, value in vars(demo).items() if value is not None}
        if number != 4 and "authorizer_id" in kept:
            assert kept["authorizer_id"] == first.authorizer_id
        assert kept.items() <= vars(first).items()


@pytest.mark.parametrize(
    "number",
    [0, 8, -1, 100, True, False, 1.5, 4.0, "1", "one", "6B", "7b", None, [1], float("nan")],
)
def test_a_task_that_isn_t_there_is_named(
    number: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_arguments: object) -> None:
        raise AssertionError("it touched the lab")

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", Mock(client=unwanted))
    with pytest.raises(ValueError, match="The lab has the tasks 1 to 7") as refused:
        lab.start_task(number)
    assert repr(number) in str(refused.value)


def test_what_a_learner_left_half_done_is_repaired(lab: Lab) -> None:
    demo = lab.start_task(6)
    gateway = boto3.client("apigateway")
    gateway.delete_stage(restApiId=demo.rest_api_id, stageName="dev")
    boto3.client("lambda").remove_permission(
        FunctionName=names.FUNCTION, StatementId=f"apigateway-{demo.rest_api_id}"
    )
    boto3.client("cognito-idp").admin_delete_user(UserPoolId=demo.user_pool_id, Username=demo.email)
    again = lab.start_task(6)
    assert [function_state(), pool_states(), api_states()] == expected(6, again)
    gateway.delete_method(
        restApiId=again.rest_api_id, resourceId=again.resource_id, httpMethod="GET"
    )
    boto3.client("cognito-idp").delete_user_pool_client(
        UserPoolId=again.user_pool_id, ClientId=again.client_id
    )
    third = lab.start_task(6)
    assert [function_state(), pool_states(), api_states()] == expected(6, third)


def change_authorizer(demo: Demo, path: str, value: str) -> None:
    boto3.client("apigateway").update_authorizer(
        restApiId=demo.rest_api_id,
        authorizerId=demo.authorizer_id,
        patchOperations=[{"op": "replace", "path": path, "value": value}],
    )


def change_method(demo: Demo, op: str, path: str, value: str) -> None:
    boto3.client("apigateway").update_method(
        restApiId=demo.rest_api_id,
        resourceId=demo.resource_id,
        httpMethod="GET",
        patchOperations=[{"op": op, "path": path, "value": value}],
    )


def deploy(demo: Demo) -> None:
    boto3.client("apigateway").create_deployment(
        restApiId=demo.rest_api_id, stageName="dev", description="Cognito authorizer"
    )


def deployed_without_the_scope(demo: Demo) -> None:
    """As the notebook describes it, and mended in the draft alone."""
    change_method(demo, "remove", "/authorizationScopes", names.SCOPE)
    deploy(demo)
    change_method(demo, "add", "/authorizationScopes", names.SCOPE)


def deployed_with_an_api_key(demo: Demo) -> None:
    change_method(demo, "replace", "/apiKeyRequired", "true")
    deploy(demo)
    change_method(demo, "replace", "/apiKeyRequired", "false")


def another_token_source(demo: Demo) -> None:
    change_authorizer(demo, "/identitySource", "method.request.header.X-Token")
    deploy(demo)


def another_name(demo: Demo) -> None:
    change_authorizer(demo, "/name", "mine")


def another_answer_for_401(demo: Demo) -> None:
    boto3.client("apigateway").put_gateway_response(
        restApiId=demo.rest_api_id, responseType="UNAUTHORIZED", statusCode="403"
    )
    deploy(demo)


def no_calls_a_second(demo: Demo) -> None:
    boto3.client("apigateway").update_stage(
        restApiId=demo.rest_api_id,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{limit}", "value": "0"}
            for limit in ("rateLimit", "burstLimit")
        ],
    )


@pytest.mark.parametrize(
    "change",
    [
        deployed_without_the_scope,
        deployed_with_an_api_key,
        another_token_source,
        another_name,
        another_answer_for_401,
        no_calls_a_second,
    ],
)
def test_task_6_begins_with_an_api_that_takes_access_tokens(
    lab: Lab, change: Callable[[Demo], None]
) -> None:
    change(lab.start_task(6))
    demo, cognito = lab.start_task(6), boto3.client("cognito-idp")
    asked = cognito.initiate_auth(
        ClientId=demo.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": demo.email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    answered = cognito.respond_to_auth_challenge(
        ClientId=demo.client_id,
        ChallengeName="EMAIL_OTP",
        Session=asked["Session"],
        ChallengeResponses={
            "USERNAME": demo.email,
            "EMAIL_OTP_CODE": lab.inbox.wait_for_code(str(demo.email)),
        },
    )
    assert lab.check("6.3", answered["AuthenticationResult"]["AccessToken"])
    assert lab.check("4.3")


@pytest.mark.parametrize("number", [2, 3, 6])
def test_what_has_the_labs_name_without_its_tag_is_told(lab: Lab, number: int) -> None:
    lab.start_task(6)
    gateway, cognito = boto3.client("apigateway"), boto3.client("cognito-idp")
    api_id = gateway.create_rest_api(name=names.REST_API)["id"]
    with pytest.raises(SetupError, match=f"The REST API {names.REST_API} .{api_id}. is in the way"):
        lab.start_task(number)
    gateway.delete_rest_api(restApiId=api_id)
    pool_id = cognito.create_user_pool(PoolName=names.USER_POOL)["UserPool"]["Id"]
    with pytest.raises(SetupError, match=f"The user pool {names.USER_POOL} .{pool_id}. is in the"):
        lab.start_task(number)
    cognito.delete_user_pool(UserPoolId=pool_id)
    lab.start_task(number)


def test_a_pool_with_many_users_is_emptied(lab: Lab) -> None:
    demo = lab.start_task(5)
    cognito = boto3.client("cognito-idp")
    for number in range(65):
        email = f"user{number}@example.com"
        cognito.admin_create_user(
            UserPoolId=demo.user_pool_id, Username=email, MessageAction="SUPPRESS"
        )
    assert "PaginationToken" in cognito.list_users(UserPoolId=demo.user_pool_id)
    lab.start_task(5)
    assert cognito.list_users(UserPoolId=demo.user_pool_id)["Users"] == []


def test_the_user_s_address_can_be_chosen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_EMAIL", "me@example.org")
    demo = lab.start_task(6)
    assert demo.email == "me@example.org"
    [pool] = pool_states()
    assert {"email": "me@example.org", "email_verified": "true"} in pool["users"]


def test_the_deployment_package_is_always_the_same() -> None:
    assert build.deployment_package("a") == build.deployment_package("a")


def test_it_says_what_is_done(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    for number, said in {
        1: "Ready for task 1.\n",
        2: "Ready for task 2. Done: task 1.\n",
        "6b": "Ready for task 6b. Done: tasks 1 to 6.\n",
        7: "Ready for task 7. Done: tasks 1 to 6.\n",
    }.items():
        again = labkit.start()
        capsys.readouterr()
        again.start_task(number)
        assert capsys.readouterr().out == said


def test_it_reads_answers_as_aws_gives_them(lab: Lab) -> None:
    with absent_fields():
        for number in (1, 7, 4, 6, 2, 7):
            lab.start_task(number)
