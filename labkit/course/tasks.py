"""Puts the lab where one of its seven tasks begins, by AWS names and in the state in which the notebooks leave it.

Every function here may run twice: it finds what is there, makes what is missing, and takes away what later tasks make.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labkit import names
from labkit.course import build
from labkit.course.checks import authorizer, found, function, rest_api, user, user_pool
from labkit.course.checks.missing import Missing
from labkit.course.resources import BY_LABEL, client, email_in_use, listed
from labkit.errors import SetupError, UnknownTaskError

FIRST_TASK, LAST_TASK = 1, 7
BETWEEN = {"6b": LAST_TASK}
"""A task that came between two others → the one in whose state it begins."""

HANDLER_SOURCE = """import json

def lambda_handler(event, context):
    return {
        'statusCode': 200,
        'body': json.dumps('Hello from Lambda!')
    }
"""
"""What the console puts into a new Python function."""


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


Step = Callable[[Demo], None]


def start_task(
    task: int | str, wait_for_deployment: Callable[[str], None] = lambda _url: None
) -> Demo:
    """Make the state in which a task begins.

    Args:
        task: 1 to 7, or ``"6b"``.
        wait_for_deployment: waits until the closed method at a URL answers.

    Raises:
        UnknownTaskError: there is no such task.
        SetupError: something has the lab's name without its tag, and is in the way.
    """
    number = BETWEEN.get(task, 0) if isinstance(task, str) else task
    if type(number) is not int or number not in range(FIRST_TASK, LAST_TASK + 1):
        raise UnknownTaskError(
            f"The lab has the tasks {FIRST_TASK} to {LAST_TASK} and '6b', not {task!r}: write one of these."
        )
    _tag_again(client("cognito-idp"))
    for label in ("user pool", "REST API"):
        for identifier, name in BY_LABEL[label].find(names.LAB_NAMES.__contains__, tagged=False):
            raise _in_the_way(f"The {label} {name} ({identifier})")
    demo = Demo()
    for make, _take_back in _STEPS[: number - 1]:
        make(demo)
    for _make, take_back in reversed(_STEPS[number - 1 :]):
        take_back(demo)
    if demo.invoke_url:
        wait_for_deployment(f"{demo.invoke_url}{_PATH}")
    return demo


def _found(label: str) -> list[str]:
    """The ids of the lab's resources of a kind."""
    return [identifier for identifier, _name in BY_LABEL[label].find(names.LAB_NAMES.__contains__)]


def _in_the_way(what: str) -> SetupError:
    return SetupError(
        f"{what} is in the way, without the tag course=api-gateway-security. Delete it yourself, since labkit deletes "
        "what is tagged alone, and run the cell again."
    )


def _passes(check: Callable[..., object], *arguments: Any) -> bool:
    """Whether a check of the course finds nothing missing."""
    try:
        check(*arguments)
    except Missing:
        return False
    return True


def _delete(*labels: str) -> None:
    for label in labels:
        for identifier in _found(label):
            BY_LABEL[label].delete(identifier)


# -- task 1: the function -------------------------------------------------------------


def ensure_function(demo: Demo) -> None:
    """The lab's function with the console's code; one that isn't as task 1 leaves it is made anew."""
    if _passes(function.answers):
        demo.function_arn = str(found.function()["FunctionArn"])
        return
    _delete("function", "role")
    lambda_, iam = client("lambda"), client("iam")
    try:
        demo.function_arn = build.function(names.FUNCTION, HANDLER_SOURCE)
    except (
        lambda_.exceptions.ResourceConflictException,
        iam.exceptions.EntityAlreadyExistsException,
    ) as error:
        raise _in_the_way(f"The function {names.FUNCTION} or its role") from error


# -- task 2: the user pool ---------------------------------------------------------------


_POOL: dict[str, Any] = {
    "AutoVerifiedAttributes": ["email"],
    "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
    "UserPoolTier": "ESSENTIALS",
    "UserPoolTags": names.TAGS,
}
"""What task 2 sets of the pool, of what can be changed later: UpdateUserPool takes it whole."""


