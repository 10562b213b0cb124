"""The card of an error: what was expected, what came, which gate decided and why, and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import requests

from labkit import markup
from labkit.course.exercises import BLANK, task_named
from labkit.doctor import Explanation
from labkit.errors import CheckError, JourneyUnknownError
from labkit.journey import Journey
from labkit.markup import Block, Markup, plain, tag
from labkit.tokens import redact

BLANK_LEFT = (
    f"This cell still has a blank: write your code in place of {BLANK}, then run the cell again."
)
_FRAME = "border-left:4px solid var(--jp-error-color1,currentColor);padding:2px 12px;margin:4px 0;"
_LONGEST_VALUE = 160
_SHORTEST_HEAD = 12


class Helper(Protocol):
    """Who knows what an answer means: the lab."""

    def explain(self, answer: object = None) -> Explanation:
        """What an answer means, and what to try next."""

    def journey(self, response: requests.Response) -> Journey:
        """The way of a request through the gateway."""


def card_of(
    error: Exception, names: Mapping[str, object], helper: Helper | None
) -> Sequence[Block]:
    """What a notebook shows of an error of labkit's, or of one that nobody can explain.

    Args:
        error: the error. One with an attribute ``card`` brings its own blocks.
        names: the notebook's, to name the response as the learner does.
        helper: who knows what an answer means, if there is somebody.
    """
    own: Sequence[Block] | None = getattr(error, "card", None)
    if own:
        return own
    response = error.response if isinstance(error, CheckError) else None
    if helper and isinstance(error, CheckError) and isinstance(response, requests.Response):
        return list(_of_check(error, response, names, helper))
    return [_heading(lines_of(error))]


def card_of_blank(source: str) -> Sequence[Block]:
    """What a notebook shows of a cell with a blank.

    Args:
        source: the cell.
    """
    task = task_named(source)
    hint = [markup.paragraph(f'If you are stuck: lab.hint("{task}").')] if task else []
    return [_heading(BLANK_LEFT), *hint]


def card_of_client(error: Exception, explanation: Explanation) -> tuple[str, Sequence[Block]]:
    """What a notebook shows of an error of a client: in a sentence, and as a card.

    Args:
        error: the client's; it reached nobody, or carries an answer.
        explanation: of the error.
    """
    certain = explanation.certain and bool(explanation.causes)
    sentence = f"{explanation.causes[0].title}." if certain else explanation.meaning
    cause = [] if certain else list(_cause_of(explanation))
    fix = [("fix", cause.fix) for cause in explanation.causes[:1]]
    rows = [("error", _cut(explanation.answer)), *cause, *fix, ("next", _next())]
    return sentence, [_heading(sentence), _rows(rows)]


def html_of(blocks: Sequence[Block]) -> Markup:
    """The card for a browser."""
    return tag("div", markup.join(block.html for block in blocks), style=_FRAME)


def text_of(blocks: Sequence[Block]) -> str:
    """The card for everybody else: the same words."""
    return "\n".join(plain(line) for block in blocks for line in block.lines)


def lines_of(error: Exception) -> str:
    """What an error says, in which nothing acts."""
    return "\n".join(map(plain, str(error).split("\n")))


def short_text(error: Exception, sentence: str) -> str:
    """The error's class, and its sentence up to the next step, which the card has."""
    for end in (": ", ". "):
        head, found, _rest = sentence.partition(end)
        if found and len(head) >= _SHORTEST_HEAD:
            return f"{type(error).__name__}: {head}."
    return f"{type(error).__name__}: {sentence}"


def _of_check(
    error: CheckError,
    response: requests.Response,
    names: Mapping[str, object],
    helper: Helper,
) -> Iterator[Block]:
    explanation = helper.explain(response)
    yield _heading(f"Expected {_shown(error.expected)}, got {_shown(error.actual)}.")
    yield _rows(list(_what_is_known(response, explanation, names, helper)))


def _what_is_known(
    response: requests.Response,
    explanation: Explanation,
    names: Mapping[str, object],
    helper: Helper,
) -> Iterator[tuple[str, str]]:
    sent = response.request
    yield "sent", f"{sent.method} {redact(sent.path_url)}"
    yield "came", explanation.answer
    if explanation.refused:
        yield "why", explanation.reason or explanation.meaning
    else:
        yield from _way_through(response, helper)
    yield from _cause_of(explanation)
    name = next((n for n, v in names.items() if v is response and not n.startswith("_")), "")
    yield "next", _next(name)


def _cause_of(explanation: Explanation) -> Iterator[tuple[str, str]]:
    if explanation.causes:
        label = "cause" if explanation.certain or not explanation.refused else "perhaps"
        yield label, explanation.causes[0].heading


def _next(name: str = "") -> str:
    return f"lab.explain({name}) says why, what to try, and what to change."


def _way_through(response: requests.Response, helper: Helper) -> Iterator[tuple[str, str]]:
    """Of a request that was let through: that it was, and what the authorizer said."""
    try:
        journey = helper.journey(response)
    except JourneyUnknownError:
        return
    yield "why", journey.sentence()
    for step in journey.steps:
        if step.gate == "authorizer":
            yield step.gate, step.reason


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"status {value}"
    return f"“{_cut(redact(str(value)))}”"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _heading(text: str) -> Block:
    marked = f"✗ {text}"
    bold = tag("strong", markup.lines(marked, "<br>"))
    return Block(marked.split("\n"), markup.sentence(bold, role="alert"))


def _rows(rows: Sequence[tuple[str, str]]) -> Block:
    """Labels and texts below one another."""
    cells = [
        tag(
            "tr",
            tag(
                "th",
                label,
                scope="row",
                style=f"{markup.CELL}white-space:nowrap;font-weight:inherit;",
            ),
            tag("td", markup.lines(text, "<br>"), style=markup.CELL),
            style="background:none;",
        )
        for label, text in rows
    ]
    body = tag("table", tag("tbody", *cells), style="border-collapse:collapse;margin:0;")
    wide = max(len(label) for label, _text in rows)
    return Block([f"  {label:<{wide}}  {' '.join(text.split())}" for label, text in rows], body)
