"""What a policy is asked, and what it says. The evaluation itself is the engine's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["Allow", "Deny", "ImplicitDeny"]

OPERATORS = frozenset(
    f"{base}{suffix}"
    for base in """
        stringequals stringnotequals stringequalsignorecase stringnotequalsignorecase stringlike
        stringnotlike numericequals numericnotequals numericlessthan numericlessthanequals
        numericgreaterthan numericgreaterthanequals dateequals datenotequals datelessthan
        datelessthanequals dategreaterthan dategreaterthanequals bool ipaddress notipaddress arnequals
        arnlike arnnotequals arnnotlike binaryequals
    """.split()
    for suffix in ("", "ifexists")
) | {"null"}
"""The condition operators of the policy language, lower case."""


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """One question to a policy.

    Attributes:
        action: for example ``execute-api:Invoke``.
        resource: the ARN.
        region: of the request.
        principal_arn: the caller; ``*`` for an anonymous one.
        principal_account: the caller's account; empty for an anonymous one.
        principal_type: ``User``, ``AssumedRole``, ``Root`` or ``Anonymous``.
        access_key_id: whose tags, name and id the condition keys of the caller are; None for an anonymous one.
        source_ip: the client's address; None when it came through a VPC endpoint (5.12).
        keys: further condition keys, lower case, and their values.
    """

    action: str
    resource: str
    region: str
    principal_arn: str = "*"
    principal_account: str = ""
    principal_type: str = "Anonymous"
    access_key_id: str | None = None
    source_ip: str | None = "127.0.0.1"
    keys: Mapping[str, Any] = field(default_factory=dict)


class MalformedPolicyError(ValueError):
    """A policy document that can't be evaluated."""


def parse_policy(document: object, *, with_principal: bool) -> dict[str, Any]:
    """The document as a dictionary, checked so strictly that its evaluation can't go wrong.

    Args:
        document: JSON text or parsed JSON.
        with_principal: a resource policy names principals; an identity policy must not.

    Raises:
        MalformedPolicyError: it isn't a policy.

    >>> parse_policy('{"Statement": []}', with_principal=False)
    Traceback (most recent call last):
    ...
    labkit.local.policy.MalformedPolicyError: the policy has no statement
    """
    try:
        data = json.loads(document) if isinstance(document, str | bytes) else document
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyError("the policy isn't JSON") from error
    if not isinstance(data, dict):
        raise MalformedPolicyError("the policy isn't an object")
    statements = data.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyError("the policy has no statement")
    for statement in statements:
        _check_statement(statement, with_principal=with_principal)
    return {**data, "Statement": statements}


def _check_statement(statement: object, *, with_principal: bool) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicyError("a statement isn't an object")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError("a statement's Effect isn't Allow or Deny")
    for name in ("Action", "Resource"):
        given = [key for key in (name, f"Not{name}") if key in statement]
        if len(given) != 1:
            raise MalformedPolicyError(f"a statement needs {name} or Not{name}")
        if not _is_text_or_texts(statement[given[0]]):
            raise MalformedPolicyError(f"a statement's {given[0]} isn't text")
    if with_principal and "Principal" not in statement:
        raise MalformedPolicyError("a statement names no Principal")
    if not with_principal and {"Principal", "NotPrincipal"} & set(statement):
        raise MalformedPolicyError("a statement of an identity policy names a Principal")
    _check_condition(statement.get("Condition", {}))


def _check_condition(condition: object) -> None:
    """An unknown operator would be evaluated as "no match", which opens a Deny: refuse it."""
    if not isinstance(condition, dict):
        raise MalformedPolicyError("a statement's Condition isn't an object")
    for operator, block in condition.items():
        plain = str(operator).lower().removeprefix("forallvalues:").removeprefix("foranyvalue:")
        if plain not in OPERATORS:
            raise MalformedPolicyError(f"the condition operator {operator!r} is unknown")
        if not isinstance(block, dict) or not block:
            raise MalformedPolicyError(f"the condition {operator!r} isn't an object of keys")
        for value in block.values():
            values = value if isinstance(value, list) else [value]
            if not values or not all(isinstance(v, str | int | float | bool) for v in values):
                raise MalformedPolicyError(f"a value of the condition {operator!r} isn't text")


def _is_text_or_texts(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(item, str) and item for item in values)