def ensure_user_pool(demo: Demo) -> None:
    """The user pool and its app client; changed settings come back, and one that can't be repaired is made anew."""
    cognito = client("cognito-idp")
    for pool_id in _found("user pool"):
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        is_first = demo.user_pool_id is None and pool["Name"] == names.USER_POOL
        if is_first and not _has_settings(pool):
            cognito.update_user_pool(UserPoolId=pool_id, **_POOL)
            pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        if is_first and _passes(user_pool.check, pool):
            demo.user_pool_id = pool_id
            demo.client_id = str(found.app_client(pool)["ClientId"])
        else:
            BY_LABEL["user pool"].delete(pool_id)
    if demo.user_pool_id is not None:
        return
    pool = cognito.create_user_pool(
        PoolName=names.USER_POOL,
        UsernameAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        **_POOL,
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
    demo.user_pool_id, demo.client_id = str(pool["Id"]), str(app_client["ClientId"])


def _has_settings(pool: dict[str, Any]) -> bool:
    """Whether a pool is as task 2 leaves it: an UpdateUserPool may have dropped settings, and task 6b changes one."""
    return (
        "EMAIL_OTP" in user_pool.first_factors(pool)
        and user_pool.verifies_email(pool)
        and not user_pool.is_invitation_only(pool)
        and pool.get("DeletionProtection") != "ACTIVE"
    )


def _tag_again(cognito: Any) -> None:
    """Give the pool that the lab's authorizer asks its tag back: an UpdateUserPool without tags took it away."""
    gateway = client("apigateway")
    for api_id in _found("REST API"):
        for one in listed(gateway, "get_authorizers", restApiId=api_id):
            for arn in one.get("providerARNs") or []:
                try:
                    pool_id = arn.rpartition("/")[2]
                    pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
                except cognito.exceptions.ResourceNotFoundException:
                    continue
                if pool["Name"] == names.USER_POOL and not pool.get("UserPoolTags"):
                    cognito.tag_resource(ResourceArn=arn, Tags=names.TAGS)


# -- task 3: the REST API ------------------------------------------------------------------

_PATH = f"/{names.RESOURCE}"


def ensure_rest_api(demo: Demo) -> None:
    """The API and its resource ``/demo``; every other API of that name goes, one that isn't as task 3 leaves it too."""
    function_arn = demo.function_arn or ""
    for api_id in _found("REST API"):
        if demo.rest_api_id is None and _is_as_made(api_id):
            demo.rest_api_id = api_id
        else:
            BY_LABEL["REST API"].delete(api_id)
    if demo.rest_api_id is None:
        remove_permissions()
        demo.rest_api_id = build.rest_api(names.REST_API)
        _put_method(demo.rest_api_id, function_arn, authorizationType="NONE")
    api = client("apigateway").get_rest_api(restApiId=demo.rest_api_id)
    if not _passes(rest_api.check_permission, api):
        remove_permissions()
        build.permit(demo.rest_api_id, function_arn, f"*/GET{_PATH}")
    demo.resource_id = str(found.resource(api, _PATH)["id"])


def _is_as_made(api_id: str) -> bool:
    """Whether GET /demo is the only method and calls the function, and API Gateway's own answers are the usual ones."""
    gateway = client("apigateway")
    api = gateway.get_rest_api(restApiId=api_id)
    answers = gateway.get_gateway_responses(restApiId=api_id).get("items", [])
    methods = [verb for item in found.resources(api) for verb in item.get("resourceMethods") or {}]
    return (
        methods == ["GET"]
        and all(answer.get("defaultResponse") for answer in answers)
        and _passes(rest_api.check_api, api)
        and _passes(rest_api.check_method, api)
    )


def _put_method(api_id: str, function_arn: str, **authorization: Any) -> None:
    build.proxy(api_id, _PATH, function_arn, calls=f"*/GET{_PATH}", **authorization)


def remove_rest_api(_demo: Demo) -> None:
    """Delete the API, and what lets it invoke the function."""
    _delete("REST API")
    remove_permissions()


def remove_permissions() -> None:
    """Take back who may invoke the lab's function: permissions of deleted APIs would pile up in its policy."""
    if not _found("function"):
        return
    lambda_ = client("lambda")
    aliases = listed(lambda_, "list_aliases", FunctionName=names.FUNCTION)
    for qualifier in ({}, *({"Qualifier": str(alias["Name"])} for alias in aliases)):
        for statement in found.permissions(**qualifier):
            lambda_.remove_permission(
                FunctionName=names.FUNCTION, StatementId=statement["Sid"], **qualifier
            )


# -- task 4: the authorizer and the stage ------------------------------------------------------


def open_api(demo: Demo) -> None:
    """Take back task 4: no stage, no deployment, no authorizer on ``GET /demo``."""
    if demo.rest_api_id is None:
        return
    _delete_guarded(demo)
    _put_method(demo.rest_api_id, demo.function_arn or "", authorizationType="NONE")


def ensure_authorizer(demo: Demo) -> None:
    """The authorizer, attached to ``GET /demo``, which is deployed to the stage ``dev``."""
    gateway, api_id = client("apigateway"), demo.rest_api_id or ""
    demo.invoke_url = build.invoke_url(api_id)
    with suppress(Missing):
        demo.authorizer_id = authorizer.check_attached({"id": api_id})
        if _is_deployed(gateway, api_id):
            return
    _delete_guarded(demo)
    pool = client("cognito-idp").describe_user_pool(UserPoolId=demo.user_pool_id)["UserPool"]
    demo.authorizer_id = str(
        gateway.create_authorizer(
            restApiId=api_id,
            name=names.AUTHORIZER,
            type="COGNITO_USER_POOLS",
            providerARNs=[pool["Arn"]],
            identitySource="method.request.header.Authorization",
        )["id"]
    )
    _put_method(
        api_id,
        demo.function_arn or "",
        authorizationType="COGNITO_USER_POOLS",
        authorizerId=demo.authorizer_id,
        authorizationScopes=[names.SCOPE],
    )
    gateway.create_deployment(restApiId=api_id, stageName=names.STAGE, description=names.DEPLOYMENT)


def _is_deployed(gateway: Any, api_id: str) -> bool:
    """Whether the stage serves, with no settings of its own, a deployment that :func:`ensure_authorizer` made.

    AWS doesn't tell what is in a deployment: the same method may be closed in the draft and still be open on the stage,
    or closed there without the scope.
    """
    for stage in gateway.get_stages(restApiId=api_id).get("item", []):
        if stage["stageName"] == names.STAGE:
            served = gateway.get_deployment(restApiId=api_id, deploymentId=stage["deploymentId"])
            changed = stage.get("methodSettings") or stage.get("canarySettings")
            return not changed and served.get("description") == names.DEPLOYMENT
    return False


def _delete_guarded(demo: Demo) -> None:
    """Delete what serves ``GET /demo``, that method, and then the authorizers, which no method may use."""
    gateway, api = client("apigateway"), {"restApiId": demo.rest_api_id}
    for stage in gateway.get_stages(**api).get("item", []):
        gateway.delete_stage(**api, stageName=stage["stageName"])
    for deployment in gateway.get_deployments(**api).get("items", []):
        gateway.delete_deployment(**api, deploymentId=deployment["id"])
    gateway.delete_method(**api, resourceId=demo.resource_id, httpMethod="GET")
    for one in listed(gateway, "get_authorizers", **api):
        gateway.delete_authorizer(**api, authorizerId=one["id"])


# -- task 5: the user --------------------------------------------------------------------------


def ensure_user(demo: Demo) -> None:
    """The lab's user and nobody else: with a verified address, without a password; a stranger who signed up goes."""
    demo.email = email_in_use()
    if _keep_users(demo, lambda one: one["own"] and _passes(user.check_ready, one, "")):
        return
    client("cognito-idp").admin_create_user(
        UserPoolId=demo.user_pool_id,
        Username=demo.email,
        UserAttributes=[
            {"Name": "email", "Value": demo.email},
            {"Name": "email_verified", "Value": "true"},
        ],
        MessageAction="SUPPRESS",
    )


def remove_users(demo: Demo) -> None:
    """Delete the users of the lab's pool, if there is one."""
    if demo.user_pool_id is not None:
        _keep_users(demo, lambda _one: False)


def _keep_users(demo: Demo, is_kept: Callable[[dict[str, Any]], bool]) -> bool:
    """Delete the other users of the lab's pool; returns whether one is left."""
    users = found.users({"Id": demo.user_pool_id})
    kept = [one for one in users if is_kept(one)]
    for one in users:
        if one not in kept:
            client("cognito-idp").admin_delete_user(
                UserPoolId=demo.user_pool_id, Username=one["username"]
            )
    return bool(kept)


_STEPS: tuple[tuple[Step, Step], ...] = (
    (ensure_function, lambda _demo: _delete("function", "role", "log group")),
    (ensure_user_pool, lambda _demo: _delete("user pool")),
    (ensure_rest_api, remove_rest_api),
    (ensure_authorizer, open_api),
    (ensure_user, remove_users),
)
"""What makes each task's result, and what takes it back; tasks 6 and 7 make nothing that stays."""
