"""Exercises: the decisive call of a task, which the learner writes into a cell with blanks.

A master carries the solution, whole statements between ``# BEGIN SOLUTION`` and ``# END SOLUTION``, in a cell whose
first line is ``# Task 4.2: …``. A learner's copy has a blank instead: data, in ``exercises/<notebook>.toml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from labkit.course.notebook_data import read_data
from labkit.errors import UnknownTaskError

BLANK = "____"
"""What stands where the learner writes: a name that Python doesn't know, so a cell that has one never runs through."""

_REGION = re.compile(r"^# BEGIN SOLUTION\n(?P<solution>.*?)^# END SOLUTION$", re.M | re.S)
_TASK = re.compile(r"# Task (?P<number>[0-9]+[a-z]?\.[0-9]+[a-z]?)\b")


@dataclass(frozen=True, slots=True)
class Exercise:
    """An entry of a file of exercises.

    Attributes:
        id: the task's number, such as ``4.2``.
        blank: the code in which the learner fills in the blanks.
        hints: from the first small thing to nearly all.
    """

    id: str
    blank: str
    hints: tuple[str, ...]


def exercise(task: str) -> Exercise:
    """The exercise of a task.

    Raises:
        UnknownTaskError: there is none.
    """
    known = exercises(notebook_of(task)).values()
    found = next((one for one in known if one.id == task), None)
    if found is None:
        raise UnknownTaskError(
            f"The course has no task {task!r}: write it as the notebook does, such as '4.2'."
        )
    return found


@cache
def exercises(notebook: str) -> dict[str, Exercise]:
    """The exercises of a notebook, such as ``04``, by their tasks; empty when it has none."""
    return {
        task: Exercise(task, entry["blank"].strip("\n"), entry["hints"])
        for task, entry in read_data(notebook, "exercises").items()
    }


def notebook_of(task: str) -> str:
    """The notebook of a task: ``04`` of ``4.2``, ``06b`` of ``6b.1``."""
    number = str(task).partition(".")[0]  # somebody may write 4.2 without quotes
    return f"0{number}" if re.fullmatch("[0-9][a-z]?", number) else number


def task_of(source: str) -> str | None:
    """The task whose solution a master's cell holds; None for a cell without one."""
    found = _TASK.match(source) if _REGION.search(source) else None
    return found and found["number"]


def task_named(source: str) -> str | None:
    """The task that a cell names in its first line, if it is an exercise; a learner's cell has no solution."""
    found = _TASK.match(source)
    number = "" if found is None else found["number"]
    return number if number in exercises(notebook_of(number)) else None


def solution_in(source: str) -> str:
    """The solution in a master's cell, without its marks."""
    found = _REGION.search(source)
    return "" if found is None else found["solution"].rstrip("\n")


def with_blank(source: str) -> str:
    """A master's cell as the learner gets it: the blank where the solution was.

    Raises:
        UnknownTaskError: nothing says what its blank is.
    """
    task = task_of(source)
    if task is None:
        return source
    return _REGION.sub(lambda _found: exercise(task).blank, source)


def without_marks(source: str) -> str:
    """A master's cell with its solution, as a learner may run it."""
    return _REGION.sub(lambda found: found["solution"].rstrip("\n"), source)
