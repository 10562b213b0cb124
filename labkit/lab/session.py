"""``labkit.start()``: which cloud the notebook uses, and everything that it needs of it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from labkit.course.architecture import Architecture, architecture
from labkit.course.checks.missing import Done, Look
from labkit.course.checks.tasks import check
from labkit.course.clean_up import CleanUpReport, clean_up
from labkit.course.copies import say_age
from labkit.course.hints import hint
from labkit.course.postman import write_environment
from labkit.course.progress import Progress
from labkit.course.progress_map import ProgressMap
from labkit.course.resources import Owns
from labkit.course.tasks import BETWEEN, Demo, start_task
from labkit.errors import CloudUnavailableError, JourneyUnknownError, SetupError
from labkit.folders import ROOT
from labkit.journey import Journey
from labkit.lab import red_cells
from labkit.names import CLOUD_VARIABLE, chosen_cloud, is_of_the_course, prefix_of
from labkit.state_directory import state_directory

if TYPE_CHECKING:
    from labkit.doctor import Explanation
    from labkit.lab.aws_cloud import AwsCloud
    from labkit.lab.local_cloud import LocalCloud

NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""In which JupyterLab tells a kernel its notebook."""

_NOTHING_TO_EXPLAIN = "Give a response, an error, or a text that you copied: lab.explain(response)."

_STAYS = "What you built stays until you run this notebook again: change it, and play on."

_replaced: dict[str, str | None] = {}
"""Environment variables as they were before the local cloud's were set."""


class Lab:
    """The lab of one notebook.

    Attributes:
        http: a ``requests.Session`` that reaches the genuine AWS host names.
        inbox: where sign-in codes arrive.
        clock: moves the time of the local cloud, of its functions and of this kernel.
        region: the Region.
        account_id: the account.
    """

    def __init__(self, cloud: LocalCloud | AwsCloud) -> None:
        self._cloud = cloud
        self._owns: Owns = is_of_the_course
        self.http = cloud.http
        self.inbox = cloud.inbox
        self.clock = cloud.clock
        self.region = cloud.region
        self.account_id = cloud.account_id

    def start_task(self, number: int | str) -> Demo:
        """Put the lab where a task begins: what earlier tasks make is there, what later ones make is not.

        Args:
            number: the task, 1 to 7, or ``"6b"``.

        Returns:
            The ids of what is there.

        Raises:
            UnknownTaskError: there is no such task.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        demo = start_task(number, self._cloud.wait_until_closed)
        print(f"Ready for task {number}.{_done_before(number)}")
        return demo

    def start_notebook(self, notebook: str) -> None:
        """Begin a notebook beyond the lab with nothing of an earlier run: what it made is deleted.

        Args:
            notebook: its name, for example ``iam-sigv4``. What it makes is named ``d-<notebook>-…``.

        Raises:
            UnknownNotebookError: there is no such notebook.
            CleanUpError: something of an earlier run can't be deleted.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        prefix = prefix_of(notebook)
        self._owns = lambda name: name.removeprefix("/aws/lambda/").startswith(prefix)
        self._cloud.check()
        clean_up(self._owns)
        print(f"Ready for {notebook}: nothing named {prefix}… is left of an earlier run.")

    def picture(self) -> Architecture:
        """The lab's architecture: which parts exist now, and which aren't there yet.

        Raises:
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        return architecture()

    def progress(self) -> ProgressMap:
        """The map of the course: its notebooks, and what you have done and predicted right on this computer."""
        return ProgressMap(Progress(state_directory()).read())

    def check(self, task: str, given: object = None) -> Done:
        """Ask the cloud whether a task is done, however that came about: by boto3, the AWS CLI or the console.

        Args:
            task: the task's number, such as ``4.2``.
            given: what the task's text says to hand over, such as a response; most tasks need nothing.

        Raises:
            TaskError: it isn't done; says what is missing, and the next step.
            UnknownTaskError: the course has no such task.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        done = check(task, Look(self.http, given), self._cloud.patience_seconds)
        Progress(state_directory()).finish(task)
        return done

    def hint(self, task: str, number: int = 1) -> None:
        """Print a hint for a task.

        Args:
            task: the task's number, such as ``4.2``.
            number: which hint, from 1: each is the next smallest thing.

        Raises:
            UnknownTaskError: there is no such task, or no such hint.
        """
        print(hint(task, number))

    def finish(self) -> None:
        """End a notebook beyond the lab: on AWS delete what it made, and prove that nothing is left.

        On the local cloud what it made stays until it begins again, so that one can play on.

        Raises:
            CleanUpError: something is left.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        if self._cloud.costs_money:
            report = clean_up(self._owns)
            print(f"Deleted: {len(report.deleted)}. {report}")
        else:
            print(_STAYS)

    def postman_environment(self, demo: Demo) -> None:
        """Write a file for Postman beside the notebook: the variables of task 6's collection, filled for this cloud.

        Args:
            demo: what ``start_task(6)`` returned.

        Raises:
            SetupError: there is no API yet, or the file can't be written.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        if not (demo.rest_api_id and demo.client_id and demo.email):
            raise SetupError(
                "Task 6 needs the API, the pool and the user: demo = lab.start_task(6)."
            )
        variables = self._cloud.postman_variables(demo.rest_api_id)
        mine = {"client_id": demo.client_id, "username": demo.email}
        path = write_environment(self._cloud.name, variables | mine, Path.cwd())
        print(f"Written: {path.name}, in the folder {path.parent.name} of this notebook.")

    def wait_for_role(self) -> None:
        """Wait until a new IAM role can be assumed: some seconds on AWS, nothing on the local cloud."""
        self._cloud.wait_for_role()

    def wait_for_deployment(self) -> None:
        """Wait until all servers have a deployment: some seconds on AWS, nothing on the local cloud."""
        self._cloud.wait_for_deployment()

    def journey(self, response: requests.Response) -> Journey:
        """The way of a request through the gateway, gate by gate. On AWS it has no steps: AWS doesn't tell them.

        Args:
            response: the gateway's response, as ``lab.http`` returned it.

        Raises:
            JourneyUnknownError: the response isn't from the gateway, or the cloud keeps no journey of it.
        """
        return self._cloud.journey(response)

    def explain(self, answer: object = None) -> Explanation:
        """What an answer means, and what to try next; on the local cloud also which cause it was.

        Args:
            answer: as :func:`labkit.explain` takes it: a response, an exception, or a text that you copied. Without
                one it is the error of the last cell that failed.
        """
        from labkit.doctor import Explanation, explain

        if answer is None:
            answer = getattr(sys, "last_value", None)
        if answer is None:
            return Explanation("No cell has failed.", _NOTHING_TO_EXPLAIN, refused=False)
        journey = None
        carried = getattr(
            answer, "response", None
        )  # an error may carry the answer that it is about
        response = carried if isinstance(answer, BaseException) else answer
        if isinstance(response, requests.Response):
            with suppress(JourneyUnknownError, CloudUnavailableError):
                journey = self._cloud.journey(response)
        return explain(answer, journey=journey)

    @property
    def journeys(self) -> list[Journey]:
        """The journeys of the last 20 requests, the newest first; none on AWS."""
        return self._cloud.journeys()

    def clean_up(self) -> CleanUpReport:
        """Delete what the course made, and nothing else; says what is left, which must be nothing.

        It goes by the course's tag and names, may run twice, and goes on after a failure of one deletion.

        Raises:
            CleanUpError: something is left.
            CloudUnavailableError: the local cloud doesn't answer.
        """
        self._cloud.check()
        return clean_up()

    def __repr__(self) -> str:
        return f"<Lab on the cloud {self._cloud.name!r} in {self.region}>"


