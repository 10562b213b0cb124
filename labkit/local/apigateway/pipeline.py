"""Takes a call through the gates of its door, one after the other, and writes the journey."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from labkit.journey import Journey
from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.journeys import write_step
from labkit.local.apigateway.outcomes import OUTCOMES, Answer, Outcome, Stop
from labkit.local.messages import Response

C = TypeVar("C", bound=GatewayCall)
R = TypeVar("R")

Gate = Callable[[C], "Outcome[R] | Coroutine[Any, Any, Outcome[R]] | None"]
"""Looks at a call; None: it has nothing to say, not even that there is nothing to check.

Only a gate that has to wait returns a coroutine.
"""


class Pipeline(Generic[C, R]):
    """The gates of a door.

    Args:
        gates: name and gate, in order; the integration, which answers, is the last.
        reject: the response of a call that a gate turned away.
    """

    def __init__(
        self,
        gates: Sequence[tuple[str, Gate[C, R]]],
        reject: Callable[[C, Stop[R]], Response],
    ) -> None:
        self.gates = gates
        self._reject = reject

    async def run(self, call: C, journey: Journey) -> Response:
        """The response, with the journey's steps filled in."""
        for name, gate in self.gates:
            outcome = gate(call)
            if outcome is None:
                continue
            if not isinstance(outcome, OUTCOMES):  # only a gate that waits is waited for
                outcome = await outcome
            write_step(journey, name, outcome)
            if isinstance(outcome, Stop):
                return self._reject(call, outcome)
            if isinstance(outcome, Answer):
                return outcome.response
        raise AssertionError("the last gate is the integration")
