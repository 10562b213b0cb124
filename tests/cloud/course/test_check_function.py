"""Task 1's checks: each wrong state that people make gets its own sentence, and the right one passes."""

import json
from contextlib import suppress
from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course import build
from labkit.course.tasks import HANDLER_SOURCE, Demo
from labkit.errors import SetupError
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

SERVICE = {"Service": "lambda.amazonaws.com"}
TRUST = {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}
TAGS = [{"Key": key, "Value": value} for key, value in names.TAGS.items()]
BASIC = build.BASIC_EXECUTION_POLICY
CONSOLE_ROLE = f"{names.ROLE}-1a2b3c4d"


def iam() -> Any:
    return boto3.client("iam")


def make_role(name: str = names.ROLE, tags: Any = TAGS, **changes: Any) -> str:
    """A role with a trust policy of one statement."""
    trust = {"Version": "2012-10-17", "Statement": [TRUST | changes]}
    made = iam().create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=tags)
    return str(made["Role"]["Arn"])


def attach(*policies: str, name: str = names.ROLE) -> None:
    for arn in policies:
        iam().attach_role_policy(RoleName=name, PolicyArn=arn)


def make_function(source: str = HANDLER_SOURCE, role: str = "", **changes: Any) -> None:
    if not role:
        role = make_role()
        attach(BASIC)
    parameters = {
        "FunctionName": names.FUNCTION,
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "lambda_function.lambda_handler",
        "Code": {"ZipFile": build.deployment_package(source)},
        "Tags": names.TAGS,
    } | changes
    lambda_ = boto3.client("lambda")
    lambda_.create_function(**parameters)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=parameters["FunctionName"])


def returning(text: str) -> str:
    return f"import json\n\ndef lambda_handler(event, context):\n    return {text}\n"


# -- 1.1 --


def no_role(_lab: Lab, _demo: Demo) -> None:
    pass


def a_role_with_another_name(_lab: Lab, _demo: Demo) -> None:
    make_role("d-lambda-nonvpc-cmp-demo-role")


def another_service(_lab: Lab, _demo: Demo) -> None:
    make_role(Principal={"Service": "ec2.amazonaws.com"})


def the_account(_lab: Lab, _demo: Demo) -> None:
    make_role(Principal={"AWS": "arn:aws:iam::123456789012:root"})


def everybody(_lab: Lab, _demo: Demo) -> None:
    make_role(Principal={"AWS": "*"})


def lambda_and_another_service(_lab: Lab, _demo: Demo) -> None:
    make_role(Principal={"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]})


def a_federated_principal(_lab: Lab, _demo: Demo) -> None:
    make_role(Principal={"Federated": "accounts.google.com"})


def denied(_lab: Lab, _demo: Demo) -> None:
    make_role(Effect="Deny")


def another_action(_lab: Lab, _demo: Demo) -> None:
    make_role(Action="sts:TagSession")


def a_condition(_lab: Lab, _demo: Demo) -> None:
    make_role(Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}})


# -- 1.2 --


def no_policy(_lab: Lab, _demo: Demo) -> None:
    make_role()


def another_policy(_lab: Lab, _demo: Demo) -> None:
    make_role()
    attach("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")


def an_administrator(_lab: Lab, _demo: Demo) -> None:
    make_role()
    attach(BASIC, "arn:aws:iam::aws:policy/AdministratorAccess")


def one_policy_too_many(_lab: Lab, _demo: Demo) -> None:
    make_role()
    attach(BASIC, "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")


# -- 1.3 --


def no_function(_lab: Lab, _demo: Demo) -> None:
    make_role()
    attach(BASIC)


def a_function_with_another_name(_lab: Lab, _demo: Demo) -> None:
    make_function(FunctionName="d-lambda-nonvpc-cmp-demo")


def another_runtime(_lab: Lab, _demo: Demo) -> None:
    make_function(Runtime="python3.12")


def another_architecture(_lab: Lab, _demo: Demo) -> None:
    make_function(Architectures=["arm64"])


def another_role(_lab: Lab, _demo: Demo) -> None:
    make_function(role=make_role("another-role"))


