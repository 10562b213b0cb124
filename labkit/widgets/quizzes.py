"""Questions at the end of a notebook, and from earlier ones at its beginning: each click is answered at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import ipywidgets

from labkit.course.predictions import Question, Reveal, at_the_end, from_before
from labkit.course.progress import Progress
from labkit.markup import Block, paragraph
from labkit.state_directory import state_directory
from labkit.widgets.view import View, button, row


def quiz(notebook: str) -> QuizView:
    """Ask the questions at the end of a notebook.

    Args:
        notebook: its number, such as ``04``.

    Raises:
        UnknownQuestionError: the course has no questions for it.
    """
    return QuizView(at_the_end(notebook), Progress(state_directory()))


def recall(notebook: str) -> QuizView:
    """Ask again some questions of the notebooks before this one; what was said to them there isn't shown.

    Args:
        notebook: the number of this one, such as ``04``.

    Raises:
        UnknownQuestionError: the course has no questions for it.
    """
    return QuizView(from_before(notebook), Progress(state_directory()), anew=True)


class QuizView(View):
    """What :func:`quiz` and :func:`recall` show.

    Args:
        questions: what is asked.
        progress: what the learner said before.
        anew: whether an earlier answer stays hidden, since it has the right one beside it.

    Attributes:
        questions: what is asked.
        buttons: for each question, choice → its button.
        answers: for each question, what the lesson said to the last click; empty before.
    """

    def __init__(
        self, questions: list[Question], progress: Progress, *, anew: bool = False
    ) -> None:
        self.questions, self._progress = questions, progress
        self.buttons = [self._choices(number) for number in range(len(questions))]
        self.answers = [ipywidgets.HTML() for _one in questions]
        parts: list[object] = []
        for number, one in enumerate(questions):
            asked = ipywidgets.HTML(self._ask(number).html)
            parts += [asked, row(*self.buttons[number].values()), self.answers[number]]
            before = None if anew else progress.read().predictions.get(one.id)
            if before is not None:
                self._show(number, before.said.get("", ""))
        super().__init__(*parts)

    def say(self, number: int, choice: str) -> None:
        """Answer a question, from 0. The first answer counts; each one is answered."""
        asked = self.questions[number]
        first = self._progress.predict(asked.id, {"": choice}).said.get("", choice)
        records = self._progress.judge(asked.id, asked.is_right(first, asked.answer))
        self._show(number, choice, records.score)

    def blocks(self) -> Iterator[Block]:
        """The questions and their choices; not the answers."""
        for number, one in enumerate(self.questions):
            yield self._ask(number)
            yield paragraph(f"Choose: {_listed(one.choices)}")

    def _ask(self, number: int) -> Block:
        return paragraph(f"{number + 1}. {self.questions[number].ask}")

    def _choices(self, number: int) -> dict[str, ipywidgets.Button]:
        return {
            choice: button(choice, lambda choice=choice: self.say(number, choice))  # type: ignore[misc]
            for choice in self.questions[number].choices
        }

    def _show(self, number: int, choice: str, score: str = "") -> None:
        asked = self.questions[number]
        if choice not in asked.choices:
            return  # of an older form of the question
        self.answers[number].value = Reveal(
            asked, {"": asked.answer}, {"": choice}, score
        )._repr_html_()
        for name, one in self.buttons[number].items():
            one.description = f"{'● ' if name == choice else ''}{name}"


def _listed(choices: Iterable[str]) -> str:
    return " / ".join(choices)
