"""What a request's journey keeps: a step for each gate; and the journeys of the last requests."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import Any

from labkit.journey import Journey, Step
from labkit.local.apigateway.outcomes import Outcome

KEPT_JOURNEYS = 1_000


def write_step(journey: Journey, gate: str, outcome: Outcome[Any]) -> None:
    """Add what a gate said, whoever asked it."""
    journey.steps.append(
        Step(gate, outcome.outcome, outcome.reason, outcome.evidence, outcome.code)
    )


class Journeys:
    """Keeps the last 1,000 journeys, whatever kind of API they went through."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Journey] = OrderedDict()

    def keep(self, journey: Journey) -> None:
        """Keep a journey, and forget the oldest when there are too many.

        A client may send the id of an earlier request (gateway 0.7): then this is the last one with it.
        """
        self._kept[journey.request_id] = journey
        self._kept.move_to_end(journey.request_id)
        while len(self._kept) > KEPT_JOURNEYS:
            self._kept.popitem(last=False)

    def find(self, request_id: str) -> Journey | None:
        """The journey of a request, while it is kept."""
        return self._kept.get(request_id)

    def last(self, count: int) -> list[Journey]:
        """The journeys of the last requests, the newest first."""
        return list(islice(reversed(self._kept.values()), count))
