"""What a learner gets who is stuck: hints from the first small thing to nearly all, and then the solution."""

from __future__ import annotations

from contextlib import suppress

from labkit.course.copies import read_master
from labkit.course.exercises import exercise, notebook_of, solution_in, task_of
from labkit.course.syllabus import notebooks
from labkit.errors import CopyError, UnknownTaskError
from labkit.folders import ROOT
from labkit.markup import MONOSPACE, Block, Markup, lines, paragraph, sentence, tag

_CODE = f"{MONOSPACE}white-space:pre;word-break:normal;overflow-x:auto;"


def hint(task: str, number: int) -> str:
    """A hint for a task.

    Args:
        task: its number, such as ``4.2``.
        number: which hint, from 1.

    Raises:
        UnknownTaskError: there is no such task, or no such hint of it.
    """
    hints = exercise(task).hints
    if type(number) is not int or number not in range(1, len(hints) + 1):
        raise UnknownTaskError(f"Task {task} has the hints 1 to {len(hints)}, not {number!r}.")
    return hints[number - 1]


def solution_of(task: str) -> str:
    """The solution in the task's master; empty where the masters aren't."""
    with suppress(CopyError):
        cells = read_master(ROOT, notebooks()[notebook_of(task)].file)["cells"]
        sources = {task_of(cell["source"]): cell["source"] for cell in cells}
        return solution_in(sources[task])
    return ""


def card_of(task: str, what: str, step: str) -> list[Block]:
    """What to show of a task that isn't done: what is missing, then hints one inside the other, then the solution."""
    hints, solution = exercise(task).hints, solution_of(task)
    folded = Markup()
    if solution:
        folded = _folded("The solution", tag("pre", lines(solution), style=_CODE))
    for number, text in reversed(list(enumerate(hints, 1))):
        folded = _folded(f"Hint {number} of {len(hints)}", sentence(text), folded)
    call = f"Hints: lab.hint({task!r}, 1) to lab.hint({task!r}, {len(hints)})."
    return [
        paragraph(f"✗ Task {task} isn't done yet. {what}", role="alert"),
        paragraph(step),
        Block([call], folded),
    ]


def _folded(summary: str, *content: Markup) -> Markup:
    return tag("details", tag("summary", summary), *content, style="margin:4px 0 4px 16px;")
