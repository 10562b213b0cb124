"""The kinds of AWS resources that the course makes: how to find its own, and how to delete one.

A resource is the course's when it carries the course's tag *and* one of its names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labkit import names

Owns = Callable[[str], bool]
"""Tells whether a name is wanted."""
Tags = Mapping[str, str] | list[dict[str, str]] | None
"""A dictionary, or as IAM, S3 and DynamoDB list them."""

_PAGES = {"PageSize": 50}
"""No service of these takes less as the most."""
_NOT_FOUND = frozenset(
    {"404", "NoSuchBucket", "NoSuchEntity", "NotFoundException", "ResourceNotFoundException"}
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    Attributes:
        label: what people call it.
        service: boto3's name of its service.
        listing: the operation that lists all: a verb and the kind in the plural; ``delete_`` and the kind deletes one.
        parameter: the deletion's parameter for the id.
        name: an item's field with the name.
        id: an item's field with the id; the name, unless given.
        tags: from the service's client and an item to its tags.
        before: what has to go before it.
    """

    label: str
    service: str
    listing: str
    parameter: str
    name: str
    id: str = ""
    tags: Callable[[Any, dict[str, Any]], Tags] = lambda _service, item: (
        item.get("tags") or item.get("Tags")
    )
    before: Callable[[Any, str], None] = lambda _service, _id: None

    def find(self, owns: Owns) -> Iterator[tuple[str, str]]:
        """The id and the name of those with a wanted name and the course's tag."""
        service = client(self.service)
        pages = service.get_paginator(self.listing).paginate(PaginationConfig=_PAGES)
        [items] = pages.result_key_iters()
        for found in list(items):
            item = {self.name: found} if isinstance(found, str) else found
            name = item.get(self.name, "")
            if owns(name) and is_ours(self.tags(service, item)):
                yield item[self.id or self.name], name

    def delete(self, identifier: str) -> None:
        """Delete one; that it is gone is fine."""
        from botocore.exceptions import ClientError

        service = client(self.service)
        kind = self.listing.partition("_")[2].removesuffix("s")
        one = {self.parameter: identifier}
        try:
            self.before(service, identifier)
            getattr(service, f"delete_{kind}")(**one)
            if f"{kind}_not_exists" in service.waiter_names:
                service.get_waiter(f"{kind}_not_exists").wait(**one)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_FOUND:
                raise


def region_in_use() -> str:
    """The Region that boto3 uses. ``labkit.start()`` sets the variable; to ask boto3 costs 15 ms."""
    import boto3

    chosen = os.environ.get("AWS_DEFAULT_REGION") or boto3.Session().region_name
    return str(chosen or names.REGION)


def client(service: str) -> Any:
    """A boto3 client that is patient with AWS, where ``DeleteRestApi`` is limited to one in 30 seconds.

    Not with the local cloud: one that doesn't answer won't do so in a minute either.
    """
    import boto3
    from botocore.config import Config

    patient = Config(retries={"mode": "adaptive", "max_attempts": 12})
    at_once = Config(retries={"total_max_attempts": 1})
    local = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname == "127.0.0.1"
    return boto3.client(service, region_name=region_in_use(), config=at_once if local else patient)


def is_ours(tags: Tags) -> bool:
    """Whether some tags are the course's."""
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    return names.TAGS.items() <= (tags or {}).items()


# -- where the tags are ------------------------------------------------------------------------


def _tags_of_user_pool(cognito: Any, pool: dict[str, Any]) -> Tags:
    described = cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
    return described.get("UserPoolTags")  # type: ignore[no-any-return]


def _tags_of_identity_pool(cognito: Any, pool: dict[str, Any]) -> Tags:
    described = cognito.describe_identity_pool(IdentityPoolId=pool["IdentityPoolId"])
    return described.get("IdentityPoolTags")  # type: ignore[no-any-return]


def _tags_of_function(lambda_: Any, function: dict[str, Any]) -> Tags:
    return lambda_.list_tags(Resource=function["FunctionArn"])["Tags"]  # type: ignore[no-any-return]


