"""How the tests of the checks say it: a wrong state that people make, and the sentence that it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple

import pytest

from labkit.course.tasks import Demo
from labkit.errors import TaskError
from labkit.lab.session import Lab
from tests.support.absent_fields import absent_fields


class WrongState(NamedTuple):
    """One wrong state.

    Attributes:
        task: the check that is asked.
        start: where the learner begins, the number of a task.
        make: makes the state, by boto3; what it returns is handed over to the check.
        says: words of the sentence that only this state gets.
    """

    task: str
    start: int
    make: Callable[[Lab, Demo], object]
    says: str


def cases(*states: WrongState) -> pytest.MarkDecorator:
    """One test for each."""
    return pytest.mark.parametrize("state", states, ids=lambda state: state.make.__name__)


def prove(lab: Lab, state: WrongState, states: list[WrongState]) -> None:
    """The check says what is wrong, and the sentence has the words of this state and of no other.

    It reads answers as the local cloud gives them, and without their empty fields, as AWS's are.
    """
    words = {one.says for one in states if one.task == state.task}
    given = state.make(lab, lab.start_task(state.start))
    for answers in (nullcontext(), absent_fields()):
        with answers, pytest.raises(TaskError) as caught:
            lab.check(state.task, given)
        assert {each for each in words if each in str(caught.value)} == {state.says}, caught.value
        assert caught.value.task == state.task


def sentences_of(states: Iterator[WrongState] | list[WrongState]) -> set[tuple[str, str]]:
    """Each task's sentences: as many as there are states."""
    return {(state.task, state.says) for state in states}
