"""What MiniStack is told that policies say, when it asks as its services do."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.local.engine import Engine, names
from tests.support.in_process_cloud import cloud

ACCOUNT, OTHER = "123456789012", "210987654321"
USER = f"arn:aws:iam::{ACCOUNT}:user/kim"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"
RESOURCE = "arn:aws:s3:::bucket/note"
ABOUT_ALL = {"Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with cloud().in_use():
        engine = cloud().engine
        roles, users = engine.ministack[names.ROLES], engine.ministack[names.USERS]
        roles.set_scoped(ACCOUNT, None, "reader", {"Arn": ROLE, "RoleId": "AROAREADER"})
        users.set_scoped(ACCOUNT, None, "kim", {"Arn": USER, "PermissionsBoundary": "an ARN"})
        yield engine
        roles.pop_scoped(ACCOUNT, None, "reader")
        users.pop_scoped(ACCOUNT, None, "kim")


def context(arn: str = USER, kind: str = "User", **more: Any) -> Any:
    """MiniStack's own context of a call."""
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    account = ACCOUNT if arn.startswith("arn:") else ""
    return evaluator.EvalContext(arn, kind, account, "s3:GetObject", RESOURCE, "us-east-1", **more)


def policy(effect: str = "Allow", **statement: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": effect, **ABOUT_ALL, **statement}}
    )


def resource_says(engine: Engine, asked: Any, service: str | None = None, **statement: Any) -> str:
    document = policy(**statement)
    found = engine.policy_evaluation.evaluate_resource_policy(document, asked, service)
    return str(found.decision)


@pytest.mark.parametrize(
    ("principal", "service", "decision"),
    [
        ({"Service": "s3.amazonaws.com"}, "S3.amazonaws.com", "Allow"),
        ({"Service": "s3.amazonaws.com"}, "sns.amazonaws.com", "ImplicitDeny"),
        ({"Service": "s3.amazonaws.com"}, None, "ImplicitDeny"),
        ("*", "s3.amazonaws.com", "Allow"),
        ({"AWS": ACCOUNT}, "s3.amazonaws.com", "ImplicitDeny"),
    ],
)
def test_a_service_that_calls(
    engine: Engine, principal: Any, service: str | None, decision: str
) -> None:
    asked = context("*", "Service")
    assert resource_says(engine, asked, service, Principal=principal) == decision


@pytest.mark.parametrize(
    ("arn", "kind", "named"),
    [
        (USER, "User", [USER, ACCOUNT, "*"]),
        (SESSION, "AssumedRole", [SESSION, ROLE, ACCOUNT, "*"]),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/gone/s", "AssumedRole", [ACCOUNT, "*"]),
        (f"arn:aws:iam::{ACCOUNT}:root", "Root", [ACCOUNT, "*"]),
        ("*", "Anonymous", ["*"]),
        ("", "Anonymous", ["*"]),
    ],
)
def test_whom_a_resources_policy_names(
    engine: Engine, arn: str, kind: str, named: list[str]
) -> None:
    for name in (USER, SESSION, ROLE, ACCOUNT, "*"):
        said = resource_says(engine, context(arn, kind), Principal={"AWS": name})
        assert said == ("Allow" if name in named else "ImplicitDeny")


@pytest.mark.parametrize(
    ("arn", "kind", "keys"),
    [
        (USER, "User", {"PrincipalType": "User", "PrincipalArn": USER}),
        (SESSION, "AssumedRole", {"PrincipalType": "AssumedRole", "PrincipalArn": ROLE}),
        (f"arn:aws:iam::{ACCOUNT}:root", "Root", {"PrincipalType": "Account"}),
        (USER, "User", {"username": "kim", "TagKeys": "Team", "RequestTag/team": "blue"}),
        (USER, "User", {"SourceIp": "192.0.2.1", "SecureTransport": "true", "x": "1"}),
    ],
)
def test_the_condition_keys(engine: Engine, arn: str, kind: str, keys: dict[str, str]) -> None:
    asked = context(
        arn,
        kind,
        source_ip="192.0.2.1",
        secure_transport=True,
        request_tags={"Team": "blue"},
        tag_keys=["Team"],
        principal_keys={"aws:username": "kim"},
        service_context={"AWS:X": 1, "aws:none": None},
    )
    for key, value in keys.items():
        operator = "ForAnyValue:StringEquals" if key == "TagKeys" else "StringEquals"
        holds = {operator: {f"aws:{key}": value}}
        assert resource_says(engine, asked, Principal="*", Condition=holds) == "Allow"
        fails = {operator: {f"aws:{key}": f"not {value}"}}
        assert resource_says(engine, asked, Principal="*", Condition=fails) == "ImplicitDeny"
    missing = {"Null": {"aws:none": "true"}}
    assert resource_says(engine, asked, Principal="*", Condition=missing) == "Allow"


def test_a_call_without_tags_names_none(engine: Engine) -> None:
    condition = {"Null": {"aws:TagKeys": "true"}}
    assert resource_says(engine, context(), Principal="*", Condition=condition) == "Allow"


