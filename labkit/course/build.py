"""What the notebooks beyond the lab build with: the steps of tasks 1, 3 and 4, one call each.

Plain boto3, the same on both clouds; ``build.mock??`` shows the steps. What a lesson is about stays in the notebook:
each parameter that API Gateway has for a method is passed on as it is, and an authorizer is created there.
"""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests

from labkit import names
from labkit.course.resources import client, region_in_use

BASIC_EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_SPREAD_SECONDS = 60
"""The longest that a new role or a deployment is waited for."""


def function(name: str, source: str, environment: dict[str, str] | None = None) -> str:
    """Make a Lambda function with an execution role of its own, which may write logs and nothing else.

    Args:
        name: of the function; its role is named ``<name>-role``.
        source: Python that defines ``lambda_handler(event, context)``.
        environment: its environment variables.

    Returns:
        The function's ARN.
    """
    lambda_, iam = client("lambda"), client("iam")
    service = {"Service": "lambda.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=f"{name}-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        Tags=[{"Key": key, "Value": value} for key, value in names.TAGS.items()],
    )["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=BASIC_EXECUTION_POLICY)
    deadline = time.monotonic() + _SPREAD_SECONDS
    while True:
        try:
            made = lambda_.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role["Arn"],
                Handler="lambda_function.lambda_handler",
                Code={"ZipFile": deployment_package(source)},
                Environment={"Variables": environment or {}},
                Tags=names.TAGS,
            )
            break
        except lambda_.exceptions.InvalidParameterValueException as error:
            # IAM is eventually consistent: a new role can't be assumed at once.
            if "cannot be assumed" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(2)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return str(made["FunctionArn"])


def deployment_package(source: str) -> bytes:
    """The zip file of a function whose handler is ``lambda_function.lambda_handler``.

    The bytes are the same each time: the file's date is fixed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        member = zipfile.ZipInfo("lambda_function.py", date_time=(1980, 1, 1, 0, 0, 0))
        member.external_attr = 0o644 << 16
        package.writestr(member, source)
    return buffer.getvalue()


def permit(api_id: str, function_arn: str, calls: str = "*") -> None:
    """Let an API invoke a function, as integration and as authorizer; it may do so already.

    Args:
        api_id: the API.
        function_arn: the function.
        calls: for which calls, such as ``*/GET/demo``: stage, verb and path.
    """
    lambda_ = client("lambda")
    region, account_id = function_arn.split(":")[3:5]
    try:
        lambda_.add_permission(
            FunctionName=function_arn,
            StatementId=f"apigateway-{api_id}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{region}:{account_id}:{api_id}/{calls}",
        )
    except lambda_.exceptions.ResourceConflictException:
        return


def invocation_uri(function_arn: str) -> str:
    """How API Gateway names a function, for an integration's ``uri`` and an authorizer's ``authorizerUri``.

    >>> invocation_uri("arn:aws:lambda:us-east-1:123456789012:function:f")[:44]
    'arn:aws:apigateway:us-east-1:lambda:path/201'
    """
    region = function_arn.split(":")[3]
    return (
        f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    )


def rest_api(name: str) -> str:
    """Make an empty Regional REST API and return its id."""
    api = client("apigateway").create_rest_api(
        name=name, endpointConfiguration={"types": ["REGIONAL"]}, tags=names.TAGS
    )
    return str(api["id"])


def mock(
    api_id: str, path: str, *, verb: str = "GET", answer: str = '{"ok": true}', **method: Any
) -> None:
    """Make a method that API Gateway answers by itself, with 200.

    Args:
        api_id: the API.
        path: the resource's path; what is missing of it is made.
        verb: the method's HTTP verb.
        answer: the body: a mapping template, so ``$context.identity.sourceIp`` and the like are filled in.
        method: more of PutMethod's parameters, such as ``authorizationType`` and ``authorizerId``.
    """
    gateway, where = client("apigateway"), put_method(api_id, path, verb, **method)
    gateway.put_integration(
        **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.put_method_response(**where, statusCode="200")
    gateway.put_integration_response(
        **where, statusCode="200", responseTemplates={"application/json": answer}
    )


def proxy(
    api_id: str, path: str, function_arn: str, *, verb: str = "GET", calls: str = "*", **method: Any
) -> None:
    """Make a method that a function answers (a Lambda proxy integration), and permit it.

    Args:
        api_id: the API.
        path: the resource's path; what is missing of it is made.
        function_arn: the function.
        verb: the method's HTTP verb.
        calls: for which calls it is permitted, as :func:`permit` takes them.
        method: more of PutMethod's parameters, such as ``authorizationType`` and ``authorizerId``.
    """
    gateway, where = client("apigateway"), put_method(api_id, path, verb, **method)
    gateway.put_integration(
        **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation_uri(function_arn)
    )
    permit(api_id, function_arn, calls)


def deploy(api_id: str, http: requests.Session) -> str:
    """Deploy an API to the stage ``dev``, and wait until the stage serves that deployment.

    AWS doesn't say when that is, so each deployment is marked: the answer for an unknown route gets a header
    ``x-deployment``. An API with ``{proxy+}`` at its root has no unknown route; there it waits a minute in vain.

    Args:
        api_id: the API.
        http: ``lab.http``.

    Returns:
        The stage's URL.
    """
    gateway, url, mark = client("apigateway"), invoke_url(api_id), uuid.uuid4().hex
    gateway.put_gateway_response(
        restApiId=api_id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        responseParameters={"gatewayresponse.header.x-deployment": f"'{mark}'"},
    )
    gateway.create_deployment(restApiId=api_id, stageName=names.STAGE)
    wait_until(lambda: http.get(f"{url}/{mark}", timeout=10).headers.get("x-deployment") == mark)
    return url


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something has spread in AWS, which doesn't say when that is; a minute at most."""
    deadline = time.monotonic() + _SPREAD_SECONDS
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):  # the name of a new API may not be known yet
            if is_so():
                return
        time.sleep(1)


def put_method(api_id: str, path: str, verb: str, **method: Any) -> dict[str, str]:
    """Make a method that nothing answers yet; returns what names it in further calls."""
    gateway = client("apigateway")
    where = {"restApiId": api_id, "resourceId": _resource(api_id, path), "httpMethod": verb}
    gateway.put_method(**where, **method)
    return where


def invoke_url(api_id: str) -> str:
    """The URL of the stage ``dev``."""
    return f"https://{api_id}.execute-api.{region_in_use()}.amazonaws.com/{names.STAGE}"


def _resource(api_id: str, path: str) -> str:
    """The id of a resource; what is missing of its path is made."""
    gateway = client("apigateway")
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api_id)
    ids = {item["path"]: str(item["id"]) for page in pages for item in page["items"]}
    here, resource_id = "", ids["/"]
    for part in path.strip("/").split("/"):
        here += f"/{part}"
        if part and here not in ids:
            made = gateway.create_resource(restApiId=api_id, parentId=resource_id, pathPart=part)
            ids[here] = str(made["id"])
        resource_id = ids[here]
    return resource_id
