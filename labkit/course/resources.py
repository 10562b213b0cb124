"""The kinds of AWS resources that the course makes: how to find its own, and how to delete one.

A resource is the course's when it carries the course's tag *and* one of its names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labkit import names

Owns = Callable[[str], bool]
"""Tells whether a name is wanted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    Attributes:
        label: what people call it.
        find: yields (id, name) of those with a wanted name and the course's tag.
        delete: deletes one by id; one that is gone is fine.
    """

    label: str
    find: Callable[[Owns], Iterable[tuple[str, str]]]
    delete: Callable[[str], None]


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


def is_ours(tags: dict[str, str] | None) -> bool:
    """Whether some tags are the course's."""
    return all((tags or {}).get(key) == value for key, value in names.TAGS.items())


def as_dict(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags as IAM, S3 and DynamoDB list them, as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def _pages(service: str, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """The items of a paginated list operation."""
    for page in client(service).get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _gone(call: Callable[..., Any], **parameters: Any) -> None:
    """Call a delete operation; that the thing doesn't exist is fine."""
    from botocore.exceptions import ClientError

    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_FOUND:
            raise


_NOT_FOUND = frozenset(
    {"404", "NoSuchBucket", "NoSuchEntity", "NotFoundException", "ResourceNotFoundException"}
)


# -- API Gateway --------------------------------------------------------------------------


def find_rest_apis(owns: Owns) -> Iterator[tuple[str, str]]:
    """REST APIs."""
    for api in list(_pages("apigateway", "get_rest_apis", "items")):
        if owns(api["name"]) and is_ours(api.get("tags")):
            yield api["id"], api["name"]


def delete_rest_api(api_id: str) -> None:
    """Delete a REST API; one that is gone is fine."""
    gateway = client("apigateway")
    _gone(gateway.delete_rest_api, restApiId=api_id)


def _find_http_apis(owns: Owns) -> Iterator[tuple[str, str]]:
    for api in list(_pages("apigatewayv2", "get_apis", "Items")):
        if owns(api["Name"]) and is_ours(api.get("Tags")):
            yield api["ApiId"], api["Name"]


def _delete_http_api(api_id: str) -> None:
    gateway = client("apigatewayv2")
    _gone(gateway.delete_api, ApiId=api_id)


def _find_usage_plans(owns: Owns) -> Iterator[tuple[str, str]]:
    for plan in list(_pages("apigateway", "get_usage_plans", "items")):
        if owns(plan.get("name", "")) and is_ours(plan.get("tags")):
            yield plan["id"], plan["name"]


def _delete_usage_plan(plan_id: str) -> None:
    """AWS deletes a plan only without API stages."""
    gateway = client("apigateway")
    plan = gateway.get_usage_plan(usagePlanId=plan_id)
    stages = [f"{s['apiId']}:{s['stage']}" for s in plan.get("apiStages", [])]
    if stages:
        operations = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in stages]
        gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=operations)
    _gone(gateway.delete_usage_plan, usagePlanId=plan_id)


def _find_api_keys(owns: Owns) -> Iterator[tuple[str, str]]:
    for key in list(_pages("apigateway", "get_api_keys", "items")):
        if owns(key.get("name", "")) and is_ours(key.get("tags")):
            yield key["id"], key["name"]


def _delete_api_key(key_id: str) -> None:
    gateway = client("apigateway")
    _gone(gateway.delete_api_key, apiKey=key_id)


def _find_domain_names(owns: Owns) -> Iterator[tuple[str, str]]:
    for domain in list(_pages("apigateway", "get_domain_names", "items")):
        name = domain["domainName"]
        if owns(name) and is_ours(domain.get("tags")):
            yield name, name


def _delete_domain_name(name: str) -> None:
    gateway = client("apigateway")
    _gone(gateway.delete_domain_name, domainName=name)


# -- Cognito ----------------------------------------------------------------------------------


def find_user_pools(owns: Owns) -> Iterator[tuple[str, str]]:
    """User pools."""
    cognito = client("cognito-idp")
    for pool in list(_pages("cognito-idp", "list_user_pools", "UserPools", MaxResults=60)):
        if owns(pool["Name"]):
            described = cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
            if is_ours(described.get("UserPoolTags")):
                yield pool["Id"], pool["Name"]


def delete_user_pool(pool_id: str) -> None:
    """Delete a user pool with its domain, clients and users; one that is gone is fine."""
    cognito = client("cognito-idp")
    try:
        domain = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain")
        if domain:
            cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)
        cognito.delete_user_pool(UserPoolId=pool_id)
    except cognito.exceptions.ResourceNotFoundException:
        return


def _find_identity_pools(owns: Owns) -> Iterator[tuple[str, str]]:
    cognito = client("cognito-identity")
    pools = list(_pages("cognito-identity", "list_identity_pools", "IdentityPools", MaxResults=60))
    for pool in pools:
        if owns(pool["IdentityPoolName"]):
            described = cognito.describe_identity_pool(IdentityPoolId=pool["IdentityPoolId"])
            if is_ours(described.get("IdentityPoolTags")):
                yield pool["IdentityPoolId"], pool["IdentityPoolName"]


