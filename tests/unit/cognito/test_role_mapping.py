"""Which role a user gets; what AWS answers case by case is in the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.local.cognito.role_mapping import check_mappings, fits, role_for
from labkit.local.json_protocol import ApiError

PROVIDER = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcdefghi"
CLIENT = "app"
READER, WRITER = "arn:aws:iam::123456789012:role/reader", "arn:aws:iam::123456789012:role/writer"
DEFAULT = "arn:aws:iam::123456789012:role/default"


def pool(mapping: dict[str, Any] | None = None, client: str = CLIENT) -> dict[str, Any]:
    mappings = {} if mapping is None else {f"{PROVIDER}:{client}": mapping}
    return {"Roles": {"authenticated": DEFAULT}, "RoleMappings": mappings}


def rules(*listed: tuple[str, str, str, str]) -> dict[str, Any]:
    keys = ("Claim", "MatchType", "Value", "RoleARN")
    found = [dict(zip(keys, rule, strict=True)) for rule in listed]
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": found},
    }


def role(pool: dict[str, Any], custom: str | None = None, **claims: Any) -> str | None:
    return role_for(pool, {PROVIDER: {"aud": CLIENT, "sub": "1", **claims}}, custom)


def test_without_a_mapping_it_is_the_default() -> None:
    assert role(pool()) == DEFAULT
    assert role_for(pool(), {}) is None
    assert role(pool({"Type": "Token", "AmbiguousRoleResolution": "Deny"}, "other")) == DEFAULT


def test_the_first_rule_that_fits() -> None:
    mapping = rules(("team", "Equals", "red", READER), ("team", "StartsWith", "r", WRITER))
    assert role(pool(mapping), team="red") == READER
    assert role(pool(mapping), team="rose") == WRITER
    assert role(pool(mapping), WRITER, team="red") == WRITER
    with pytest.raises(ApiError, match="ambiguous role mapping rules"):
        role(pool(mapping), team="blue")
    with pytest.raises(ApiError, match="forbidden"):
        role(pool(mapping), WRITER, team="blue")


@pytest.mark.parametrize(
    ("match_type", "value", "held", "fit"),
    [
        ("Equals", "red", "red", True),
        ("Equals", "red", "reddish", False),
        ("Equals", "true", True, True),
        ("Equals", "7", 7, True),
        ("Equals", "red", None, False),
        ("NotEqual", "red", "blue", True),
        ("NotEqual", "red", "red", False),
        ("NotEqual", "red", None, False),
        ("NotEqual", "red", ["blue", "red"], False),
        ("StartsWith", "re", "red", True),
        ("StartsWith", "ed", "red", False),
        ("Contains", "e", "red", True),
        ("Contains", "admin", ["admin", "user"], True),
        ("Contains", "admin", ["no-admin"], False),
        ("Matches", "red", "red", False),
        # A claim of another shape has no value to compare, not even one that differs.
        ("NotEqual", "red", [], False),
        ("NotEqual", "red", {"red": 1}, False),
        ("Contains", "red", {"red": 1}, False),
        ("Contains", "None", [None], False),
        ("Equals", "red", [["red"]], False),
        ("Equals", "red", [["blue"], "red"], True),
        # Nor is a value a pattern.
        ("Equals", ".*", "red", False),
        ("StartsWith", "r.d", "red", False),
        ("Contains", "*", "red", False),
        ("Equals", "red", "RED", False),
    ],
)
def test_how_rules_match(match_type: str, value: str, held: Any, fit: bool) -> None:
    rule = {"Claim": "c", "MatchType": match_type, "Value": value, "RoleARN": READER}
    assert fits(rule, {} if held is None else {"c": held}) is fit


@pytest.mark.parametrize(
    "mapping",
    [
        {"Type": "Token"},
        {"Type": "Rules", "AmbiguousRoleResolution": "Deny"},
        rules(*[("c", "Equals", str(n), READER) for n in range(26)]),
    ],
)
def test_what_cant_be_saved(mapping: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        check_mappings({PROVIDER: mapping})
    assert refused.value.error_type == "InvalidParameterException"


def test_25_rules_can_be_saved() -> None:
    check_mappings({PROVIDER: rules(*[("c", "Equals", str(n), READER) for n in range(25)])})


@pytest.mark.parametrize("preferred", [["x"], {"a": 1}, True, 7, ""])
def test_a_preferred_role_is_text(preferred: Any) -> None:
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    with pytest.raises(ApiError, match="ambiguous role mapping rules"):
        role(pool(mapping), **{"cognito:preferred_role": preferred})


@pytest.mark.parametrize("roles", [None, READER + "x", {READER: 1}, [[READER]], "reader"])
def test_nobody_chooses_a_role_that_isnt_listed(roles: Any) -> None:
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}
    with pytest.raises(ApiError, match="forbidden"):
        role(pool(mapping), READER, **{"cognito:roles": roles})
