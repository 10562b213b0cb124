"""Exercises: the decisive call of a task, which the learner writes into a cell with blanks.

A master carries the solution, whole statements between ``# BEGIN SOLUTION`` and ``# END SOLUTION``, in a cell whose
first line is ``# Task 4.2: …``. A learner's copy has a blank instead: data, in ``exercises/<notebook>.toml``.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

from labkit.errors import UnknownTaskError
from labkit.markup import MONOSPACE, Block, Markup, lines, paragraph, sentence, tag

BLANK = "____"
"""What stands where the learner writes: a name that Python doesn't know, so a cell that has one never runs through."""

_MASTERS = Path(__file__).parents[2] / "notebooks"
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
    found = exercises(task.partition(".")[0]).get(task)
    if found is None:
        raise UnknownTaskError(
            f"The course has no task {task!r}: write it as the notebook does, such as '4.2'."
        )
    return found


@cache
def exercises(notebook: str) -> dict[str, Exercise]:
    """The exercises of a notebook, such as ``4``, by their tasks; empty when it has none."""
    file = files(__package__) / "exercises" / f"{_file_name(notebook)}.toml"
    if not notebook.replace("-", "").isalnum() or not file.is_file():
        return {}
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        task: Exercise(task, entry["blank"].strip("\n"), tuple(entry["hints"]))
        for task, entry in read.items()
    }


def _file_name(notebook: str) -> str:
    """``04`` for ``4``, as notebooks are named; others stay as they are."""
    return f"0{notebook}" if re.fullmatch("[0-9][a-z]?", notebook) else notebook


def card_of(task: str, what: str, step: str) -> list[Block]:
    """What to show of a task that isn't done: what is missing, then hints one inside the other, then the solution."""
    known = exercises(task.partition(".")[0]).get(task)
    hints = () if known is None else known.hints
    folded: Markup = Markup()
    if known is not None and (solution := solution_of(task)):
        folded = _folded("The solution", tag("pre", lines(solution), style=MONOSPACE))
    for number, text in reversed(list(enumerate(hints, 1))):
        folded = _folded(f"Hint {number} of {len(hints)}", sentence(text), folded)
    call = f"Hints: lab.hint({task!r}, 1) to lab.hint({task!r}, {len(hints)})."
    return [
        paragraph(f"✗ Task {task} isn't done yet. {what}", role="alert"),
        paragraph(step),
        Block([call] if hints else [], folded),
    ]


def hint(task: str, number: int) -> str:
    """A hint for a task.

    Args:
        task: its number, such as ``4.2``.
        number: which hint, from 1.

    Raises:
        UnknownTaskError: there is no such task, or no such hint of it.
    """
    hints = exercise(task).hints
    if isinstance(number, bool) or number not in range(1, len(hints) + 1):
        raise UnknownTaskError(f"Task {task} has the hints 1 to {len(hints)}, not {number!r}.")
    return hints[number - 1]


def solution_of(task: str) -> str:
    """The solution in the task's master; empty where the masters aren't."""
    name = _file_name(task.partition(".")[0])
    patterns = (f"{folder}{name}{end}.ipynb" for folder in ("", "*/") for end in ("-*", ""))
    found = (path for pattern in patterns for path in _MASTERS.glob(pattern))
    for path in islice(found, 1):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if task_of(source) == task:
                return solution_in(source)
    return ""


def _folded(summary: str, *content: Markup) -> Markup:
    return tag("details", tag("summary", summary), *content, style="margin:4px 0 4px 16px;")


def task_of(source: str) -> str | None:
    """The task whose solution a master's cell holds; None for a cell without one."""
    found = _TASK.match(source) if _REGION.search(source) else None
    return found and found["number"]


def task_named(source: str) -> str | None:
    """The task that a cell names in its first line, if it is an exercise; a learner's cell has no solution."""
    found = _TASK.match(source)
    number = "" if found is None else found["number"]
    return number if number in exercises(number.partition(".")[0]) else None


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
