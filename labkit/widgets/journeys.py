"""The journey view: a request's way through the gateway, gate by gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from labkit.errors import LabkitError
from labkit.journey import Journey, Step
from labkit.journey.picture import BORDER, WORD
from labkit.journey.step import MARK
from labkit.lab.session import Lab
from labkit.markup import BOLD, Markup, plain, sentence, table, tag
from labkit.widgets.view import LABEL, View, button, row

_MOST_ROWS = 10
"""A longer list scrolls."""
_NONE = "No request has gone through the gateway yet."


def journey_view(journey_or_lab: Journey | Sequence[Journey] | Lab) -> JourneyView:
    """Show a request's way through the gateway; click a gate to see what it looked at and why it decided so.

    Args:
        journey_or_lab: a journey; or some, to choose from; or the lab: then these are the last requests, also of
            other notebooks, so the text has only the chosen one.
    """
    return JourneyView(journey_or_lab)


class JourneyView(View):
    """What :func:`journey_view` shows.

    Attributes:
        journey: the one that is shown; None while there is none.
        requests: the list to choose from.
        again: the button that reads the list again.
        gates: one button a gate, in order.
        details: what the chosen gate says.
    """

    def __init__(self, source: Journey | Sequence[Journey] | Lab) -> None:
        self._source = source
        self._journeys: Sequence[Journey] = ()
        self._reached: list[Step | str] = []
        self.journey: Journey | None = None
        self.gates: list[Any] = []
        self.requests = ipywidgets.Select(
            description="Request", rows=2, layout={"width": "40em"}, style=LABEL
        )
        self.again = button("Read the list again", self.read)
        self.head, self.strip, self.details = ipywidgets.HTML(), row(), ipywidgets.HTML()
        self.requests.observe(self._choose_request, "index")
        choice = [] if isinstance(source, Journey) else [self.requests]
        again = [] if isinstance(source, Journey | Sequence) else [self.again]
        super().__init__(row(*choice, *again), self.head, self.strip, self.details)
        self.read()

    def read(self) -> None:
        """Read the list of requests again; the newest one is chosen."""
        try:
            self._journeys = _journeys_of(self._source)
        except LabkitError as error:
            self.head.value = sentence(str(error), role="alert")
            return
        self.requests.options = [
            plain(f"{number}. {one.title}") for number, one in enumerate(self._journeys, 1)
        ]
        self.requests.rows = min(max(2, len(self._journeys)), _MOST_ROWS)
        self.requests.index = 0 if self._journeys else None
        self._choose_request()

    def _choose_request(self, _change: object = None) -> None:
        chosen = self.requests.index
        exists = chosen is not None and chosen < len(self._journeys)
        self.journey = journey = self._journeys[chosen] if exists else None
        self._reached = [] if journey is None else [*journey.steps, *journey.not_reached]
        self.gates = [self._gate(number, one) for number, one in enumerate(self._reached)]
        arrows = [ipywidgets.Label("→") for _gate in self.gates]
        parts = [part for pair in zip(arrows, self.gates, strict=True) for part in pair]
        self.strip.children = parts[1:]
        self.head.value = sentence(_NONE) if journey is None else _head(journey)
        self.details.value = ""
        if journey is not None and journey.steps:
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

    def __str__(self) -> str:
        if self.journey is None:
            return _NONE
        lines = list(self.journey.lines(evidence=True))
        if isinstance(self._source, Sequence):
            lines = [
                *(plain(f"{n}. {_in_short(one)}") for n, one in enumerate(self._source, 1)),
                "",
                *lines,
            ]
        return "\n".join(lines)


def _journeys_of(source: Journey | Sequence[Journey] | Lab) -> Sequence[Journey]:
    if isinstance(source, Journey):
        return [source]
    return source if isinstance(source, Sequence) else source.journeys


def _in_short(journey: Journey) -> str:
    """One line: what came back, and who stopped it."""
    stop = journey.stopped_at
    return journey.title + ("" if stop is None else f": {stop.gate}: {stop.reason}")


def _head(journey: Journey) -> Markup:
    return tag("div", sentence(tag("b", journey.title)), sentence(journey.sentence()))


def _name(gate: Step | str) -> str:
    return gate if isinstance(gate, str) else f"{MARK[gate.outcome]} {gate.gate}"


def _details(gate: Step | str, journey: Journey | None) -> Markup:
    if isinstance(gate, str):
        stop = None if journey is None else journey.stopped_at
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