@pytest.mark.parametrize(
    ("values", "decision"),
    [(["a", 1], "Allow"), (["a", "b"], "ImplicitDeny"), (["a", None], "ImplicitDeny")],
)
def test_a_key_with_several_values(engine: Engine, values: list[Any], decision: str) -> None:
    """None is a value that can't be read."""
    asked = context(service_context={"test:key": values})
    condition = {"ForAllValues:StringEquals": {"test:key": ["a", "1", "None"]}}
    assert resource_says(engine, asked, Principal="*", Condition=condition) == decision


def test_who_has_a_boundary_is_never_left_out(engine: Engine) -> None:
    left_out = {"NotPrincipal": {"AWS": [ACCOUNT, USER, ROLE]}}
    session = context(SESSION, "AssumedRole")
    assert resource_says(engine, session, effect="Deny", **left_out) == "ImplicitDeny"
    assert resource_says(engine, context(), effect="Deny", **left_out) == "Deny"


@pytest.mark.parametrize(
    ("identity", "owner", "required", "statement", "decision"),
    [
        ("Allow", ACCOUNT, False, {"Action": "x", "Principal": "*"}, "Allow"),
        ("Allow", None, False, {"Action": "x", "Principal": "*"}, "Allow"),
        ("Allow", ACCOUNT, True, {"Action": "x", "Principal": "*"}, "ImplicitDeny"),
        ("Allow", ACCOUNT, True, {"Principal": "*"}, "Allow"),
        ("Allow", OTHER, False, {"Action": "x", "Principal": "*"}, "ImplicitDeny"),
        ("Allow", OTHER, False, {"Principal": {"AWS": ACCOUNT}}, "Allow"),
        ("ImplicitDeny", ACCOUNT, False, {"Principal": {"AWS": ACCOUNT}}, "ImplicitDeny"),
        ("ImplicitDeny", ACCOUNT, False, {"Principal": {"AWS": USER}}, "Allow"),
        ("ImplicitDeny", OTHER, False, {"Principal": {"AWS": USER}}, "ImplicitDeny"),
        ("Deny", ACCOUNT, False, {"Principal": "*"}, "Deny"),
        ("Allow", ACCOUNT, False, {"effect": "Deny", "Principal": "*"}, "Deny"),
        ("Deny", ACCOUNT, False, {"effect": "Deny", "Principal": "*"}, "Deny"),
    ],
)
def test_an_identity_and_a_resource(
    engine: Engine,
    identity: str,
    owner: str | None,
    required: bool,
    statement: dict[str, Any],
    decision: str,
) -> None:
    asked = context()
    said = engine.ministack[names.EVAL_RESULT](identity)
    found = engine.policy_evaluation.combine_resource_policy(
        said, asked, policy(**statement), owner, required
    )
    assert (found.decision, found.principal_arn) == (decision, USER)
    # It is what the words of the refusal depend on.
    by_the_resource = decision == "Deny" and identity != "Deny"
    assert found.resource_policy_arn == (RESOURCE if by_the_resource else "")


def test_an_identity_within_its_limits(engine: Engine) -> None:
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    allow, silent = (evaluator.parse_policy_document(one) for one in (policy(), policy(Action="x")))
    for limits, decision in (
        ([], "Allow"),
        ([[allow]], "Allow"),
        ([[silent]], "ImplicitDeny"),
        ([[[]]], "ImplicitDeny"),  # a boundary whose document is gone
    ):
        assert engine.policy_evaluation.evaluate(context(), [allow], *limits).decision == decision


@pytest.mark.parametrize("broken", ["{", "7", policy(Principal="*"), {"Statement": ["x"]}])
def test_an_identitys_policy_that_cant_be_read_denies(engine: Engine, broken: Any) -> None:
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    found = [evaluator.parse_policy_document(one) for one in (policy(), broken)]
    assert engine.policy_evaluation.evaluate(context(), found).decision == "Deny"
    assert evaluator.validate_policy_document(broken)
    assert evaluator.validate_policy_document(policy()) is None


@pytest.mark.parametrize(
    ("document", "decision"),
    [
        (None, "ImplicitDeny"),
        ("", "ImplicitDeny"),
        ({"Version": "2012-10-17", "Statement": []}, "ImplicitDeny"),
        (json.loads(policy(Principal="*")), "Allow"),
        ({"Statement": ["x"]}, "Deny"),
        (policy(), "Deny"),
    ],
)
def test_a_resources_document(engine: Engine, document: Any, decision: str) -> None:
    found = engine.policy_evaluation.evaluate_resource_policy(document, context())
    assert found.decision == decision


def test_a_trust_policy(engine: Engine) -> None:
    trusts = engine.policy_evaluation.evaluate_trust_policy
    trust = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "s3:GetObject"}
    document = json.dumps({"Statement": trust})
    assert trusts(document, USER, context())
    assert not trusts(document, SESSION, context(SESSION, "AssumedRole"))
    assert not trusts(document, USER)
    assert not trusts("{", USER, context())


def test_what_conditions_are_about() -> None:
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    found = evaluator.parse_policy_document(
        policy(Condition={"StringEquals": {"aws:ResourceTag/Team": "blue"}})
    )
    assert evaluator._names_condition_key([found], "aws:resourcetag/")
    assert not evaluator._names_condition_key([found], "aws:requesttag/")
