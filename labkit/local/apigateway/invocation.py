"""Invoking the function behind a route or an authorizer, for as long as somebody waits for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

FUNCTION_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[\w-]+):lambda:path//?2015-03-31/functions/(?P<function>arn:[^/]+)/invocations"
)
OTHER_SERVICE_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[\w-]+:(?!lambda:)(?P<service>[\w.-]+):.*"
)
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


class LambdaFunctions(Protocol):
    """What the gateway asks of Lambda."""

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's policy lets the service invoke it."""

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        """Invoke it: ``{"payload", "error", "log"}``, and ``"throttled"`` when Lambda wouldn't run it."""


Fault = Literal["timeout", "throttled", "failed"]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of an invocation.

    Attributes:
        payload: what the handler returned, or the error's description.
        fault: what went wrong, or None.
        reason: the same in words, for the journey.
        error_message: of the exception that the handler raised.
    """

    payload: Any
    fault: Fault | None = None
    reason: str = ""
    error_message: str | None = None

    @property
    def integration_reason(self) -> str:
        """The reason of an integration's answer, which doesn't say what the handler raised."""
        untold = "; the client isn't told why" if self.fault == "failed" else ""
        return self.reason + untold


class Invoker:
    """Invokes functions and gives up on the late ones.

    Args:
        functions: where the functions are.
    """

    def __init__(self, functions: LambdaFunctions) -> None:
        self._functions = functions
        self._running: set[asyncio.Future[dict[str, Any]]] = set()

    def may_invoke(self, arn: str, source_arn: str) -> bool:
        """Whether the function's policy lets API Gateway invoke it on behalf of the source."""
        return self._functions.function_allows(arn, "apigateway.amazonaws.com", source_arn)

    async def invoke(self, arn: str, event: Mapping[str, Any], limit: float) -> Invocation:
        """Invoke a function and wait for ``limit`` seconds; a late one goes on, but nobody waits."""
        invocation = asyncio.ensure_future(self._functions.invoke_function(arn, event))
        self._running.add(invocation)
        invocation.add_done_callback(self._running.discard)
        done, _late = await asyncio.wait({invocation}, timeout=limit)
        name = function_name(arn)
        if not done:
            return Invocation(None, "timeout", f"{name} did not answer within {limit:g} s")
        result = invocation.result()
        payload = result["payload"]
        if result.get("throttled"):
            reason = f"Lambda didn't run {name}: its concurrency is used up"
            return Invocation(payload, "throttled", reason)
        if result["error"]:
            detail = payload if isinstance(payload, dict) else {}
            reason = f"{name} failed ({detail.get('errorType', 'error')})"
            return Invocation(payload, "failed", reason, detail.get("errorMessage"))
        return Invocation(payload)


def with_stage_variables(text: str, variables: Mapping[str, Any]) -> str:
    """A URI with the stage variables that it names.

    >>> with_stage_variables("http://${stageVariables.host}/x", {"host": "localhost"})
    'http://localhost/x'
    """
    return STAGE_VARIABLE.sub(lambda match: str(variables.get(match[1], "")), text)


def missing_stage_variable(text: str, variables: Mapping[str, Any]) -> str | None:
    """The first stage variable that a URI names and the stage doesn't have, or None (recorded 18.12)."""
    return next((name for name in STAGE_VARIABLE.findall(text) if name not in variables), None)


def function_name(arn: str) -> str:
    """The name in a function's ARN.

    >>> function_name("arn:aws:lambda:us-east-1:123456789012:function:pets")
    'pets'
    """
    return arn.split(":")[6] if arn.count(":") >= 6 else arn
