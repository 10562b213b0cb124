"""Role mappings with any rules and any claims: the role is one that the mapping gives, in the order of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.cognito.role_mapping import role_for
from labkit.local.engine import IdentityPoolRoles
from labkit.local.json_protocol import ApiError

MANY = settings(max_examples=4 * settings().max_examples)
PROVIDER, CLIENT = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcdefghi", "app"
ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in ("a", "b", "c", "default")]
DEFAULT = ROLES[-1]

TEXTS = st.sampled_from(["red", "re", "", "RED", ".*", "*", "[r]ed", "true", "7", "1.5", "None"])
SCALARS = (
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=True)
    | st.sampled_from(ROLES)
)
ANY_CLAIM = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["team", "cognito:roles", "cognito:preferred_role", "cognito:groups"]),
    ANY_CLAIM,
    max_size=4,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "Claim": st.sampled_from(["team", "cognito:groups", "aud", "nobody"]),
            "MatchType": st.sampled_from(["Equals", "NotEqual", "StartsWith", "Contains"]),
            "Value": TEXTS,
            "RoleARN": st.sampled_from(ROLES[:3]),
        }
    ),
    max_size=4,
)
MAPPINGS = st.fixed_dictionaries(
    {
        "Type": st.sampled_from(["Token", "Rules"]),
        "AmbiguousRoleResolution": st.sampled_from(["Deny", "AuthenticatedRole"]),
    },
    optional={"RulesConfiguration": st.builds(lambda rules: {"Rules": rules}, RULES) | st.none()},
)
CUSTOM = st.none() | st.sampled_from([*ROLES, "", "*", "arn:aws:iam::123456789012:role/*"])


# -- the model ------------------------------------------------------------------------------


def texts(value: Any) -> list[str]:
    """What a rule can compare: JSON's own words for truth values, nothing for what has a shape."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, list):
        return [text for one in value if not isinstance(one, list) for text in texts(one)]
    return [str(value)] if isinstance(value, str | int | float) else []


def fits(rule: dict[str, Any], claims: dict[str, Any]) -> bool:
    value, held = rule["Value"], texts(claims.get(rule["Claim"]))
    several = isinstance(claims.get(rule["Claim"]), list)
    if rule["MatchType"] == "NotEqual":
        return bool(held) and value not in held
    if rule["MatchType"] == "StartsWith":
        return any(text[: len(value)] == value for text in held)
    if rule["MatchType"] == "Equals" or several:
        return value in held
    return any(text.find(value) >= 0 for text in held)


def model(mapping: dict[str, Any], claims: dict[str, Any], custom: str | None) -> str | None:
    """The role, or None for a refusal."""
    if mapping["Type"] == "Token":
        allowed = texts(claims.get("cognito:roles"))
        preferred = claims.get("cognito:preferred_role")
        first = preferred if isinstance(preferred, str) and preferred else None
    else:
        rules = (mapping.get("RulesConfiguration") or {}).get("Rules") or []
        allowed = [rule["RoleARN"] for rule in rules if fits(rule, claims)]
        first = allowed[0] if allowed else None
    if custom is not None:
        return custom if custom in allowed else None
    if first is not None:
        return first
    return DEFAULT if mapping["AmbiguousRoleResolution"] == "AuthenticatedRole" else None


NOT_EQUAL = {"Claim": "team", "MatchType": "NotEqual", "Value": "red", "RoleARN": ROLES[0]}
RULED = {
    "Type": "Rules",
    "AmbiguousRoleResolution": "Deny",
    "RulesConfiguration": {"Rules": [NOT_EQUAL]},
}


@MANY
@given(MAPPINGS, CLAIMS, CUSTOM)
@example(RULED, {"team": []}, None)
@example(RULED, {"team": {"red": 1}}, None)
def test_a_mapping(mapping: dict[str, Any], claims: dict[str, Any], custom: str | None) -> None:
    pool: IdentityPoolRoles = {
        "Roles": {"authenticated": DEFAULT},
        "RoleMappings": {f"{PROVIDER}:{CLIENT}": mapping},
    }
    held = {"sub": "1", **claims, "aud": CLIENT}
    expected = model(mapping, held, custom)
    if expected is None:
        with pytest.raises(ApiError) as refused:
            role_for(pool, {PROVIDER: held}, custom)
        assert refused.value.error_type == "NotAuthorizedException"
    else:
        assert role_for(pool, {PROVIDER: held}, custom) == expected


@MANY
@given(MAPPINGS, CLAIMS, CUSTOM, st.sampled_from(["other", "", "app:", ":app"]))
def test_a_mapping_of_another_client(
    mapping: dict[str, Any], claims: dict[str, Any], custom: str | None, client: str
) -> None:
    """It gives nothing: the role is the default one, and nobody chooses."""
    pool: IdentityPoolRoles = {
        "Roles": {"authenticated": DEFAULT},
        "RoleMappings": {f"{PROVIDER}:{client}": mapping},
    }
    held = {"sub": "1", **claims, "aud": CLIENT}
    try:
        found = role_for(pool, {PROVIDER: held}, custom)
    except ApiError:
        assert custom is not None
    else:
        assert (found, custom) == (DEFAULT, None)
