"""Policy variables: what is filled in, what a value can't do, and what stays closed without one."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from labkit.local.engine import Engine
from labkit.local.iam.policy import Decision, PolicyQuestion
from labkit.local.iam.policy_variables import Unresolved, filled
from tests.support.in_process_cloud import Cognito

SUB = "cognito-identity.amazonaws.com:sub"
FOLDER = "arn:aws:s3:::bucket/${cognito-identity.amazonaws.com:sub}/*"


@pytest.fixture
def engine(cognito: Cognito) -> Engine:
    return cognito.engine


def decide(
    engine: Engine, key: str, *, version: str = "2012-10-17", sub: str = "ana", **statement: Any
) -> Decision:
    """What a policy of one statement says of reading an object."""
    document = {
        "Version": version,
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", **statement}],
    }
    keys = {SUB: sub} if sub else {}
    question = PolicyQuestion("s3:GetObject", f"arn:aws:s3:::bucket/{key}", "us-east-1", keys=keys)
    return engine.decide(document, question, names_principals=False)


@pytest.mark.parametrize(
    ("key", "sub", "decision"),
    [
        ("ana/notes", "ana", "Allow"),
        ("ben/notes", "ana", "ImplicitDeny"),
        ("${cognito-identity.amazonaws.com:sub}/notes", "ana", "ImplicitDeny"),
        ("ana/notes", "", "ImplicitDeny"),
        # A value's own wildcards are plain characters.
        ("ben/notes", "*", "ImplicitDeny"),
        ("ben/notes", "???", "ImplicitDeny"),
        ("*/notes", "*", "Allow"),
        # Nor is it looked at twice.
        ("ana/notes", "${aws:username}", "ImplicitDeny"),
    ],
)
def test_a_folder_of_ones_own(engine: Engine, key: str, sub: str, decision: Decision) -> None:
    assert decide(engine, key, sub=sub, Resource=FOLDER) == decision


def test_an_older_policy_has_no_variables(engine: Engine) -> None:
    assert decide(engine, "ana/x", version="2008-10-17", Resource=FOLDER) == "ImplicitDeny"
    literal = "${cognito-identity.amazonaws.com:sub}/x"
    assert decide(engine, literal, version="2008-10-17", Resource=FOLDER) == "Allow"


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ForAnyValue:StringEquals"])
def test_a_value_in_a_condition(engine: Engine, operator: str) -> None:
    condition = {operator: {SUB: [f"${{{SUB}}}", "nobody"]}}
    assert decide(engine, "x", Resource="*", Condition=condition) == "Allow"
    assert decide(engine, "x", sub="", Resource="*", Condition=condition) == "ImplicitDeny"


def test_what_nobody_can_evaluate_stays_closed(engine: Engine) -> None:
    differs = {"StringNotEquals": {"aws:PrincipalType": "${aws:PrincipalTag/kind}"}}
    others = ["arn:aws:s3:::bucket/${aws:PrincipalTag/kind}/*"]
    assert decide(engine, "x", Resource="*", Condition=differs) == "ImplicitDeny"
    assert decide(engine, "x", NotResource=others) == "ImplicitDeny"
    assert decide(engine, "x", Effect="Deny", Resource="*", Condition=differs) == "Deny"
    assert decide(engine, "x", Effect="Deny", NotResource=others) == "Deny"


def test_a_variable_may_be_escaped_in_the_text(cognito: Cognito) -> None:
    evaluator = cognito.engine._core("iam_evaluator")
    statement = '{"Effect":"Allow","Action":"*","Resource":"\\u0024{aws:username}"}'
    (found,) = evaluator.parse_policy_document(
        f'{{"Version":"2012-10-17","Statement":[{statement}]}}'
    )
    assert (found.resources, found.has_variables) == (["${aws:username}"], True)


def test_special_characters_and_defaults() -> None:
    assert filled("${*}${?}${$}", {}.get, is_pattern=False) == "*?$"
    assert filled("${a, 'b'}", {"a": "c"}.get, is_pattern=False) == "c"
    assert filled("${ a }", {"a": ["one"]}.get, is_pattern=False) == "one"
    for several in (["one", "two"], []):
        with pytest.raises(Unresolved):
            filled("${a}", {"a": several}.get, is_pattern=False)


def test_a_number_or_a_date_has_no_variables(engine: Engine) -> None:
    condition = {"NumericEquals": {SUB: "1"}, "Null": {SUB: "false"}}
    allowed = decide(engine, "ana/x", sub="1", Resource=FOLDER, Condition=condition)
    assert allowed == "ImplicitDeny"
    assert decide(engine, "1/x", sub="1", Resource=FOLDER, Condition=condition) == "Allow"


def test_a_variable_without_a_value_is_no_wildcard(engine: Engine) -> None:
    """Calls about no resource, such as ``ListUsers``, are about ``*``: only a policy's own ``*`` allows them."""
    for resource in ("arn:aws:iam::123456789012:user/${aws:username}", "${aws:UserAgent}", "${*}"):
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": [resource]}],
        }
        question = PolicyQuestion("iam:ListUsers", "*", "us-east-1", keys={"aws:useragent": "*"})
        assert engine.decide(document, question, names_principals=False) == "ImplicitDeny"


@pytest.mark.parametrize(
    ("deny", "decision"),
    [
        ({"Resource": "arn:aws:s3:::bucket/${aws:UserAgent}/*"}, "Deny"),
        ({"Resource": "arn:aws:s3:::bucket/${aws:Referer}/*"}, "Allow"),
        ({"NotResource": "arn:aws:s3:::bucket/${aws:UserAgent}/*"}, "Allow"),
        ({"NotResource": "arn:aws:s3:::bucket/${aws:Referer}/*"}, "Deny"),
        ({"Resource": "*", "Condition": {"StringEquals": {SUB: "${aws:UserAgent}"}}}, "Deny"),
        ({"Resource": "*", "Condition": {"StringNotEquals": {SUB: "${aws:UserAgent}"}}}, "Allow"),
        ({"Resource": "*", "Condition": {"StringNotEquals": {SUB: "${aws:Referer}"}}}, "Deny"),
    ],
)
def test_a_resources_policy_has_variables_too(
    engine: Engine, deny: dict[str, Any], decision: Decision
) -> None:
    everybody = {"Principal": "*", "Action": "*"}
    statements = [
        {"Effect": "Allow", "Resource": "*", **everybody},
        {"Effect": "Deny", **everybody, **deny},
    ]
    question = PolicyQuestion(
        "s3:GetObject",
        "arn:aws:s3:::bucket/ana/x",
        "us-east-1",
        keys={"aws:useragent": "ana", SUB: "ana"},
    )
    document = {"Version": "2012-10-17", "Statement": statements}
    assert engine.decide(document, question, names_principals=True) == decision
    text = json.dumps(document)
    evaluator = engine._core("iam_evaluator")
    context = engine._context(evaluator, question)
    assert evaluator.evaluate_resource_policy(text, context).decision == decision


def test_no_number_of_blanks_takes_long() -> None:
    start = time.process_time()
    with pytest.raises(Unresolved):
        filled("${" + " " * 200_000 + "}", {}.get, is_pattern=True)
    assert time.process_time() - start < 1
