"""The clean-up deletes all of the course and nothing of anybody else."""

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError

from labkit import names
from labkit.course import resources
from labkit.course.clean_up import clean_up
from labkit.errors import CleanUpError, SetupError
from labkit.lab.session import Lab

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
OTHER_TAG = {"course": "another"}


@pytest.fixture(autouse=True)
def _empty(lab: Lab) -> Iterator[None]:
    yield
    wipe()
    assert everything() == []


def everything() -> list[str]:
    """All that exists in the account, of whatever name."""
    gateway, cognito = boto3.client("apigateway"), boto3.client("cognito-idp")
    apis = gateway.get_paginator("get_rest_apis").paginate()
    pools = cognito.get_paginator("list_user_pools").paginate(MaxResults=60)
    return [
        *(f"api {a['name']} {a.get('tags')}" for page in apis for a in page["items"]),
        *(f"pool {pool['Name']}" for page in pools for pool in page["UserPools"]),
        *(
            f"function {f['FunctionName']}"
            for f in boto3.client("lambda").list_functions()["Functions"]
        ),
        *(f"role {role['RoleName']}" for role in boto3.client("iam").list_roles()["Roles"]),
        *(
            f"logs {group['logGroupName']}"
            for group in boto3.client("logs").describe_log_groups()["logGroups"]
        ),
        *(f"user {user['UserName']}" for user in boto3.client("iam").list_users()["Users"]),
        *(f"bucket {b['Name']}" for b in boto3.client("s3").list_buckets()["Buckets"]),
    ]


def delete_pool(pool_id: str) -> None:
    cognito = boto3.client("cognito-idp")
    domain = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain")
    if domain:
        cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)
    cognito.delete_user_pool(UserPoolId=pool_id)


def delete_role(name: str) -> None:
    iam = boto3.client("iam")
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)


def delete_log_group(name: str) -> None:
    logs = boto3.client("logs")
    if logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        logs.delete_log_group(logGroupName=name)


def wipe() -> None:
    """Delete everything, whose ever it is."""
    gateway, cognito = boto3.client("apigateway"), boto3.client("cognito-idp")
    for page in list(gateway.get_paginator("get_rest_apis").paginate()):
        for api in page["items"]:
            gateway.delete_rest_api(restApiId=api["id"])
    for page in list(cognito.get_paginator("list_user_pools").paginate(MaxResults=60)):
        for pool in page["UserPools"]:
            resources.BY_LABEL["user pool"].delete(pool["Id"])
    for function in boto3.client("lambda").list_functions()["Functions"]:
        boto3.client("lambda").delete_function(FunctionName=function["FunctionName"])
    for role in boto3.client("iam").list_roles()["Roles"]:
        resources.BY_LABEL["role"].delete(role["RoleName"])
    for group in boto3.client("logs").describe_log_groups()["logGroups"]:
        boto3.client("logs").delete_log_group(logGroupName=group["logGroupName"])


def make_pool(name: str, tags: dict[str, str]) -> str:
    pool = boto3.client("cognito-idp").create_user_pool(PoolName=name, UserPoolTags=tags)
    return str(pool["UserPool"]["Id"])


def make_api(name: str, tags: dict[str, str]) -> str:
    return str(boto3.client("apigateway").create_rest_api(name=name, tags=tags)["id"])


