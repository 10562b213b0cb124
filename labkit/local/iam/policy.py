"""A policy document as typed records, read so strictly that its evaluation can't go wrong.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from labkit.local.iam.condition import PolicyCondition, read_conditions
from labkit.local.iam.pattern import PolicyPattern, read_pattern, read_wildcards, wildcard_regex
from labkit.local.iam.question import UNIQUE_ID, Name

VERSION = "2012-10-17"
"""Only a policy of this version has variables; in an older one ``${`` is plain text."""

_KINDS = frozenset({"AWS", "CanonicalUser", "Federated", "Service"})
_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(?:\d{12}|cloudfront):[^*?]+")


class MalformedPolicyError(ValueError):
    """A policy document that can't be evaluated."""


@dataclass(frozen=True, slots=True)
class Principals:
    """The element ``Principal`` or ``NotPrincipal``.

    Attributes:
        everybody: it is ``*``, or names ``*`` as an AWS principal.
        names: whom it names.
    """

    everybody: bool
    names: frozenset[Name]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement; of an element and its ``Not…`` exactly one is there, the other is empty.

    Attributes:
        effect: what it says of a request that it is about.
        actions: patterns in any case.
        not_actions: the same.
        resources: patterns.
        not_resources: the same.
        principals: None in an identity's policy, and beside ``not_principals``.
        not_principals: whom a ``Deny`` leaves out.
        conditions: all of which must hold.
    """

    effect: Literal["Allow", "Deny"]
    actions: tuple[re.Pattern[str], ...]
    not_actions: tuple[re.Pattern[str], ...]
    resources: tuple[PolicyPattern, ...]
    not_resources: tuple[PolicyPattern, ...]
    principals: Principals | None
    not_principals: Principals | None
    conditions: tuple[PolicyCondition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document.

    Attributes:
        statements: in the document's order, which decides nothing.
    """

    statements: tuple[Statement, ...]


def parse_policy(document: object, *, with_principal: bool) -> Policy:
    """A policy document.

    Args:
        document: JSON text or parsed JSON.
        with_principal: a resource's policy names principals; an identity's policy must not.

    Raises:
        MalformedPolicyError: it isn't a policy.

    >>> parse_policy('{"Statement": []}', with_principal=False)
    Traceback (most recent call last):
    ...
    labkit.local.iam.policy.MalformedPolicyError: the policy has no statement
    """
    data, statements = _read_document(document)
    has_variables = data.get("Version") == VERSION
    return Policy(tuple(_read_statement(one, with_principal, has_variables) for one in statements))


@lru_cache(1_024)
def parse_policy_text(text: str, *, with_principal: bool) -> Policy:
    """The same for a text that is read again and again."""
    return parse_policy(text, with_principal=with_principal)


def parse_trust_policy(document: object) -> Policy:
    """A role's trust policy, which names no resource: it is about the role itself.

    Raises:
        MalformedPolicyError: it isn't a trust policy.

    >>> trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    >>> [statement.principals.names for statement in parse_trust_policy({"Statement": trust}).statements]
    [frozenset({('Service', 'lambda.amazonaws.com')})]
    """
    data, statements = _read_document(document)
    for statement in statements:
        if not isinstance(statement, dict) or {"Resource", "NotResource"} & statement.keys():
            raise MalformedPolicyError("a statement of a trust policy names a Resource")
        if "NotPrincipal" in statement:
            raise MalformedPolicyError("a trust policy has no NotPrincipal")
    role = [{**statement, "Resource": "*"} for statement in statements]
    return parse_policy({**data, "Statement": role}, with_principal=True)


def _read_document(document: object) -> tuple[Mapping[str, Any], list[Any]]:
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
    return data, statements


def _read_statement(statement: object, with_principal: bool, has_variables: bool) -> Statement:
    if not isinstance(statement, dict):
        raise MalformedPolicyError("a statement isn't an object")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicyError("a statement's Effect isn't Allow or Deny")
    for name in ("Action", "Resource"):
        if (name in statement) == (f"Not{name}" in statement):
            raise MalformedPolicyError(f"a statement needs {name} or Not{name}")
    principals, not_principals = _read_principals(statement, with_principal)
    try:
        conditions = read_conditions(statement.get("Condition", {}), has_variables=has_variables)
    except ValueError as error:
        raise MalformedPolicyError(str(error)) from error
    return Statement(
        effect,
        tuple(map(_action, _texts(statement, "Action"))),
        tuple(map(_action, _texts(statement, "NotAction"))),
        _patterns(statement, "Resource", has_variables),
        _patterns(statement, "NotResource", has_variables),
        principals,
        not_principals,
        conditions,
    )


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    if name not in statement:
        return []
    value = statement[name]
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) and one for one in values):
        raise MalformedPolicyError(f"a statement's {name} isn't text")
    return values


def _action(text: str) -> re.Pattern[str]:
    return wildcard_regex(read_wildcards(text), ignore_case=True)


def _patterns(
    statement: Mapping[str, Any], name: str, has_variables: bool
) -> tuple[PolicyPattern, ...]:
    texts = _texts(statement, name)
    return tuple(read_pattern(text, has_variables=has_variables) for text in texts)


def _read_principals(
    statement: Mapping[str, Any], with_principal: bool
) -> tuple[Principals | None, Principals | None]:
    given = [name for name in ("Principal", "NotPrincipal") if name in statement]
    if not with_principal:
        if given:
            raise MalformedPolicyError("a statement of an identity policy names a Principal")
        return None, None
    if len(given) != 1:
        raise MalformedPolicyError("a statement needs Principal or NotPrincipal")
    found = _read_principal(statement[given[0]])
    if given == ["Principal"]:
        return found, None
    if statement["Effect"] != "Deny" or found.everybody:
        raise MalformedPolicyError("a NotPrincipal names whom a Deny leaves out")
    return None, found


def _read_principal(element: object) -> Principals:
    """Only what names somebody on AWS: a pattern or half an ARN would be compared with callers all the same."""
    if element == "*":
        return Principals(True, frozenset())
    if not isinstance(element, dict) or not element or not element.keys() <= _KINDS:
        raise MalformedPolicyError("a statement's Principal is neither * nor an object of kinds")
    everybody, names = False, set()
    for kind in element:
        for name in _texts(element, kind):
            if kind == "AWS" and name == "*":
                everybody = True
            else:
                names.add((kind, principal_name(kind, name)))
    return Principals(everybody, frozenset(names))


def principal_name(kind: str, name: str) -> str:
    """What callers are compared with for a principal that a policy names.

    Raises:
        MalformedPolicyError: it names nobody on AWS.
    """
    if kind == "Service":
        return name.lower()
    if kind != "AWS":
        return name
    if account := _ACCOUNT.fullmatch(name):
        return account[1]
    if _PRINCIPAL_ARN.fullmatch(name) or UNIQUE_ID.fullmatch(name):
        return name
    raise MalformedPolicyError(f"the principal {name!r} isn't *, an account or an ARN")
