"""Policy variables: what is filled in, what a value can't do, and what stays closed without one."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from labkit.local.iam.evaluation import Decision, evaluate
from labkit.local.iam.pattern import ValueOf, fill, read_pieces
from labkit.local.iam.policy import parse_policy
from tests.support.policies import ask, policy, question

SUB = "cognito-identity.amazonaws.com:sub"
FOLDER = "arn:aws:s3:::bucket/${cognito-identity.amazonaws.com:sub}/*"


def decide(
    key: str, *, version: str = "2012-10-17", sub: str = "ana", **statement: Any
) -> Decision:
    """What a policy of one statement says of reading an object."""
    asked = question(f"arn:aws:s3:::bucket/{key}", {SUB: sub} if sub else {})
    return evaluate(policy(statement, version=version), asked)


def filled(text: str, value_of: ValueOf) -> str | None:
    pieces = fill(read_pieces(text, has_variables=True, has_wildcards=False), value_of)
    return None if pieces is None else "".join(map(str, pieces))


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
def test_a_folder_of_ones_own(key: str, sub: str, decision: Decision) -> None:
    assert decide(key, sub=sub, Resource=FOLDER) == decision


def test_an_older_policy_has_no_variables() -> None:
    assert decide("ana/x", version="2008-10-17", Resource=FOLDER) == "ImplicitDeny"
    literal = "${cognito-identity.amazonaws.com:sub}/x"
    assert decide(literal, version="2008-10-17", Resource=FOLDER) == "Allow"


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ForAnyValue:StringEquals"])
def test_a_value_in_a_condition(operator: str) -> None:
    condition = {operator: {SUB: [f"${{{SUB}}}", "nobody"]}}
    assert decide("x", Resource="*", Condition=condition) == "Allow"
    assert decide("x", sub="", Resource="*", Condition=condition) == "ImplicitDeny"


def test_what_nobody_can_evaluate_stays_closed() -> None:
    differs = {"StringNotEquals": {"aws:PrincipalType": "${aws:PrincipalTag/kind}"}}
    others = ["arn:aws:s3:::bucket/${aws:PrincipalTag/kind}/*"]
    assert decide("x", Resource="*", Condition=differs) == "ImplicitDeny"
    assert decide("x", NotResource=others) == "ImplicitDeny"
    assert decide("x", Effect="Deny", Resource="*", Condition=differs) == "Deny"
    assert decide("x", Effect="Deny", NotResource=others) == "Deny"


def test_a_variable_may_be_escaped_in_the_text() -> None:
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "*", "Resource": FOLDER},
        }
    )
    found = parse_policy(text.replace("$", "\\u0024"), with_principal=False)
    assert evaluate(found, question("arn:aws:s3:::bucket/ana/x", {SUB: "ana"})) == "Allow"


def test_special_characters_and_defaults() -> None:
    assert filled("${*}${?}${$}", {}.get) == "*?$"
    assert filled("${a, 'b'}", {"a": "c"}.get) == "c"
    assert filled("${ a }", {"a": ["one"]}.get) == "one"
    for no_default in ("${a, b}", "${a, 'b}", "${a, ''b'}", "${a 'b'}", "${}"):
        assert filled(no_default, {"a": "c"}.get) is None
    for several in (["one", "two"], [], [None]):
        assert filled("${a}", {"a": several}.get) is None


def test_a_number_or_a_date_has_no_variables() -> None:
    condition = {"NumericEquals": {SUB: "1"}, "Null": {SUB: "false"}}
    allowed = decide("ana/x", sub="1", Resource=FOLDER, Condition=condition)
    assert allowed == "ImplicitDeny"
    assert decide("1/x", sub="1", Resource=FOLDER, Condition=condition) == "Allow"


def test_a_variable_without_a_value_is_no_wildcard() -> None:
    """Calls about no resource, such as ``ListUsers``, are about ``*``: only a policy's own ``*`` allows them."""
    asked = question("*", {"aws:useragent": "*"}, action="iam:ListUsers")
    for resource in ("arn:aws:iam::123456789012:user/${aws:username}", "${aws:UserAgent}", "${*}"):
        assert ask({"Action": "*", "Resource": [resource]}, asked=asked) == "ImplicitDeny"
    assert ask({"Action": "*", "Resource": "*"}, asked=asked) == "Allow"


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
def test_a_resources_policy_has_variables_too(deny: dict[str, Any], decision: Decision) -> None:
    everybody = {"Principal": "*", "Action": "*"}
    asked = question("arn:aws:s3:::bucket/ana/x", {"aws:useragent": "ana", SUB: "ana"})
    allow = {"Resource": "*", **everybody}
    assert ask(allow, {"Effect": "Deny", **everybody, **deny}, asked=asked) == decision


def test_no_number_of_blanks_takes_long() -> None:
    start = time.perf_counter()
    assert filled("${" + " " * 200_000 + "}", {}.get) is None
    assert time.perf_counter() - start < 1
