"""Lambda authorizers of HTTP APIs, payload formats 1.0 and 2.0 (gateway.md 13.9-13.11).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html. What is cached is what
the function returned: a simple answer holds for every route, a policy is held against each request anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.local.apigateway.http.call import (
    FORBIDDEN,
    UNAUTHORIZED,
    HttpCall,
    Outcome,
    Stop,
    broken,
)
from labkit.local.apigateway.http.deployment import Record
from labkit.local.apigateway.http.events import authorizer_event
from labkit.local.apigateway.http.values import comes_twice, look_up
from labkit.local.apigateway.invocation import FUNCTION_URI, Functions, Invoker, function_name
from labkit.local.apigateway.rest.call import Pass
from labkit.local.apigateway.rest.lambda_authorizer import (
    MalformedResultError,
    checked_policy,
    read_result,
)
from labkit.local.apigateway.rest.resource_policy import PolicyEvaluator, question_about
from labkit.local.apigateway.result_cache import ResultCache

TIMEOUT_SECONDS = 10.0
"""How long the function may take (13.11)."""
MAX_TTL_SECONDS = 3_600
_SIMPLE_KEYS = frozenset({"isAuthorized", "context"})
_POLICY_KEYS = frozenset({"principalId", "policyDocument", "context"})


@dataclass(frozen=True, slots=True)
class Result:
    """What an authorizer returned, checked.

    Attributes:
        verdict: of a simple response; None when there is a policy instead.
        policy: the policy document; None when there is a verdict instead.
        context: the extra values; they may hold lists and maps in format 2.0.
        principal_id: the caller's name, with a policy.
    """

    verdict: bool | None
    policy: dict[str, Any] | None
    context: Mapping[str, Any] | None
    principal_id: str | None = None


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
        self._invoker = Invoker(functions)
        self._evaluator = evaluator
        self._cache = ResultCache[Result](clock)

    async def __call__(self, call: HttpCall) -> Outcome:
        """Let the request on with the function's context, or stop it."""
        authorizer_id = str(call.found.record.get("authorizerId"))
        authorizer = call.deployment.authorizers.get(authorizer_id)
        if authorizer is None or authorizer.get("authorizerType") != "REQUEST":
            return broken("the route names a Lambda authorizer that the deployment doesn't have")
        sources = [str(source) for source in authorizer.get("identitySource") or []]
        values = [look_up(call, source) or "" for source in sources]
        if not all(values):
            missing = sources[values.index("")]
            return Stop(UNAUTHORIZED, f"the identity source {missing} is missing")
        if doubled := [source for source in sources if comes_twice(call, source)]:
            return Stop(UNAUTHORIZED, f"the identity source {doubled[0]} comes twice")
        ttl = _ttl_of(authorizer)
        key = (call.deployment.api_id, call.stage, authorizer_id, *values)
        caching = ttl > 0 and bool(sources)
        cached = self._cache.find(key) if caching else None
        result = cached or await self._ask(call, authorizer, values)
        if isinstance(result, Stop):
            return result
        if caching and cached is None:
            self._cache.keep(key, ttl, result)
        return self._hold_against(call, result, from_cache=cached is not None)

    def forget(self, api_id: str) -> None:
        """Forget what was cached for an API: it has changed."""
        self._cache.forget(api_id)

    def _hold_against(self, call: HttpCall, result: Result, *, from_cache: bool) -> Outcome:
        said = "its cached answer" if from_cache else "the function's answer"
        if result.policy is None:
            allowed = result.verdict is True
        else:
            question = question_about(call.request, call.route_arn(), call.deployment.region)
            decision = self._evaluator.decide(result.policy, question, names_principals=False)
            allowed = decision == "Allow"
        evidence = {"cached": from_cache, "allowed": allowed}
        if not allowed:
            return Stop(FORBIDDEN, f"{said} doesn't allow this request", evidence)
        call.authorizer = {"lambda": result.context}
        call.principal_id = result.principal_id
        return Pass(f"{said} allows this request", evidence)

    async def _ask(self, call: HttpCall, authorizer: Record, values: list[str]) -> Result | Stop:
        match = FUNCTION_URI.fullmatch(str(authorizer.get("authorizerUri") or ""))
        if match is None:
            return broken("the authorizer's URI names no Lambda function")
        arn = match["function"]
        name = function_name(arn)
        version = str(authorizer.get("authorizerPayloadFormatVersion") or "")
        if version not in ("1.0", "2.0"):
            return broken("the authorizer's payload format is neither 1.0 nor 2.0")
        if authorizer.get("authorizerCredentialsArn"):
            return broken("the local cloud doesn't use an authorizer's credentials: it stops here")
        source = call.authorizer_arn(str(authorizer["authorizerId"]))
        if not self._functions.function_allows(arn, "apigateway.amazonaws.com", source):
            return broken(f"API Gateway has no permission (lambda:InvokeFunction) to invoke {name}")
        event = authorizer_event(call, version, values)
        answer = await self._invoker.result(arn, event, TIMEOUT_SECONDS)
        if answer is None:
            return broken(f"{name} did not answer within {TIMEOUT_SECONDS:g} s")
        payload = answer["payload"]
        if answer["error"]:
            kind = payload.get("errorType") if isinstance(payload, dict) else "error"
            return broken(f"{name} failed ({kind}); the client isn't told why")
        simple = version == "2.0" and authorizer.get("enableSimpleResponses") is True
        try:
            return _simple(payload) if simple else _policy(payload, version)
        except MalformedResultError as error:
            return broken(f"{name} returned something that API Gateway can't use: {error}")


def _ttl_of(authorizer: Record) -> int:
    """The cache's time to live in seconds: none unless set (13.11), and an hour at most (section 14)."""
    ttl = authorizer.get("authorizerResultTtlInSeconds")
    return min(ttl, MAX_TTL_SECONDS) if isinstance(ttl, int) else 0


def _simple(payload: object) -> Result:
    """A simple response: only ``true`` itself lets anybody in."""
    found = _object(payload, _SIMPLE_KEYS)
    verdict = found.get("isAuthorized")
    if not isinstance(verdict, bool):
        raise MalformedResultError("isAuthorized isn't true or false")
    return Result(verdict, None, _context(found))


def _policy(payload: object, version: str) -> Result:
    if version == "1.0":  # the format of REST APIs
        rest = read_result(payload)
        return Result(None, rest.policy, rest.context, rest.principal_id)
    found = _object(payload, _POLICY_KEYS)
    principal_id = found.get("principalId")
    if not isinstance(principal_id, str):
        raise MalformedResultError("the result has no principalId")
    return Result(None, checked_policy(found.get("policyDocument")), _context(found), principal_id)


def _object(payload: object, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise MalformedResultError("it isn't an object")
    if unknown := sorted(set(payload) - known):
        raise MalformedResultError(f"it has the unknown key {unknown[0]!r}")
    return payload


def _context(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    context = found.get("context")
    if context is not None and not isinstance(context, dict):
        raise MalformedResultError("context isn't an object")
    return context
