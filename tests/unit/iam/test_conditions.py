"""Condition operators: each way of comparing, and what missing keys and several values do to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from labkit.local.iam.pattern import Value
from labkit.local.iam.policy import MalformedPolicyError
from tests.support.policies import ask, policy, question

ROLE = "arn:aws:iam::123456789012:role/team/x"


def both(condition: Mapping[str, Any], keys: Mapping[str, Value]) -> tuple[str, str]:
    """What an Allow with the condition says, and what a Deny with it makes of an Allow."""
    asked = question(keys=keys)
    allow = ask({"Condition": condition}, asked=asked)
    deny = ask({}, {"Effect": "Deny", "Condition": condition}, asked=asked)
    return allow, deny


HOLDS, FAILS = ("Allow", "Deny"), ("ImplicitDeny", "Allow")
NOBODY_KNOWS = ("ImplicitDeny", "Deny")


@pytest.mark.parametrize(
    ("operator", "value", "found", "expected"),
    [
        ("StringEquals", "a", "a", HOLDS),
        ("StringEquals", "a", "A", FAILS),
        ("StringEquals", "a*", "ab", FAILS),
        ("StringEquals", ["b", "a"], "a", HOLDS),
        ("StringEquals", True, "true", HOLDS),
        ("StringEquals", 5, "5", HOLDS),
        ("StringNotEquals", "a", "b", HOLDS),
        ("StringNotEquals", ["b", "a"], "a", FAILS),
        ("StringEqualsIgnoreCase", "aB", "Ab", HOLDS),
        ("StringEqualsIgnoreCase", "aB", "b", FAILS),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", FAILS),
        ("StringNotEqualsIgnoreCase", "aB", "b", HOLDS),
        ("StringLike", "a*c?", "abbcd", HOLDS),
        ("StringLike", "a*c?", "abbc", FAILS),
        ("StringLike", "A*", "ab", FAILS),
        ("StringLike", "*", "", HOLDS),
        ("StringNotLike", "a*", "ab", FAILS),
        ("StringNotLike", "a*", "ba", HOLDS),
        ("NumericEquals", "5", "5.0", HOLDS),
        ("NumericEquals", 5, "6", FAILS),
        ("NumericNotEquals", "5", "5.0", FAILS),
        ("NumericNotEquals", "5", "6", HOLDS),
        ("NumericLessThan", "5", "4.9", HOLDS),
        ("NumericLessThan", "5", "5", FAILS),
        ("NumericLessThanEquals", "5", "5", HOLDS),
        ("NumericLessThanEquals", "5", "5.1", FAILS),
        ("NumericGreaterThan", "10", "9", FAILS),
        ("NumericGreaterThan", "9", "10", HOLDS),
        ("NumericGreaterThanEquals", "5", "5", HOLDS),
        ("NumericGreaterThanEquals", "5", "4", FAILS),
        ("NumericEquals", "5", "five", NOBODY_KNOWS),
        ("NumericNotEquals", "5", "nan", NOBODY_KNOWS),
        ("DateEquals", "2026-11-30T12:00:00Z", "2026-11-30T13:00:00+01:00", HOLDS),
        ("DateEquals", "2026-11-30", "2026-11-30T00:00:00Z", HOLDS),
        ("DateEquals", "1796040000", "2026-11-30T12:00:00Z", HOLDS),
        ("DateNotEquals", "2026-11-30T12:00:00Z", "2026-11-30T12:00:00", FAILS),
        ("DateNotEquals", "2026-11-30T12:00:00Z", "2026-11-30T12:00:01", HOLDS),
        ("DateLessThan", "2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", HOLDS),
        ("DateLessThan", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", FAILS),
        ("DateLessThanEquals", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", HOLDS),
        ("DateGreaterThan", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", FAILS),
        ("DateGreaterThan", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", HOLDS),
        ("DateGreaterThanEquals", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", HOLDS),
        ("DateGreaterThanEquals", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z", FAILS),
        ("DateLessThan", "2026-12-01T00:00:00Z", "tomorrow", NOBODY_KNOWS),
        ("Bool", "true", "true", HOLDS),
        ("Bool", "True", "true", HOLDS),
        ("Bool", True, "false", FAILS),
        ("Bool", "false", "false", HOLDS),
        ("Bool", "false", "perhaps", NOBODY_KNOWS),
        ("IpAddress", "192.0.2.0/24", "192.0.2.7", HOLDS),
        ("IpAddress", "192.0.2.7", "192.0.2.7", HOLDS),
        ("IpAddress", ["10.0.0.0/8", "192.0.2.1/24"], "192.0.2.7", HOLDS),
        ("IpAddress", "192.0.2.0/24", "192.0.3.7", FAILS),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", HOLDS),
        ("IpAddress", "::/0", "192.0.2.7", FAILS),
        ("IpAddress", "192.0.2.0/24", "localhost", NOBODY_KNOWS),
        ("NotIpAddress", "192.0.2.0/24", "192.0.2.7", FAILS),
        ("NotIpAddress", "192.0.2.0/24", "192.0.3.7", HOLDS),
        ("NotIpAddress", "192.0.2.0/24", "localhost", NOBODY_KNOWS),
        ("ArnEquals", ROLE, ROLE, HOLDS),
        ("ArnEquals", "arn:aws:iam::*:role/*", ROLE, HOLDS),
        ("ArnEquals", "arn:aws:iam::123456789012:role/x", ROLE, FAILS),
        ("ArnLike", "arn:aws:i?m:*:123456789012:*", ROLE, HOLDS),
        ("ArnLike", "arn:aws:*:123456789012:role/*:x", ROLE, FAILS),
        ("ArnLike", "arn:*:role/*:*:*:x", f"arn:aws:iam::1:role/x:{ROLE}x", FAILS),
        ("ArnLike", "arn:aws:s3:::*:b?c", "arn:aws:s3:::a:b:c:b:c", HOLDS),
        ("ArnNotEquals", "arn:aws:iam::*:role/*", ROLE, FAILS),
        ("ArnNotLike", "arn:aws:iam::*:user/*", ROLE, HOLDS),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", HOLDS),
        ("BinaryEquals", "QmluYXJ5", "qmluYXJ5", FAILS),
        ("BinaryEquals", "${aws:username}", "${aws:username}", HOLDS),
        ("Null", "false", "a", HOLDS),
        ("Null", "true", "a", FAILS),
        ("Null", ["true", "false"], "a", HOLDS),
        ("stringequals", "a", "a", HOLDS),
    ],
)
def test_one_value(operator: str, value: Any, found: str, expected: tuple[str, str]) -> None:
    assert both({operator: {"test:Key": value}}, {"test:key": found}) == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", FAILS),
        ("StringNotEquals", HOLDS),
        ("NumericLessThan", FAILS),
        ("NotIpAddress", HOLDS),
        ("ArnNotLike", HOLDS),
        ("StringEqualsIfExists", HOLDS),
        ("StringNotLikeIfExists", HOLDS),
        ("ForAllValues:StringEquals", HOLDS),
        ("ForAllValues:StringNotEquals", HOLDS),
        ("ForAnyValue:StringEquals", FAILS),
        ("ForAnyValue:StringNotEquals", FAILS),
        ("ForAnyValue:StringNotEqualsIfExists", HOLDS),
        ("ForAnyValue:StringEqualsIfExists", HOLDS),
    ],
)
@pytest.mark.parametrize("keys", [{}, {"test:key": []}])
def test_a_key_that_is_missing(
    operator: str, expected: tuple[str, str], keys: dict[str, Value]
) -> None:
    values = {"NumericLessThan": "5", "NotIpAddress": "::/0", "ArnNotLike": ROLE}
    assert both({operator: {"test:key": values.get(operator, "a")}}, keys) == expected
    assert both({"Null": {"test:key": "true"}}, keys) == HOLDS
    assert both({"Null": {"test:key": "false"}}, keys) == FAILS


@pytest.mark.parametrize(
    ("operator", "values", "found", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], HOLDS),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], FAILS),
        ("ForAllValues:StringLike", "a*", ["a", "ab"], HOLDS),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], HOLDS),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], FAILS),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], HOLDS),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], FAILS),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], HOLDS),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], FAILS),
        ("ForAllValues:StringEquals", "a", "a", HOLDS),
        ("ForAnyValue:StringEquals", "a", "b", FAILS),
        # AWS doesn't say what these are.
        ("StringEquals", "a", ["a"], NOBODY_KNOWS),
        ("StringNotEquals", "a", ["b", "c"], NOBODY_KNOWS),
        ("StringEqualsIfExists", "a", ["a"], NOBODY_KNOWS),
        # One of the values can't be read.
        ("ForAllValues:StringEquals", "a", ["a", None], NOBODY_KNOWS),
        ("ForAllValues:StringEquals", "a", ["b", None], FAILS),
        ("ForAllValues:StringEquals", "a", [None, "a"], NOBODY_KNOWS),
        ("ForAnyValue:StringEquals", "a", ["b", None], NOBODY_KNOWS),
        ("ForAnyValue:StringEquals", "a", [None, "b"], NOBODY_KNOWS),
        ("ForAnyValue:StringEquals", "a", ["a", None], HOLDS),
        ("Null", "false", [None], HOLDS),
    ],
)
def test_several_values(
    operator: str, values: Any, found: Value, expected: tuple[str, str]
) -> None:
    assert both({operator: {"test:key": values}}, {"test:key": found}) == expected


def test_all_conditions_must_hold() -> None:
    keys = {"test:a": "1", "test:b": "2"}
    holds, fails = {"test:A": "1"}, {"test:b": "1"}
    assert both({"StringEquals": {**holds, **fails}}, keys) == FAILS
    assert both({"StringEquals": holds, "StringLike": fails}, keys) == FAILS
    assert both({"StringEquals": holds, "StringNotLike": fails}, keys) == HOLDS
    unknown = {"NumericEquals": {"test:c": "1"}}
    several = {**keys, "test:c": "x"}
    assert both({"StringEquals": holds, **unknown}, several) == NOBODY_KNOWS
    assert both({"StringEquals": fails, **unknown}, several) == FAILS


UNSET = "${aws:PrincipalTag/team}"


@pytest.mark.parametrize(
    ("operator", "value", "keys", "expected"),
    [
        ("StringEquals", UNSET, {"test:key": "a"}, FAILS),
        ("StringEquals", [UNSET, "a"], {"test:key": "a"}, HOLDS),
        ("StringEqualsIgnoreCase", UNSET, {"test:key": ""}, FAILS),
        ("StringLike", f"{UNSET}*", {"test:key": "a"}, FAILS),
        ("ArnLike", f"arn:aws:iam::{UNSET}:*", {"test:key": ROLE}, FAILS),
        ("ArnLike", f"arn:aws:iam::{UNSET[:-1]}, '123456789012'}}:*", {"test:key": ROLE}, HOLDS),
        ("ArnLike", "${test:key}", {"test:key": ROLE}, HOLDS),
        ("ArnLike", "${test:key}", {"test:key": "no ARN"}, FAILS),
        ("ArnNotLike", "${test:key}", {"test:key": "no ARN"}, NOBODY_KNOWS),
        ("StringNotEquals", UNSET, {"test:key": "a"}, NOBODY_KNOWS),
        ("StringNotEquals", [UNSET, "a"], {"test:key": "a"}, NOBODY_KNOWS),
        ("StringNotLike", UNSET, {}, NOBODY_KNOWS),
        ("StringNotLikeIfExists", UNSET, {}, HOLDS),
        ("ForAllValues:StringNotEquals", UNSET, {}, HOLDS),
        ("ForAllValues:StringNotEquals", UNSET, {"test:key": ["a"]}, NOBODY_KNOWS),
        ("ForAnyValue:StringNotEquals", UNSET, {}, NOBODY_KNOWS),
    ],
)
def test_a_variable_without_a_value(
    operator: str, value: Any, keys: dict[str, Value], expected: tuple[str, str]
) -> None:
    assert both({operator: {"test:key": value}}, keys) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "StringEquals",
        {"StringEquals": "a"},
        {"StringEquals": {}},
        {"StringEquals": {"a": []}},
        {"StringEquals": {"a": None}},
        {"StringEquals": {"a": ["b", None]}},
        {"StringEquals": {"a": {"b": "c"}}},
        {"StringIsNot": {"a": "b"}},
        {"Equals": {"a": "b"}},
        {"": {"a": "b"}},
        {"IfExists": {"a": "b"}},
        {"ForSomeValues:StringEquals": {"a": "b"}},
        {"ForAllValues:ForAnyValue:StringEquals": {"a": "b"}},
        {"ForAllValues:": {"a": "b"}},
        {"StringEqualsIfExistsIfExists": {"a": "b"}},
        {"NullIfExists": {"a": "true"}},
        {"ForAnyValue:Null": {"a": "true"}},
        {"Null": {"a": "maybe"}},
        {"Bool": {"a": "yes"}},
        {"NumericEquals": {"a": "five"}},
        {"NumericEquals": {"a": "inf"}},
        {"DateEquals": {"a": "2026-13-01"}},
        {"DateEquals": {"a": "1e400"}},
        {"IpAddress": {"a": "192.0.2.0/33"}},
        {"IpAddress": {"a": ["192.0.2.0/24", "*"]}},
        {"ArnLike": {"a": "*"}},
        {"ArnEquals": {"a": "arn:aws:iam::123456789012"}},
        {"StringEquals\n": {"a": "b"}},
    ],
)
def test_what_cannot_be_compared_is_refused(condition: Any) -> None:
    with pytest.raises(MalformedPolicyError):
        policy({"Condition": condition})
