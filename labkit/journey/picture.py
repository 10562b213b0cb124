"""The picture of a journey: a strip of gates that wraps, and below it each gate's reason.

Plain HTML with inline style: JupyterLab keeps it in a notebook that it doesn't trust yet, where it would drop SVG
and scripts. The colours are the theme's own, and where a front end drops them the borders stay. What happened is told
by mark, words and border too, so it reads without colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.journey.step import MARK, Step
from labkit.markup import BOLD, Markup, tag

WORD = {
    "pass": "passed",
    "stop": "stopped here",
    "skip": "nothing to check",
    "answer": "answered",
    "not reached": "not reached",
}
NOT_CHECKED = "not checked here"
BORDER = {
    "pass": "2px solid",
    "stop": "5px double",
    "skip": "1px dotted",
    "answer": "2px solid",
    "not reached": "1px dashed",
}
Colour = tuple[str, str]
"""A variable of JupyterLab's theme, and a colour that reads on light and dark where a front end drops variables."""

COLOUR: dict[str, Colour] = {
    "pass": ("--jp-success-color1", "#388e3c"),
    "stop": ("--jp-error-color1", "#d32f2f"),
    "answer": ("--jp-success-color1", "#388e3c"),
    "warning": ("--jp-warn-color1", "#c76a00"),
    "skip": ("--jp-ui-font-color1", "#797979"),
    "not reached": ("--jp-ui-font-color1", "#797979"),
}
"""Of borders; letters have the theme's own."""

NOT_REACHED = ("not reached", WORD["not reached"], COLOUR["not reached"])
_CHIP = "display:inline-block;vertical-align:middle;text-align:center;margin:2px 0;padding:2px 8px;"
_LETTERS = {"stop": BOLD, "not reached": "font-style:italic;"}
_TABLE, _ROW = "table-layout:auto;margin:0", "background:none"
_GATE = "white-space:nowrap;"
_CELL = "border:none;background:none;text-align:left;padding:1px 8px;vertical-align:top;"
_ARROW = Markup(" → ")


def picture(
    texts: tuple[str, str, str],
    told: Sequence[Step],
    not_reached: Sequence[str],
    idle: Sequence[Step],
    *,
    status: int,
    different: Step | None = None,
) -> Markup:
    """The journey as HTML; everything that came with the request is escaped.

    Args:
        texts: the line above; the text below it, if any; the picture in words.
        told: what each gate said, in order.
        not_reached: the names of the gates behind.
        idle: the steps that are folded.
        status: what the client got.
        different: the step that is marked, as it differs from another journey's.
    """
    heading, note, sentence = texts
    chips = [_chip(name_of(step, different), *look_of(step, status)) for step in told]
    chips += [_chip(gate, *NOT_REACHED) for gate in not_reached]
    label = {"role": "img", "aria-label": sentence}
    return tag(
        "div",
        tag("p", tag("b", heading)),
        tag("p", note) if note else "",
        tag("div", Markup(_ARROW.join(chips)), **label) if chips else "",
        _reasons(told, different),
        tag("details", tag("summary", nothing_to_check(idle)), _reasons(idle)) if idle else "",
    )


def name_of(step: Step, different: Step | None = None) -> str:
    """The gate's mark and name."""
    return f"{'≠ ' if step is different else ''}{MARK[step.look]} {step.gate}"


def look_of(step: Step, status: int) -> tuple[str, str, Colour]:
    """A step's look, the words for it, and its colour.

    Args:
        step: of the journey.
        status: what the client got.
    """
    look = step.look
    if look == "skip" and not step.is_idle:  # somebody may have expected a check
        return look, NOT_CHECKED, COLOUR["warning"]
    if look != "answer":
        return look, WORD[look], COLOUR[look]
    refused = status >= 400  # by the backend
    return look, f"{WORD[look]} {status}", COLOUR["warning" if refused else look]


def nothing_to_check(idle: Sequence[Step]) -> str:
    """The gates that are folded, in one line."""
    return f"{MARK['skip']} nothing to check at: {', '.join(step.gate for step in idle)}"


def _chip(name: str, look: str, words: str, colour: Colour) -> Markup:
    variable, fixed = colour
    border = f"border:{BORDER[look]} {fixed};border-color:var({variable},{fixed});"
    style = f"{_CHIP}{border}{_LETTERS.get(look, '')}"
    return tag("span", name, Markup("<br>"), tag("small", words), style=style)


def _reasons(steps: Sequence[Step], different: Step | None = None) -> Markup:
    rows = [_reason(step, different) for step in steps]
    return tag("table", tag("tbody", *rows), style=_TABLE) if rows else Markup()


def _reason(step: Step, different: Step | None) -> Markup:
    style = _CELL + (BOLD if step.outcome == "stop" else "")
    gate = tag("td", name_of(step, different), style=style + _GATE)
    return tag("tr", gate, tag("td", step.reason, style=style), style=_ROW)
