"""Each click on a quiz is answered at once; the first one counts."""

from __future__ import annotations

from pathlib import Path

import pytest

import labkit
from labkit.course.predictions import Question, at_the_end, from_before
from labkit.course.progress import Progress
from labkit.errors import UnknownQuestionError
from labkit.state_directory import VARIABLE
from labkit.widgets.quizzes import QuizView

ONE = Question("t.one", "Which?", {"a": "A is right.", "b": "B is wrong."}, ("a", "b"), answer="a")
TWO = Question("t.two", "And now?", {"c": "C.", "d": "D."}, ("c", "d"), answer="d")


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path)


@pytest.fixture
def view(progress: Progress) -> QuizView:
    return QuizView([ONE, TWO], progress)


def test_its_text_asks_and_doesnt_answer(view: QuizView) -> None:
    assert str(view) == "1. Which?\nChoose: a / b\n2. And now?\nChoose: c / d"
    view.buttons[0]["a"].click()
    assert str(view) == "1. Which?\nChoose: a / b\n2. And now?\nChoose: c / d"


def test_a_click_is_answered_at_once(view: QuizView) -> None:
    view.buttons[0]["b"].click()
    said = view.answers[0].value
    assert "✗ You said b. The answer is a." in said
    assert "B is wrong." in said
    assert "Right so far, in all notebooks: 0 of 1." in said
    assert view.answers[1].value == ""
    assert view.buttons[0]["b"].description == "● b"


def test_the_first_answer_counts_and_each_one_is_answered(
    view: QuizView, progress: Progress
) -> None:
    view.buttons[0]["b"].click()
    view.buttons[0]["a"].click()
    assert "✓ You said a, and that is right." in view.answers[0].value
    assert progress.read().score == "0 of 1"
    view.buttons[1]["d"].click()
    assert progress.read().score == "1 of 2"


def test_what_was_answered_is_shown_again(view: QuizView, progress: Progress) -> None:
    view.buttons[1]["c"].click()
    again = QuizView([ONE, TWO], progress)
    assert "✗ You said c. The answer is d." in again.answers[1].value
    assert again.answers[0].value == ""


def test_a_question_from_before_is_asked_without_its_answer(progress: Progress) -> None:
    QuizView([ONE], progress).buttons[0]["b"].click()
    again = QuizView([ONE], progress, anew=True)
    assert again.answers[0].value == ""
    assert again.buttons[0]["b"].description == "b"
    again.buttons[0]["a"].click()
    assert "✓ You said a, and that is right." in again.answers[0].value
    assert progress.read().score == "0 of 1"


def test_an_answer_that_isnt_a_choice_any_more_is_left_out(progress: Progress) -> None:
    progress.predict("t.one", {"": "gone"})
    assert QuizView([ONE], progress).answers[0].value == ""


def test_the_course_asks_at_the_end_and_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert [one.id for one in labkit.quiz("04").questions] == [one.id for one in at_the_end("04")]
    assert labkit.recall("04").questions == from_before("04")


@pytest.mark.parametrize("name", ["", "4", "nothing", "../04"])
def test_an_unknown_notebook_gets_one_sentence(name: str) -> None:
    for some in (at_the_end, from_before):
        with pytest.raises(UnknownQuestionError, match="The course has no such questions"):
            some(name)
