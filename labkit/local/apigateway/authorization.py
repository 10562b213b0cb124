"""The authorizer gate: by the authorization type of the method or route."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Generic, TypeVar

from labkit.journey import Code
from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.outcomes import Outcome, Stop
from labkit.local.apigateway.pipeline import Gate

C = TypeVar("C", bound=GatewayCall)
R = TypeVar("R")


class Authorization(Generic[C, R]):
    """Asks the authorizer that guards the call.

    Args:
        authorizers: by authorization type; another type turns everybody away.
        misconfigured: 500.
    """

    def __init__(self, authorizers: Mapping[str, Gate[C, R]], misconfigured: R) -> None:
        self.authorizers = dict(authorizers)
        self._misconfigured = misconfigured

    def __call__(self, call: C) -> Outcome[R] | Coroutine[Any, Any, Outcome[R]] | None:
        """The authorizer's outcome."""
        authorizer = self.authorizers.get(call.authorization_type)
        if authorizer is not None:
            return authorizer(call)
        kind = call.authorization_type
        reason = (
            f"the local cloud doesn't know the authorization type {kind}: it turns the request away"
        )
        return Stop(self._misconfigured, Code.UNSUPPORTED, reason, {"authorizationType": kind})
