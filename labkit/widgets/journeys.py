"""The journey view: a request's way through the gateway, gate by gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import ipywidgets

from labkit.journey import Comparison, Journey, Step
from labkit.journey.picture import BORDER, NOT_REACHED, look_of, name_of
from labkit.journey.step import MARK
from labkit.markup import BOLD, Block, Markup, plain, sentence, table, tag
from labkit.widgets.view import View, button, row

_NONE = "No request has gone through the gateway yet."
_CHOSEN = "● "
_LIST_HEIGHT = "22em"
"""A longer list of requests scrolls."""


def journey_view(journeys: Sequence[Journey]) -> JourneyView:
    """Show a request's way through the gateway; press a gate to see what it looked at and why it decided so.

    Args:
        journeys: one; two, which are shown together with their first difference; or more, to choose from.

    Raises:
        ValueError: there are none.
    """
    return JourneyView(journeys)


class Strip:
    """One journey as a row of buttons, one a gate.

    Attributes:
        journey: what is shown.
        gates: its buttons, in order; the idle ones are hidden until somebody wants them.
        idle: the button that shows them; None where there are none.
        box: the heading, the gates and what they say.
    """

    def __init__(self, journey: Journey, different: Step | None = None, when: str = "") -> None:
        self.journey, self._different = journey, different
        self._reached: list[Step | str] = [*journey.steps, *journey.not_reached]
        self.gates = [self._gate(number, one) for number, one in enumerate(self._reached)]
        _told, folded = journey.folded(different)
        self._folded, self._is_open = folded, False
        self.idle = _unfolding(folded, self._unfold) if folded else None
        self._gates, self.details = row(), ipywidgets.HTML()
        said = [when] * bool(when) + [tag("b", journey.heading), journey.sentence()]
        heading = map(sentence, said)
        parts = [ipywidgets.HTML(tag("div", *heading)), self._gates]
        self.box = ipywidgets.VBox([*parts, *[self.idle] * bool(self.idle), self.details])
        self._lay()
        if journey.steps:
            stop = different or journey.stopped_at or journey.steps[-1]
            self.choose(next(n for n, one in enumerate(journey.steps) if one is stop))

    def _gate(self, number: int, gate: Step | str) -> Any:
        if isinstance(gate, str):
            name, (look, words, (colour, _fixed)) = gate, NOT_REACHED
        else:
            name = name_of(gate, self._different)
            look, words, (colour, _fixed) = look_of(gate, self.journey.status)
        layout = {"border": f"{BORDER[look]} var({colour})", "margin": "2px"}
        press = partial(self.choose, number)
        return button(plain(name), press, tooltip=words, layout=layout | {"height": "auto"})

    def _lay(self) -> None:
        """Put the gates into the strip: those at which there was nothing to check only when it is open."""
        folded = () if self._is_open else self._folded
        both = zip(self.gates, self._reached, strict=True)
        shown = [gate for gate, one in both if all(one is not idle for idle in folded)]
        parts = [part for gate in shown for part in (ipywidgets.Label("→"), gate)]
        self._gates.children = parts[1:]

    def _unfold(self) -> None:
        """Show the idle gates at their places, or fold them again."""
        self._is_open = not self._is_open
        self._lay()

    def choose(self, number: int) -> None:
        """Show what a gate says: its place among all gates, from 0."""
        for place, one in enumerate(self.gates):
            one.style.font_weight = "bold" if place == number else "normal"
            one.style.text_decoration = "underline" if place == number else "none"
        self.details.value = _details(self._reached[number], self.journey, self._different)


class JourneyView(View):
    """What :func:`journey_view` shows.

    Attributes:
        strips: the journeys that are shown: two, or the chosen one.
        requests: a button for each journey to choose from.
    """

    def __init__(self, journeys: Sequence[Journey]) -> None:
        if not journeys:
            raise ValueError(_NONE)
        self._journeys = journeys
        several = len(journeys) > 2
        self.requests = [
            button(f"{number}. {plain(_in_short(one))}", partial(self.choose, number - 1))
            for number, one in enumerate(journeys, 1)
            if several
        ]
        for one in self.requests:
            one.layout.flex, one.layout.align_self = "none", "flex-start"
        listed = {"max_height": _LIST_HEIGHT, "overflow": "auto"}
        self._shown, self._parting = ipywidgets.HBox(layout={"flex_flow": "row wrap"}), Markup()
        super().__init__(
            *[ipywidgets.VBox(self.requests, layout=listed)] * several,
            self._shown,
        )
        if len(journeys) == 2:
            self._show_both()
        else:
            self.choose(0)

    def _show_both(self) -> None:
        compared = Comparison(*self._journeys)
        both = zip(self._journeys, compared.first_difference, ("before", "after"), strict=True)
        self.strips = [Strip(*one) for one in both]
        for strip in self.strips:
            strip.box.layout = {"flex": "1 1 24em", "min_width": "0", "padding": "0 1em 0 0"}
        self._shown.children = [strip.box for strip in self.strips]
        self.box.children = [ipywidgets.HTML(sentence(compared.sentence())), *self.box.children]

    def choose(self, number: int) -> None:
        """Show one of the journeys, from 0."""
        self.strips = [Strip(self._journeys[number])]
        for place, one in enumerate(self.requests):
            name = plain(_in_short(self._journeys[place]))
            one.description = f"{_CHOSEN if place == number else ''}{place + 1}. {name}"
            one.style.font_weight = "bold" if place == number else "normal"
        self._shown.children = [self.strips[0].box]

    def blocks(self) -> Iterator[Block]:
        """The journeys with all that their gates looked at; as HTML the gates are buttons."""
        shown = [strip.journey for strip in self.strips]
        if len(shown) == 2:
            yield Block(list(Comparison(*shown).lines(evidence=True)), Markup())
            return
        if self.requests:
            listed = [f"{n}. {_in_short(one)}" for n, one in enumerate(self._journeys, 1)]
            yield Block([*listed, ""], Markup())
        yield Block(list(shown[0].lines(evidence=True)), Markup())


def _unfolding(idle: Sequence[Step], unfold: Callable[[], None]) -> Any:
    gates = f"{len(idle)} gate{'' if len(idle) == 1 else 's'}"
    layout = {"align_self": "flex-start", "margin": "6px 2px"}
    return button(f"{MARK['skip']} nothing to check at {gates}", unfold, layout=layout)


def _in_short(journey: Journey) -> str:
    """One line: what came back, and who stopped it or refused it."""
    stop = journey.stopped_at
    if stop is not None:
        return f"{journey.title}: {stop.gate}: {stop.reason}"
    refused = journey.steps and journey.status >= 400
    return journey.heading if refused else journey.title


def _details(gate: Step | str, journey: Journey, different: Step | None) -> Markup:
    if isinstance(gate, str):
        stop = journey.stopped_at
        where = "" if stop is None else f": the request was stopped at the gate {stop.gate}"
        return tag("div", sentence(f"{gate}: not reached{where}."), role="status")
    seen = list(gate.facts())
    words = look_of(gate, journey.status)[1]
    return tag(
        "div",
        sentence(tag("span", f"{name_of(gate, different)}: {words}", style=BOLD)),
        sentence(gate.reason),
        table("What it looked at", ("fact", "value"), seen) if seen else "",
        role="status",
    )
