"""The kinds of AWS resources that the course makes: how to find its own, and how to delete one.

A resource is the course's when it carries the course's tag *and* one of its names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any
from urllib.parse import urlsplit

from labkit import names

Owns = Callable[[str], bool]
"""Tells whether a name is wanted."""
Tags = Mapping[str, str] | list[dict[str, str]] | None
"""A dictionary, or as IAM and DynamoDB list them."""
FindTags = Callable[[Any, str, dict[str, Any]], Tags]
"""(service's client, id, item of the listing) → tags."""

_PAGES = {"PageSize": 50}
"""No service of these takes less as the most."""
_OF_A_CLIENT = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")
"""The environment variables to which a client is bound."""
_NOT_FOUND = {"NoSuchEntity", "NotFoundException", "ResourceNotFoundException"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    Attributes:
        label: what people call it.
        service: boto3's name of its service.
        listing: the operation that lists all: a verb and the kind in the plural; ``delete_`` and the kind deletes one.
        parameter: the deletion's parameter for the id.
        name: an item's field with the name.
        id: an item's field with the id; named as the parameter, unless given.
    """

    label: str
    service: str
    listing: str
    parameter: str
    name: str
    id: str = ""

    def find(self, owns: Owns, *, tagged: bool = True) -> Iterator[tuple[str, str]]:
        """The id and the name of those with a wanted name and the course's tag, or without it."""
        service = client(self.service)
        for found in listed(service, self.listing):
            item = {self.name: found} if isinstance(found, str) else found
            name = item.get(self.name, "")
            if owns(name):
                identifier = item[self.id or self.parameter]
                tags = _TAGS_OF.get(self.label, _tags_in_listing)(service, identifier, item)
                if is_ours(tags) is tagged:
                    yield identifier, name

    def delete(self, identifier: str) -> None:
        """Delete one; that it is gone is fine."""
        from botocore.exceptions import ClientError

        service = client(self.service)
        kind = self.listing.partition("_")[2].removesuffix("s")
        one = {self.parameter: identifier}
        try:
            if self.label in _BEFORE:
                _BEFORE[self.label](service, identifier)
            getattr(service, f"delete_{kind}")(**one)
            if f"{kind}_not_exists" in service.waiter_names:
                service.get_waiter(f"{kind}_not_exists").wait(**one)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_FOUND:
                raise


def region_in_use() -> str:
    """The Region that boto3 uses: ``labkit.start()`` sets the variable."""
    return os.environ.get("AWS_DEFAULT_REGION", names.REGION)


def email_in_use() -> str:
    """The address of the lab's user: one that the learner chose, or the example's."""
    return os.environ.get("LABKIT_EMAIL") or names.EMAIL


def client(service: str) -> Any:
    """A boto3 client that is patient with AWS, where ``DeleteRestApi`` is limited to one in 30 seconds.

    Not with the local cloud: one that doesn't answer won't do so in a minute either.
    """
    import boto3

    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    where = tuple(os.environ.get(name, "") for name in _OF_A_CLIENT)
    return _client(boto3.DEFAULT_SESSION, service, region_in_use(), where)


@lru_cache(maxsize=32)
def _client(session: Any, service: str, region: str, where: tuple[str, str]) -> Any:
    """One for each session, cloud and service: making it costs as much as two calls."""
    from botocore.config import Config

    patient = Config(retries={"mode": "adaptive", "max_attempts": 12})
    at_once = Config(retries={"total_max_attempts": 1})
    local = urlsplit(where[0]).hostname == "127.0.0.1"
    return session.client(service, region_name=region, config=at_once if local else patient)


def listed(service: Any, listing: str, **where: Any) -> list[Any]:
    """All that an operation lists, on however many pages."""
    pages = service.get_paginator(listing).paginate(**where, PaginationConfig=_PAGES)
    [items] = pages.result_key_iters()
    return list(items)


def is_ours(tags: Tags) -> bool:
    """Whether some tags are the course's."""
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    return names.TAGS.items() <= (tags or {}).items()


# -- where the tags are ------------------------------------------------------------------------


def _tags_in_listing(_service: Any, _id: str, item: dict[str, Any]) -> Tags:
    return item.get("tags") or item.get("Tags")


def _told_by(operation: str, parameter: str, *path: str) -> FindTags:
    """Those in the answer of an operation that takes the id."""

    def find_tags(service: Any, identifier: str, _item: dict[str, Any]) -> Tags:
        answer = getattr(service, operation)(**{parameter: identifier})
        tags: Tags = reduce(lambda part, name: part.get(name), path, answer)
        return tags

    return find_tags


def _tags_of_log_group(_logs: Any, name: str, _item: dict[str, Any]) -> Tags:
    """Those of its function: Lambda makes the group, without a tag.

    It is the course's while nobody else's function of that name exists.
    """
    lambda_ = client("lambda")
    function = name.removeprefix("/aws/lambda/")
    try:
        return lambda_.get_function(FunctionName=function).get("Tags")  # type: ignore[no-any-return]
    except lambda_.exceptions.ResourceNotFoundException:
        return names.TAGS


def _tags_of_table(dynamodb: Any, name: str, _item: dict[str, Any]) -> Tags:
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    return dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]  # type: ignore[no-any-return]


_TAGS_OF: dict[str, FindTags] = {
    "identity pool": _told_by("describe_identity_pool", "IdentityPoolId", "IdentityPoolTags"),
    "user pool": _told_by("describe_user_pool", "UserPoolId", "UserPool", "UserPoolTags"),
    "function": lambda lambda_, _id, item: lambda_.list_tags(Resource=item["FunctionArn"])["Tags"],
    "user": _told_by("list_user_tags", "UserName", "Tags"),
    "role": _told_by("list_role_tags", "RoleName", "Tags"),
    "table": _tags_of_table,
    "log group": _tags_of_log_group,
}
"""Where they aren't in the listing."""


# -- what has to go first ----------------------------------------------------------------------


def _take_stages(gateway: Any, plan_id: str) -> None:
    plan = gateway.get_usage_plan(usagePlanId=plan_id)
    stages = [f"{s['apiId']}:{s['stage']}" for s in plan.get("apiStages", [])]
    operations = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
    if operations:
        gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=operations)


