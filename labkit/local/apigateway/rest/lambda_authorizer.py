"""Lambda authorizers, ``TOKEN`` and ``REQUEST`` (gateway.md, section 3).

What is cached is the policy, not the verdict: each request is held against it anew (3.9).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from labkit.local.apigateway.authorization_header import comes_twice
from labkit.local.apigateway.invocation import FUNCTION_URI, Functions, function_name
from labkit.local.apigateway.rest.call import Call, Pass, Stop
from labkit.local.apigateway.rest.lambda_proxy import proxy_event
from labkit.local.apigateway.rest.resource_policy import (
    Identity,
    PolicyEvaluator,
    denial,
    question_of,
)
from labkit.local.apigateway.rest.responses import (
    AUTHORIZER_CONFIGURATION_ERROR,
    UNAUTHORIZED,
    GatewayError,
)
from labkit.local.apigateway.rest.values import look_up
from labkit.local.apigateway.result_cache import ResultCache
from labkit.local.iam.policy import MalformedPolicyError, parse_policy

DEFAULT_TTL_SECONDS = 300
MAX_METHOD_ARN_BYTES = 1_600
MAX_POLICY_RESOURCE = 512
_RESULT_KEYS = frozenset({"principalId", "policyDocument", "context", "usageIdentifierKey"})


@dataclass(frozen=True, slots=True)
class AuthorizerResult:
    """What an authorizer returned, checked.

    Attributes:
        principal_id: the caller's name.
        policy: the policy document.
        context: the extra values; all text (3.25).
        usage_identifier_key: an API key's value, or None.
    """

    principal_id: str
    policy: dict[str, Any]
    context: Mapping[str, str]
    usage_identifier_key: str | None

    @property
    def request_context(self) -> dict[str, str]:
        """``requestContext.authorizer``."""
        return {**self.context, "principalId": self.principal_id}


class MalformedResultError(ValueError):
    """The authorizer's result can't be used: the client gets 500."""


class LambdaAuthorizer:
    """Asks a function whether a request may pass.

    Args:
        functions: where the functions are.
        evaluator: the policy language.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        functions: Functions,
        evaluator: PolicyEvaluator,
        clock: Callable[[], float],
    ) -> None:
        self._functions = functions
        self._evaluator = evaluator
        self._cache = ResultCache[AuthorizerResult](clock)

    async def __call__(self, call: Call) -> Pass | Stop:
        """Let the request on to the policies' combination (``call.identity`` is set), or stop it."""
        authorizer_id = str(call.found.method.get("authorizerId"))
        authorizer = call.deployment.authorizers.get(authorizer_id)
        if authorizer is None:
            return _broken("the method names an authorizer that the deployment doesn't have")
        if len(call.method_arn().encode()) > MAX_METHOD_ARN_BYTES:
            error = GatewayError(UNAUTHORIZED, "Request URI too long", 414)
            return Stop(error, f"the method's ARN is longer than {MAX_METHOD_ARN_BYTES} bytes")
        ttl = ttl_of(authorizer)
        values = identity_values(call, authorizer)
        missing = missing_identity(call, authorizer, values, cached=ttl > 0)
        if missing is not None:
            return Stop(GatewayError(UNAUTHORIZED), missing)
        key = (
            call.deployment.api_id,
            call.stage,
            authorizer_id,
            *(value or "" for _name, value in values),
        )
        cached = self._cache.find(key) if ttl > 0 and values else None
        result = cached or await self.ask(call, authorizer)
        if isinstance(result, Stop):
            return result
        if cached is None and ttl > 0 and values:
            self._cache.keep(key, ttl, result)
        return self._hold_against(call, result, from_cache=cached is not None)

    def flush(self, api_id: str, stage: str) -> None:
        """Forget the cached policies of a stage (``FlushStageAuthorizersCache``)."""
        self._cache.forget(api_id, stage)

    def _hold_against(
        self, call: Call, result: AuthorizerResult, *, from_cache: bool
    ) -> Pass | Stop:
        """Evaluate the policy for this request's own ARN."""
        decision = self._evaluator.decide(result.policy, question_of(call), names_principals=False)
        identity = Identity(decision, None, call.account_id)
        call.authorizer = dict(result.request_context)
        call.usage_identifier_key = result.usage_identifier_key
        call.identity = identity
        origin = "its cached policy" if from_cache else "the policy it returned"
        evidence = {"principalId": result.principal_id, "cached": from_cache, "decision": decision}
        if decision == "Allow":
            return Pass(f"{origin} allows this method", evidence)
        reason = f"{origin} {'denies' if decision == 'Deny' else 'says nothing of'} this method"
        if decision == "ImplicitDeny" and call.deployment.api.get("policy"):
            return Pass(f"{reason}; the resource policy decides", evidence)
        return Stop(denial(call, identity, "ImplicitDeny", same_account=True), reason, evidence)

    async def ask(self, call: Call, authorizer: Mapping[str, Any]) -> AuthorizerResult | Stop:
        """Invoke the function and check what it returns (3.14-3.25)."""
        match = FUNCTION_URI.fullmatch(str(authorizer.get("authorizerUri") or ""))
        if match is None:
            return _broken("the authorizer's URI names no Lambda function")
        arn = match["function"]
        name = function_name(arn)
        if authorizer.get("authorizerCredentials"):
            return _broken(
                "the local cloud doesn't use an authorizer's credentials yet, so it stops here"
            )
        region = call.deployment.region
        source = f"arn:aws:execute-api:{region}:{call.account_id}:{call.deployment.api_id}"
        if not self._functions.function_allows(
            arn, "apigateway.amazonaws.com", f"{source}/authorizers/{authorizer['id']}"
        ):
            call.write("Execution failed due to configuration error: Authorizer error")
            return _broken(
                f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}"
            )
        call.write(
            f"Sending request to https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
        )
        answer = await self._functions.invoke_function(arn, event_of(call, authorizer))
        payload = answer["payload"]
        if (
            call.log is not None
        ):  # as text only for who reads it: it may be large, and nested deeper than json writes
            call.write(f"Authorizer result body before parsing: {json.dumps(payload)}")
        if answer["error"]:
            return self._failed(call, name, payload)
        try:
            result = read_result(payload)
        except MalformedResultError as error:
            call.write(f"Execution failed due to configuration error: {error}")
            return _broken(f"{name} returned something that API Gateway can't use: {error}")
        call.write(f"Using valid authorizer policy for principal: {masked(result.principal_id)}")
        return result

    def _failed(self, call: Call, name: str, payload: object) -> Stop:
        message = payload.get("errorMessage") if isinstance(payload, dict) else None
        if message == "Unauthorized":
            call.write("Unauthorized")
            return Stop(GatewayError(UNAUTHORIZED), f'{name} failed with exactly "Unauthorized"')
        call.write(
            "Execution failed due to configuration error: Invalid JSON in response: "
            'Unrecognized field "errorType" , not marked as ignorable'
        )
        kind = payload.get("errorType") if isinstance(payload, dict) else "error"
        return _broken(f"{name} failed ({kind})")