def a_role_that_is_gone(_lab: Lab, _demo: Demo) -> None:
    make_function()
    iam().detach_role_policy(RoleName=names.ROLE, PolicyArn=BASIC)
    iam().delete_role(RoleName=names.ROLE)


def a_role_that_lambda_may_not_assume(_lab: Lab, _demo: Demo) -> None:
    make_function()
    trust = {"Version": "2012-10-17", "Statement": [TRUST | {"Principal": {"AWS": "*"}}]}
    iam().update_assume_role_policy(RoleName=names.ROLE, PolicyDocument=json.dumps(trust))


def no_such_handler(_lab: Lab, _demo: Demo) -> None:
    make_function(Handler="lambda_function.handler")


def no_such_module(_lab: Lab, _demo: Demo) -> None:
    make_function(Handler="index.lambda_handler")


def a_syntax_error(_lab: Lab, _demo: Demo) -> None:
    make_function("def lambda_handler(event, context)\n    return {}\n")


def a_text_alone(_lab: Lab, _demo: Demo) -> None:
    make_function(returning("'Hello from Lambda!'"))


def another_status(_lab: Lab, _demo: Demo) -> None:
    make_function(returning("{'statusCode': 404, 'body': json.dumps('Hello from Lambda!')}"))


def a_body_that_isnt_text(_lab: Lab, _demo: Demo) -> None:
    make_function(returning("{'statusCode': 200, 'body': {'greeting': 'Hello from Lambda!'}}"))


def a_body_that_isnt_json(_lab: Lab, _demo: Demo) -> None:
    make_function(returning("{'statusCode': 200, 'body': 'Hello from Lambda!'}"))


def a_body_in_base64(_lab: Lab, _demo: Demo) -> None:
    greeting = "json.dumps('Hello from Lambda!')"
    make_function(returning(f"{{'statusCode': 200, 'isBase64Encoded': True, 'body': {greeting}}}"))


def a_function_that_may_not_run(_lab: Lab, _demo: Demo) -> None:
    make_function()
    lambda_ = boto3.client("lambda")
    lambda_.put_function_concurrency(FunctionName=names.FUNCTION, ReservedConcurrentExecutions=0)


def another_greeting(_lab: Lab, _demo: Demo) -> None:
    make_function(returning("{'statusCode': 200, 'body': json.dumps('Hello!')}"))


