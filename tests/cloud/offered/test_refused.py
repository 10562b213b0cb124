"""What isn't offered is refused in the form of its service, and nothing of it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from labkit.local.offered import offer_of, services
from labkit.local.offered.inventory import members_of
from tests.support.running_cloud import Cloud

CODE = "UnsupportedOperationException"
SCALARS: dict[str, Any] = {
    "blob": b"x",
    "boolean": True,
    "map": {},
    "structure": {},
    "timestamp": 1,
}


class Model:
    """A service's model, and the smallest values that fit it."""

    def __init__(self, service: str) -> None:
        self.data = Loader().load_service_model(service, "service-2")
        self.shapes = self.data["shapes"]
        self.offer = offer_of(service)

    def input_of(self, operation: str) -> str:
        return str(self.data["operations"][operation]["input"]["shape"])

    def least(self, shape_name: str, depth: int = 6) -> Any:
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if kind == "structure":
            return {
                name: self.least(shape["members"][name]["shape"], depth - 1)
                for name in shape.get("required", ())
                if depth
            }
        if kind == "list":
            return [self.least(shape["member"]["shape"], depth - 1)]
        if kind == "string":
            return shape["enum"][0] if "enum" in shape else "x" * max(1, shape.get("min", 1))
        if kind in ("integer", "long"):
            return shape.get("min", 1) + 1
        if kind in ("double", "float"):
            return float(shape.get("min", 1))
        return SCALARS[kind]

    def with_leaf(self, shape_name: str, path: str) -> Any:
        """The least value of a shape, with a member below it."""
        shape = self.shapes[shape_name]
        if shape["type"] == "list":
            return [self.with_leaf(shape["member"]["shape"], path)]
        name, _dot, rest = path.partition(".")
        if shape["type"] == "map":
            return {"x": self.with_leaf(shape["value"]["shape"], rest)}
        if not path:
            return self.least(shape_name)
        inner = self.with_leaf(shape["members"][name]["shape"], rest)
        return {**self.least(shape_name), name: inner}

    def required(self, operation: str) -> dict[str, Any]:
        """The least parameters, all of which are offered."""
        params = self.least(self.input_of(operation))
        for name in params:
            setting = self.offer.settings[operation].get(name)
            if setting and setting.only:
                params[name] = setting.only[0]
        return dict(params)


def call(cloud: Cloud, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """The error of a call, as botocore reads it."""
    with pytest.raises(ClientError) as refused:
        cloud.client(service)._make_api_call(operation, params)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
    return dict(answer["Error"])


def refused_leaves(service: str) -> Iterator[tuple[str, str]]:
    for member in members_of(service):
        if member.setting.verdict == "refused":
            yield member.operation, member.path


def stored(cloud: Cloud) -> str:
    """Everything that the listed services hold, as text."""
    found = [
        cloud.client("iam").get_account_authorization_details(),
        cloud.client("lambda").list_functions(),
        cloud.client("cognito-idp").list_user_pools(MaxResults=60),
        cloud.client("cognito-identity").list_identity_pools(MaxResults=60),
        cloud.client("wafv2").list_web_acls(Scope="REGIONAL"),
    ]
    for answer in found:
        answer.pop("ResponseMetadata")
    return json.dumps(found, default=str, sort_keys=True)


@pytest.mark.parametrize("service", sorted(services()))
def test_every_refused_member(cloud: Cloud, service: str) -> None:
    model, before = Model(service), stored(cloud)
    for operation, path in refused_leaves(service):
        top = path.partition(".")[0]
        least = model.required(operation)
        least.pop(top, None)
        params = {**least, **model.with_leaf(model.input_of(operation), path)}
        error = call(cloud, service, operation, params)
        assert error["Code"] == CODE, (operation, path, error)
        assert error["Message"].startswith(f"The local cloud doesn't offer {top}"), error
    assert stored(cloud) == before


@pytest.mark.parametrize("service", sorted(services()))
def test_every_value_that_isnt_offered(cloud: Cloud, service: str) -> None:
    model, before = Model(service), stored(cloud)
    for member in members_of(service):
        if member.setting.only is None:
            continue
        shape = model.input_of(member.operation)
        value = model.with_leaf(shape, member.path)
        if str(_leaf_at(value, member.path)) in map(str, (*member.setting.only, {}, [])):
            continue  # a member without any other value
        params = {**model.required(member.operation), **value}
        error = call(cloud, service, member.operation, params)
        assert error["Code"] == CODE, (member, error)
    assert stored(cloud) == before


def _leaf_at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value[0] if isinstance(value, list) else value
        value = value["x" if name == "*" else name]
    return value


@pytest.mark.parametrize("service", sorted(services()))
def test_every_operation_that_isnt_offered(cloud: Cloud, service: str) -> None:
    model, before = Model(service), stored(cloud)
    offered = model.offer.reads | set(model.offer.settings)
    for operation, shape in model.data["operations"].items():
        if operation in offered or shape.get("authtype") == "none":
            continue
        least = model.least(shape["input"]["shape"]) if "input" in shape else {}
        error = call(cloud, service, operation, least)
        assert error["Message"] == f"The local cloud doesn't offer {operation}.", error
        assert error["Code"] == CODE, (operation, error)
    assert stored(cloud) == before


@pytest.mark.parametrize(
    ("service", "operation", "params", "name"),
    [
        ("cloudformation", "ListStacks", {}, "CloudFormation"),
        ("sns", "ListTopics", {}, "SNS"),
        ("sqs", "ListQueues", {}, "SQS"),
        ("ec2", "DescribeVpcs", {}, "EC2"),
        ("ssm", "GetParameter", {"Name": "x"}, "SSM"),
        ("kms", "ListKeys", {}, "KMS"),
        ("secretsmanager", "ListSecrets", {}, "Secrets Manager"),
        ("events", "ListRules", {}, "EventBridge"),
        ("route53", "ListHostedZones", {}, "Route 53"),
        ("cloudwatch", "ListMetrics", {}, "monitoring"),
        ("eks", "ListClusters", {}, "EKS"),
    ],
)
def test_a_service_that_isnt_served(
    cloud: Cloud, service: str, operation: str, params: dict[str, Any], name: str
) -> None:
    error = call(cloud, service, operation, params)
    assert (error["Code"], error["Message"]) == (CODE, f"The local cloud doesn't offer {name}.")


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ("s3", "/2015-03-31/functions"),
        ("s3", "/?Action=CreateUser&UserName=kim"),
        ("lambda", "/2015-03-31/functions/f%252Fconcurrency"),
        ("lambda", "/2015-03-31/functions//f/"),
    ],
)
def test_no_other_way_in(cloud: Cloud, scope: str, url: str) -> None:
    """A presigned call whose path or action the engine would take for another service's."""
    request = AWSRequest("GET", cloud.endpoint + url)
    key = Credentials(cloud.access_key_id, cloud.secret_access_key)
    auth = S3SigV4QueryAuth if scope == "s3" else SigV4QueryAuth
    auth(key, scope, cloud.region).add_auth(request)
    answer = cloud.http.get(request.url)
    assert answer.status_code == 400, answer.text
    assert "The local cloud doesn't offer" in answer.text


def test_who_isnt_let_in_isnt_told_what_is_offered(cloud: Cloud) -> None:
    stranger = boto3.client(
        "lambda",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        aws_access_key_id="AKIANOBODYAAAEXAMPLE",
        aws_secret_access_key="a secret that nobody has",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ClientError) as refused:
        stranger.list_layer_versions(LayerName="x")
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