def _broken(reason: str) -> Stop:
    return Stop(GatewayError(AUTHORIZER_CONFIGURATION_ERROR), reason)


def masked(text: str) -> str:
    """All but the last six characters as asterisks (12.9)."""
    return "*" * max(6, len(text) - 6) + text[-6:]


def ttl_of(authorizer: Mapping[str, Any]) -> int:
    """The cache's time to live in seconds: 300 unless set, 0 is off (3.7, 3.12)."""
    ttl = authorizer.get("authorizerResultTtlInSeconds")
    return DEFAULT_TTL_SECONDS if ttl is None else int(ttl)


def identity_values(call: Call, authorizer: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The identity sources and their values in this request, in order."""
    sources = _sources(str(authorizer.get("identitySource") or ""))
    return [(source, look_up(call, source.removeprefix("$"))) for source in sources]


@lru_cache(256)
def _sources(text: str) -> tuple[str, ...]:
    return tuple(source.strip() for source in text.split(",") if source.strip())


def missing_identity(
    call: Call, authorizer: Mapping[str, Any], values: list[tuple[str, str | None]], *, cached: bool
) -> str | None:
    """Why the client gets 401 without the function being asked (3.4); None when it is asked."""
    is_request = authorizer.get("type") == "REQUEST"
    if is_request and not cached:
        return None
    for name, value in values or [("method.request.header.Authorization", None)]:
        if not value:
            return f"the identity source {name} is missing"
        if comes_twice(call.request, name.removeprefix("method.request.header.")):
            return f"the identity source {name} comes twice"
    expression = authorizer.get("identityValidationExpression")
    try:
        if not is_request and expression and re.fullmatch(expression, values[0][1] or "") is None:
            return "the token doesn't match the authorizer's token validation"
    except re.error:
        return "the authorizer's token validation isn't a regular expression"
    return None


def event_of(call: Call, authorizer: Mapping[str, Any]) -> dict[str, Any]:
    """The event that the function gets (3.1, 3.2)."""
    if authorizer.get("type") != "REQUEST":
        token = next((value for _name, value in identity_values(call, authorizer)), None)
        return {"type": "TOKEN", "methodArn": call.method_arn(), "authorizationToken": token}
    whole = proxy_event(call)
    return {
        "type": "REQUEST",
        "methodArn": call.method_arn(),
        **{name: value for name, value in whole.items() if name not in ("body", "isBase64Encoded")},
    }


def read_result(payload: object) -> AuthorizerResult:
    """An authorizer's result, checked.

    Raises:
        MalformedResultError: in the words of the execution log, where they are known.
    """
    if not isinstance(payload, dict):
        raise MalformedResultError("Could not parse policy")
    unknown = sorted(set(payload) - _RESULT_KEYS)
    if unknown:
        raise MalformedResultError(
            f'Invalid JSON in response: Unrecognized field "{unknown[0]}" , not marked as ignorable'
        )
    principal_id = payload.get("principalId")
    if not isinstance(principal_id, str):
        raise MalformedResultError("the result has no principalId")
    policy = checked_policy(payload.get("policyDocument"))
    usage_key = payload.get("usageIdentifierKey")
    if usage_key is not None and not isinstance(usage_key, str):
        raise MalformedResultError("usageIdentifierKey isn't text")
    return AuthorizerResult(principal_id, policy, _context(payload.get("context")), usage_key)


def checked_policy(document: object) -> dict[str, Any]:
    """The policy that an authorizer returned, checked.

    Raises:
        MalformedResultError: it isn't one, or a ``Resource`` is longer than 512 characters (3.13).
    """
    try:
        policy = parse_policy(document, with_principal=False)
    except MalformedPolicyError as error:
        raise MalformedResultError(f"Could not parse policy: {error}") from error
    for statement in policy["Statement"]:
        resources = statement.get("Resource", statement.get("NotResource"))
        for resource in resources if isinstance(resources, list) else [resources]:
            if len(str(resource)) > MAX_POLICY_RESOURCE:
                raise MalformedResultError(
                    f"a policy Resource is longer than {MAX_POLICY_RESOURCE} characters"
                )
    return policy


def _context(context: object) -> dict[str, str]:
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise MalformedResultError("context isn't an object")
    found: dict[str, str] = {}
    for name, value in context.items():
        if not isinstance(value, str | int | float | bool):
            raise MalformedResultError(
                f"the context value {name!r} isn't text, a number or a boolean"
            )
        found[str(name)] = value if isinstance(value, str) else json.dumps(value)
    return found
