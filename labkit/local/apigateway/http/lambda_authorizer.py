"""What an HTTP API brings to its Lambda authorizers, payload formats 1.0 and 2.0 (gateway 13.9-13.11).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.authorizer_results import (
    AuthorizerResult,
    MalformedAuthorizerResultError,
    checked_policy,
    code_of_unknown_key,
    principal_in,
    read_policy_result,
)
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.events import authorizer_event
from labkit.local.apigateway.http.records import HttpAuthorizer
from labkit.local.apigateway.http.responses import (
    FORBIDDEN,
    SERVER_ERROR,
    UNAUTHORIZED,
    HttpError,
)
from labkit.local.apigateway.http.values import identity_values
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizerDoor, Values
from labkit.local.apigateway.policies import Identity

LIMIT_SECONDS = 10.0
"""How long the function may take (gateway 13.11)."""
_SIMPLE_KEYS = frozenset({"isAuthorized", "context"})
_POLICY_KEYS = frozenset({"principalId", "policyDocument", "context"})


def authorizer_of(call: HttpCall) -> HttpAuthorizer | None:
    """The Lambda authorizer that the route names, if the deployment has it."""
    found = call.deployment.authorizers.get(call.found.authorizer_id)
    return found if found is not None and found.type == "REQUEST" else None


def event_of(call: HttpCall, authorizer: HttpAuthorizer, values: Values) -> dict[str, Any]:
    """The event that the function gets."""
    return authorizer_event(call, authorizer.payload_version, [found[0] for found in values])


def read_result(authorizer: HttpAuthorizer, payload: object) -> AuthorizerResult:
    """The function's result, checked.

    Raises:
        MalformedAuthorizerResultError: it isn't one in the authorizer's format.
    """
    if authorizer.payload_version == "1.0":  # the format of REST APIs
        return read_policy_result(payload)
    if authorizer.simple:
        return _simple_response(payload)
    found = _object(payload, _POLICY_KEYS)
    policy = checked_policy(found.get("policyDocument"))
    return AuthorizerResult(policy, None, principal_in(found), _context(found))


def deny_caller(_call: HttpCall, _identity: Identity) -> HttpError:
    """An HTTP API doesn't tell why (gateway 13.10)."""
    return FORBIDDEN


DOOR = LambdaAuthorizerDoor(
    limit=LIMIT_SECONDS,
    unauthorized=UNAUTHORIZED,
    misconfigured=SERVER_ERROR,
    unauthorized_message=None,
    authorizer_of=authorizer_of,
    values=identity_values,
    event=event_of,
    read_result=read_result,
    deny=deny_caller,
)


def _simple_response(payload: object) -> AuthorizerResult:
    """Only ``true`` itself lets anybody in."""
    found = _object(payload, _SIMPLE_KEYS)
    verdict = found.get("isAuthorized")
    if not isinstance(verdict, bool):
        raise MalformedAuthorizerResultError("isAuthorized isn't true or false")
    return AuthorizerResult(None, "Allow" if verdict else "Deny", None, _context(found))


def _object(payload: object, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise MalformedAuthorizerResultError("it isn't an object")
    if unknown := sorted(set(payload) - known):
        raise MalformedAuthorizerResultError(
            f"it has the unknown key {unknown[0]!r}", code_of_unknown_key(unknown[0])
        )
    return payload


def _context(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The context of format 2.0; it may hold lists and maps (gateway 13.9)."""
    context = found.get("context")
    if context is not None and not isinstance(context, dict):
        raise MalformedAuthorizerResultError("context isn't an object", Code.AUTHORIZER_CONTEXT)
    return context
