"""Which role an identity pool's user gets: the default one, the token's, or that of the first rule that fits.

Facts: cognito 10.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.local.engine import IdentityPoolRoles
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

MAX_RULES = 25


def role_for(
    configured: IdentityPoolRoles,
    logins: Mapping[str, Mapping[str, Any]],
    custom_role_arn: str | None = None,
) -> str | None:
    """The ARN of the role; None when the pool has none for such a user.

    Args:
        configured: the roles of the identity pool.
        logins: the providers and the claims of their verified tokens; empty for a guest.
        custom_role_arn: the role that the user asks for.

    Raises:
        ApiError: ``NotAuthorizedException``; a rule says no, or the user may not choose this role.
    """
    kind = "authenticated" if logins else "unauthenticated"
    default = configured["Roles"].get(kind)
    for provider, claims in logins.items():
        mapping = configured["RoleMappings"].get(f"{provider}:{claims['aud']}")
        if mapping is not None:
            return _mapped(mapping, provider, claims, custom_role_arn, default)
    if custom_role_arn is not None:
        raise _forbidden(custom_role_arn)
    return default


def _mapped(
    mapping: JsonObject,
    provider: str,
    claims: Mapping[str, Any],
    custom_role_arn: str | None,
    default: str | None,
) -> str | None:
    if mapping["Type"] == "Token":
        allowed = _texts(claims.get("cognito:roles"))
        preferred = claims.get("cognito:preferred_role")
        found = [preferred] if isinstance(preferred, str) and preferred else []
    else:
        rules = (mapping.get("RulesConfiguration") or {}).get("Rules") or []
        allowed = found = [rule["RoleARN"] for rule in rules if fits(rule, claims)]
    if custom_role_arn is not None:
        if custom_role_arn not in allowed:
            raise _forbidden(custom_role_arn)
        return custom_role_arn
    if found:
        return found[0]
    if mapping.get("AmbiguousRoleResolution") == "AuthenticatedRole":
        return default
    raise ApiError(
        "NotAuthorizedException",
        f"The ambiguous role mapping rules for: {provider} denied this request.",
    )


def fits(rule: JsonObject, claims: Mapping[str, Any]) -> bool:
    """Whether a rule fits the claims; a claim with several values fits when one of them does.

    >>> fits({"Claim": "cognito:groups", "MatchType": "Contains", "Value": "admins"}, {"cognito:groups": ["admins"]})
    True
    >>> fits({"Claim": "custom:team", "MatchType": "NotEqual", "Value": "red"}, {})
    False
    """
    values, wanted = _texts(claims.get(rule["Claim"])), rule["Value"]
    if not values:
        return False
    match rule["MatchType"]:
        case "Equals":
            return wanted in values
        case "NotEqual":
            return wanted not in values
        case "StartsWith":
            return any(value.startswith(wanted) for value in values)
        case "Contains":
            several = isinstance(claims[rule["Claim"]], list)
            return any(wanted == value if several else wanted in value for value in values)
    return False


def check_mappings(mappings: Mapping[str, JsonObject]) -> None:
    """What ``SetIdentityPoolRoles`` asks of role mappings.

    Raises:
        ApiError: ``InvalidParameterException``.
    """
    for provider, mapping in mappings.items():
        rules = (mapping.get("RulesConfiguration") or {}).get("Rules") or []
        if not mapping.get("AmbiguousRoleResolution"):
            problem = "AmbiguousRoleResolution is required"
        elif mapping["Type"] == "Rules" and not rules:
            problem = "RulesConfiguration is required for the type Rules"
        elif len(rules) > MAX_RULES:
            problem = f"there can be {MAX_RULES} rules at most"
        else:
            continue
        raise ApiError("InvalidParameterException", f"Role mapping of {provider}: {problem}.")


def roles_in(roles: Mapping[str, str], mappings: Mapping[str, JsonObject]) -> list[str]:
    """The ARNs of all roles that a configuration names."""
    found = list(roles.values())
    for mapping in mappings.values():
        rules = (mapping.get("RulesConfiguration") or {}).get("Rules") or []
        found += [rule["RoleARN"] for rule in rules]
    return found


def _texts(value: Any) -> list[str]:
    """A claim's values as text: booleans and numbers as JSON has them; nothing else is one text."""
    values = value if isinstance(value, list) else [value]
    return [_text(one) for one in values if isinstance(one, str | int | float)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _forbidden(role_arn: str) -> ApiError:
    return ApiError("NotAuthorizedException", f"Access to Role '{role_arn}' is forbidden.")
