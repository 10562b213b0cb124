"""The lab's resources, found by their names alone: the console doesn't tag as the course does."""

from __future__ import annotations

import json
from typing import Any

from labkit import names
from labkit.course.checks.missing import Missing
from labkit.course.resources import client, email_in_use, is_ours, listed

_UNTAGGED = " It lacks the tag course=api-gateway-security, so lab.clean_up() leaves it alone: delete it yourself."


def rest_api() -> dict[str, Any]:
    """The lab's REST API.

    Raises:
        Missing: there is none, or more than one.
    """
    return _only_one(
        "REST API", names.REST_API, "name", listed(client("apigateway"), "get_rest_apis")
    )


def resources(api: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources of an API, with their methods."""
    return listed(client("apigateway"), "get_resources", restApiId=api["id"], embed=["methods"])


def resource(api: dict[str, Any], path: str) -> dict[str, Any]:
    """A resource of an API, with its methods; empty when there is none."""
    return next((item for item in resources(api) if item["path"] == path), {})


def function() -> dict[str, Any]:
    """The configuration of the lab's function; empty when there is none."""
    lambda_ = client("lambda")
    try:
        return dict(lambda_.get_function_configuration(FunctionName=names.FUNCTION))
    except lambda_.exceptions.ResourceNotFoundException:
        return {}


def permissions(**qualifier: str) -> list[dict[str, Any]]:
    """The statements of the function's resource-based policy, or of an alias's (its ``Qualifier``)."""
    lambda_ = client("lambda")
    try:
        answer = lambda_.get_policy(FunctionName=names.FUNCTION, **qualifier)
    except lambda_.exceptions.ResourceNotFoundException:
        return []
    return list(json.loads(answer["Policy"]).get("Statement", []))


def user_pools() -> list[dict[str, Any]]:
    """All user pools, each with ``Id`` and ``Name``."""
    return listed(client("cognito-idp"), "list_user_pools")


def user_pool(*also: str) -> dict[str, Any]:
    """The lab's user pool, as DescribeUserPool tells it.

    Args:
        also: other names that it may have.

    Raises:
        Missing: there is none, or more than one.
    """
    found = [item for item in user_pools() if item.get("Name") in (names.USER_POOL, *also)]
    name = found[0]["Name"] if found else names.USER_POOL
    one = _only_one("user pool", name, "Name", found)
    described = client("cognito-idp").describe_user_pool(UserPoolId=one["Id"])
    pool: dict[str, Any] = described["UserPool"]
    return pool


def app_client(pool: dict[str, Any]) -> dict[str, Any]:
    """The lab's app client, as DescribeUserPoolClient tells it.

    Raises:
        Missing: there is none, or more than one.
    """
    cognito, where = client("cognito-idp"), {"UserPoolId": pool["Id"]}
    found = listed(cognito, "list_user_pool_clients", **where)
    one = _only_one("app client", names.APP_CLIENT, "ClientName", found)
    described = cognito.describe_user_pool_client(**where, ClientId=one["ClientId"])
    app: dict[str, Any] = described["UserPoolClient"]
    return app


def users(pool: dict[str, Any]) -> list[dict[str, Any]]:
    """A pool's users: ``username``, ``email`` (in small letters), ``verified``, ``status`` and ``enabled`` of each.

    ``own`` says whether it is the lab's user.
    """
    return [
        _user(item) for item in listed(client("cognito-idp"), "list_users", UserPoolId=pool["Id"])
    ]


def _user(item: dict[str, Any]) -> dict[str, Any]:
    attributes = {each["Name"]: each.get("Value", "") for each in item.get("Attributes") or []}
    email = attributes.get("email", "").casefold()
    return {
        "username": item["Username"],
        "email": email,
        "own": email == email_in_use().casefold(),
        "verified": attributes.get("email_verified", "").casefold() == "true",
        "status": item.get("UserStatus"),
        "enabled": item.get("Enabled", False),
    }


def remark_on(tags: dict[str, str] | list[dict[str, str]] | None) -> str:
    """What to add when a resource isn't tagged as the course's; empty when it is."""
    return "" if is_ours(tags) else _UNTAGGED


def _id_of(item: dict[str, Any]) -> str:
    """The id of an API, a user pool or an app client."""
    return str(item.get("id") or item.get("ClientId") or item.get("Id"))


def _only_one(kind: str, name: str, field: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = [item for item in found if item.get(field) == name]
    if len(wanted) > 1:
        raise Missing(
            f"There are {len(wanted)} {kind}s named {name}: {', '.join(map(_id_of, wanted))}.",
            "Delete those that you don't use: then it is clear which one you mean. "
            "Or begin again: run the first cell of the notebook that makes it.",
        )
    if not wanted:
        others = sorted(str(item.get(field)) for item in found)
        have = (
            f" There {'is' if len(others) == 1 else 'are'} {', '.join(others)}." if others else ""
        )
        raise Missing(f"There is no {kind} named {name}.{have}", "Create it with this very name.")
    return wanted[0]
