"""``Filter`` of ``ListUsers``: what it can't read it refuses, where all users would be the answer of nobody's question.

Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit.local.json_protocol import ApiError

_FILTER = re.compile(
    r'\s*(?P<quote>"?)(?P<name>[\w:]+)(?P=quote)\s*(?P<how>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*',
    re.DOTALL,
)
_CASE_SENSITIVE = frozenset({"status", "username"})
_SEARCHABLE = _CASE_SENSITIVE | frozenset(
    "cognito:user_status email family_name given_name name phone_number preferred_username sub".split()
)


def filter_users(users: list[Mapping[str, Any]], filter_str: str) -> list[Mapping[str, Any]]:
    """The users that a filter finds (cognito 18.1 and 18.2).

    Raises:
        ApiError: ``InvalidParameterException``: it isn't a filter, or asks for what nobody may search.
    """
    match = _FILTER.fullmatch(filter_str)
    if match is None:
        raise ApiError("InvalidParameterException", "Error while parsing filter.")
    name = match["name"]
    if name not in _SEARCHABLE:
        raise ApiError("InvalidParameterException", f"Invalid search attribute: {name}")
    wanted = re.sub(r"\\(.)", r"\1", match["value"], flags=re.DOTALL)
    minds_case = name in _CASE_SENSITIVE

    def is_found(user: Mapping[str, Any]) -> bool:
        value = _value_of(user, name)
        if value is None:
            return False
        found, searched = (value, wanted) if minds_case else (value.casefold(), wanted.casefold())
        return found.startswith(searched) if match["how"] == "^=" else found == searched

    return [user for user in users if is_found(user)]


def _value_of(user: Mapping[str, Any], name: str) -> str | None:
    match name:
        case "username":
            return str(user["Username"])
        case "cognito:user_status":
            return str(user["UserStatus"])
        case "status":
            return "Enabled" if user["Enabled"] else "Disabled"
    held = (one for one in user["Attributes"] if one["Name"] == name)
    return next((str(one["Value"]) for one in held), None)
