"""A policy that is kept answers each question by itself: nothing that a decision depends on is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labkit.local.engine import Engine
from labkit.local.iam.policy import Decision, PolicyQuestion
from tests.support.in_process_cloud import Cognito

ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/GET/"
QUESTION = PolicyQuestion("execute-api:Invoke", f"{ARN}a", "us-east-1")


@pytest.fixture
def engine(cognito: Cognito) -> Engine:
    return cognito.engine


def policy(**statement: Any) -> dict[str, Any]:
    plain = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{ARN}a"}
    return {"Version": "2012-10-17", "Statement": [plain | statement]}


def ask(engine: Engine, document: dict[str, Any], question: PolicyQuestion) -> Decision:
    return engine.decide(document, question, names_principals=False)


def test_the_action_and_the_resource_decide(engine: Engine) -> None:
    document = policy()
    others = [
        replace(QUESTION, resource=f"{ARN}b"),
        replace(QUESTION, action="execute-api:ManageConnections"),
    ]
    for _ in range(2):
        assert ask(engine, document, QUESTION) == "Allow"
        assert {ask(engine, document, other) for other in others} == {"ImplicitDeny"}


@pytest.mark.parametrize(
    ("statement", "other"),
    [
        (
            {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1"}}},
            replace(QUESTION, source_ip="192.0.2.1"),
        ),
        (
            {"Condition": {"StringEquals": {"aws:referer": "here"}}},
            replace(QUESTION, keys={"aws:referer": "there"}),
        ),
        ({"Resource": f"{ARN}${{aws:referer}}"}, replace(QUESTION, keys={"aws:referer": "b"})),
    ],
)
def test_a_condition_or_a_variable_decides_anew(
    engine: Engine, statement: dict[str, Any], other: PolicyQuestion
) -> None:
    fitting = replace(QUESTION, keys={"aws:referer": "here" if "Condition" in statement else "a"})
    document = policy(**statement)
    for _ in range(2):
        assert ask(engine, document, fitting) == "Allow"
        assert ask(engine, document, other) == "ImplicitDeny"


def test_two_policies_dont_answer_for_each_other(engine: Engine) -> None:
    allowed, denied = policy(), policy(Effect="Deny")
    for _ in range(2):
        assert ask(engine, allowed, QUESTION) == "Allow"
        assert ask(engine, denied, QUESTION) == "Deny"