WRONG = [
    WrongState("1.1", 1, no_role, f"named {names.ROLE}. Create it"),
    WrongState("1.1", 1, a_role_with_another_name, "There is d-lambda-nonvpc-cmp-demo-role."),
    WrongState("1.1", 1, another_service, "trusts ec2.amazonaws.com, so Lambda may not"),
    WrongState("1.1", 1, the_account, "trusts arn:aws:iam::123456789012:root, so Lambda may not"),
    WrongState("1.1", 1, everybody, "trusts everybody"),
    WrongState("1.1", 1, lambda_and_another_service, "Besides Lambda, apigateway.amazonaws.com"),
    WrongState("1.1", 1, a_federated_principal, "trusts accounts.google.com (Federated)"),
    WrongState("1.1", 1, denied, "has the effect Deny"),
    WrongState("1.1", 1, another_action, "allows sts:TagSession: that is not"),
    WrongState("1.1", 1, a_condition, "has a condition"),
    WrongState("1.2", 1, no_role, "There is no role named"),
    WrongState("1.2", 1, no_policy, "The role has no permissions policy"),
    WrongState("1.2", 1, another_policy, "The role has AmazonS3ReadOnlyAccess, and still may not"),
    WrongState("1.2", 1, an_administrator, "may do more than write logs, for example s3:GetObject"),
    WrongState(
        "1.2",
        1,
        one_policy_too_many,
        "the role has arn:aws:iam::aws:policy/service-role/AWSLambdaVPC",
    ),
    WrongState("1.3", 1, no_function, f"named {names.FUNCTION}. Create it"),
    WrongState("1.3", 1, a_function_with_another_name, "There is d-lambda-nonvpc-cmp-demo."),
    WrongState("1.3", 1, another_runtime, "The runtime is python3.12"),
    WrongState("1.3", 1, another_architecture, "The architecture is arm64"),
    WrongState("1.3", 1, another_role, "The function has another role: another-role"),
    WrongState("1.3", 1, a_role_that_is_gone, "is gone"),
    WrongState("1.3", 1, a_role_that_lambda_may_not_assume, "trusts everybody"),
    WrongState("1.3", 1, no_such_handler, "The handler lambda_function.handler doesn't exist"),
    WrongState("1.3", 1, no_such_module, "The handler index.lambda_handler doesn't exist"),
    WrongState("1.3", 1, a_syntax_error, "The function fails: Syntax error"),
    WrongState("1.3", 1, a_text_alone, "wants an object with statusCode and body"),
    WrongState("1.3", 1, another_status, "with the statusCode 404"),
    WrongState("1.3", 1, a_body_that_isnt_text, "it must be text"),
    WrongState("1.3", 1, a_body_that_isnt_json, "The body is the bare greeting"),
    WrongState("1.3", 1, a_body_in_base64, "can't read isBase64Encoded or headers"),
    WrongState("1.3", 1, a_function_that_may_not_run, "its reserved concurrency is 0"),
    WrongState("1.3", 1, another_greeting, 'The body is "Hello!"'),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence_and_start_task_mends_it(
    lab: Lab, state: WrongState
) -> None:
    prove(lab, state, WRONG)
    lab.start_task(2)
    assert lab.check("1.3").task == "1.3"
    for name in ("another-role", "d-lambda-nonvpc-cmp-demo-role"):
        with suppress(iam().exceptions.NoSuchEntityException):
            iam().delete_role(RoleName=name)
    lambda_ = boto3.client("lambda")
    with suppress(lambda_.exceptions.ResourceNotFoundException):
        lambda_.delete_function(FunctionName="d-lambda-nonvpc-cmp-demo")


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


@pytest.mark.parametrize("task", ["1.1", "1.2", "1.3"])
def test_the_lab_as_it_ends_passes(lab: Lab, task: str) -> None:
    lab.start_task(2)
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")


def made_in_the_console() -> str:
    """The console gives role and policy names of its own, lists more settings, and tags nothing."""
    role = make_role(CONSOLE_ROLE, tags=[], Action=["sts:AssumeRole"])
    logs = "arn:aws:logs:us-east-1:123456789012"
    statements = [
        {"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": f"{logs}:*"},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"{logs}:log-group:{names.LOG_GROUP}:*"],
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    made = iam().create_policy(
        PolicyName="AWSLambdaBasicExecutionRole-0f1e2d3c", PolicyDocument=json.dumps(policy)
    )
    attach(made["Policy"]["Arn"], name=CONSOLE_ROLE)
    make_function(role=role, Tags={}, MemorySize=256, Timeout=10)
    return str(made["Policy"]["Arn"])


def test_a_function_made_in_the_console_passes(lab: Lab) -> None:
    lab.start_task(1)
    policy = made_in_the_console()
    for task in ("1.1", "1.2", "1.3"):
        assert lab.check(task).task == task
    assert "lacks the tag" in str(lab.check("1.1"))
    assert "lacks the tag" in str(lab.check("1.3"))
    assert lab.start_task(2).function_arn, "it is good, so it stays"
    boto3.client("lambda").delete_function(FunctionName=names.FUNCTION)
    assert lab.check("1.2").task == "1.2", "the role is found without its function"
    iam().detach_role_policy(RoleName=CONSOLE_ROLE, PolicyArn=policy)
    iam().delete_role(RoleName=CONSOLE_ROLE)
    iam().delete_policy(PolicyArn=policy)


def test_what_isnt_tagged_and_in_the_way_is_told(lab: Lab) -> None:
    lab.start_task(1)
    make_role(tags=[])
    with pytest.raises(SetupError, match="is in the way, without the tag"):
        lab.start_task(2)
    iam().delete_role(RoleName=names.ROLE)
    lab.start_task(2)
