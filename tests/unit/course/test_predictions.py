"""A prediction is held against what came, and each answer has a sentence of its own."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.predictions import Question, Reveal, from_before, question, questions
from labkit.course.syllabus import notebooks
from labkit.errors import UnknownQuestionError

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = [
    path
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb"))
    if ".ipynb_checkpoints" not in path.parts
]
FILES = [Path(str(file)).stem for file in (files("labkit.course") / "questions").iterdir()]
ALL = [one for name in FILES for one in questions(name).values()]
LONGEST_CHOICE = 60
"""A button's text stays on one line."""
ASKED = re.compile(r"labkit\.(predict|reveal)\(\"([^\"]+)\"")

STATUS = Question("t.status", "Which?", {"200": "open", "401": "closed"}, ("200", "401"))
COUNT = Question(
    "t.count", "How many?", {"less": "more pass", "more": "fewer pass", "right": "yes"},
    kind="number", near=2,
)  # fmt: skip
WORD = Question(
    "t.word", "Which header?", {"right": "yes", "else": "another", "cookie": "no cookie"},
    kind="text",
)  # fmt: skip
GRID = Question(
    "t.grid", "Which?", {"ID token": "no scope", "none": "no token"}, ("200", "401"),
    rows=("ID token", "none"),
)  # fmt: skip


def said(asked: Question, came: str, answer: str) -> list[str]:
    return list(Reveal(asked, {"": came}, {"": answer}).lines())


@pytest.mark.parametrize(
    ("asked", "came", "answer", "lines"),
    [
        (STATUS, "401", "401", ["✓ You said 401, and that is right.", "closed"]),
        (STATUS, "401", "200", ["✗ You said 200. The answer is 401.", "open"]),
        (COUNT, "12", "13", ["✓ You said 13, and that is right.", "yes"]),
        (COUNT, "12", "9.5", ["✗ You said 9.5. The answer is 12.", "more pass"]),
        (COUNT, "12", "15", ["✗ You said 15. The answer is 12.", "fewer pass"]),
        (WORD, "Authorization", " authorization ", ["✓ You said  authorization , and that is right.", "yes"]),
        (WORD, "Authorization", "Cookie", ["✗ You said Cookie. The answer is Authorization.", "no cookie"]),
        (WORD, "Authorization", "Host", ["✗ You said Host. The answer is Authorization.", "another"]),
    ],
)  # fmt: skip
def test_what_is_said_to_an_answer(
    asked: Question, came: str, answer: str, lines: list[str]
) -> None:
    assert said(asked, came, answer) == lines


def test_nothing_said_is_no_mistake_and_tells_the_answer() -> None:
    for asked, came, sentence in ((STATUS, "401", "closed"), (COUNT, "12", "yes")):
        shown = Reveal(asked, {"": came})
        assert list(shown.lines()) == [f"The answer is {came}.", sentence]
        assert not shown.right


def test_what_no_choice_foresaw_is_told_without_a_sentence() -> None:
    assert list(Reveal(STATUS, {"": "500"}).lines()) == ["The answer is 500."]
    assert said(STATUS, "500", "200") == ["✗ You said 200. The answer is 500.", "open"]
    assert said(STATUS, "401", "404") == ["✗ You said 404. The answer is 401."]


def test_each_row_of_a_grid_counts() -> None:
    came = {"ID token": "401", "none": "401"}
    assert Reveal(GRID, came, {"ID token": "401", "none": "401"}).right
    half = Reveal(GRID, came, {"ID token": "401"})
    assert not half.right
    assert list(half.lines()) == [
        "ID token: ✓ You said 401, and that is right.", "no scope", "none: The answer is 401.", "no token",
    ]  # fmt: skip
    assert not Reveal(GRID, came, {"ID token": "200", "none": "401"}).right


def test_what_came_and_what_was_said_is_text() -> None:
    word = Question("t.w", "?", {"right": "r", "else": "e"}, kind="text")
    shown = Reveal(word, {"": "<b>\x1b[2J"}, {"": "<i>\u202e"})
    assert "<i>" not in shown._repr_html_()
    assert "<b>" not in shown._repr_html_()
    assert str(shown).replace("\n", "").isprintable()


@given(st.text(), st.text())
def test_any_text_gets_a_sentence(answer: str, came: str) -> None:
    for asked in (COUNT, WORD):
        if not asked.complaint("", answer):
            assert len(said(asked, came, answer)) == 2
    assert bool(STATUS.complaint("", answer)) == (answer not in STATUS.choices)


def test_an_answer_is_short() -> None:
    assert not WORD.complaint("", "a" * 200)
    assert WORD.complaint("", "a" * 201) == "Write a word or two."


@pytest.mark.parametrize(
    "name", ["", "04", "04.", "04.nothing", "../04.draft", "nothing.draft", ".", 4.2, None]
)
def test_an_unknown_question(name: Any) -> None:
    with pytest.raises(UnknownQuestionError, match="write it as the notebook does"):
        question(name)


# -- the course's own questions ------------------------------------------------------------------


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.id)
def test_each_answer_has_its_own_sentence(asked: Question) -> None:
    wanted = {
        "choice": set(asked.rows if asked.is_grid else asked.choices),
        "number": {"less", "more", "right"},
        "text": {"right", "else"} & set(asked.why),
    }[asked.kind]
    assert wanted <= set(asked.why)
    assert asked.kind == "text" or wanted == set(asked.why)
    assert len(set(asked.why.values())) == len(asked.why)
    assert all(sentence.endswith((".", "?")) for sentence in asked.why.values())
    assert asked.ask.endswith("?")
    assert asked.answer in ("", *asked.choices)
    if asked.choices:
        assert max(map(len, asked.choices)) <= LONGEST_CHOICE
        assert 2 <= len(asked.choices) == len(set(asked.choices))
        assert asked.untold in ("", *asked.choices)


def test_notebooks_ask_what_is_written_and_reveal_what_they_ask() -> None:
    asked: list[str] = []
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        calls = [call for cell in cells for call in ASKED.findall("".join(cell["source"]))]
        names = [name for what, name in calls if what == "predict"]
        assert len(names) == len(set(names)), path
        for name in names:
            question(name)
            assert calls.index(("predict", name)) < calls.index(("reveal", name)), (path, name)
        assert {name for what, name in calls if what == "reveal"} <= set(names), path
        asked += names
    assert sorted(asked) == sorted(one.id for one in ALL if not one.answer)


def test_the_right_answer_is_not_always_at_the_same_place() -> None:
    places = Counter(one.choices.index(one.answer) for one in ALL if one.answer)
    assert len(places) >= 3
    assert max(places.values()) < 0.6 * places.total()


@pytest.mark.parametrize("name", FILES)
def test_a_notebook_recalls_questions_of_earlier_ones(name: str) -> None:
    try:
        recalled = from_before(name)
    except UnknownQuestionError:
        return  # the first one has nothing before it
    keys = list(notebooks())
    assert 2 <= len(recalled) == len({one.id for one in recalled}) <= 3
    for one in recalled:
        assert one.answer
        assert keys.index(one.id.partition(".")[0]) < keys.index(name)
