"""What isn't offered is refused in the form of its service, and nothing of it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from labkit.local.json_protocol import ServiceModel
from labkit.local.offered import offer_of, services
from labkit.local.offered.inventory import members_of
from tests.support.running_cloud import Cloud

CODE = "UnsupportedOperationException"
CODES = {"apigateway": "BadRequestException", "apigatewayv2": "BadRequestException"}
SCALARS: dict[str, Any] = {
    "blob": b"x",
    "boolean": True,
    "map": {},
    "structure": {},
    "timestamp": 1,
}

VALUES: dict[str, list[Any]] = {"boolean": [True, False]}


class Value(NamedTuple):
    """Parameters, and the one that is looked at."""

    params: Any
    leaf: Any


class Model:
    """A service's model, and the smallest values that fit it."""

    def __init__(self, service: str) -> None:
        self.data = ServiceModel(service).description
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
        return next(self.values_of(shape_name, path)).params

    def values_of(self, shape_name: str, path: str) -> Iterator[Value]:
        """Values of a shape with a member below it: one for each that the member may have, and the least ones."""
        shape = self.shapes[shape_name]
        if shape["type"] == "list":
            for value in self.values_of(shape["member"]["shape"], path):
                yield Value([value.params], value.leaf)
        elif shape["type"] == "map" and path:
            for value in self.values_of(shape["value"]["shape"], path.partition(".")[2]):
                yield Value({"x": value.params}, value.leaf)
        elif path:
            name, _dot, rest = path.partition(".")
            for value in self.values_of(shape["members"][name]["shape"], rest):
                yield Value({**self.least(shape_name), name: value.params}, value.leaf)
        else:
            for leaf in shape.get("enum") or VALUES.get(shape["type"]) or [self.least(shape_name)]:
                yield Value(leaf, leaf)

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
        pytest.fail(
            f"{operation} {params}: {cloud.client(service)._make_api_call(operation, params)}"
        )
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
    return dict(answer["Error"])


def refused_leaves(service: str) -> Iterator[tuple[str, str]]:
    for member in members_of(service):
        if member.setting.verdict == "refused" and not member.path.startswith("/"):
            yield member.operation, member.path


def stored(cloud: Cloud) -> str:
    """Everything that the listed services hold, as text."""
    found = [
        cloud.client("iam").get_account_authorization_details(),
        cloud.client("lambda").list_functions(),
        cloud.client("cognito-idp").list_user_pools(MaxResults=60),
        cloud.client("cognito-identity").list_identity_pools(MaxResults=60),
        cloud.client("wafv2").list_web_acls(Scope="REGIONAL"),
        cloud.client("apigateway").get_rest_apis(),
        cloud.client("apigateway").get_api_keys(),
        cloud.client("apigateway").get_usage_plans(),
        cloud.client("apigateway").get_domain_names(),
        cloud.client("apigatewayv2").get_apis(),
    ]
    for answer in found:
        answer.pop("ResponseMetadata")
    return json.dumps(found, default=str, sort_keys=True)


@pytest.mark.parametrize("service", sorted(services()))
def test_every_refused_member(cloud: Cloud, service: str) -> None:
    model, before = Model(service), stored(cloud)
    for operation, path in refused_leaves(service):
        top = path.partition(".")[0]
        params = model.required(operation)
        params[top] = model.with_leaf(model.input_of(operation), path)[top]
        error = call(cloud, service, operation, params)
        assert error["Code"] == CODES.get(service, CODE), (operation, path, error)
        assert error["Message"].startswith(f"The local cloud doesn't offer {top}"), error
    assert stored(cloud) == before


@pytest.mark.parametrize("service", sorted(services()))
def test_every_value_that_isnt_offered(cloud: Cloud, service: str) -> None:
    model, before, tried = Model(service), stored(cloud), 0
    for member in members_of(service):
        if member.setting.only is None or member.path.startswith("/"):
            continue
        for value in model.values_of(model.input_of(member.operation), member.path):
            if str(value.leaf) in map(str, (*member.setting.only, {})):
                continue  # offered, or nothing
            top = member.path.partition(".")[0]
            params = {**model.required(member.operation), top: value.params[top]}
            error = call(cloud, service, member.operation, params)
            assert error["Code"] == CODES.get(service, CODE), (member, error)
            tried += 1
    assert tried or not any(member.setting.only for member in members_of(service))
    assert stored(cloud) == before


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
        assert error["Code"] == CODES.get(service, CODE), (operation, error)
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