def _tags_of_log_group(_logs: Any, group: dict[str, Any]) -> Tags:
    """Those of its function: Lambda makes the group, without a tag.

    It is the course's while nobody else's function of that name exists.
    """
    lambda_ = client("lambda")
    function = group["logGroupName"].removeprefix("/aws/lambda/")
    try:
        return lambda_.get_function(FunctionName=function).get("Tags")  # type: ignore[no-any-return]
    except lambda_.exceptions.ResourceNotFoundException:
        return names.TAGS


def _tags_of_user(iam: Any, user: dict[str, Any]) -> Tags:
    return iam.list_user_tags(UserName=user["UserName"])["Tags"]  # type: ignore[no-any-return]


def _tags_of_role(iam: Any, role: dict[str, Any]) -> Tags:
    return iam.list_role_tags(RoleName=role["RoleName"])["Tags"]  # type: ignore[no-any-return]


def _tags_of_bucket(s3: Any, bucket: dict[str, Any]) -> Tags:
    try:
        return s3.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]  # type: ignore[no-any-return]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return None


def _tags_of_table(dynamodb: Any, table: dict[str, Any]) -> Tags:
    arn = dynamodb.describe_table(TableName=table["TableName"])["Table"]["TableArn"]
    return dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]  # type: ignore[no-any-return]


# -- what has to go first ----------------------------------------------------------------------


def _take_stages(gateway: Any, plan_id: str) -> None:
    plan = gateway.get_usage_plan(usagePlanId=plan_id)
    stages = [f"{s['apiId']}:{s['stage']}" for s in plan.get("apiStages", [])]
    operations = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
    if operations:
        gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=operations)


def _take_domain(cognito: Any, pool_id: str) -> None:
    domain = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain")
    if domain:
        cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)


def _take_keys(iam: Any, name: str) -> None:
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=inline)


def _take_policies(iam: Any, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)


def _take_objects(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])


def _wait_for(dynamodb: Any, name: str) -> None:
    """After a run that was interrupted it may still be going on."""
    if dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "CREATING":
        dynamodb.get_waiter("table_exists").wait(TableName=name)


KINDS = (
    Kind("custom domain name", "apigateway", "get_domain_names", "domainName", "domainName"),
    Kind(
        "usage plan",
        "apigateway",
        "get_usage_plans",
        "usagePlanId",
        "name",
        "id",
        before=_take_stages,
    ),
    Kind("API key", "apigateway", "get_api_keys", "apiKey", "name", "id"),
    Kind("REST API", "apigateway", "get_rest_apis", "restApiId", "name", "id"),
    Kind("HTTP API", "apigatewayv2", "get_apis", "ApiId", "Name", "ApiId"),
    Kind(
        "identity pool",
        "cognito-identity",
        "list_identity_pools",
        "IdentityPoolId",
        "IdentityPoolName",
        "IdentityPoolId",
        _tags_of_identity_pool,
    ),
    Kind(
        "user pool",
        "cognito-idp",
        "list_user_pools",
        "UserPoolId",
        "Name",
        "Id",
        _tags_of_user_pool,
        _take_domain,
    ),
    Kind(
        "function",
        "lambda",
        "list_functions",
        "FunctionName",
        "FunctionName",
        tags=_tags_of_function,
    ),
    Kind("user", "iam", "list_users", "UserName", "UserName", "", _tags_of_user, _take_keys),
    Kind("role", "iam", "list_roles", "RoleName", "RoleName", "", _tags_of_role, _take_policies),
    Kind("bucket", "s3", "list_buckets", "Bucket", "Name", "", _tags_of_bucket, _take_objects),
    Kind(
        "table", "dynamodb", "list_tables", "TableName", "TableName", "", _tags_of_table, _wait_for
    ),
    Kind(
        "log group",
        "logs",
        "describe_log_groups",
        "logGroupName",
        "logGroupName",
        tags=_tags_of_log_group,
    ),
)
"""Every kind, in the order in which they can be deleted."""
BY_LABEL = {kind.label: kind for kind in KINDS}
