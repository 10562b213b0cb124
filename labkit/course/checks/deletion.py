"""Task 7: the lab's three parts are deleted, and what stays behind of them is too."""

from __future__ import annotations

from typing import Any

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.resources import client, listed, region_in_use

_POOLS = (names.USER_POOL, names.NEW_USER_POOL)


def parts_are_gone(_look: Look) -> str:
    """Task 7.1: the API, the user pool and the function are deleted.

    Raises:
        Missing: one of them isn't.
    """
    region = region_in_use()
    if names.REST_API in _names("apigateway", "get_rest_apis", "name"):
        raise Missing(
            f"The REST API {names.REST_API} is still in {region}: whoever knows its URL can call it.",
            "Delete it with apigateway.delete_rest_api.",
        )
    cognito = client("cognito-idp")
    for item in found.user_pools():
        if item.get("Name") in _POOLS:
            _explain_pool(cognito.describe_user_pool(UserPoolId=item["Id"])["UserPool"], region)
    if names.FUNCTION in _names("lambda", "list_functions", "FunctionName"):
        raise Missing(
            f"The function {names.FUNCTION} is still in {region}.",
            "Delete it with lambda_.delete_function.",
        )
    return f"No API, no user pool and no function of the lab is in {region}."


def _explain_pool(pool: dict[str, Any], region: str) -> None:
    """Say what keeps a user pool.

    Raises:
        Missing: always.
    """
    name = pool["Name"]
    if pool.get("DeletionProtection") == "ACTIVE":
        raise Missing(
            f"The user pool {name} is still in {region}: its deletion protection is on.",
            'Turn it off with cognito_idp.update_user_pool and DeletionProtection="INACTIVE", then delete the pool.',
        )
    if pool.get("Domain"):
        raise Missing(
            f"The user pool {name} is still in {region}: it has the domain {pool['Domain']}.",
            "Delete the domain with cognito_idp.delete_user_pool_domain, then the pool.",
        )
    raise Missing(
        f"The user pool {name} is still in {region}, with its users.",
        "Delete it with cognito_idp.delete_user_pool.",
    )


def rest_is_gone(_look: Look) -> str:
    """Task 7.2: the execution role and the log group are deleted.

    Raises:
        Missing: one of them isn't.
    """
    iam = client("iam")
    # The console adds letters of its own to the role's name.
    for role in [n for n in _names("iam", "list_roles", "RoleName") if n.startswith(names.ROLE)]:
        if attached := listed(iam, "list_attached_role_policies", RoleName=role):
            policies = ", ".join(policy["PolicyName"] for policy in attached)
            raise Missing(
                f"The role {role} is still there: {policies} is attached to it.",
                "Detach each policy with iam.detach_role_policy, then delete the role.",
            )
        if inline := listed(iam, "list_role_policies", RoleName=role):
            raise Missing(
                f"The role {role} is still there: it has the inline policy {', '.join(inline)}.",
                "Delete the policy with iam.delete_role_policy, then the role.",
            )
        raise Missing(
            f"The role {role} is still there, and no policy is attached to it.",
            "Delete it with iam.delete_role.",
            late=True,
        )
    if names.LOG_GROUP in _names("logs", "describe_log_groups", "logGroupName"):
        raise Missing(
            f"The log group {names.LOG_GROUP} is still there: its logs are kept for ever.",
            "Delete it with logs.delete_log_group.",
        )
    return "The role and the log group are gone."


def _names(service: str, listing: str, field: str) -> list[str]:
    return [str(item.get(field)) for item in listed(client(service), listing)]
