"""How an invocation may come to nothing."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

STOPPED = "The local cloud has stopped. Run lab = labkit.start() again."


class FailedError(Exception):
    """An invocation came to nothing, and the environment with it.

    Attributes:
        body: what the caller of the function gets.
        log: the invocation's output.
    """

    def __init__(self, body: JsonObject, log: str = "") -> None:
        super().__init__(body.get("errorMessage"))
        self.body = body
        self.log = log


class TimedOutError(Exception):
    """No reply came before the deadline."""


class EndedError(Exception):
    """The process ended or talks nonsense."""


def failed(body: JsonObject, log: str = "") -> JsonObject:
    """The result of an invocation that failed, as :class:`labkit.local.functions.FunctionRunner` returns it."""
    return {"body": body, "error": True, "function_error": "Unhandled", "log": log}
