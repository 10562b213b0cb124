"""What policies say of a question, in the words of a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.local.iam.evaluation import Decision, evaluate
from labkit.local.iam.pattern import Value
from labkit.local.iam.policy import VERSION, Policy, parse_policy
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion, Principal

TIME = 1_796_040_000.0  # 2026-11-30T12:00:00Z
OBJECT = "arn:aws:s3:::bucket/a"


def question(
    resource: str = OBJECT,
    keys: Mapping[str, Value] | None = None,
    *,
    action: str = "s3:GetObject",
    principal: Principal = ANONYMOUS,
    source_ip: str | None = "192.0.2.1",
) -> PolicyQuestion:
    return PolicyQuestion(
        action, resource, "us-east-1", TIME, principal, source_ip, keys=keys or {}
    )


def policy(*statements: Mapping[str, Any], version: str = VERSION) -> Policy:
    """Statements that allow reading each object unless they say otherwise; of a resource if one names a principal."""
    names_principals = any({"Principal", "NotPrincipal"} & one.keys() for one in statements)
    listed = [
        {
            "Effect": "Allow",
            **({} if "NotAction" in one else {"Action": "s3:GetObject"}),
            **({} if "NotResource" in one else {"Resource": "*"}),
            **one,
        }
        for one in statements
    ]
    return parse_policy({"Version": version, "Statement": listed}, with_principal=names_principals)


def ask(*statements: Mapping[str, Any], asked: PolicyQuestion | None = None) -> Decision:
    return evaluate(policy(*statements), asked or question())
