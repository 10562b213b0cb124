"""Predictions in a notebook: a question to answer by mouse or keyboard, and what the lesson says to the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import ipywidgets

from labkit.course.predictions import Question, Reveal, question
from labkit.course.progress import Progress
from labkit.markup import Block, join, paragraph
from labkit.state_directory import state_directory
from labkit.widgets.view import View, button, field, row

_CHOSEN = "● "
_TOO_LATE = "The answer has been shown already: your first one counts."


def predict(identifier: str) -> QuestionView:
    """Ask for a prediction. Whoever doesn't answer goes on all the same.

    Args:
        identifier: the question's, such as ``04.draft``.

    Raises:
        UnknownQuestionError: the course has no such question.
    """
    return QuestionView(question(identifier), Progress(state_directory()))


def reveal(identifier: str, came: object) -> Reveal:
    """Say what came, and something to what the learner predicted.

    Args:
        identifier: the question's.
        came: the answer as it really came; of a grid, row → answer. None where the cloud doesn't tell it.

    Raises:
        UnknownQuestionError: the course has no such question.
    """
    asked, progress = question(identifier), Progress(state_directory())
    rows = came if isinstance(came, Mapping) else {"": asked.untold if came is None else came}
    predicted = progress.read().predictions.get(identifier)
    said = {} if predicted is None else predicted.said
    shown = Reveal(asked, {str(name): str(value) for name, value in rows.items()}, said)
    if predicted is None:
        return shown
    return replace(shown, score=progress.judge(identifier, shown.right).score)


class QuestionView(View):
    """What :func:`predict` shows.

    Attributes:
        question: what is asked.
        buttons: row → choice → its button.
        written: the input of a number or a text.
        status: what became of the answer.
    """

    def __init__(self, asked: Question, progress: Progress) -> None:
        self.question, self._progress = asked, progress
        before = progress.read().predictions.get(asked.id)
        self._said = {} if before is None else dict(before.said)
        self._complaint = _TOO_LATE if before is not None and before.right is not None else ""
        self.buttons = {name: self._choices(name) for name in asked.rows}
        self.written = field(ipywidgets.Text, "Your answer", "30em", continuous_update=False)
        self.written.observe(lambda _change: self.say(self.written.value), "value")
        self.status = ipywidgets.HTML()
        answers = [
            row(*[ipywidgets.Label(name)] * bool(name), *buttons.values())
            for name, buttons in self.buttons.items()
        ]
        if not asked.choices:
            answers = [row(self.written, button("This is my answer", self._written))]
        super().__init__(ipywidgets.HTML(self._ask().html), *answers, self.status)
        self._show()

    def say(self, text: str, name: str = "") -> None:
        """Answer: one row of a grid, or all that is asked."""
        self._complaint = self.question.complaint(name, text)
        if not self._complaint:
            self._said[name] = text
            kept = self._progress.predict(self.question.id, self._said)
            self._complaint = _TOO_LATE if kept.right is not None else ""
            self._said = dict(kept.said)
        self._show()

    def blocks(self) -> Iterator[Block]:
        """The question, its choices, and what the learner says."""
        yield self._ask()
        if self.question.choices:
            choices = f"Choose: {', '.join(self.question.choices)}"
            rows = f" for each of: {', '.join(self.question.rows)}" if self.question.is_grid else ""
            yield paragraph(f"{choices}{rows}.")
        yield from self._answer()

    def _ask(self) -> Block:
        return paragraph(f"Predict: {self.question.ask}")

    def _answer(self) -> Iterator[Block]:
        if self._said:
            said = ", ".join(
                f"{name}: {text}" if name else text for name, text in self._said.items()
            )
            yield paragraph(f"You say: {said}.", role="status")
        if self._complaint:
            yield paragraph(self._complaint, role="alert")

    def _choices(self, name: str) -> dict[str, Any]:
        return {
            choice: button(choice, lambda choice=choice: self.say(choice, name))  # type: ignore[misc]
            for choice in self.question.choices
        }

    def _written(self) -> None:
        self.say(self.written.value)

    def _show(self) -> None:
        self.status.value = join(block.html for block in self._answer())
        for name, buttons in self.buttons.items():
            for choice, one in buttons.items():
                chosen = self._said.get(name) == choice
                one.description = f"{_CHOSEN if chosen else ''}{choice}"
                one.style.font_weight = "bold" if chosen else "normal"
