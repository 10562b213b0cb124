"""IAM's evaluation logic: statements, principals, and policies of several kinds together."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from labkit.local.iam.evaluation import (
    EVERYTHING,
    Decision,
    IdentityPolicies,
    combine,
    decide,
    decide_identity,
    evaluate,
    evaluate_all,
)
from labkit.local.iam.policy import (
    MalformedPolicyError,
    Policy,
    parse_policy,
    parse_policy_text,
    parse_trust_policy,
)
from labkit.local.iam.question import (
    ANONYMOUS,
    Principal,
    federated_principal,
    service_principal,
)
from tests.support.policies import ask, policy, question

ACCOUNT, OTHER = "123456789012", "210987654321"
USER_ID, ROLE_ID = "AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/team/r"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
USER = Principal("User", USER_ARN, ACCOUNT, keys={"aws:userid": USER_ID})
SESSION = Principal("AssumedRole", SESSION_ARN, ACCOUNT, ROLE_ARN, {"aws:userid": f"{ROLE_ID}:s"})
ROOT = Principal("Account", ROOT_ARN, ACCOUNT, keys={"aws:userid": ACCOUNT})
LAMBDA = service_principal("lambda.amazonaws.com")
POOL = federated_principal("cognito-identity.amazonaws.com")

ALLOW, DENY, SILENT = policy({}), policy({"Effect": "Deny"}), policy({"Action": "s3:PutObject"})


# -- statements --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({}, "Allow"),
        ({"Action": "S3:getobject"}, "Allow"),
        ({"Action": "s3:Get*"}, "Allow"),
        ({"Action": "s3:Get?bject"}, "Allow"),
        ({"Action": ["s3:PutObject", "*"]}, "Allow"),
        ({"Action": "s3:Put*"}, "ImplicitDeny"),
        ({"Action": "s3:GetObjectX"}, "ImplicitDeny"),
        ({"Action": "${aws:username}"}, "ImplicitDeny"),
        ({"NotAction": "s3:Put*"}, "Allow"),
        ({"NotAction": ["s3:Put*", "S3:GET*"]}, "ImplicitDeny"),
        ({"Resource": "arn:aws:s3:::bucket/a"}, "Allow"),
        ({"Resource": "arn:aws:s3:::bucket/A"}, "ImplicitDeny"),
        ({"Resource": ["arn:aws:s3:::x/*", "arn:aws:s3:::b*/?"]}, "Allow"),
        ({"Resource": "arn:aws:s3:::bucket"}, "ImplicitDeny"),
        ({"NotResource": "arn:aws:s3:::x/*"}, "Allow"),
        ({"NotResource": ["arn:aws:s3:::x/*", "arn:*"]}, "ImplicitDeny"),
    ],
)
def test_one_statement(statement: dict[str, Any], decision: Decision) -> None:
    assert ask(statement) == decision
    effect = {"Allow": "Deny", "ImplicitDeny": "Allow"}[decision]
    assert ask({}, {**statement, "Effect": "Deny"}) == effect


def test_what_isnt_allowed_is_denied() -> None:
    assert ask({"Action": "s3:PutObject"}, {"Effect": "Deny", "Action": "iam:*"}) == "ImplicitDeny"
    assert evaluate(Policy(()), question()) == "ImplicitDeny"
    assert evaluate_all([], question()) == "ImplicitDeny"


# -- principals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", [ANONYMOUS, USER, SESSION, ROOT, LAMBDA]),
        ({"AWS": "*"}, [ANONYMOUS, USER, SESSION, ROOT, LAMBDA]),
        ({"AWS": ["*", OTHER]}, [ANONYMOUS, USER, SESSION, ROOT, LAMBDA]),
        ({"AWS": ACCOUNT}, [USER, SESSION, ROOT]),
        ({"AWS": ROOT_ARN}, [USER, SESSION, ROOT]),
        ({"AWS": OTHER}, []),
        ({"AWS": [OTHER, USER_ARN]}, [USER]),
        ({"AWS": USER_ARN.upper().replace("ARN:AWS:IAM", "arn:aws:iam")}, []),
        ({"AWS": USER_ID}, [USER]),
        ({"AWS": ROLE_ID}, [SESSION]),
        ({"AWS": ROLE_ARN}, [SESSION]),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/r"}, []),
        ({"AWS": f"arn:aws:iam::{OTHER}:role/team/r"}, []),
        ({"AWS": SESSION_ARN}, [SESSION]),
        ({"AWS": f"{SESSION_ARN}x"}, []),
        ({"Service": "Lambda.amazonaws.com"}, [LAMBDA]),
        ({"Service": ["s3.amazonaws.com"], "AWS": USER_ARN}, [USER]),
        ({"Federated": "cognito-identity.amazonaws.com"}, [POOL]),
        ({"Service": "cognito-identity.amazonaws.com"}, []),
        ({"CanonicalUser": ACCOUNT}, []),
        ({"Service": "*"}, []),
        ({"Federated": "*"}, []),
        (
            {"AWS": OTHER, "CanonicalUser": "x", "Federated": "x", "Service": "x.amazonaws.com"},
            [],
        ),
    ],
)
def test_whom_a_statement_names(principal: Any, named: list[Principal]) -> None:
    for one in (ANONYMOUS, USER, SESSION, ROOT, LAMBDA, POOL):
        decision = ask({"Principal": principal}, asked=question(principal=one))
        assert decision == ("Allow" if one in named else "ImplicitDeny")


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
def test_everybody_may_be_somebody_whom_a_provider_vouches_for(principal: Any) -> None:
    """AWS doesn't say: an Allow isn't for them, a Deny is."""
    asked = question(principal=POOL)
    named = {"Principal": {"Federated": "cognito-identity.amazonaws.com"}}
    assert ask({"Principal": principal}, asked=asked) == "ImplicitDeny"
    assert ask(named, {"Principal": principal, "Effect": "Deny"}, asked=asked) == "Deny"


@pytest.mark.parametrize(
    ("left_out", "allowed"),
    [
        ({"AWS": [ACCOUNT, USER_ARN]}, [USER, ROOT]),
        ({"AWS": USER_ARN}, []),
        ({"AWS": ACCOUNT}, [ROOT]),
        ({"AWS": [ROOT_ARN, ROLE_ARN]}, [SESSION, ROOT]),
        ({"AWS": [ROOT_ARN, SESSION_ARN]}, [ROOT]),
        ({"AWS": ROLE_ARN}, []),
        ({"Service": "lambda.amazonaws.com"}, [LAMBDA]),
    ],
)
def test_whom_a_deny_leaves_out(left_out: Any, allowed: list[Principal]) -> None:
    deny = {"Effect": "Deny", "NotPrincipal": left_out}
    for one in (ANONYMOUS, USER, SESSION, ROOT, LAMBDA):
        decision = ask({"Principal": "*"}, deny, asked=question(principal=one))
        assert decision == ("Allow" if one in allowed else "Deny")


def test_a_deny_leaves_nobody_with_a_boundary_out() -> None:
    bounded = Principal("User", USER_ARN, ACCOUNT, has_boundary=True)
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": [ACCOUNT, USER_ARN]}}
    assert ask({"Principal": "*"}, deny, asked=question(principal=bounded)) == "Deny"


# -- condition keys ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "principal"),
    [
        ("aws:CurrentTime", "2026-11-30T12:00:00+00:00", USER),
        ("aws:EpochTime", "1796040000", USER),
        ("aws:PrincipalAccount", ACCOUNT, USER),
        ("aws:PrincipalAccount", None, ANONYMOUS),
        ("aws:PrincipalArn", USER_ARN, USER),
        ("aws:PrincipalArn", ROLE_ARN, SESSION),
        ("aws:PrincipalArn", ROOT_ARN, ROOT),
        ("aws:PrincipalArn", None, ANONYMOUS),
        ("aws:PrincipalType", "User", USER),
        ("aws:PrincipalType", "AssumedRole", SESSION),
        ("aws:PrincipalType", "Account", ROOT),
        ("aws:PrincipalType", "Anonymous", ANONYMOUS),
        ("aws:PrincipalType", None, LAMBDA),
        ("aws:RequestedRegion", "us-east-1", USER),
        ("aws:ResourceAccount", ACCOUNT, USER),
        ("s3:ResourceAccount", None, ANONYMOUS),
        ("aws:SecureTransport", "true", USER),
        ("aws:SourceIp", "192.0.2.1", USER),
        ("AWS:UserId", USER_ID, USER),
        ("aws:username", None, USER),
        ("Test:Key", "here", USER),
    ],
)
def test_a_condition_key(key: str, value: str | None, principal: Principal) -> None:
    keys = {"aws:sourceip": "198.51.100.1", "aws:userid": "mine", "test:key": "here"}
    assert question(keys=keys, principal=principal).value_of(key) == value


def test_the_resources_account() -> None:
    arn = f"arn:aws:execute-api:us-east-1:{OTHER}:abc/dev/GET/"
    assert question(arn, principal=USER).value_of("aws:ResourceAccount") == OTHER


def test_a_connection_without_tls() -> None:
    asked = question()
    asked.is_encrypted = False
    assert asked.value_of("aws:SecureTransport") == "false"


# -- policies of several kinds ---------------------------------------------------------------------


def test_policies_of_one_kind() -> None:
    assert evaluate_all([SILENT, ALLOW], question()) == "Allow"
    assert evaluate_all([ALLOW, DENY], question()) == "Deny"


@pytest.mark.parametrize(
    ("granted", "limits", "decision"),
    [
        ([ALLOW], [], "Allow"),
        ([SILENT], [], "ImplicitDeny"),
        ([ALLOW], [[ALLOW]], "Allow"),
        ([ALLOW], [[SILENT]], "ImplicitDeny"),
        ([ALLOW], [[]], "ImplicitDeny"),
        ([ALLOW], [[SILENT, ALLOW], [ALLOW]], "Allow"),
        ([ALLOW], [[ALLOW], [SILENT]], "ImplicitDeny"),
        ([SILENT], [[ALLOW]], "ImplicitDeny"),
        ([ALLOW], [[ALLOW], [DENY]], "Deny"),
        ([DENY], [[ALLOW]], "Deny"),
        ([], [], "ImplicitDeny"),
    ],
)
def test_an_identitys_policies(
    granted: list[Policy], limits: list[list[Policy]], decision: Decision
) -> None:
    assert decide_identity(IdentityPolicies(granted, limits), question()) == decision


def test_root_may_do_everything() -> None:
    assert decide_identity(EVERYTHING, question("*", action="iam:ListUsers")) == "Allow"


@pytest.mark.parametrize("same_account", [True, False])
def test_an_identity_and_a_resource(same_account: bool) -> None:
    table = {
        ("Allow", "Allow"): "Allow",
        ("Allow", "ImplicitDeny"): "Allow" if same_account else "ImplicitDeny",
        ("ImplicitDeny", "Allow"): "Allow" if same_account else "ImplicitDeny",
        ("ImplicitDeny", "ImplicitDeny"): "ImplicitDeny",
        ("Allow", "Deny"): "Deny",
        ("Deny", "Allow"): "Deny",
    }
    for (identity, resource), decision in table.items():
        assert combine(identity, resource, same_account=same_account) == decision  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("principal", "limits", "allowed"),
    [
        ({"AWS": ACCOUNT}, [], False),
        ("*", [], True),
        ({"AWS": ROLE_ARN}, [], True),
        ({"AWS": SESSION_ARN}, [], True),
        ("*", [[SILENT]], False),
        ({"AWS": ROLE_ARN}, [[SILENT]], False),
        ({"AWS": ROLE_ARN}, [[ALLOW], [ALLOW]], True),
        ({"AWS": ROLE_ARN}, [[ALLOW], [SILENT]], False),
        ({"AWS": SESSION_ARN}, [[SILENT]], True),
        ({"AWS": [ACCOUNT, SESSION_ARN]}, [[SILENT]], True),
        ({"AWS": OTHER}, [], False),
    ],
)
def test_what_a_resources_policy_allows_by_itself(
    principal: Any, limits: list[list[Policy]], allowed: bool
) -> None:
    """In the resource's account; from another one the caller's own policies must allow, too."""
    resource = policy({"Principal": {"AWS": ACCOUNT}}, {"Principal": principal})
    asked = question(principal=SESSION)
    decisions = [
        decide("ImplicitDeny", limits, resource, asked, same_account=here) for here in (True, False)
    ]
    assert decisions == ["Allow" if allowed else "ImplicitDeny", "ImplicitDeny"]
    assert decide("Deny", limits, resource, asked, same_account=True) == "Deny"
    assert decide("Allow", limits, resource, asked, same_account=False) == "Allow"


def test_a_statement_about_something_else_doesnt_name_the_caller() -> None:
    about = policy({"Principal": {"AWS": ACCOUNT}})
    for more in ({"Action": "s3:PutObject"}, {"Effect": "Deny", "Action": "s3:PutObject"}):
        resource = policy({"Principal": {"AWS": ACCOUNT}}, {"Principal": "*", **more})
        asked = question(principal=USER)
        assert evaluate(about, asked) == evaluate(resource, asked) == "Allow"
        assert decide("ImplicitDeny", [], resource, asked, same_account=True) == "ImplicitDeny"


def test_a_resources_policy_denies() -> None:
    resource = policy({"Principal": {"AWS": ACCOUNT}, "Effect": "Deny"}, {"Principal": "*"})
    for here in (True, False):
        asked = question(principal=USER)
        assert decide("Allow", [], resource, asked, same_account=here) == "Deny"


# -- spellings of a resource ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({"Effect": "Deny", "Resource": "arn:b"}, "Deny"),
        ({"Effect": "Deny", "Resource": "arn:a"}, "Deny"),
        ({"Effect": "Deny", "Resource": "arn:c"}, "ImplicitDeny"),
        ({"Effect": "Deny", "NotResource": "arn:a"}, "Deny"),
        ({"Effect": "Deny", "NotResource": ["arn:a", "arn:b"]}, "ImplicitDeny"),
        ({"Resource": "arn:a"}, "Allow"),
        ({"Resource": "arn:b"}, "ImplicitDeny"),
        ({"NotResource": "arn:b"}, "ImplicitDeny"),
        ({"NotResource": "arn:c"}, "Allow"),
    ],
)
def test_a_deny_holds_for_every_spelling(statement: dict[str, Any], decision: Decision) -> None:
    """The resource was sent as arn:a, and arn:b names it too."""
    asked = replace(question("arn:a"), spellings=["arn:b"])
    assert evaluate(policy(statement), asked) == decision


# -- trust policies ----------------------------------------------------------------------------------


def test_a_trust_policy() -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": USER_ARN}, "Action": "sts:AssumeRole"}
    found = parse_trust_policy({"Statement": trust})
    asked = question(ROLE_ARN, action="sts:AssumeRole", principal=USER)
    assert evaluate(found, asked) == "Allow"
    assert evaluate(found, question(ROLE_ARN, action="sts:TagSession", principal=USER)) != "Allow"
    assert evaluate(found, question(ROLE_ARN, action="sts:AssumeRole", principal=ROOT)) != "Allow"
    for more in ({"Resource": "*"}, {"NotResource": "*"}, {"NotPrincipal": {"AWS": ACCOUNT}}):
        with pytest.raises(MalformedPolicyError):
            parse_trust_policy({"Statement": {**trust, **more}})
    nobody_else = {"Effect": "Deny", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    for bad in ("x", nobody_else):
        with pytest.raises(MalformedPolicyError):
            parse_trust_policy({"Statement": [bad]})


# -- documents ---------------------------------------------------------------------------------------

GOOD = {"Effect": "Allow", "Action": "a", "Resource": "*"}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        b"\xff",
        "[" * 100_000,
        f'\ufeff{{"Statement": {json.dumps(GOOD)}}}',
        f'{{"Statement": {json.dumps({**GOOD, "Effect": "Deny"})}, "Statement": {json.dumps(GOOD)}}}',
        '{"Statement": {"Effect": "Deny", "Effect": "Allow", "Action": "a", "Resource": "*"}}',
        "7",
        None,
        [],
        {},
        {"Statement": None},
        {"Statement": []},
        {"Statement": "x"},
        {"Statement": 7},
        {"Statement": [GOOD, "x"]},
        *(
            {"Statement": {name: value for name, value in GOOD.items() if name != missing}}
            for missing in GOOD
        ),
        *(
            {"Statement": [{**GOOD, **more}]}
            for more in (
                {"Effect": "allow"},
                {"Effect": ["Allow"]},
                {"NotAction": "a"},
                {"NotResource": "a"},
                {"Action": ""},
                {"Action": []},
                {"Action": ["a", 1]},
                {"Action": None},
                {"Resource": {"a": "b"}},
                {"Principal": "*"},
                {"NotPrincipal": "*"},
                {"Condition": []},
            )
        ),
    ],
)
def test_what_isnt_an_identitys_policy(document: Any) -> None:
    with pytest.raises(MalformedPolicyError):
        parse_policy(document, with_principal=False)


@pytest.mark.parametrize(
    "element",
    [
        {},
        {"Principal": "ana"},
        {"Principal": []},
        {"Principal": {}},
        {"Principal": {"AWS": []}},
        {"Principal": {"AWS": "ana"}},
        {"Principal": {"AWS": "arn:aws:iam::*:user/ana"}},
        {"Principal": {"AWS": f"{USER_ARN}*"}},
        {"Principal": {"AWS": "1234567890123"}},
        {"Principal": {"IAM": "*"}},
        {"Principal": {"Service": 7}},
        {"Principal": "*", "NotPrincipal": {"AWS": ACCOUNT}},
        {"NotPrincipal": {"AWS": ACCOUNT}},
        {"NotPrincipal": "*", "Effect": "Deny"},
        {"NotPrincipal": {"AWS": "*"}, "Effect": "Deny"},
    ],
)
def test_what_isnt_a_resources_policy(element: dict[str, Any]) -> None:
    with pytest.raises(MalformedPolicyError):
        parse_policy({"Statement": {**GOOD, **element}}, with_principal=True)


def test_cloudfront_has_users_of_its_own() -> None:
    arn = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"
    origin_access = Principal("User", arn)
    asked = question(principal=origin_access)
    assert ask({"Principal": {"AWS": arn}}, asked=asked) == "Allow"


def test_a_text_is_read_once() -> None:
    text = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    assert parse_policy_text(text, with_principal=False) is parse_policy_text(
        text, with_principal=False
    )
    with pytest.raises(MalformedPolicyError):
        parse_policy_text(text, with_principal=True)
