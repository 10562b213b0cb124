"""Invoking the function behind a route or an authorizer, for as long as somebody waits for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Protocol

FUNCTION_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[\w-]+):lambda:path/2015-03-31/functions/(?P<function>arn:[^/]+)/invocations"
)
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


class Functions(Protocol):
    """What the gateway asks of Lambda."""

    def function(self, function_arn: str) -> dict[str, Any] | None:
        """The function, or None."""

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's policy lets the service invoke it."""

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        """Invoke it: ``{"payload", "error", "log"}``, and ``"throttled"`` when Lambda wouldn't run it."""


class Invoker:
    """Invokes functions and gives up on the late ones.

    Args:
        functions: where the functions are.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._running: set[asyncio.Future[dict[str, Any]]] = set()

    async def result(
        self, arn: str, event: Mapping[str, Any], timeout: float
    ) -> dict[str, Any] | None:
        """What the invocation yields; None when it is late. The function goes on, but nobody waits for it."""
        invocation = asyncio.ensure_future(self._functions.invoke_function(arn, event))
        self._running.add(invocation)
        invocation.add_done_callback(self._running.discard)
        done, _late = await asyncio.wait({invocation}, timeout=timeout)
        return invocation.result() if done else None


def with_stage_variables(text: str, variables: Mapping[str, Any]) -> str:
    """A URI with the stage variables that it names.

    >>> with_stage_variables("http://${stageVariables.host}/x", {"host": "localhost"})
    'http://localhost/x'
    """
    return STAGE_VARIABLE.sub(lambda match: str(variables.get(match[1], "")), text)


def function_name(arn: str) -> str:
    """The name in a function's ARN.

    >>> function_name("arn:aws:lambda:us-east-1:123456789012:function:pets")
    'pets'
    """
    return arn.split(":")[6] if arn.count(":") >= 6 else arn