def start() -> Lab:
    """Start the lab: find or start the cloud, and make boto3 use it.

    ``LABKIT_CLOUD`` chooses the cloud: ``local`` (the default) or ``aws``.

    Raises:
        SetupError: ``LABKIT_CLOUD`` has another value, or the machine needs a change.
        CloudUnavailableError: the local cloud didn't start.
    """
    red_cells.install()
    chosen = chosen_cloud()
    if chosen not in ("local", "aws"):
        raise SetupError(f"{CLOUD_VARIABLE}={chosen} isn't a cloud: set it to local or aws.")
    restore_environment()
    cloud: LocalCloud | AwsCloud
    if chosen == "aws":
        from labkit.lab.aws_cloud import AwsCloud

        _return_to_real_time()
        cloud = AwsCloud()
    else:
        from labkit.lab.local_cloud import LocalCloud

        cloud = LocalCloud()
    variables = cloud.environment()
    _replaced.update({name: os.environ.get(name) for name in variables})
    _set_environment(variables)
    print(cloud.status())
    if age := say_age(ROOT, os.environ.get(NOTEBOOK_VARIABLE, "")):
        print(age)
    lab = Lab(cloud)
    red_cells.install(lab)
    return lab


def stop() -> bool:
    """Stop this user's local cloud. ``labkit.start()`` starts it again, empty, with the same port and credentials.

    Returns:
        Whether one ran.
    """
    from labkit.lab import cloud_process

    ran = cloud_process.stop()
    _return_to_real_time()
    return ran


def _set_environment(variables: dict[str, str | None]) -> None:
    """None removes a variable; ``boto3.client(...)`` reads the new ones."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    boto3 = sys.modules.get("boto3")
    if boto3 is not None:
        setattr(boto3, "DEFAULT_SESSION", None)  # noqa: B010 - boto3 has no types


def restore_environment() -> None:
    """Undo what an earlier start set: nothing of the local cloud may leak into the AWS mode."""
    _set_environment(_replaced)
    _replaced.clear()


def _return_to_real_time() -> None:
    """What the local cloud's clock moved in this kernel goes back; AWS mode imports nothing for it."""
    kernel_clock = sys.modules.get("labkit.lab.kernel_clock")
    if kernel_clock is not None:
        kernel_clock.leave()


def _done_before(task: int | str) -> str:
    last = (BETWEEN[task] if isinstance(task, str) else task) - 1
    return {0: "", 1: " Done: task 1."}.get(last, f" Done: tasks 1 to {last}.")