def _delete_identity_pool(pool_id: str) -> None:
    cognito = client("cognito-identity")
    _gone(cognito.delete_identity_pool, IdentityPoolId=pool_id)


# -- Lambda and its logs ------------------------------------------------------------------------


def find_functions(owns: Owns) -> Iterator[tuple[str, str]]:
    """Functions."""
    lambda_ = client("lambda")
    for function in list(_pages("lambda", "list_functions", "Functions")):
        name = function["FunctionName"]
        if owns(name) and is_ours(lambda_.list_tags(Resource=function["FunctionArn"])["Tags"]):
            yield name, name


def delete_function(name: str) -> None:
    """Delete a function; one that is gone is fine."""
    lambda_ = client("lambda")
    _gone(lambda_.delete_function, FunctionName=name)


def _find_log_groups(owns: Owns) -> Iterator[tuple[str, str]]:
    """The log groups that Lambda made for the functions.

    They have no tag: one is the course's only while nobody else's function of that name exists.
    """
    groups = _pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix="/aws/lambda/d-")
    for group in list(groups):
        name = group["logGroupName"]
        if owns(name) and not _is_of_somebody_else(name.removeprefix("/aws/lambda/")):
            yield name, name


def _is_of_somebody_else(function: str) -> bool:
    lambda_ = client("lambda")
    try:
        found = lambda_.get_function(FunctionName=function)
    except lambda_.exceptions.ResourceNotFoundException:
        return False
    return not is_ours(found.get("Tags"))


def delete_log_group(name: str) -> None:
    """Delete a log group; one that is gone is fine."""
    logs = client("logs")
    _gone(logs.delete_log_group, logGroupName=name)


# -- IAM ------------------------------------------------------------------------------------------


def _find_users(owns: Owns) -> Iterator[tuple[str, str]]:
    iam = client("iam")
    for user in list(_pages("iam", "list_users", "Users")):
        name = user["UserName"]
        if owns(name) and is_ours(as_dict(iam.list_user_tags(UserName=name)["Tags"])):
            yield name, name


def _delete_user(name: str) -> None:
    iam = client("iam")
    try:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
        for inline in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=inline)
        iam.delete_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return


def find_roles(owns: Owns) -> Iterator[tuple[str, str]]:
    """Roles."""
    iam = client("iam")
    for role in list(_pages("iam", "list_roles", "Roles")):
        name = role["RoleName"]
        if owns(name) and is_ours(as_dict(iam.list_role_tags(RoleName=name)["Tags"])):
            yield name, name


def delete_role(name: str) -> None:
    """Delete a role with its policies; one that is gone is fine."""
    iam = client("iam")
    try:
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        return


# -- S3 and DynamoDB ----------------------------------------------------------------------------------


def _find_buckets(owns: Owns) -> Iterator[tuple[str, str]]:
    from botocore.exceptions import ClientError

    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        if not owns(name):
            continue
        try:
            tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchTagSet":
                raise
            continue
        if is_ours(as_dict(tags)):
            yield name, name


def _delete_bucket(name: str) -> None:
    """S3 deletes an empty bucket only."""
    s3 = client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
    _gone(s3.delete_bucket, Bucket=name)


def _find_tables(owns: Owns) -> Iterator[tuple[str, str]]:
    dynamodb = client("dynamodb")
    pages = dynamodb.get_paginator("list_tables").paginate()
    for name in [name for page in pages for name in page["TableNames"]]:
        if owns(name):
            arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
            if is_ours(as_dict(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])):
                yield name, name


def _delete_table(name: str) -> None:
    """DynamoDB deletes no table that it is still making, as after a run that was interrupted."""
    dynamodb = client("dynamodb")
    try:
        status = dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return
    if status == "CREATING":
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    _gone(dynamodb.delete_table, TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


KINDS = (
    Kind("custom domain name", _find_domain_names, _delete_domain_name),
    Kind("usage plan", _find_usage_plans, _delete_usage_plan),
    Kind("API key", _find_api_keys, _delete_api_key),
    Kind("REST API", find_rest_apis, delete_rest_api),
    Kind("HTTP API", _find_http_apis, _delete_http_api),
    Kind("identity pool", _find_identity_pools, _delete_identity_pool),
    Kind("user pool", find_user_pools, delete_user_pool),
    Kind("function", find_functions, delete_function),
    Kind("user", _find_users, _delete_user),
    Kind("role", find_roles, delete_role),
    Kind("bucket", _find_buckets, _delete_bucket),
    Kind("table", _find_tables, _delete_table),
    Kind("log group", _find_log_groups, delete_log_group),
)
"""Every kind, in the order in which they can be deleted."""