def _unprotect(cognito: Any, pool_id: str) -> None:
    """Take the domain and the deletion protection away; the tags stay, by which a second try finds the pool."""
    pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    if pool.get("Domain"):
        cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=pool["Domain"])
    if pool.get("DeletionProtection") == "ACTIVE":
        cognito.update_user_pool(
            UserPoolId=pool_id,
            DeletionProtection="INACTIVE",
            UserPoolTags=pool.get("UserPoolTags", {}),
        )


def _take_keys(iam: Any, name: str) -> None:
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    _take_policies("user", iam, name)


def _take_policies(kind: str, iam: Any, name: str) -> None:
    """Those of a user or of a role: IAM's operations differ in that word only."""
    owner = {f"{kind.title()}Name": name}
    for policy in listed(iam, f"list_attached_{kind}_policies", **owner):
        getattr(iam, f"detach_{kind}_policy")(**owner, PolicyArn=policy["PolicyArn"])
    for inline in listed(iam, f"list_{kind}_policies", **owner):
        getattr(iam, f"delete_{kind}_policy")(**owner, PolicyName=inline)


def _wait_for(dynamodb: Any, name: str) -> None:
    """After a run that was interrupted it may still be going on."""
    if dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "CREATING":
        dynamodb.get_waiter("table_exists").wait(TableName=name)


_BEFORE: dict[str, Callable[[Any, str], None]] = {
    "usage plan": _take_stages,
    "user pool": _unprotect,
    "user": _take_keys,
    "role": partial(_take_policies, "role"),
    "table": _wait_for,
}

KINDS = (
    Kind("custom domain name", "apigateway", "get_domain_names", "domainName", "domainName"),
    Kind("usage plan", "apigateway", "get_usage_plans", "usagePlanId", "name", "id"),
    Kind("API key", "apigateway", "get_api_keys", "apiKey", "name", "id"),
    Kind("REST API", "apigateway", "get_rest_apis", "restApiId", "name", "id"),
    Kind("HTTP API", "apigatewayv2", "get_apis", "ApiId", "Name"),
    Kind(
        label="identity pool",
        service="cognito-identity",
        listing="list_identity_pools",
        parameter="IdentityPoolId",
        name="IdentityPoolName",
    ),
    Kind("user pool", "cognito-idp", "list_user_pools", "UserPoolId", "Name", "Id"),
    Kind("function", "lambda", "list_functions", "FunctionName", "FunctionName"),
    Kind("user", "iam", "list_users", "UserName", "UserName"),
    Kind("role", "iam", "list_roles", "RoleName", "RoleName"),
    Kind("table", "dynamodb", "list_tables", "TableName", "TableName"),
    Kind("log group", "logs", "describe_log_groups", "logGroupName", "logGroupName"),
)
"""Every kind, in the order in which they can be deleted."""
BY_LABEL = {kind.label: kind for kind in KINDS}
