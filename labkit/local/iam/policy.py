"""What a policy is asked, and what it says. The evaluation itself is the engine's."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
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
_SET_OPERATOR = re.compile("^(forallvalues|foranyvalue):")
_PRINCIPALS = frozenset({"AWS", "CanonicalUser", "Federated", "Service"})
AS_LITERAL = {"*": "\ue000", "?": "\ue001"}
"""How a ``*`` and a ``?`` that mean themselves are written in a pattern: two characters of Unicode's private area."""
_LITERALS = {written: char for char, written in AS_LITERAL.items()}
_AWS_PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:[^*?]+|A[A-Z0-9]{15,}")


@dataclass(slots=True)  # not frozen, which takes three times as long: most requests ask one
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


@lru_cache(4096)
def wildcard_pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """What ``*`` and ``?`` in a policy stand for, as a regular expression.

    Each ``*`` but the last takes the first place where what follows it fits and never looks for another, so no pattern
    takes more than quadratic time: with eight ``*`` the straightforward expression takes minutes.

    Args:
        pattern: of an action, a resource or a condition.
        ignore_case: of ASCII letters; for actions.

    >>> bool(wildcard_pattern("execute-api:*", True).match("Execute-API:Invoke"))
    True
    >>> bool(wildcard_pattern("a*c?", False).match("abccd")), bool(wildcard_pattern("a*c?", False).match("abc"))
    (True, False)
    """
    first, *others = (
        "".join("." if char == "?" else re.escape(_LITERALS.get(char, char)) for char in part)
        for part in re.split(r"\*+", pattern)
    )
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    end = f".*{others[-1]}" if others else ""
    flags = re.DOTALL | re.ASCII | (re.IGNORECASE if ignore_case else 0)
    return re.compile(rf"{first}{between}{end}\Z", flags)


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
    labkit.local.iam.policy.MalformedPolicyError: the policy has no statement
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


def parse_trust_policy(document: object) -> dict[str, Any]:
    """A role's trust policy as a dictionary, checked as strictly; it names no resource, which is the role itself.

    Raises:
        MalformedPolicyError: it isn't a trust policy.

    >>> trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    >>> sorted(parse_trust_policy({"Statement": trust}))
    ['Statement']
    """
    try:
        data = json.loads(document) if isinstance(document, str | bytes) else document
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyError("the trust policy isn't JSON") from error
    if not isinstance(data, dict):
        raise MalformedPolicyError("the trust policy isn't an object")
    statements = data.get("Statement")
    listed = [statements] if isinstance(statements, dict) else statements
    if not isinstance(listed, list):
        raise MalformedPolicyError("the trust policy has no statement")
    for statement in listed:
        if not isinstance(statement, dict) or {"Resource", "NotResource"} & statement.keys():
            raise MalformedPolicyError("a statement of a trust policy names a Resource")
    role = [{**statement, "Resource": "*"} for statement in listed]
    return parse_policy({**data, "Statement": role}, with_principal=True)


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
    if with_principal:
        _check_principal(statement)
    elif {"Principal", "NotPrincipal"} & set(statement):
        raise MalformedPolicyError("a statement of an identity policy names a Principal")
    _check_condition(statement.get("Condition", {}))


def _check_principal(statement: Mapping[str, Any]) -> None:
    """Only what names somebody on AWS: a pattern or half an ARN would be compared with callers all the same."""
    if "Principal" not in statement or "NotPrincipal" in statement:
        raise MalformedPolicyError("a statement names no Principal")
    principal = statement["Principal"]
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not principal.keys() <= _PRINCIPALS:
        raise MalformedPolicyError("a statement's Principal is neither * nor an object of kinds")
    for kind, named in principal.items():
        if not _is_text_or_texts(named):
            raise MalformedPolicyError(f"a statement's Principal {kind} isn't text")
        for name in [named] if isinstance(named, str) else named:
            if kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(name):
                raise MalformedPolicyError(f"the principal {name!r} isn't *, an account or an ARN")


def _check_condition(condition: object) -> None:
    """An unknown operator would be evaluated as "no match", which opens a Deny: refuse it."""
    if not isinstance(condition, dict):
        raise MalformedPolicyError("a statement's Condition isn't an object")
    for operator, block in condition.items():
        plain = _SET_OPERATOR.sub("", operator.lower())
        if plain not in OPERATORS:
            raise MalformedPolicyError(f"the condition operator {operator!r} is unknown")
        if not isinstance(block, dict) or not block:
            raise MalformedPolicyError(f"the condition {operator!r} isn't an object of keys")
        for value in block.values():
            values = value if isinstance(value, list) else [value]
            if not values or not all(isinstance(v, str | int | float | bool) for v in values):
                raise MalformedPolicyError(f"a value of the condition {operator!r} isn't text")
            if not all(_fits_operator(plain, v) for v in values):
                raise MalformedPolicyError(
                    f"a value of the condition {operator!r} can't be compared"
                )


def _fits_operator(operator: str, value: str | float) -> bool:
    """Whether a value is of the operator's kind: what can't be compared never matches, which opens a Deny."""
    text = str(value)
    try:
        if "ipaddress" in operator:
            ipaddress.ip_network(text, strict=False)
        elif operator.startswith("numeric"):
            return math.isfinite(float(text))
        elif operator.startswith("date"):
            _check_date(text)
    except (ValueError, OverflowError, OSError):
        return False
    return not operator.startswith(("bool", "null")) or text.lower() in ("true", "false")


def _check_date(text: str) -> None:
    try:
        dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        dt.datetime.fromtimestamp(float(text), dt.UTC)


def _is_text_or_texts(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(item, str) and item for item in values)
