"""Lambda authorizers: sources → missing or doubled → cache → permission → invocation → result → policy.

What is cached is what the function returned, not the verdict: a policy is held against each request
anew (gateway 3.9), a simple response holds for every route (gateway 13.11).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from labkit.journey import Code
from labkit.local.apigateway.authorizer_results import (
    AuthorizerResult,
    MalformedAuthorizerResultError,
)
from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.invocation import Invoker, LambdaFunctions, function_name
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.policies import Identity
from labkit.local.apigateway.records import AuthorizerRecord
from labkit.local.apigateway.result_cache import ResultCache
from labkit.local.iam.evaluation import evaluate

C = TypeVar("C", bound=GatewayCall)
A = TypeVar("A", bound=AuthorizerRecord)
R = TypeVar("R")

Values = Sequence[Sequence[str]]
"""For each identity source, the values that the request has for it."""

_FAULTS = {
    "timeout": Code.AUTHORIZER_TIMEOUT,
    "throttled": Code.AUTHORIZER_THROTTLED,
    "failed": Code.AUTHORIZER_FAILED,
}


@dataclass(frozen=True)
class LambdaAuthorizerDoor(Generic[C, A, R]):
    """What a kind of API brings to the gate.

    Attributes:
        limit: for how many seconds the gateway waits for the function.
        unauthorized: 401.
        misconfigured: 500.
        unauthorized_message: an error with this message stands for 401; None: none does.
        authorizer_of: the authorizer that guards the call, or None.
        values: (call, identity source) → the values that the request has for it.
        event: what the function gets.
        read_result: checks what it returns; raises :class:`MalformedAuthorizerResultError`.
        deny: the words for a caller whom the result doesn't let in.
    """

    limit: float
    unauthorized: R
    misconfigured: R
    unauthorized_message: str | None
    authorizer_of: Callable[[C], A | None]
    values: Callable[[C, str], Sequence[str]]
    event: Callable[[C, A, Values], dict[str, Any]]
    read_result: Callable[[A, object], AuthorizerResult]
    deny: Callable[[C, Identity], R]


class LambdaAuthorizer(Generic[C, A, R]):
    """Asks a function whether a request may pass.

    Args:
        door: see there.
        functions: where the functions are.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        door: LambdaAuthorizerDoor[C, A, R],
        functions: LambdaFunctions,
        clock: Callable[[], float],
    ) -> None:
        self._door = door
        self._invoker = Invoker(functions)
        self._cache = ResultCache[AuthorizerResult](clock)

    def __call__(self, call: C) -> Pass | Stop[R] | Coroutine[Any, Any, Pass | Stop[R]]:
        """Set ``call.identity`` and ``call.authorizer_result``, or stop; waits only for the function."""
        authorizer = self._door.authorizer_of(call)
        if authorizer is None:
            return self._misconfigured(
                Code.AUTHORIZER_NOT_FOUND,
                "the deployment doesn't have the Lambda authorizer that is named here",
            )
        values = self.identity_values(call, authorizer)
        refused = self.refuse_identity(authorizer, values)
        if refused is not None:
            return refused
        if authorizer.ttl <= 0 or not values:
            return self._ask_and_hold(call, authorizer, values, None)
        key = (
            call.deployment.api_id,
            call.stage,
            authorizer.id,
            *(found[0] if found else "" for found in values),
        )
        cached = self._cache.find(key)
        if cached is not None:
            return self._hold_against(call, cached, from_cache=True)
        return self._ask_and_hold(call, authorizer, values, key)

    def forget(self, *api_and_stage: str) -> None:
        """Forget what was cached: all, for an API, or for a stage (``FlushStageAuthorizersCache``)."""
        self._cache.forget(*api_and_stage)

    # -- who asks -----------------------------------------------------------------

    def identity_values(self, call: C, authorizer: A) -> Values:
        """What the request has for each identity source, in order."""
        return [self._door.values(call, source) for source in authorizer.identity_sources]

    def refuse_identity(self, authorizer: A, values: Values) -> Stop[R] | None:
        """Turn away who doesn't say who it is, before the function is asked (gateway 3.4, 13.10)."""
        if not authorizer.identity_required:
            return None
        if not values:
            return self._unauthorized(Code.AUTHORIZER_SETTINGS, "there is no identity source")
        for source, found in zip(authorizer.identity_sources, values, strict=True):
            if not found or not found[0]:
                reason = f"the identity source {source} is missing"
                return self._unauthorized(Code.IDENTITY_SOURCE_MISSING, reason)
            if len(found) > 1:  # function, cache and backend could each take another one of them
                reason = f"the identity source {source} comes twice"
                return self._unauthorized(Code.IDENTITY_SOURCE_TWICE, reason)
        if authorizer.validation:
            return self._validate(authorizer.validation, values[0][0])
        return None

    def _validate(self, expression: str, value: str) -> Stop[R] | None:
        """Hold the token against the authorizer's ``identityValidationExpression``."""
        try:
            if re.fullmatch(expression, value) is not None:
                return None
        except re.error:
            reason = "the authorizer's token validation isn't a regular expression"
            return self._unauthorized(Code.AUTHORIZER_SETTINGS, reason)
        reason = "the token doesn't match the authorizer's token validation"
        return self._unauthorized(Code.IDENTITY_VALIDATION, reason)

    # -- what the function says -----------------------------------------------------

    async def _ask_and_hold(
        self, call: C, authorizer: A, values: Values, key: tuple[str, ...] | None
    ) -> Pass | Stop[R]:
        result = await self.ask(call, authorizer, values)
        if isinstance(result, Stop):
            return result
        if key is not None:
            self._cache.keep(key, authorizer.ttl, result)
        return self._hold_against(call, result, from_cache=False)

    async def ask(self, call: C, authorizer: A, values: Values) -> AuthorizerResult | Stop[R]:
        """Invoke the function and check what it returns (gateway 3.14-3.25)."""
        if authorizer.unusable is not None:
            return self._misconfigured(*authorizer.unusable)
        arn = authorizer.function_arn
        name = function_name(arn)
        if not self._invoker.may_invoke(arn, f"{call.api_arn}/authorizers/{authorizer.id}"):
            call.write("Execution failed due to configuration error: Authorizer error")
            return self._misconfigured(
                Code.AUTHORIZER_PERMISSION,
                f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}",
            )
        region = call.deployment.region
        call.write(
            f"Sending request to https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
        )
        event = self._door.event(call, authorizer, values)
        answer = await self._invoker.invoke(arn, event, self._door.limit)
        payload = answer.payload
        if call.log is not None:
            # As text only for who reads it: it may be large, and nested deeper than json writes.
            call.write(f"Authorizer result body before parsing: {json.dumps(payload)}")
        if answer.error_message is not None and (
            answer.error_message == self._door.unauthorized_message
        ):
            call.write("Unauthorized")
            reason = f'{name} failed with exactly "{answer.error_message}"'
            return self._unauthorized(Code.AUTHORIZER_UNAUTHORIZED, reason)
        if answer.fault is not None:
            call.write(
                "Execution failed due to configuration error: Invalid JSON in response: "
                'Unrecognized field "errorType" , not marked as ignorable'
            )
            return self._misconfigured(_FAULTS[answer.fault], answer.reason)
        try:
            result = self._door.read_result(authorizer, payload)
        except MalformedAuthorizerResultError as error:
            call.write(f"Execution failed due to configuration error: {error}")
            reason = f"{name} returned something that API Gateway can't use: {error}"
            return self._misconfigured(error.code, reason)
        call.write(
            f"Using valid authorizer policy for principal: {mask_value(result.principal_id or '')}"
        )
        return result

    def _hold_against(
        self, call: C, result: AuthorizerResult, *, from_cache: bool
    ) -> Pass | Stop[R]:
        """Evaluate the result for this request's own ARN."""
        decision = result.verdict
        if result.policy is not None:
            decision = evaluate(result.policy, call.question())
        identity = Identity(decision or "ImplicitDeny", None, call.account_id)
        call.identity, call.authorizer_result = identity, result
        evidence = {
            "principalId": result.principal_id,
            "cached": from_cache,
            "decision": identity.decision,
        }
        what = "simple response" if result.policy is None else "policy"
        said = f"its cached {what}" if from_cache else f"the {what} it returned"
        if decision == "Allow":
            return Pass(f"{said} allows this method", evidence)
        if decision == "Deny":
            is_simple = result.policy is None
            code = Code.AUTHORIZER_DENIED if is_simple else Code.AUTHORIZER_EXPLICIT_DENY
            return Stop(
                self._door.deny(call, identity), code, f"{said} denies this method", evidence
            )
        reason = f"{said} says nothing of this method"
        if call.has_resource_policy:
            return Pass(f"{reason}; the resource policy decides", evidence)
        code = Code.AUTHORIZER_IMPLICIT_DENY
        if from_cache:
            code = Code.AUTHORIZER_CACHED_IMPLICIT_DENY
        return Stop(self._door.deny(call, identity), code, reason, evidence)

    def _unauthorized(self, code: Code, reason: str) -> Stop[R]:
        return Stop(self._door.unauthorized, code, reason)

    def _misconfigured(self, code: Code, reason: str) -> Stop[R]:
        return Stop(self._door.misconfigured, code, reason)


def mask_value(text: str) -> str:
    """All but the last six characters as asterisks (gateway 12.9)."""
    return "*" * max(6, len(text) - 6) + text[-6:]
