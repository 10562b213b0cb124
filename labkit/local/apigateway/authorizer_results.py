"""What a Lambda authorizer returned, checked (gateway 3.13-3.26)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labkit.journey import Code
from labkit.local.iam.evaluation import Decision
from labkit.local.iam.policy import MalformedPolicyError, Policy, parse_policy

MAX_POLICY_RESOURCE = 512
_RESULT_KEYS = frozenset({"principalId", "policyDocument", "context", "usageIdentifierKey"})
_HTTP_KEYS = frozenset({"statusCode", "body", "headers", "multiValueHeaders", "isBase64Encoded"})


@dataclass(frozen=True, slots=True)
class AuthorizerResult:
    """What an authorizer returned.

    Attributes:
        policy: what the caller may do; None for a simple response.
        verdict: of a simple response; None with a policy.
        principal_id: the caller's name; None for a simple response.
        context: the extra values.
        usage_identifier_key: an API key's value, or None.
        document: the policy as the function wrote it.
    """

    policy: Policy | None
    verdict: Decision | None = None
    principal_id: str | None = None
    context: Mapping[str, Any] | None = None
    usage_identifier_key: str | None = None
    document: object = None


class MalformedAuthorizerResultError(ValueError):
    """The authorizer's result can't be used: the client gets 500.

    Args:
        reason: in the words of the execution log, where they are known.
        code: what is wrong with it.
    """

    def __init__(self, reason: str, code: Code = Code.AUTHORIZER_RESULT) -> None:
        super().__init__(reason)
        self.code = code


def read_policy_result(payload: object) -> AuthorizerResult:
    """The result of a REST API's authorizer, and of an HTTP API's in payload format 1.0.

    Raises:
        MalformedAuthorizerResultError: it isn't one.
    """
    if not isinstance(payload, dict):
        raise MalformedAuthorizerResultError("Could not parse policy")
    if unknown := sorted(set(payload) - _RESULT_KEYS):
        raise MalformedAuthorizerResultError(
            f'Invalid JSON in response: Unrecognized field "{unknown[0]}" , not marked as ignorable',
            code_of_unknown_key(unknown[0]),
        )
    principal_id = principal_in(payload)
    document = payload.get("policyDocument")
    policy = checked_policy(document)
    usage_key = payload.get("usageIdentifierKey")
    if usage_key is not None and not isinstance(usage_key, str):
        raise MalformedAuthorizerResultError("usageIdentifierKey isn't text")
    context = _context(payload.get("context"))
    return AuthorizerResult(policy, None, principal_id, context, usage_key, document)


def code_of_unknown_key(name: str) -> Code:
    """The code of a key that no result has; those of an HTTP answer are a mistake of their own (gateway 3.20)."""
    return Code.AUTHORIZER_HTTP_ANSWER if name in _HTTP_KEYS else Code.AUTHORIZER_RESULT


def principal_in(payload: Mapping[str, Any]) -> str:
    """The ``principalId``.

    Raises:
        MalformedAuthorizerResultError: there is none.
    """
    principal_id = payload.get("principalId")
    if not isinstance(principal_id, str):
        raise MalformedAuthorizerResultError("the result has no principalId")
    return principal_id


def checked_policy(document: object) -> Policy:
    """The policy that an authorizer returned.

    Raises:
        MalformedAuthorizerResultError: it isn't one, or a ``Resource`` is too long (gateway 3.13).
    """
    try:
        policy = parse_policy(document, with_principal=False)
    except MalformedPolicyError as error:
        raise MalformedAuthorizerResultError(f"Could not parse policy: {error}") from error
    for statement in policy.statements:
        for resource in (*statement.resources, *statement.not_resources):
            if len(resource.text) > MAX_POLICY_RESOURCE:
                raise MalformedAuthorizerResultError(
                    f"a policy Resource is longer than {MAX_POLICY_RESOURCE} characters"
                )
    return policy


def _context(context: object) -> dict[str, str]:
    """The context of format 1.0: plain values, delivered as text (gateway 3.21, 3.25)."""
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise MalformedAuthorizerResultError("context isn't an object", Code.AUTHORIZER_CONTEXT)
    found: dict[str, str] = {}
    for name, value in context.items():
        if not isinstance(value, str | int | float | bool):
            raise MalformedAuthorizerResultError(
                f"the context value {name!r} isn't text, a number or a boolean",
                Code.AUTHORIZER_CONTEXT,
            )
        found[str(name)] = value if isinstance(value, str) else json.dumps(value)
    return found
