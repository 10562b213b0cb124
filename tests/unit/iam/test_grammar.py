"""Documents that AWS doesn't save, and what it says of them; what is saved can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.iam.grammar import (
    LEGACY,
    SYNTAX,
    identity_policy_error,
    resource_policy_error,
    trust_policy_error,
)
from labkit.local.iam.policy import parse_policy, parse_trust_policy

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
BUCKET = {**READ, "Principal": "*"}
PREFACED = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def without(statement: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != name}


def trust_error(text: str) -> str | None:
    return trust_policy_error(text, lambda arn: not arn.endswith("/nobody"))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("no JSON", SYNTAX),
        ("[]", SYNTAX),
        (document(READ).replace("Allow", "Allow\ud800"), SYNTAX),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', SYNTAX),
        (document(READ)[:-1] + ', "Statement": []}', SYNTAX),
        (document(), SYNTAX),
        (document("read"), SYNTAX),
        (document(READ, Version="2020-01-01"), SYNTAX),
        (document(READ, Sid="one"), SYNTAX),
        (document(READ, Id=[]), SYNTAX),
        (document({**READ, "Comment": "mine"}), SYNTAX),
        (document({**READ, "Effect": "Permit"}), SYNTAX),
        (document(without(READ, "Effect")), SYNTAX),
        (document({**READ, "NotAction": "s3:PutObject"}), SYNTAX),
        (document({**READ, "NotResource": "*"}), SYNTAX),
        (document({**READ, "Action": {"s3": "GetObject"}}), SYNTAX),
        (document({**READ, "Sid": 1}), SYNTAX),
        (document({**READ, "Condition": []}), SYNTAX),
        (document({**READ, "Condition": {"aws:username": "kim"}}), SYNTAX),
        (document({**READ, "Condition": {"StringNotEqual": {"aws:username": "kim"}}}), SYNTAX),
        (document({**READ, "Condition": {"IpAddress": {"aws:SourceIp": "here"}}}), SYNTAX),
        (
            document({**READ, "Principal": "*"}),
            "Policy document should not specify a principal.",
        ),
        (
            json.dumps({"Statement": READ}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            document(READ, Version="2008-10-17"),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (document({**READ, "Effect": "allow"}), LEGACY),
        (
            document({**READ, "Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}}),
            LEGACY,
        ),
        (document({**READ, "Resource": "arn:aws:s3::notes"}), LEGACY),
        (
            document({**READ, "Sid": "a"}, {**READ, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            document({**READ, "Sid": "a b"}),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
            "regular expression [0-9A-Za-z]*",
        ),
        (document(without(READ, "Action")), "Policy statement must contain actions."),
        (document({**READ, "Action": []}), "Policy statement must contain actions."),
        (document(without(READ, "Resource")), "Policy statement must contain resources."),
        (
            document({**READ, "Resource": "notes"}),
            'Resource notes must be in ARN format or "*".',
        ),
        (document({**READ, "Resource": ""}), 'Resource  must be in ARN format or "*".'),
        (
            document({**READ, "Resource": "aws:s3:::notes"}),
            'Partition "s3" is not valid for resource "arn:s3:::notes:*".',
        ),
        (
            document({**READ, "Resource": "arn:aws"}),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            document({**READ, "Resource": "arn:aws:iam:us-east-1::user/kim"}),
            "IAM resource arn:aws:iam:us-east-1::user/kim cannot contain region information.",
        ),
        (
            document({**READ, "Resource": "arn:aws:s3:us-east-1::notes"}),
            "Resource arn:aws:s3:us-east-1::notes can not contain region information.",
        ),
        (document({**READ, "Action": "GetObject"}), PREFACED),
        (document({**READ, "Action": ""}), PREFACED),
        (
            document({**READ, "Action": "s3:Get:Object"}),
            "Actions/Condition can contain only one colon.",
        ),
        (document({**READ, "Action": "s 3:GetObject"}), "Vendor s 3 is not valid"),
    ],
)
def test_an_identity_s_policy_that_isnt_saved(text: str, error: str) -> None:
    assert identity_policy_error(text) == error


def test_an_iam_resource_begins_with_its_kind() -> None:
    for good in ("user/kim", "role/*", "*"):
        text = document({**READ, "Resource": f"arn:aws:iam::123456789012:{good}"})
        assert identity_policy_error(text) is None
    error = identity_policy_error(document({**READ, "Resource": "arn:aws:iam:::kim"}))
    assert str(error).startswith('IAM resource path must either be "*" or start with user/, ')


@pytest.mark.parametrize(
    "statement",
    [
        READ,
        {**READ, "Sid": "", "Condition": {}},
        {**READ, "Action": "*", "Resource": ["*", "arn:aws-cn:s3:::notes"]},
        {**READ, "Resource": "arn:*:s3:::notes"},
        {**READ, "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a", "b"]}}},
        {**READ, "Condition": {"Bool": {"aws:SecureTransport": True}, "Null": {"a": "true"}}},
        {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "*"},
    ],
)
def test_an_identity_s_policy_that_is_saved(statement: dict[str, Any]) -> None:
    assert identity_policy_error(document(statement)) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("trust.json", "This policy contains invalid Json"),
        (
            document(TRUST, Version="2020-01-01"),
            "The policy must contain a valid version string",
        ),
        (document(), "Could not parse the policy: Statement is empty!"),
        (document(TRUST, Statements=[]), "Unknown field Statements"),
        (document({**TRUST, "Actions": []}), "Unknown field Actions"),
        (document({**TRUST, "Effect": "allow"}), "Invalid effect: allow"),
        (document(without(TRUST, "Effect")), "Missing required field Effect"),
        (document(without(TRUST, "Principal")), "Missing required field Principal"),
        (
            document({**TRUST, "Principal": {}}),
            "Missing required field Principal cannot be empty!",
        ),
        (document(without(TRUST, "Action")), "Missing required field Action"),
        (document({**TRUST, "NotAction": "sts:TagSession"}), SYNTAX),
        (document({**TRUST, "Resource": "*"}), "Has prohibited field Resource"),
        (
            document({**TRUST, "NotResource": "*"}),
            "AssumeRole policy must not contain resources.",
        ),
        (
            document({**TRUST, "Action": "s3:GetObject"}),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            document({**TRUST, "Action": ["sts:AssumeRole", "*"]}),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            document({**TRUST, "Principal": {"Service": "lambda"}}),
            'Invalid principal in policy: "SERVICE":"lambda"',
        ),
        (
            document({**TRUST, "Principal": {"AWS": "kim"}}),
            'Invalid principal in policy: "AWS":"kim"',
        ),
        (
            document({**TRUST, "Principal": {"AWS": "arn:aws:iam::123456789012:user/nobody"}}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody"',
        ),
        (
            document({**TRUST, "Principal": {"Federated": "my-pool"}}),
            'Invalid principal in policy: "FEDERATED":"my-pool"',
        ),
        (document({**TRUST, "Principal": "kim"}), SYNTAX),
        (document({**TRUST, "Condition": {"StringNotEqual": {"a": "b"}}}), SYNTAX),
        (
            document({**TRUST, "Sid": "a"}, {**TRUST, "Sid": "a"}),
            "The Statement Ids in the policy are not unique",
        ),
    ],
)
def test_a_trust_policy_that_isnt_saved(text: str, error: str) -> None:
    assert trust_error(text) == error


@pytest.mark.parametrize(
    "statement",
    [
        TRUST,
        {**TRUST, "Principal": {"AWS": ["123456789012", "arn:aws:iam::123456789012:user/kim"]}},
        {**TRUST, "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"a": "b"}}},
        {**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"], "Sid": "with a blank"},
        {**TRUST, "Principal": {"Federated": "cognito-identity.amazonaws.com"}},
    ],
)
def test_a_trust_policy_that_is_saved(statement: dict[str, Any]) -> None:
    assert trust_error(document(statement)) is None
    assert trust_error(json.dumps({"Statement": statement})) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        (document(READ), "Missing required field Principal"),
        (document({**BUCKET, "Effect": "hello"}), "Invalid effect: hello"),
        (document({**BUCKET, "Action": "GetObject"}), "Policy has invalid action"),
        (document({**BUCKET, "Principal": {"AWS": "kim"}}), "Invalid principal in policy"),
        (document(without(BUCKET, "Resource")), "Missing required field Resource"),
        (document({**BUCKET, "Condition": {"StringNotEqual": {"a": "b"}}}), SYNTAX),
        (
            document({**BUCKET, "NotPrincipal": {"AWS": "123456789012"}}),
            "Allow with NotPrincipal is not allowed.",
        ),
    ],
)
def test_a_resource_s_policy_that_isnt_saved(text: str, error: str) -> None:
    assert resource_policy_error(text) == error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TRUST, *READ, "Sid", "AWS"]), inner, max_size=5)
    ),
    max_leaves=12,
)
STATEMENTS = st.builds(
    lambda base, more: {**base, **more},
    st.sampled_from([READ, TRUST, BUCKET]),
    st.dictionaries(st.sampled_from([*TRUST, *READ, "Condition", "Sid"]), JSON, max_size=2),
)


@given(st.builds(lambda one: json.dumps({"Version": "2012-10-17", "Statement": one}), STATEMENTS))
def test_what_is_saved_can_be_read(text: str) -> None:
    if identity_policy_error(text) is None:
        parse_policy(text, with_principal=False)
    if trust_error(text) is None:
        parse_trust_policy(text)
    if resource_policy_error(text) is None:
        parse_policy(text, with_principal=True)


@given(st.text() | JSON.map(json.dumps))
def test_whatever_comes_gets_an_answer(text: str) -> None:
    found = [check(text) for check in (identity_policy_error, trust_error, resource_policy_error)]
    assert None not in found
