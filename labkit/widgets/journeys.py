"""The journey view: a request's way through the gateway, gate by gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import ipywidgets

from labkit.journey import Journey, Step
from labkit.journey.picture import BORDER, WORD
from labkit.journey.step import MARK
from labkit.markup import BOLD, Block, Markup, plain, sentence, table, tag
from labkit.widgets.view import View, button, field, row

_MOST_ROWS = 10
"""A longer list scrolls."""
_NONE = "No request has gone through the gateway yet."


def journey_view(journeys: Sequence[Journey]) -> JourneyView:
    """Show a request's way through the gateway; click a gate to see what it looked at and why it decided so.

    Args:
        journeys: some, to choose from.

    Raises:
        ValueError: there are none.
    """
    return JourneyView(journeys)


class JourneyView(View):
    """What :func:`journey_view` shows.

    Attributes:
        journey: the one that is shown.
        requests: the list to choose from.
        gates: one button a gate, in order.
        details: what the chosen gate says.
    """

    def __init__(self, journeys: Sequence[Journey]) -> None:
        if not journeys:
            raise ValueError(_NONE)
        self._journeys = journeys
        titles = [plain(f"{number}. {one.title}") for number, one in enumerate(journeys, 1)]
        rows = min(max(2, len(journeys)), _MOST_ROWS)
        self.requests = field(ipywidgets.Select, "Request", "40em", options=titles, rows=rows)
        self.head, self.strip, self.details = ipywidgets.HTML(), row(), ipywidgets.HTML()
        self.requests.observe(self._choose_request, "index")
        super().__init__(self.requests, self.head, self.strip, self.details)
        self._choose_request()

    def _choose_request(self, _change: object = None) -> None:
        self.journey = journey = self._journeys[self.requests.index]
        self._reached = [*journey.steps, *journey.not_reached]
        self.gates = [self._gate(number, one) for number, one in enumerate(self._reached)]
        parts = [part for gate in self.gates for part in (ipywidgets.Label("→"), gate)]
        self.strip.children = parts[1:]
        self.head.value = self.html()
        self.details.value = ""
        if journey.steps:
            stop = journey.stopped_at
            self.choose(len(journey.steps) - 1 if stop is None else journey.steps.index(stop))

    def _gate(self, number: int, gate: Step | str) -> Any:
        outcome = "not reached" if isinstance(gate, str) else gate.outcome
        return button(
            plain(_name(gate)),
            lambda: self.choose(number),
            tooltip=WORD.get(outcome, outcome),
            layout={"border": BORDER[outcome], "margin": "2px", "height": "auto"},
        )

    def choose(self, number: int) -> None:
        """Show what a gate says: its place in the strip, from 0."""
        for place, one in enumerate(self.gates):
            one.style.font_weight = "bold" if place == number else "normal"
            one.style.text_decoration = "underline" if place == number else "none"
        self.details.value = _details(self._reached[number], self.journey)

    def blocks(self) -> Iterator[Block]:
        """The list, and the chosen journey; as HTML the list is an input and the gates are buttons."""
        listed = [f"{number}. {_in_short(one)}" for number, one in enumerate(self._journeys, 1)]
        yield Block([*listed, ""], Markup())
        head = [sentence(tag("b", self.journey.title)), sentence(self.journey.sentence())]
        yield Block(list(self.journey.lines(evidence=True)), tag("div", *head))


def _in_short(journey: Journey) -> str:
    """One line: what came back, and who stopped it."""
    stop = journey.stopped_at
    return journey.title + ("" if stop is None else f": {stop.gate}: {stop.reason}")


def _name(gate: Step | str) -> str:
    return gate if isinstance(gate, str) else f"{MARK[gate.outcome]} {gate.gate}"


def _details(gate: Step | str, journey: Journey) -> Markup:
    if isinstance(gate, str):
        stop = journey.stopped_at
        where = "" if stop is None else f": the request was stopped at the gate {stop.gate}"
        return tag("div", sentence(f"{gate}: not reached{where}."), role="status")
    seen = list(gate.facts())
    return tag(
        "div",
        sentence(tag("span", f"{_name(gate)}: {WORD[gate.outcome]}", style=BOLD)),
        sentence(gate.reason),
        table("What it looked at", ("fact", "value"), seen) if seen else "",
        role="status",
    )
