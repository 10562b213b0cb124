"""The picture of a journey: a strip of gates, and below it each gate's reason.

Plain HTML tables with inline style: JupyterLab keeps them in a notebook that it doesn't trust yet, where it would drop
SVG and scripts. The colours are the theme's own, so it reads in light and dark; what happened is told by mark, words
and border, so it reads without colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.journey.step import MARK, Step
from labkit.markup import BOLD, Markup, tag

WORD = {
    "pass": "passed",
    "stop": "stopped here",
    "skip": "nothing to check",
    "not reached": "not reached",
}

_CELL = "text-align:center;padding:4px {side}px;background:none;white-space:normal;"
BORDER = {
    "pass": "2px solid currentColor",
    "stop": "5px double currentColor",
    "skip": "1px dotted currentColor",
    "not reached": "1px dashed currentColor",
}
_LETTERS = {"stop": BOLD, "not reached": "font-style:italic;"}
_ROOMY = 8
_TABLE, _ROW = "table-layout:auto;margin:0", "background:none"
_PLAIN = "border:none;background:none;text-align:left;padding:1px 8px;vertical-align:top;"


def picture(
    title: str, note: str, sentence: str, steps: Sequence[Step], not_reached: Sequence[str]
) -> Markup:
    """The journey as HTML; everything that came with the request is escaped.

    Args:
        title: the line above.
        note: the text below it, if any.
        sentence: the picture in words, its alternative text.
        steps: what each gate said, in order.
        not_reached: the names of the gates behind.
    """
    gates: list[tuple[str, str]] = [
        (f"{MARK[step.outcome]} {step.gate}", step.outcome) for step in steps
    ]
    gates += [(gate, "not reached") for gate in not_reached]
    # A gate that is asked twice makes a ninth cell: beside a side bar there is no room for it.
    side = 8 if len(gates) <= _ROOMY else 4
    arrow = tag("td", "→", style="border:none;background:none;padding:0 2px")
    strip = Markup(arrow.join(_cell(gate, outcome, side) for gate, outcome in gates))
    label = {"role": "img", "aria-label": sentence}
    return tag(
        "div",
        tag("p", tag("b", title)),
        tag("p", note) if note else "",
        tag("table", tag("tbody", tag("tr", strip, style=_ROW)), **label, style=_TABLE),
        tag("table", tag("tbody", *map(_reason, steps)), style=_TABLE),
    )


def _cell(gate: str, outcome: str, side: int) -> Markup:
    style = f"{_CELL.format(side=side)}border:{BORDER[outcome]};{_LETTERS.get(outcome, '')}"
    return tag("td", gate, Markup("<br>"), tag("small", WORD[outcome]), style=style)


def _reason(step: Step) -> Markup:
    style = _PLAIN + (BOLD if step.outcome == "stop" else "")
    gate = f"{MARK[step.outcome]} {step.gate}"
    return tag("tr", tag("td", gate, style=style), tag("td", step.reason, style=style), style=_ROW)