def make_role(name: str, tags: dict[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs)


def make_function(name: str, tags: dict[str, str]) -> None:
    iam = boto3.client("iam")
    if "somebody" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
        make_role("somebody", {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("a.py", "def b(event, context): return event")
    boto3.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/somebody",
        Handler="a.b",
        Code={"ZipFile": buffer.getvalue()},
        Tags=tags,
    )


def test_after_the_lab_nothing_is_left(lab: Lab) -> None:
    demo = lab.start_task(7)
    boto3.client("lambda").invoke(FunctionName=names.FUNCTION)
    assert len(everything()) >= 4
    report = lab.clean_up()
    assert everything() == []
    assert str(report) == repr(report) == "Left over: nothing."
    assert f"REST API {names.REST_API} ({demo.rest_api_id})" in report.deleted
    assert f"user pool {names.USER_POOL} ({demo.user_pool_id})" in report.deleted
    assert f"function {names.FUNCTION}" in report.deleted
    assert f"role {names.ROLE}" in report.deleted


def api(name: str) -> str:
    """One of the course's APIs, as :func:`everything` lists it."""
    return f"api {name} {names.TAGS}"


def on_aws(lab: Lab) -> Lab:
    """The same lab, on a cloud that costs money."""
    cloud = copy.copy(lab._cloud)
    cloud.costs_money = True
    return Lab(cloud)


def test_a_notebook_that_ends_leaves_on_the_local_cloud_what_it_built(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.start_notebook("throttling")
    make_api("d-throttling-api", names.TAGS)
    capsys.readouterr()
    lab.finish()
    assert capsys.readouterr().out == (
        "What you built stays until you run this notebook again: change it, and play on.\n"
    )
    assert everything() == [api("d-throttling-api")]
    lab.start_notebook("usage-plans")
    assert everything() == [api("d-throttling-api")], "another notebook lets it be"
    lab.start_notebook("throttling")
    assert everything() == []


def test_a_notebook_that_ends_deletes_on_aws_what_it_built_and_nothing_else(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = on_aws(lab)
    aws.start_notebook("throttling")
    make_api("d-throttling-api", names.TAGS)
    make_api("d-usage-plans-api", names.TAGS)
    capsys.readouterr()
    aws.finish()
    assert capsys.readouterr().out == "Deleted: 1. Left over: nothing.\n"
    assert everything() == [api("d-usage-plans-api")]
    on_aws(lab).finish()
    assert everything() == [], "after a restart of the kernel nobody knows whose it was"


def test_it_runs_twice(lab: Lab) -> None:
    lab.start_task(7)
    assert lab.clean_up().deleted
    assert lab.clean_up().deleted == []


def test_decoys_survive(lab: Lab) -> None:
    """The course's names without its tag, its tag with other names, and things of somebody's own."""
    for tags in ({}, OTHER_TAG):
        make_pool(names.USER_POOL, tags)
        make_api(names.REST_API, tags)
    make_pool(names.NEW_USER_POOL, {})
    make_pool("mine", names.TAGS)
    make_pool(names.USER_POOL + "-2", names.TAGS)
    make_pool("my own", {})
    make_api("mine", names.TAGS)
    make_api(names.REST_API.upper(), names.TAGS)
    make_api("my own", {})
    make_role(names.ROLE, {})
    make_role("mine", names.TAGS)
    make_function(names.FUNCTION, {})
    make_function("mine", names.TAGS)
    make_function("my-own", {})
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=names.LOG_GROUP)
    logs.create_log_group(logGroupName=names.LOG_GROUP + "-2", tags=names.TAGS)
    logs.create_log_group(logGroupName="/mine")
    before = everything()
    assert lab.clean_up().deleted == []
    assert everything() == before


def test_decoys_survive_beside_the_lab(lab: Lab) -> None:
    make_pool(f"{names.USER_POOL}-2", {})
    make_pool("my own", names.TAGS)
    make_api(names.REST_API.upper(), OTHER_TAG)
    make_role("mine", names.TAGS)
    make_function("mine", names.TAGS)
    before = everything()
    for number in (7, 3, 1, 6):
        lab.start_task(number)
    lab.clean_up()
    assert sorted(everything()) == sorted(before)


def test_a_function_of_somebody_else_keeps_its_permissions(lab: Lab) -> None:
    make_function(names.FUNCTION, {})
    lambda_ = boto3.client("lambda")
    lambda_.add_permission(
        FunctionName=names.FUNCTION,
        StatementId="mine",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    lab.start_task(1)
    with pytest.raises(SetupError, match="is in the way, without the tag"):
        lab.start_task(2)
    lab.clean_up()
    assert "mine" in lambda_.get_policy(FunctionName=names.FUNCTION)["Policy"]


DELETIONS: dict[str, Callable[[Any], object]] = {
    "api": lambda demo: boto3.client("apigateway").delete_rest_api(restApiId=demo.rest_api_id),
    "pool": lambda demo: boto3.client("cognito-idp").delete_user_pool(UserPoolId=demo.user_pool_id),
    "function": lambda demo: boto3.client("lambda").delete_function(FunctionName=names.FUNCTION),
    "role": lambda demo: resources.BY_LABEL["role"].delete(names.ROLE),
    "logs": lambda demo: resources.BY_LABEL["log group"].delete(names.LOG_GROUP),
}


def test_it_works_after_any_part_is_gone(lab: Lab) -> None:
    parts = list(DELETIONS)
    for gone in [*([part] for part in parts), parts[:2], parts[1:4], parts[::2], parts]:
        demo = lab.start_task(5)
        for one in gone:
            DELETIONS[one](demo)
        lab.clean_up()
        assert everything() == [], gone


@pytest.mark.parametrize("first_task", range(1, 8))
def test_it_works_from_any_task(lab: Lab, first_task: int) -> None:
    lab.start_task(first_task)
    lab.clean_up()
    assert everything() == []


def failing(monkeypatch: pytest.MonkeyPatch, operation: str, times: float) -> list[str]:
    """Let the first calls of an operation fail; the calls that were made."""
    from botocore.client import BaseClient

    own, calls = BaseClient._make_api_call, []

    def call(client: Any, name: str, parameters: dict[str, Any]) -> Any:
        calls.append(name)
        if name == operation and calls.count(name) <= times:
            error = {"Error": {"Code": "AccessDeniedException", "Message": "not now"}}
            raise ClientError(error, name)
        return own(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return calls


DELETING = ["DeleteRestApi", "DeleteUserPool", "DeleteFunction", "DetachRolePolicy", "DeleteRole"]


@pytest.mark.parametrize("operation", DELETING)
def test_one_failure_doesn_t_keep_the_rest_and_what_is_left_is_named(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    demo = lab.start_task(7)
    of_operation = {
        "DeleteRestApi": f"REST API {names.REST_API} ({demo.rest_api_id})",
        "DeleteUserPool": f"user pool {names.USER_POOL} ({demo.user_pool_id})",
        "DeleteFunction": f"function {names.FUNCTION}",
        "DetachRolePolicy": f"role {names.ROLE}",
        "DeleteRole": f"role {names.ROLE}",
    }
    with monkeypatch.context() as patched:
        failing(patched, operation, 1)
        with pytest.raises(CleanUpError, match=r"Run lab.clean_up\(\) again") as failed:
            lab.clean_up()
    assert failed.value.left == [of_operation[operation]]
    assert of_operation[operation] in str(failed.value)
    assert "not now" in str(failed.value.__cause__)
    assert lab.clean_up().deleted == [of_operation[operation]]
    assert everything() == []


LISTING = ["GetRestApis", "ListUserPools", "ListFunctions", "ListRoleTags", "DescribeLogGroups"]


@pytest.mark.parametrize("operation", LISTING)
def test_what_can_t_be_listed_doesn_t_keep_the_rest(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    lab.start_task(7)
    with monkeypatch.context() as patched:
        calls = failing(patched, operation, float("inf"))
        with pytest.raises(CleanUpError, match="can't be listed"):
            lab.clean_up()
    assert len({"DeleteRestApi", "DeleteUserPool", "DeleteRole"} & set(calls)) >= 2
    lab.clean_up()
    assert everything() == []


def test_beyond_the_first_page(lab: Lab) -> None:
    cognito, gateway = boto3.client("cognito-idp"), boto3.client("apigateway")
    for number in range(65):
        make_pool(f"many {number}", names.TAGS)
        make_api(f"many {number}", names.TAGS)
    for _ in range(2):
        make_pool(names.USER_POOL, names.TAGS)
        make_pool(names.NEW_USER_POOL, names.TAGS)
        make_api(names.REST_API, names.TAGS)
    assert "NextToken" in cognito.list_user_pools(MaxResults=60)
    assert "position" in gateway.get_rest_apis()
    assert len(clean_up().deleted) == 6
    assert len(everything()) == 130


def make_method(api_id: str) -> None:
    """A method that can be deployed."""
    gateway = boto3.client("apigateway")
    [root] = gateway.get_resources(restApiId=api_id)["items"]
    where = {"restApiId": api_id, "resourceId": root["id"], "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(**where, type="MOCK")


def test_custom_domain_names_go_with_their_mappings(lab: Lab) -> None:
    gateway = boto3.client("apigateway")
    api_id = make_api("d-choosing-a-mode-api", names.TAGS)
    other_id = make_api("another", OTHER_TAG)
    for one in (api_id, other_id):
        make_method(one)
        gateway.create_deployment(restApiId=one, stageName="dev")
    ours, untagged = "d-choosing-a-mode-api.example.com", "d-choosing-a-mode-too.example.com"
    for name, tags in ((ours, names.TAGS), (untagged, OTHER_TAG), ("api.example.com", names.TAGS)):
        certificate = boto3.client("acm").request_certificate(DomainName=name)["CertificateArn"]
        gateway.create_domain_name(domainName=name, certificateArn=certificate, tags=tags)
        mapped = api_id if name == ours else other_id
        gateway.create_base_path_mapping(domainName=name, restApiId=mapped, stage="dev")
    assert f"custom domain name {ours}" in clean_up().deleted
    left = {domain["domainName"] for domain in gateway.get_domain_names()["items"]}
    assert left == {untagged, "api.example.com"}
    for name in left:
        gateway.delete_domain_name(domainName=name)
    gateway.delete_rest_api(restApiId=other_id)


def make_what_the_identity_pool_notebook_makes(tags: dict[str, str], prefix: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    role = boto3.client("iam").create_role(
        RoleName=f"{prefix}user", AssumeRolePolicyDocument=TRUST, Tags=listed
    )["Role"]
    pools = boto3.client("cognito-identity")
    pool_id = pools.create_identity_pool(
        IdentityPoolName=f"{prefix}pool",
        AllowUnauthenticatedIdentities=False,
        IdentityPoolTags=tags,
    )["IdentityPoolId"]
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role["Arn"]})
    # An update that doesn't send the tags leaves them.
    pools.update_identity_pool(
        IdentityPoolId=pool_id,
        IdentityPoolName=f"{prefix}pool",
        AllowUnauthenticatedIdentities=False,
    )
    boto3.client("dynamodb").create_table(
        TableName=f"{prefix}notes",
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=listed,
    )


def test_identity_pools_their_roles_and_tables(lab: Lab) -> None:
    for tags, prefix in ((names.TAGS, "d-identity-pool-"), (OTHER_TAG, "d-identity-pool-other-")):
        make_what_the_identity_pool_notebook_makes(tags, prefix)
    pools, tables = boto3.client("cognito-identity"), boto3.client("dynamodb")
    deleted = clean_up().deleted
    assert [each.split(" (")[0] for each in deleted] == [
        "identity pool d-identity-pool-pool",
        "role d-identity-pool-user",
        "table d-identity-pool-notes",
    ]
    left = pools.list_identity_pools(MaxResults=60)["IdentityPools"]
    assert [pool["IdentityPoolName"] for pool in left] == ["d-identity-pool-other-pool"]
    assert tables.list_tables()["TableNames"] == ["d-identity-pool-other-notes"]
    pools.delete_identity_pool(IdentityPoolId=left[0]["IdentityPoolId"])
    tables.delete_table(TableName="d-identity-pool-other-notes")


def test_a_table_that_is_still_being_made_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb = Mock(waiter_names=["table_exists", "table_not_exists"])
    dynamodb.describe_table.return_value = {"Table": {"TableStatus": "CREATING"}}
    session = Mock(client=Mock(return_value=dynamodb))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    kind = resources.BY_LABEL["table"]
    kind.delete("d-identity-pool-notes")
    calls = [name for name, _arguments, _options in dynamodb.method_calls]
    assert calls == ["describe_table", "get_waiter", "delete_table", "get_waiter"]
    gone = {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}
    dynamodb.describe_table.side_effect = ClientError(gone, "DescribeTable")  # type: ignore[arg-type]
    kind.delete("d-identity-pool-notes")
    assert dynamodb.delete_table.call_count == 1


def test_a_pool_with_a_domain_and_a_role_with_its_own_policy(lab: Lab) -> None:
    demo = lab.start_task(3)
    boto3.client("cognito-idp").create_user_pool_domain(
        UserPoolId=demo.user_pool_id, Domain="us-east-1abcdefgh"
    )
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    boto3.client("iam").put_role_policy(
        RoleName=names.ROLE,
        PolicyName="added",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    lab.clean_up()
    assert everything() == []
