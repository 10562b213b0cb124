"""A function's execution role must let Lambda assume it: CreateFunction and UpdateFunctionConfiguration say so."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course import build
from labkit.course.tasks import HANDLER_SOURCE
from labkit.lab.session import Lab

LAMBDA = {"Service": "lambda.amazonaws.com"}
ROLE = "d-throttling-roles"


def role_arn(**changes: Any) -> str:
    """A role with a trust policy of one statement."""
    iam = boto3.client("iam")
    statement = {"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:AssumeRole"} | changes
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


@pytest.fixture(autouse=True)
def no_role_is_left(lab: Lab) -> Any:
    yield
    iam = boto3.client("iam")
    if any(role["RoleName"] == ROLE for role in iam.list_roles()["Roles"]):
        iam.delete_role(RoleName=ROLE)


def refused(act: Callable[..., object], **parameters: Any) -> bool:
    lambda_ = boto3.client("lambda")
    with pytest.raises(lambda_.exceptions.InvalidParameterValueException) as caught:
        act(**parameters)
    words = "The role defined for the function cannot be assumed by Lambda."
    return bool(caught.value.response["Error"]["Message"] == words)


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Effect": "Deny"},
        {"Action": "sts:TagSession"},
    ],
    ids=["another service", "the account", "denied", "another action"],
)
def test_a_role_that_lambda_cant_assume_makes_no_function(
    lab: Lab, changes: dict[str, Any]
) -> None:
    lambda_, arn = boto3.client("lambda"), role_arn(**changes)
    package = {"ZipFile": build.deployment_package(HANDLER_SOURCE)}
    about = {"Runtime": "python3.13", "Handler": "lambda_function.lambda_handler", "Code": package}
    assert refused(lambda_.create_function, FunctionName=ROLE, Role=arn, **about)
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        lambda_.get_function(FunctionName=ROLE)


def test_a_function_keeps_its_role_when_the_new_one_is_refused(lab: Lab) -> None:
    demo, lambda_ = lab.start_task(2), boto3.client("lambda")
    nobody = "arn:aws:iam::123456789012:role/nobody"
    for arn in (nobody, role_arn(Principal={"Service": "ec2.amazonaws.com"})):
        change = lambda_.update_function_configuration
        assert refused(change, FunctionName=names.FUNCTION, Role=arn)
    kept = lambda_.get_function_configuration(FunctionName=names.FUNCTION)
    assert kept["Role"].endswith(names.ROLE)
    assert kept["FunctionArn"] == demo.function_arn
    lambda_.update_function_configuration(FunctionName=names.FUNCTION, Description="the same role")
