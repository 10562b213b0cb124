"""A check: unknown tasks, patience with what is late, and what it says."""

from typing import Any, NoReturn

import pytest
import requests

from labkit.course.checks import tasks
from labkit.course.checks.missing import Done, Look, Missing
from labkit.course.checks.tasks import TASKS, check
from labkit.errors import LabkitError, TaskError, UnknownTaskError

LOOK = Look(requests.Session())


class Spreading:
    """A state that is there after some looks."""

    def __init__(self, after: int, *, late: bool = True) -> None:
        self.after, self.late, self.looks, self.slept = after, late, 0, 0.0

    def __call__(self, _look: Look) -> str:
        self.looks += 1
        if self.looks <= self.after:
            raise Missing("The stage is old.", "Deploy.", late=self.late)
        return "It is there."

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def spreading(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Spreading:
    state = Spreading(**request.param)
    monkeypatch.setitem(TASKS, "4.3", state)
    return state


@pytest.mark.parametrize("spreading", [{"after": 3}], indirect=True)
def test_it_waits_for_what_spreads_late(spreading: Spreading) -> None:
    done = check("4.3", LOOK, 60, sleep=spreading.sleep, now=lambda: spreading.slept)
    assert done == Done("4.3", "It is there.")
    assert (spreading.looks, spreading.slept) == (4, 6)


@pytest.mark.parametrize("spreading", [{"after": 99}], indirect=True)
def test_its_patience_ends(spreading: Spreading) -> None:
    with pytest.raises(TaskError, match=r"Task 4\.3 isn't done yet\. The stage is old\. Deploy\."):
        check("4.3", LOOK, 60, sleep=spreading.sleep, now=lambda: spreading.slept)
    assert spreading.slept == 60


@pytest.mark.parametrize("spreading", [{"after": 99}], indirect=True)
def test_a_look_that_takes_long_counts_too(spreading: Spreading) -> None:
    with pytest.raises(TaskError):
        check("4.3", LOOK, 60, sleep=spreading.sleep, now=lambda: spreading.looks * 20.0)
    assert spreading.looks == 3


class Nobody(requests.Session):
    def get(self, *_url: object, **_more: object) -> NoReturn:
        raise requests.ConnectionError("Failed to resolve")


def test_a_new_api_that_nobody_knows_yet_is_waited_for() -> None:
    with pytest.raises(Missing, match=r"gives no answer \(ConnectionError\)") as caught:
        Look(Nobody()).get("https://abc.execute-api.us-east-1.amazonaws.com/dev/demo")
    assert caught.value.late


@pytest.mark.parametrize("spreading", [{"after": 99, "late": False}], indirect=True)
def test_it_doesnt_wait_for_what_wont_come(spreading: Spreading) -> None:
    with pytest.raises(TaskError):
        check("4.3", LOOK, 60, sleep=spreading.sleep)
    assert (spreading.looks, spreading.slept) == (1, 0)


@pytest.mark.parametrize("spreading", [{"after": 1}], indirect=True)
def test_the_local_cloud_is_never_waited_for(spreading: Spreading) -> None:
    with pytest.raises(TaskError):
        check("4.3", LOOK, sleep=spreading.sleep)
    assert spreading.slept == 0


@pytest.mark.parametrize("name", ["", "4", "9.9", "4.2 ", "labkit", 4, None, ["4.2"], {}])
def test_an_unknown_task_gets_one_sentence(name: Any) -> None:
    with pytest.raises(UnknownTaskError, match="The course has no task"):
        check(name, LOOK)


def test_a_task_that_isnt_done_is_a_failed_check() -> None:
    # pytest and nbval count it as a failure, and a learner may catch labkit's errors alone.
    assert issubclass(TaskError, AssertionError)
    assert issubclass(TaskError, LabkitError)


def test_done_says_the_same_in_both_forms() -> None:
    done = Done("4.3", "The stage <dev> is closed.")
    assert str(done) == repr(done) == "✓ Task 4.3 is done. The stage <dev> is closed."
    assert "✓ Task 4.3 is done. The stage &lt;dev&gt; is closed." in done._repr_html_()


def test_the_list_of_tasks_is_in_order() -> None:
    assert list(tasks.TASKS) == sorted(tasks.TASKS)
