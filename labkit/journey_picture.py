"""The picture of a journey: a strip of gates, and below it each gate's reason.

Plain HTML tables with inline style: JupyterLab keeps them in a notebook that it doesn't trust yet, where it would drop
SVG and scripts. The colours are the theme's own, so it reads in light and dark; what happened is told by mark, words
and border, so it reads without colour.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.journey import Journey, Step

MARK = {"pass": "✓", "stop": "✗", "skip": "·"}
WORD = {"pass": "passed", "stop": "stopped here", "skip": "nothing to check"}

_CELL = "text-align:center;padding:4px {side}px;background:none;white-space:normal;"
_BORDER = {
    "pass": "border:2px solid currentColor;",
    "stop": "border:5px double currentColor;font-weight:bold;",
    "skip": "border:1px dotted currentColor;",
    "not reached": "border:1px dashed currentColor;font-style:italic;",
}
_ROOMY = 8
_PLAIN = "border:none;background:none;text-align:left;padding:1px 8px;vertical-align:top;"


def picture(journey: Journey) -> str:
    """The journey as HTML; everything that came with the request is escaped."""
    head = html.escape(f"{journey.method} {journey.path} → {journey.status}")
    note = f"<p>{html.escape(journey.note)}</p>" if journey.note else ""
    strip = _arrow().join(_cells(journey))
    label = html.escape(alternative_text(journey), quote=True)
    reasons = "".join(map(_reason, journey.steps))
    return (
        f"<div><p><b>{head}</b></p>{note}"
        f'<table role="img" aria-label="{label}" style="table-layout:auto;margin:0"><tbody>'
        f'<tr style="background:none">{strip}</tr></tbody></table>'
        f'<table style="table-layout:auto;margin:0"><tbody>{reasons}</tbody></table></div>'
    )


def alternative_text(journey: Journey) -> str:
    """The picture in one sentence."""
    stop = journey.stopped_at
    if stop is not None:
        return f"The request was stopped at the gate {stop.gate}: {stop.reason}."
    if not journey.steps:
        return journey.note
    return f"The request passed every gate and got {journey.status}."


def _cells(journey: Journey) -> Iterator[str]:
    # A gate that is asked twice makes a ninth cell: beside a side bar there is no room for it.
    side = 8 if len(journey.steps) + len(journey.not_reached) <= _ROOMY else 4
    for step in journey.steps:
        yield _cell(f"{MARK[step.outcome]} {step.gate}", WORD[step.outcome], step.outcome, side)
    for gate in journey.not_reached:
        yield _cell(gate, "not reached", "not reached", side)


def _cell(first: str, second: str, outcome: str, side: int) -> str:
    style = _CELL.format(side=side) + _BORDER[outcome]
    return f'<td style="{style}">{html.escape(first)}<br><small>{second}</small></td>'


def _arrow() -> str:
    return '<td style="border:none;background:none;padding:0 2px">→</td>'


def _reason(step: Step) -> str:
    weight = "font-weight:bold;" if step.outcome == "stop" else ""
    return (
        f'<tr style="background:none"><td style="{_PLAIN}{weight}">{MARK[step.outcome]} {html.escape(step.gate)}</td>'
        f'<td style="{_PLAIN}{weight}">{html.escape(step.reason)}</td></tr>'
    )
