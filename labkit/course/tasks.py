"""Puts the lab where one of its seven tasks begins, by AWS names and with the same calls as the notebooks.

Every function here may run twice: it finds what is there, makes what is missing, and takes away what later tasks make.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from labkit import names
from labkit.course.resources import (
    KINDS,
    client,
    delete_rest_api,
    delete_user_pool,
    find_functions,
    find_rest_apis,
    find_user_pools,
    region_in_use,
)

FIRST_TASK, LAST_TASK = 1, 7

HANDLER_SOURCE = """import json

def lambda_handler(event, context):
    return {
        'statusCode': 200,
        'body': json.dumps('Hello from Lambda!')
    }
"""
"""What the console puts into a new Python function."""

BASIC_EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@dataclass
class Demo:
    """The ids of what the tasks made; None for what isn't there yet.

    Attributes:
        function_arn: task 1.
        user_pool_id: task 2.
        client_id: task 2, the app client of the single-page application.
        rest_api_id: task 3.
        resource_id: task 3, the resource ``/demo``.
        authorizer_id: task 4.
        invoke_url: task 4, the URL of the stage ``dev``.
        email: task 5, the user's address.
    """

    function_arn: str | None = None
    user_pool_id: str | None = None
    client_id: str | None = None
    rest_api_id: str | None = None
    resource_id: str | None = None
    authorizer_id: str | None = None
    invoke_url: str | None = None
    email: str | None = None


def start_task(
    number: int,
    wait_for_role: Callable[[], None],
    wait_for_deployment: Callable[[str], None] = lambda _url: None,
) -> Demo:
    """Make the state in which a task begins.

    Args:
        number: 1 to 7.
        wait_for_role: waits until a new role can be assumed.
        wait_for_deployment: waits until the closed method at a URL answers.

    Raises:
        ValueError: there is no such task.
    """
    if isinstance(number, bool) or number not in range(FIRST_TASK, LAST_TASK + 1):
        raise ValueError(f"The lab has the tasks {FIRST_TASK} to {LAST_TASK}, not {number!r}.")
    demo = Demo()
    if number > 1:
        demo.function_arn = ensure_function(wait_for_role)
    if number > 2:
        demo.user_pool_id, demo.client_id = ensure_user_pool()
    if number > 3:
        demo.rest_api_id, demo.resource_id = ensure_rest_api(demo.function_arn or "")
    if number > 4:
        demo.authorizer_id = ensure_authorizer(demo)
        demo.invoke_url = invoke_url(demo.rest_api_id or "")
        wait_for_deployment(f"{demo.invoke_url}/{names.RESOURCE}")
    if number > 5:
        demo.email = ensure_user(demo.user_pool_id or "")
    _take_away_from(number, demo)
    return demo


def _take_away_from(number: int, demo: Demo) -> None:
    """Delete what this task and later ones make."""
    if number in (3, 4, 5):
        remove_users(demo.user_pool_id or "")
    if number == 4:
        remove_authorizer(demo.rest_api_id or "", demo.resource_id or "")
    if number <= 3:
        for api in _rest_apis():
            delete_rest_api(api)
    if number in (2, 3):
        remove_permissions()
    if number <= 2:
        for pool in _user_pools():
            delete_user_pool(pool)
    if number <= 1:
        _delete_function()


def _is_of_the_lab(name: str) -> bool:
    return name in names.LAB_NAMES


def _rest_apis() -> list[str]:
    return [api_id for api_id, _name in find_rest_apis(_is_of_the_lab)]


def _user_pools() -> list[str]:
    return [pool_id for pool_id, _name in find_user_pools(_is_of_the_lab)]


def _delete_function() -> None:
    """Delete the lab's function, its role and its logs, where they are the course's."""
    for kind in KINDS:
        if kind.label in ("function", "role", "log group"):
            for identifier, _name in list(kind.find(_is_of_the_lab)):
                kind.delete(identifier)


# -- task 1: the function -------------------------------------------------------------


def deployment_package(source: str = HANDLER_SOURCE) -> bytes:
    """The zip file of a function whose handler is ``lambda_function.lambda_handler``.

    The bytes are the same each time: the file's date is fixed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        member = zipfile.ZipInfo("lambda_function.py", date_time=(1980, 1, 1, 0, 0, 0))
        member.external_attr = 0o644 << 16
        package.writestr(member, source)
    return buffer.getvalue()


def ensure_function(wait_for_role: Callable[[], None]) -> str:
    """The ARN of the lab's function, made if missing, with the console's code."""
    lambda_ = client("lambda")
    try:
        return str(
            lambda_.get_function(FunctionName=names.FUNCTION)["Configuration"]["FunctionArn"]
        )
    except lambda_.exceptions.ResourceNotFoundException:
        pass
    function = lambda_.create_function(
        FunctionName=names.FUNCTION,
        Runtime="python3.13",
        Architectures=["x86_64"],
        Role=ensure_role(wait_for_role),
        Handler="lambda_function.lambda_handler",
        Code={"ZipFile": deployment_package()},
        Tags=names.TAGS,
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=names.FUNCTION)
    return str(function["FunctionArn"])


