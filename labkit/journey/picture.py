"""The picture of a journey: a strip of gates, and below it each gate's reason.

Plain HTML tables with inline style: JupyterLab keeps them in a notebook that it doesn't trust yet, where it would drop
SVG and scripts. The colours are the theme's own, so it reads in light and dark; what happened is told by mark, words
and border, so it reads without colour.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from labkit.journey.step import MARK, Step

WORD = {"pass": "passed", "stop": "stopped here", "skip": "nothing to check"}

_CELL = "text-align:center;padding:4px {side}px;background:none;white-space:normal;"
BORDER = {
    "pass": "2px solid currentColor",
    "stop": "5px double currentColor",
    "skip": "1px dotted currentColor",
    "not reached": "1px dashed currentColor",
}
_LETTERS = {"stop": "font-weight:bold;", "not reached": "font-style:italic;"}
_ROOMY = 8
_PLAIN = "border:none;background:none;text-align:left;padding:1px 8px;vertical-align:top;"


def picture(
    title: str, note: str, sentence: str, steps: Sequence[Step], not_reached: Sequence[str]
) -> str:
    """The journey as HTML; everything that came with the request is escaped.

    Args:
        title: the line above.
        note: the text below it, if any.
        sentence: the picture in words, its alternative text.
        steps: what each gate said, in order.
        not_reached: the names of the gates behind.
    """
    text = f"<p>{html.escape(note)}</p>" if note else ""
    strip = _arrow().join(_cells(steps, not_reached))
    label = html.escape(sentence, quote=True)
    reasons = "".join(map(_reason, steps))
    return (
        f"<div><p><b>{html.escape(title)}</b></p>{text}"
        f'<table role="img" aria-label="{label}" style="table-layout:auto;margin:0"><tbody>'
        f'<tr style="background:none">{strip}</tr></tbody></table>'
        f'<table style="table-layout:auto;margin:0"><tbody>{reasons}</tbody></table></div>'
    )


def _cells(steps: Sequence[Step], not_reached: Sequence[str]) -> Iterator[str]:
    # A gate that is asked twice makes a ninth cell: beside a side bar there is no room for it.
    side = 8 if len(steps) + len(not_reached) <= _ROOMY else 4
    for step in steps:
        yield _cell(f"{MARK[step.outcome]} {step.gate}", WORD[step.outcome], step.outcome, side)
    for gate in not_reached:
        yield _cell(gate, "not reached", "not reached", side)


def _cell(first: str, second: str, outcome: str, side: int) -> str:
    style = f"{_CELL.format(side=side)}border:{BORDER[outcome]};{_LETTERS.get(outcome, '')}"
    return f'<td style="{style}">{html.escape(first)}<br><small>{second}</small></td>'


def _arrow() -> str:
    return '<td style="border:none;background:none;padding:0 2px">→</td>'


def _reason(step: Step) -> str:
    weight = "font-weight:bold;" if step.outcome == "stop" else ""
    return (
        f'<tr style="background:none"><td style="{_PLAIN}{weight}">{MARK[step.outcome]} {html.escape(step.gate)}</td>'
        f'<td style="{_PLAIN}{weight}">{html.escape(step.reason)}</td></tr>'
    )
