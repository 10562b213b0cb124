"""Which attributes the users of a pool have, and which values these take.

Facts: cognito 16.1-16.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labkit.local.engine import UserPool
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
_PHONE_NUMBER = re.compile(r"\+[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?|[0-9]{1,15}")
VERIFIED_FLAGS = {"email": "email_verified", "phone_number": "phone_number_verified"}
"""The attributes that must be verified, and those that say that they are."""


def check_new(pool: UserPool, attributes: Mapping[str, str]) -> None:
    """Check the attributes of a user who is going to be made.

    Raises:
        ApiError: an attribute that the schema doesn't have, or a value that it doesn't allow.
    """
    problems = list(_problems(pool, attributes))
    if problems:
        text = "".join(f"{problem}\n" for problem in problems)
        raise ApiError(
            "InvalidParameterException", f"Attributes did not conform to the schema: {text}"
        )
    _check_forms(attributes)


def check_required(pool: UserPool, attributes: Mapping[str, str]) -> None:
    """Check that a new user has what the schema requires.

    Raises:
        ApiError: an attribute is missing.
    """
    missing = [f"{name}: The attribute is required\n" for name in missing_of(pool, attributes)]
    if missing:
        raise ApiError(
            "InvalidParameterException",
            f"Attributes did not conform to the schema: {''.join(missing)}",
        )


def missing_of(pool: UserPool, attributes: Mapping[str, str]) -> list[str]:
    """The required attributes that aren't there."""
    return [
        schema["Name"]
        for schema in pool["SchemaAttributes"]
        if schema.get("Required") and schema["Name"] != "sub" and not attributes.get(schema["Name"])
    ]


def check_changes(pool: UserPool, changes: Mapping[str, str]) -> None:
    """Check the attributes that a user gets instead of others.

    Raises:
        ApiError: an attribute that the schema doesn't have, one that can't be changed or, if it is blank, is required;
            or a value that isn't allowed.
    """
    schema = _schema(pool)
    problems = list(_problems(pool, changes))
    for name, value in changes.items():
        own = schema.get(name, {})
        if own and not own.get("Mutable", True):
            problems.append(f"{name}: Attribute cannot be updated.")
        elif own.get("Required") and not value:
            problems.append(f"{name}: The attribute is required")
    if problems:
        raise ApiError(
            "InvalidParameterException", "".join(f"user.{problem}\n" for problem in problems)
        )
    _check_forms(changes)


def is_verified_flag(name: str) -> bool:
    """Whether an attribute says that another is verified: no user writes it."""
    return name in VERIFIED_FLAGS.values()


def _problems(pool: UserPool, attributes: Mapping[str, str]) -> Iterator[str]:
    schema = _schema(pool)
    for name, value in attributes.items():
        if name not in schema:
            yield f"{name}: Attribute does not exist in the schema."
        elif value:
            yield from _value_problems(schema[name], name, value)


def _value_problems(schema: JsonObject, name: str, value: str) -> Iterator[str]:
    match schema["AttributeDataType"]:
        case "Number":
            yield from _number_problems(schema, name, value)
        case "Boolean" if value.lower() not in ("true", "false"):
            yield f"{name}: Boolean value must be true or false"
        case "DateTime" if not _DATE_TIME.fullmatch(value):
            yield f"{name}: Date-time value is malformed"
        case "String":
            bounds = schema.get("StringAttributeConstraints") or {}
            if len(value) > int(bounds.get("MaxLength") or 2048):
                yield f"{name}: String must be no longer than {bounds['MaxLength']} characters"
            if len(value) < int(bounds.get("MinLength") or 0):
                yield f"{name}: String must be at least {bounds['MinLength']} characters long"


def _number_problems(schema: JsonObject, name: str, value: str) -> Iterator[str]:
    if not _NUMBER.fullmatch(value):
        yield f"{name}: Number value is malformed"
        return
    bounds = schema.get("NumberAttributeConstraints") or {}
    if bounds.get("MaxValue") and int(value) > int(bounds["MaxValue"]):
        yield f"{name}: Number must be no greater than {bounds['MaxValue']}"
    if bounds.get("MinValue") and int(value) < int(bounds["MinValue"]):
        yield f"{name}: Number must be no less than {bounds['MinValue']}"


def _check_forms(attributes: Mapping[str, str]) -> None:
    if attributes.get("email") and not _ADDRESS.fullmatch(attributes["email"]):
        raise ApiError("InvalidParameterException", "Invalid email address format.")
    number = attributes.get("phone_number")
    if number and not _PHONE_NUMBER.fullmatch(number):
        raise ApiError("InvalidParameterException", "Invalid phone number format.")


def _schema(pool: UserPool) -> dict[str, JsonObject]:
    return {one["Name"]: one for one in pool["SchemaAttributes"]}