def ensure_role(wait_for_role: Callable[[], None]) -> str:
    """The ARN of the function's execution role, made if missing."""
    iam = client("iam")
    try:
        return str(iam.get_role(RoleName=names.ROLE)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        pass
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(
        RoleName=names.ROLE,
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=[{"Key": key, "Value": value} for key, value in names.TAGS.items()],
    )
    iam.attach_role_policy(RoleName=names.ROLE, PolicyArn=BASIC_EXECUTION_POLICY)
    wait_for_role()
    return str(role["Role"]["Arn"])


# -- task 2: the user pool ---------------------------------------------------------------


def ensure_user_pool() -> tuple[str, str]:
    """The ids of the user pool and its app client; a pool that isn't as task 2 leaves it is made anew."""
    cognito = client("cognito-idp")
    for pool_id in _user_pools():
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        clients = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)[
            "UserPoolClients"
        ]
        client_id = next(
            (c["ClientId"] for c in clients if c["ClientName"] == names.APP_CLIENT), None
        )
        factors = pool["Policies"].get("SignInPolicy", {}).get("AllowedFirstAuthFactors", [])
        if pool["Name"] == names.USER_POOL and client_id and "EMAIL_OTP" in factors:
            return pool_id, str(client_id)
        delete_user_pool(pool_id)
    pool = cognito.create_user_pool(
        PoolName=names.USER_POOL,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
        UserPoolTags=names.TAGS,
    )["UserPool"]
    app_client = cognito.create_user_pool_client(
        UserPoolId=pool["Id"],
        ClientName=names.APP_CLIENT,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"],
        AccessTokenValidity=60,
        IdTokenValidity=60,
        RefreshTokenValidity=5,
        TokenValidityUnits={"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        AuthSessionValidity=3,
        PreventUserExistenceErrors="ENABLED",
    )["UserPoolClient"]
    return str(pool["Id"]), str(app_client["ClientId"])


# -- task 3: the REST API ------------------------------------------------------------------


def ensure_rest_api(function_arn: str) -> tuple[str, str]:
    """The ids of the API and of its resource ``/demo``; an API that isn't as task 3 leaves it is made anew."""
    gateway = client("apigateway")
    for api_id in _rest_apis():
        resource = _demo_resource(gateway, api_id)
        integration = (
            (resource or {}).get("resourceMethods", {}).get("GET", {}).get("methodIntegration", {})
        )
        if resource and function_arn in str(integration.get("uri")):
            permit_api(api_id, function_arn)
            return api_id, str(resource["id"])
        delete_rest_api(api_id)
    remove_permissions()
    api_id = gateway.create_rest_api(
        name=names.REST_API, endpointConfiguration={"types": ["REGIONAL"]}, tags=names.TAGS
    )["id"]
    root_id = next(
        r["id"] for r in gateway.get_resources(restApiId=api_id)["items"] if r["path"] == "/"
    )
    resource_id = gateway.create_resource(
        restApiId=api_id, parentId=root_id, pathPart=names.RESOURCE
    )["id"]
    gateway.put_method(
        restApiId=api_id, resourceId=resource_id, httpMethod="GET", authorizationType="NONE"
    )
    region = function_arn.split(":")[3]
    gateway.put_integration(
        restApiId=api_id,
        resourceId=resource_id,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations",
    )
    permit_api(api_id, function_arn)
    return str(api_id), str(resource_id)


def permit_api(api_id: str, function_arn: str) -> None:
    """Let ``GET /demo`` of the API invoke the function; it may do so already."""
    lambda_ = client("lambda")
    region, account_id = function_arn.split(":")[3:5]
    try:
        lambda_.add_permission(
            FunctionName=names.FUNCTION,
            StatementId=f"apigateway-{api_id}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{region}:{account_id}:{api_id}/*/GET/{names.RESOURCE}",
        )
    except lambda_.exceptions.ResourceConflictException:
        return


def remove_permissions() -> None:
    """Take back who may invoke the lab's function: permissions of deleted APIs would pile up in its policy."""
    if not list(find_functions(_is_of_the_lab)):
        return
    lambda_ = client("lambda")
    try:
        policy = json.loads(lambda_.get_policy(FunctionName=names.FUNCTION)["Policy"])
    except lambda_.exceptions.ResourceNotFoundException:
        return
    for statement in policy["Statement"]:
        lambda_.remove_permission(FunctionName=names.FUNCTION, StatementId=statement["Sid"])


def _demo_resource(gateway: Any, api_id: str) -> dict[str, Any] | None:
    items = gateway.get_resources(restApiId=api_id, embed=["methods"])["items"]
    return next((item for item in items if item["path"] == f"/{names.RESOURCE}"), None)


# -- task 4: the authorizer and the stage ------------------------------------------------------


def ensure_authorizer(demo: Demo) -> str:
    """The id of the authorizer; it is attached to ``GET /demo`` and deployed to the stage ``dev``."""
    gateway = client("apigateway")
    api_id = demo.rest_api_id or ""
    region = (demo.function_arn or "").split(":")[3]
    account_id = (demo.function_arn or "").split(":")[4]
    pool_arn = f"arn:aws:cognito-idp:{region}:{account_id}:userpool/{demo.user_pool_id}"
    found = gateway.get_authorizers(restApiId=api_id)["items"]
    authorizer_id = next((a["id"] for a in found if a.get("providerARNs") == [pool_arn]), None)
    if authorizer_id is None or not _is_deployed(gateway, demo, authorizer_id):
        remove_authorizer(api_id, demo.resource_id or "")
        authorizer_id = gateway.create_authorizer(
            restApiId=api_id,
            name=names.AUTHORIZER,
            type="COGNITO_USER_POOLS",
            providerARNs=[pool_arn],
            identitySource="method.request.header.Authorization",
        )["id"]
        gateway.update_method(
            restApiId=api_id,
            resourceId=demo.resource_id,
            httpMethod="GET",
            patchOperations=[
                {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
                {"op": "replace", "path": "/authorizerId", "value": authorizer_id},
                {"op": "add", "path": "/authorizationScopes", "value": names.SCOPE},
            ],
        )
        gateway.create_deployment(
            restApiId=api_id, stageName=names.STAGE, description=names.DEPLOYMENT
        )
    return str(authorizer_id)


def _is_deployed(gateway: Any, demo: Demo, authorizer_id: str) -> bool:
    """Whether ``GET /demo`` has the authorizer and the scope, and the stage serves a deployment made after that.

    AWS doesn't tell what is in a deployment, so task 4 gives its own a description of its own: the same method may be
    closed in the draft and still be open on the stage.
    """
    method = gateway.get_method(
        restApiId=demo.rest_api_id, resourceId=demo.resource_id, httpMethod="GET"
    )
    stages = gateway.get_stages(restApiId=demo.rest_api_id)["item"]
    deployments = gateway.get_deployments(restApiId=demo.rest_api_id)["items"]
    closed = {d["id"] for d in deployments if d.get("description") == names.DEPLOYMENT}
    served = {s["deploymentId"] for s in stages if s["stageName"] == names.STAGE}
    return (
        method.get("authorizerId") == authorizer_id
        and method.get("authorizationScopes") == [names.SCOPE]
        and bool(served & closed)
    )


def remove_authorizer(api_id: str, resource_id: str) -> None:
    """Take back task 4: no stage, no deployment, no authorizer on ``GET /demo``."""
    gateway = client("apigateway")
    for stage in gateway.get_stages(restApiId=api_id)["item"]:
        gateway.delete_stage(restApiId=api_id, stageName=stage["stageName"])
    for deployment in gateway.get_deployments(restApiId=api_id)["items"]:
        gateway.delete_deployment(restApiId=api_id, deploymentId=deployment["id"])
    method = gateway.get_method(restApiId=api_id, resourceId=resource_id, httpMethod="GET")
    if method["authorizationType"] != "NONE":
        scopes = method.get("authorizationScopes") or []
        gateway.update_method(
            restApiId=api_id,
            resourceId=resource_id,
            httpMethod="GET",
            patchOperations=[
                *(
                    {"op": "remove", "path": "/authorizationScopes", "value": scope}
                    for scope in scopes
                ),
                {"op": "replace", "path": "/authorizationType", "value": "NONE"},
            ],
        )
    for authorizer in gateway.get_authorizers(restApiId=api_id)["items"]:
        gateway.delete_authorizer(restApiId=api_id, authorizerId=authorizer["id"])


def invoke_url(api_id: str) -> str:
    """The URL of the stage ``dev``."""
    return f"https://{api_id}.execute-api.{region_in_use()}.amazonaws.com/{names.STAGE}"


# -- task 5: the user --------------------------------------------------------------------------


def ensure_user(pool_id: str) -> str:
    """The address of the lab's user, made if missing: verified, without a password."""
    cognito = client("cognito-idp")
    email = os.environ.get("LABKIT_EMAIL", names.EMAIL)
    if email not in set(_addresses(cognito, pool_id)):
        cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=email,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
            MessageAction="SUPPRESS",
        )
    return email


def remove_users(pool_id: str) -> None:
    """Delete the users of the lab's pool."""
    cognito = client("cognito-idp")
    for user in list(_users(cognito, pool_id)):
        cognito.admin_delete_user(UserPoolId=pool_id, Username=user["Username"])


def _addresses(cognito: Any, pool_id: str) -> Iterator[str]:
    for user in _users(cognito, pool_id):
        yield from (a["Value"] for a in user["Attributes"] if a["Name"] == "email")


def _users(cognito: Any, pool_id: str) -> Iterator[dict[str, Any]]:
    for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool_id):
        yield from page["Users"]
