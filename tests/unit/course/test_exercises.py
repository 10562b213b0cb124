"""Exercises: each master's solution has a blank that isn't one, hints, and a check."""

import ast
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.checks.tasks import TASKS
from labkit.course.exercises import (
    BLANK,
    exercise,
    exercises,
    solution_in,
    task_of,
    with_blank,
)
from labkit.course.hints import card_of, hint, solution_of
from labkit.errors import UnknownTaskError

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
SOLUTIONS = {
    task: "".join(cell["source"])
    for path in sorted(NOTEBOOKS.glob("**/*.ipynb"))
    for cell in json.loads(path.read_text("utf-8"))["cells"]
    if (task := task_of("".join(cell["source"])))
}
every_exercise = pytest.mark.parametrize("task", SOLUTIONS)
CELL = "# Task 4.3: deploy\n# BEGIN SOLUTION\na = 1\nb = 2\n# END SOLUTION\nprint(a)\n"


def test_every_exercise_has_a_cell_and_a_check() -> None:
    files = (NOTEBOOKS.parent / "labkit/course/exercises").glob("*.toml")
    known = {task for file in files for task in exercises(file.stem)}
    assert known == SOLUTIONS.keys() == TASKS.keys()


@every_exercise
def test_the_blank_is_code_that_doesnt_run_through(task: str) -> None:
    names = [
        one.id for one in ast.walk(ast.parse(exercise(task).blank)) if isinstance(one, ast.Name)
    ]
    assert BLANK in names
    assert exercise(task).blank.count(BLANK) == names.count(BLANK), (
        "a blank in a text stops nothing"
    )


@every_exercise
def test_the_blank_holds_no_line_of_the_solution_that_decides(task: str) -> None:
    blank, solution = exercise(task).blank, solution_in(SOLUTIONS[task])
    assert ast.dump(ast.parse(blank)) != ast.dump(ast.parse(solution))
    assert solution == solution_of(task)


@every_exercise
def test_the_copy_of_the_cell_keeps_what_stands_around(task: str) -> None:
    source = SOLUTIONS[task]
    copy = with_blank(source)
    assert copy.splitlines()[0] == source.splitlines()[0]
    assert "SOLUTION" not in copy
    assert copy.replace(exercise(task).blank, solution_in(source)) == source.replace(
        "# BEGIN SOLUTION\n", ""
    ).replace("\n# END SOLUTION", "")


@every_exercise
def test_each_hint_is_a_sentence_of_its_own(task: str) -> None:
    hints = exercise(task).hints
    assert 1 <= len(hints) == len(set(hints))
    assert all(text[-1] in ".?)" or "(" in text for text in hints)


def test_a_cell_without_a_region_stays() -> None:
    source = "# Task 4.3 was above\nprint(1)"
    assert task_of(source) is None
    assert with_blank(source) == source
    assert solution_in(source) == ""


def test_the_blank_stands_where_the_solution_stood() -> None:
    assert with_blank(CELL) == f"# Task 4.3: deploy\n{exercise('4.3').blank}\nprint(a)\n"
    assert solution_in(CELL) == "a = 1\nb = 2"


@pytest.mark.parametrize("task", ["", "4", "4.99", "x.1", "../04.1", "é.1", 4.2, None])
def test_an_unknown_task_gets_one_sentence(task: object) -> None:
    with pytest.raises(UnknownTaskError, match="The course has no task"):
        exercise(task)  # type: ignore[arg-type]


@given(st.text())
def test_any_name_gets_a_sentence_or_an_exercise(name: str) -> None:
    with suppress(UnknownTaskError):
        assert exercise(name).id == name


@given(st.text())
def test_any_source_is_a_cell(source: str) -> None:
    assert task_of(source) is None or "# BEGIN SOLUTION" in source


@pytest.mark.parametrize("number", [0, 99, -1, True, 1.0, "1", None])
def test_a_hint_that_isnt_there_gets_one_sentence(number: object) -> None:
    with pytest.raises(UnknownTaskError, match=r"Task 4\.3 has the hints 1 to 2"):
        hint("4.3", number)  # type: ignore[arg-type]


def test_the_card_folds_each_hint_into_the_one_before_and_the_solution_into_the_last() -> None:
    what, step, folded = card_of("4.3", "The <stage> is old.", "Deploy.")
    assert what.lines == ["✗ Task 4.3 isn't done yet. The <stage> is old."]
    assert "&lt;stage&gt;" in what.html
    assert step.lines == ["Deploy."]
    assert folded.lines == ["Hints: lab.hint('4.3', 1) to lab.hint('4.3', 2)."]
    order = ["Hint 1 of 2", hint("4.3", 1)[:20], "Hint 2 of 2", "The solution", "deployment = "]
    places = [folded.html.index(words) for words in order]
    assert places == sorted(places)
    assert folded.html.endswith("</details>" * 3)
    # Its text, which a screen reader in a terminal reads, doesn't tell the solution.
    assert "deployment = " not in "".join(folded.lines)
