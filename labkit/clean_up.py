"""Deletes what the course made, and nothing else: a resource must carry the course's tag and one of its names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labkit import names
from labkit.errors import CleanUpError

POOL_NAMES = (names.USER_POOL, names.NEW_USER_POOL)


@dataclass(frozen=True, slots=True)
class CleanUpReport:
    """What a clean-up did.

    Attributes:
        deleted: what it deleted, in order.
        left: what is left; always empty, since :func:`clean_up` raises otherwise.
    """

    deleted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "Left over: nothing." if not self.left else "Left over: " + ", ".join(self.left)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of resource: how to find the course's, and how to delete one."""

    label: str
    find: Callable[[], Iterable[str]]
    delete: Callable[[str], None]


def clean_up() -> CleanUpReport:
    """Delete all that the course made; runs twice, and goes on when one deletion fails.

    Returns:
        What was deleted.

    Raises:
        CleanUpError: something is left, with the first failure as its cause.
    """
    deleted: list[str] = []
    failures: list[Exception] = []
    for kind in _KINDS:
        for name in _found(kind, failures):
            try:
                kind.delete(name)
                deleted.append(f"{kind.label} {name}")
            except Exception as error:  # one failure must not keep the rest
                failures.append(error)
    unseen: list[Exception] = []
    left = [f"{kind.label} {name}" for kind in _KINDS for name in _found(kind, unseen)]
    failures += unseen
    if unseen:
        left.append("what can't be listed")
    if left:
        message = f"Left over: {', '.join(left)}. Run lab.clean_up() again."
        raise CleanUpError(message, left=left) from (failures[0] if failures else None)
    return CleanUpReport(deleted)


def _found(kind: _Kind, failures: list[Exception]) -> list[str]:
    try:
        return list(kind.find())
    except Exception as error:  # what can't be listed must not keep the rest
        failures.append(error)
        return []


def leftovers() -> list[str]:
    """What of the course still exists: an empty list after a clean-up."""
    return [f"{kind.label} {name}" for kind in _KINDS for name in kind.find()]


def region_in_use() -> str:
    """The Region that boto3 uses. ``labkit.start()`` sets the variable; to ask boto3 costs 15 ms."""
    import boto3

    chosen = os.environ.get("AWS_DEFAULT_REGION") or boto3.Session().region_name
    return str(chosen or names.REGION)


def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    # DeleteRestApi is limited to one in 30 seconds on AWS: be patient.
    return boto3.client(
        service,
        region_name=region_in_use(),
        config=Config(retries={"mode": "adaptive", "max_attempts": 12}),
    )


def _is_ours(tags: dict[str, str] | None) -> bool:
    return all((tags or {}).get(key) == value for key, value in names.TAGS.items())


def find_rest_apis() -> Iterator[str]:
    """The ids of the course's REST APIs."""
    pages = _client("apigateway").get_paginator("get_rest_apis").paginate()
    apis = [api for page in pages for api in page["items"]]
    return (
        api["id"] for api in apis if api["name"] == names.REST_API and _is_ours(api.get("tags"))
    )


def delete_rest_api(api_id: str) -> None:
    """Delete a REST API; one that is gone is fine."""
    gateway = _client("apigateway")
    try:
        gateway.delete_rest_api(restApiId=api_id)
    except gateway.exceptions.NotFoundException:
        return


def find_user_pools() -> list[str]:
    """The ids of the course's user pools."""
    cognito = _client("cognito-idp")
    pages = cognito.get_paginator("list_user_pools").paginate(MaxResults=60)
    named = [
        pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] in POOL_NAMES
    ]
    return [
        pool_id
        for pool_id in named
        if _is_ours(cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("UserPoolTags"))
    ]


def delete_user_pool(pool_id: str) -> None:
    """Delete a user pool with its clients and users; one that is gone is fine."""
    cognito = _client("cognito-idp")
    try:
        domain = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain")
        if domain:
            cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)
        cognito.delete_user_pool(UserPoolId=pool_id)
    except cognito.exceptions.ResourceNotFoundException:
        return


def find_function() -> list[str]:
    """The name of the lab's function, if it exists and is the course's."""
    lambda_ = _client("lambda")
    try:
        found = lambda_.get_function(FunctionName=names.FUNCTION)
    except lambda_.exceptions.ResourceNotFoundException:
        return []
    return [names.FUNCTION] if _is_ours(found.get("Tags")) else []


def _delete_function(name: str) -> None:
    lambda_ = _client("lambda")
    try:
        lambda_.delete_function(FunctionName=name)
    except lambda_.exceptions.ResourceNotFoundException:
        return


def _find_role() -> list[str]:
    iam = _client("iam")
    try:
        tags = iam.list_role_tags(RoleName=names.ROLE)["Tags"]
    except iam.exceptions.NoSuchEntityException:
        return []
    return [names.ROLE] if _is_ours({tag["Key"]: tag["Value"] for tag in tags}) else []


def _delete_role(name: str) -> None:
    iam = _client("iam")
    try:
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        return


def _find_log_group() -> list[str]:
    """The log group that Lambda made for the function.

    It has no tag: it is ours only while no other function of that name exists.
    """
    if _function_exists_untagged():
        return []
    logs = _client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=names.LOG_GROUP)["logGroups"]
    return [group["logGroupName"] for group in groups if group["logGroupName"] == names.LOG_GROUP]


def _function_exists_untagged() -> bool:
    lambda_ = _client("lambda")
    try:
        found = lambda_.get_function(FunctionName=names.FUNCTION)
    except lambda_.exceptions.ResourceNotFoundException:
        return False
    return not _is_ours(found.get("Tags"))


def _delete_log_group(name: str) -> None:
    logs = _client("logs")
    try:
        logs.delete_log_group(logGroupName=name)
    except logs.exceptions.ResourceNotFoundException:
        return


def delete_function() -> None:
    """Delete the lab's function, its role and its logs, where they are the course's."""
    for kind in _KINDS[2:]:
        for name in list(kind.find()):
            kind.delete(name)


_KINDS = (
    _Kind("REST API", find_rest_apis, delete_rest_api),
    _Kind("user pool", find_user_pools, delete_user_pool),
    _Kind("function", find_function, _delete_function),
    _Kind("role", _find_role, _delete_role),
    _Kind("log group", _find_log_group, _delete_log_group),
)
