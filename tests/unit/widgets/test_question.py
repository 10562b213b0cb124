"""A question is answered by its buttons or its input; what it says is the same as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labkit
from labkit.course.predictions import Question
from labkit.course.progress import Progress
from labkit.errors import UnknownQuestionError
from labkit.state_directory import VARIABLE
from labkit.widgets.question import QuestionView

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STATUS = Question("t.status", "Which?", {"200": "open", "401": "closed"}, ("200", "401"))
COUNT = Question(
    "t.count", "How many?", {"less": "l", "more": "m", "right": "r"}, kind="number"
)  # fmt: skip
GRID = Question("t.grid", "Which?", {"ID": "i", "none": "n"}, ("200", "401"), rows=("ID", "none"))


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path)


def press(view: QuestionView, choice: str, row: str = "") -> None:
    view.buttons[row][choice].click()


def test_a_click_is_an_answer_and_another_one_changes_it(progress: Progress) -> None:
    view = QuestionView(STATUS, progress)
    assert str(view) == "Predict: Which?\nChoose: 200, 401."
    press(view, "200")
    press(view, "401")
    assert str(view).endswith("You say: 401.")
    assert [one.description for one in view.buttons[""].values()] == ["200", "● 401"]
    assert "You say: 401." in view.status.value
    assert progress.read().predictions["t.status"].said == {"": "401"}


def test_after_the_reveal_nothing_changes(progress: Progress) -> None:
    view = QuestionView(STATUS, progress)
    press(view, "200")
    progress.judge("t.status", False)
    press(view, "401")
    assert str(view).endswith(
        "You say: 200.\nThe answer has been shown already: your first one counts."
    )
    again = QuestionView(STATUS, progress)
    assert [one.description for one in again.buttons[""].values()] == ["● 200", "401"]


def test_an_input_takes_a_number_and_nothing_else(progress: Progress) -> None:
    view = QuestionView(COUNT, progress)
    view.written.value = "many"
    assert str(view).endswith("Write a number, such as 12.")
    assert progress.read().predictions == {}
    view.written.value = "12"
    assert str(view) == "Predict: How many?\nYou say: 12."


def test_a_grid_is_answered_row_by_row(progress: Progress) -> None:
    view = QuestionView(GRID, progress)
    assert "for each of: ID, none" in str(view)
    press(view, "401", "ID")
    press(view, "200", "none")
    assert str(view).endswith("You say: ID: 401, none: 200.")
    assert progress.read().predictions["t.grid"].said == {"ID": "401", "none": "200"}


def test_the_widget_has_its_text(progress: Progress) -> None:
    bundle: dict[str, Any] = QuestionView(STATUS, progress)._repr_mimebundle_()
    assert WIDGET_VIEW in bundle
    assert bundle["text/plain"] == "Predict: Which?\nChoose: 200, 401."


def test_the_lesson_answers_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert str(labkit.reveal("04.draft", 200)).startswith("The answer is 200.\n")
    labkit.predict("04.draft").say("401")
    shown = labkit.reveal("04.draft", 200)
    assert str(shown).startswith("✗ You said 401. The answer is 200.\nYou closed the draft.")
    assert str(shown).endswith("Right so far, in all notebooks: 0 of 1.")
    assert Progress(tmp_path).read().predictions["04.draft"].right is False
    labkit.predict("04.deployed").say("401")
    assert str(labkit.reveal("04.deployed", 401)).endswith("in all notebooks: 1 of 2.")
    assert "so far" not in str(labkit.reveal("04.test-tab", 200))
    assert str(labkit.reveal("04.first-difference", None)).startswith("The answer is authorizer.")
    with pytest.raises(UnknownQuestionError):
        labkit.reveal("04.nothing", 200)
