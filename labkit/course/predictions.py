"""Predictions: what a notebook asks before it shows an answer, and what it says to what the learner said.

The questions are data, ``questions/<notebook>.toml``: their answers stand neither beside nor below the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from labkit import markup
from labkit.course.notebook_data import read_data
from labkit.errors import UnknownQuestionError

_LONGEST_ANSWER = 200
Said = Mapping[str, str]
"""Row of the question → what the learner said. A question that isn't a grid has one row without a name."""


@dataclass(frozen=True, slots=True)
class Question:
    """An entry of a file of questions.

    Attributes:
        id: the notebook and the question's name, such as ``04.draft``.
        ask: the question.
        choices: what can be chosen; empty where the learner writes.
        kind: what the learner writes: a number or a short text.
        rows: what a grid asks of, each with the same choices.
        near: by how much a number may be wrong.
        answer: of a question at a notebook's end: it is answered at once, and no request does it.
        untold: the answer where the cloud doesn't tell it, as AWS doesn't tell which gate decided.
        why: the sentence for each choice; for a number those for ``less``, ``more`` and ``right``; for a text those for
            texts, ``right`` and ``else``; for a grid those for its rows.
    """

    id: str
    ask: str
    why: Mapping[str, str]
    choices: tuple[str, ...] = ()
    kind: Literal["choice", "number", "text"] = "choice"
    rows: tuple[str, ...] = ("",)
    near: float = 0
    untold: str = ""
    answer: str = ""

    @property
    def is_grid(self) -> bool:
        """Whether it asks the same of several rows."""
        return self.rows != ("",)

    def complaint(self, row: str, text: str) -> str:
        """Why a text can't be an answer; empty when it can."""
        if self.choices:
            return "" if text in self.choices else f"Choose one of {', '.join(self.choices)}."
        if self.kind == "number":
            return "" if _number(text) is not None else "Write a number, such as 12."
        short = 0 < len(text.strip()) <= _LONGEST_ANSWER
        return "" if short else "Write a word or two."

    def is_right(self, said: str, came: str) -> bool:
        """Whether what the learner said is what came."""
        if self.kind == "number":
            mine, real = _number(said), _number(came)
            return mine is not None and real is not None and abs(mine - real) <= self.near
        return _plain(said) == _plain(came)

    def sentence(self, row: str, said: str | None, came: str) -> str:
        """What to say to one answer; None is somebody who said nothing.

        Empty for one that isn't among the choices: a real cloud may answer 500, and the question may be older.
        """
        if self.is_grid:
            return self.why[row]
        if self.choices:
            return self.why.get(came if said is None else said, "")
        if said is None or self.is_right(said, came):
            return self.why["right"]
        if self.kind == "number":
            return self.why["less" if (_number(said) or 0) < (_number(came) or 0) else "more"]
        known = {_plain(text): sentence for text, sentence in self.why.items()}
        return known.get(_plain(said), self.why["else"])


@dataclass(frozen=True, slots=True)
class Reveal:
    """What the lesson says to a prediction.

    Attributes:
        question: what was asked.
        came: row → what came.
        said: row → what the learner said; empty when that was nothing.
        score: of the whole course so far; empty unless the learner said something.
    """

    question: Question
    came: Said
    said: Said = field(default_factory=dict)
    score: str = ""

    @property
    def right(self) -> bool:
        """Whether every row was predicted right."""
        return all(self.marks())

    def marks(self) -> Iterator[bool]:
        """For each row whether it was predicted right."""
        for row in self.question.rows:
            said = self.said.get(row)
            yield said is not None and self.question.is_right(said, self.came[row])

    def lines(self) -> Iterator[str]:
        """What to say, line by line: what the learner said, what came, and why."""
        for row, right in zip(self.question.rows, self.marks(), strict=True):
            said, came = self.said.get(row), self.came[row]
            name = f"{row}: " if row else ""
            if said is None:
                yield f"{name}The answer is {came}."
            elif right:
                yield f"{name}✓ You said {said}, and that is right."
            else:
                yield f"{name}✗ You said {said}. The answer is {came}."
            if sentence := self.question.sentence(row, said, came):
                yield sentence
        if self.score:
            yield f"Right so far, in all notebooks: {self.score}."

    def __str__(self) -> str:
        return "\n".join(map(markup.plain, self.lines()))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same words."""
        border = "success" if self.right else "warn" if self.said else "info"
        style = f"border-left:4px solid var(--jp-{border}-color1,currentColor);padding-left:8px;"
        return markup.tag("div", *map(markup.sentence, self.lines()), role="status", style=style)


def question(identifier: str) -> Question:
    """The question with this id.

    Raises:
        UnknownQuestionError: there is none.
    """
    notebook, _, name = str(identifier).partition(".")
    found = questions(notebook).get(name)
    if found is None:
        raise UnknownQuestionError(
            f"The course has no question {identifier!r}: write it as the notebook does, such as '04.draft'."
        )
    return found


@cache
def questions(notebook: str) -> dict[str, Question]:
    """The questions of a notebook by their names; empty when it has none."""
    read = read_data(notebook, "questions")
    return {
        name: Question(id=f"{notebook}.{name}", **entry)
        for name, entry in read.items()
        if name != "recall"
    }


def at_the_end(notebook: str) -> list[Question]:
    """The questions at the end of a notebook.

    Raises:
        UnknownQuestionError: it has none.
    """
    return _some(notebook, [one for one in questions(notebook).values() if one.answer])


def from_before(notebook: str) -> list[Question]:
    """Questions of earlier notebooks with which one begins: those that its ``recall`` lists.

    Raises:
        UnknownQuestionError: it lists none.
    """
    recalled = read_data(notebook, "questions").get("recall", ())
    return _some(notebook, list(map(question, recalled)))


def _some(notebook: str, found: list[Question]) -> list[Question]:
    if not found:
        raise UnknownQuestionError(
            f"The course has no such questions for {notebook!r}: write it as the notebook does, such as '04'."
        )
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None
