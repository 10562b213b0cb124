"""A cell that fails: one card and a short text, and whoever runs the notebook still sees the error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.support.attached_cloud import attached_cloud, environment
from tests.tools.save_notebooks import QUIET_KERNEL

pytestmark = pytest.mark.slow

START = "import labkit\nlab = labkit.start()\ndemo = lab.start_task(6)"
TASK_ERROR = """
from labkit.markup import paragraph
class TaskError(labkit.LabkitError):
    card = [paragraph("Task 4.2 isn't done."), paragraph("The deployed copy is older than your edit.")]
raise TaskError("Task 4.2 isn't done: deploy.")
"""
IN_A_GROUP = """
try:
    raise ExceptionGroup("two", [ValueError()])
except* ValueError:
    labkit.predict("04.nothing")
"""
DELETED = """
boto3.client("apigateway").delete_rest_api(restApiId=demo.rest_api_id)
lab.http.get(demo.invoke_url + "/demo")
"""
CHAIN = """
try:
    1 / 0
except ZeroDivisionError as error:
    raise labkit.LabkitError("A reason: a step.") from error
"""
UNPRINTABLE = """
class Unprintable(labkit.LabkitError):
    def __str__(self):
        raise ValueError("no words")
raise Unprintable
"""
DENIED = """
import os
iam, before = boto3.client("iam"), dict(os.environ)
iam.create_user(UserName="limited")
key = iam.create_access_key(UserName="limited")["AccessKey"]
os.environ |= {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
boto3.DEFAULT_SESSION = None
try:
    lab.check("4.2")
finally:
    os.environ |= before
    boto3.DEFAULT_SESSION = None
"""
REFUSED = """
iam.create_instance_profile(InstanceProfileName="mine")
role = {"RoleName": "d-lambda-nonvpc-cmp-demo-function-role"}
iam.add_role_to_instance_profile(InstanceProfileName="mine", **role)
try:
    lab.start_task(1)
finally:
    iam.remove_role_from_instance_profile(InstanceProfileName="mine", **role)
    demo = lab.start_task(6)
"""
CELLS = {
    "start": START,
    "denied": "response = lab.http.get(demo.invoke_url + '/demo')\nlabkit.expect_status(response, 200)",
    "explained": "lab.explain()",
    "blank": "# Task 0.1: call it\nanswer = ____",
    "blank attribute": "import boto3\nboto3.client('sts').____()",
    "question": "labkit.predict('04.nothing')",
    "last": "import sys\nprint(type(sys.last_value).__name__, hasattr(sys.last_value, '_render_traceback_'))",
    "whole": "%tb",
    "twice": "lab = labkit.start()\nlabkit.predict('04.\\x1b[2J\\u202e')",
    "task": TASK_ERROR,
    "card is broken": "class Broken(labkit.LabkitError):\n    card = 3\nraise Broken('my own error')",
    "in a group": IN_A_GROUP,
    "unprintable": UNPRINTABLE,
    "after that": "labkit.predict('04.nothing')",
    "denied in labkit": DENIED,
    "refused in labkit": REFUSED,
    "group": "raise ExceptionGroup('two', [labkit.LabkitError('x')])",
    "chain": CHAIN,
    "assertion": "assert 1 == 2",
    "name": "nothing",
    "syntax": "1 +",
    "aws": "boto3.client('apigateway').get_rest_api(restApiId='nothing')",
    "aws unknown": "boto3.client('apigateway').get_rest_api(restApiId=3)",
    "aws whole": "%tb",
    "function": "def call():\n    return lab.http.get('/demo')",
    "no scheme": "call()",
    "left": "import requests\nrequests.get(demo.invoke_url + '/demo')",
    "bad status": "lab.http.get(demo.invoke_url + '/demo').raise_for_status()",
    "bad status explained": "lab.explain()",
    "no such task": "lab.start_task(9)",
    "no such notebook": "lab.start_notebook('nothing')",
    "deleted": DELETED,
    "stopped": "labkit.stop()",
    "boto3 without a cloud": "boto3.client('sts').get_caller_identity()",
    "no start": "import os\nos.environ['LABKIT_CLOUD'] = 'moon'\nlabkit.start()",
    "interrupted": "raise KeyboardInterrupt",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    directory = tmp_path_factory.mktemp("cells")
    notebook = notebook_of(*CELLS.values())
    with attached_cloud(directory), environment(IPYTHONDIR=str(directory)):
        client(notebook, allow_errors=True).execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def notebook_of(*sources: str) -> Any:
    kernel = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def client(notebook: Any, **options: Any) -> NotebookClient:
    return NotebookClient(notebook, timeout=60, config=QUIET_KERNEL, **options)


def card_and_error(outputs: list[Any]) -> tuple[str, str, Any]:
    """The card as text and as HTML, and the error; a red cell has nothing else."""
    card, error = outputs
    assert (card.output_type, error.output_type) == ("display_data", "error")
    shown = [card.data["text/plain"], card.data["text/html"], *error.traceback, error.evalue]
    assert all(text.replace("\n", "").isprintable() for text in shown)
    return card.data["text/plain"], card.data["text/html"], error


def test_a_failed_check_is_one_card_and_two_short_lines(outputs: Any) -> None:
    text, html, error = card_and_error(outputs["denied"])
    assert text.startswith("✗ Expected status 200, got status 401.")
    assert "at the gate “authorizer”" in text
    assert "lab.explain(response)" in text
    assert "lab.explain(response)" in html
    assert error.ename == "CheckError"
    assert error.traceback == [
        "CheckError: expected status 200, got 401.",
        "In line 2 of this cell. %tb shows Python's whole traceback.",
    ]
    [explained] = outputs["explained"]
    assert "1. The request has no token" in explained.data["text/plain"]


@pytest.mark.parametrize("cell", ["blank", "blank attribute"])
def test_a_blank_says_what_to_do(outputs: Any, cell: str) -> None:
    text, _html, error = card_and_error(outputs[cell])
    blank = (
        "✗ This cell still has a blank: write your code in place of ____, then run the cell again."
    )
    assert text == blank + '\nIf you are stuck: lab.hint("0.1").' * (cell == "blank")
    assert "In line 2 of this cell" in error.traceback[1]


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        ("question", "UnknownQuestionError: The course has no question '04.nothing'."),
        ("twice", "UnknownQuestionError: The course has no question '04.\\x1b[2J\\u202e'."),
        ("task", "TaskError: Task 4.2 isn't done."),
        ("in a group", "UnknownQuestionError: The course has no question '04.nothing'."),
        ("chain", "LabkitError: A reason: a step."),
        ("no such task", "UnknownTaskError: The lab has the tasks 1 to 7 and '6b', not 9."),
        ("no start", "SetupError: LABKIT_CLOUD=moon isn't a cloud."),
        ("no such notebook", "UnknownNotebookError: There is no notebook 'nothing'."),
    ],
)
def test_any_error_of_labkits_is_a_card(outputs: Any, cell: str, cause: str) -> None:
    shown = [one for one in outputs[cell] if one.output_type != "stream"]
    _text, _html, error = card_and_error(shown)
    assert error.traceback[0] == cause


def test_an_error_brings_its_own_card(outputs: Any) -> None:
    text, html, _error = card_and_error(outputs["task"])
    assert text == "Task 4.2 isn't done.\nThe deployed copy is older than your edit."
    assert "The deployed copy is older than your edit." in html


def test_the_traceback_is_still_there_for_who_asks(outputs: Any) -> None:
    assert outputs["last"][0].text == "UnknownQuestionError False\n"
    [error] = outputs["whole"]
    assert "predictions.py" in "".join(error.traceback)


@pytest.mark.parametrize(
    ("cell", "kind", "says"),
    [
        ("left", "ConnectionError", ["The request left the lab", "use http = lab.http"]),
        ("deleted", "ConnectionError", ["There is no such API in this Region"]),
        ("boto3 without a cloud", "EndpointConnectionError", ["The local cloud was stopped"]),
        ("bad status", "HTTPError", ["401", "The request has no token"]),
    ],
)
def test_a_client_that_reached_nobody_shows_no_source(
    outputs: Any, cell: str, kind: str, says: list[str]
) -> None:
    text, html, error = card_and_error(outputs[cell])
    assert error.ename == kind
    assert [says_ for says_ in says if says_ not in text or says_ not in html] == []
    assert len(error.traceback) == 2


def test_what_aws_denies_a_check_is_a_card(outputs: Any) -> None:
    text, _html, error = card_and_error(outputs["denied in labkit"])
    assert "Your own AWS user may not do this" in text
    assert "apigateway:GET" in text
    assert len(error.traceback) == 2
    _stream, *shown = outputs["refused in labkit"]
    text, _html, error = card_and_error(shown)
    assert "must remove role from all instance profiles first" in text
    assert len(error.traceback) == 2


def test_an_error_that_can_t_be_printed_costs_no_later_card(outputs: Any) -> None:
    names = [one.ename for one in outputs["unprintable"] if one.output_type == "error"]
    assert names == ["ValueError"]
    card_and_error(outputs["after that"])


def test_the_answer_that_an_error_carries_has_its_journey(outputs: Any) -> None:
    [explained] = outputs["bad status explained"]
    assert "at the gate “authorizer”" in explained.data["text/plain"]


def test_a_fault_of_the_card_doesnt_hide_the_error(outputs: Any) -> None:
    [error] = outputs["card is broken"]
    assert "my own error" in error.traceback[-1]
    assert "Traceback" in error.traceback[1]


@pytest.mark.parametrize(
    "cell", ["assertion", "name", "syntax", "aws", "aws unknown", "interrupted"]
)
def test_errors_that_arent_labkits_keep_pythons_traceback(outputs: Any, cell: str) -> None:
    [error] = outputs[cell]
    assert ("Traceback" in "".join(error.traceback)) == (cell != "syntax")
    points = "lab.explain() says what this means" in "".join(error.traceback)
    assert points == (cell == "aws")
    asks = "since the kernel started?" in "".join(error.traceback)
    assert asks == (cell == "name")


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("aws", "boto3.client('apigateway').get_rest_api"),
        ("aws unknown", "boto3.client('apigateway').get_rest_api"),
        ("no scheme", "return lab.http.get('/demo')"),
    ],
)
def test_a_client_s_error_shows_the_learners_lines_and_no_library(
    outputs: Any, cell: str, line: str
) -> None:
    [error] = outputs[cell]
    shown = re.sub("\x1b\\[[0-9;]*m", "", "".join(error.traceback))
    assert line in shown
    assert "site-packages" not in shown


def test_the_libraries_lines_are_still_there_for_who_asks(outputs: Any) -> None:
    [error] = outputs["aws whole"]
    assert "botocore" in "".join(error.traceback)


def test_a_group_is_shown_as_python_shows_it(outputs: Any) -> None:
    assert {one.output_type for one in outputs["group"]} == {"stream"}


def test_run_all_stops_at_a_card(tmp_path: Path) -> None:
    notebook = notebook_of(START, "labkit.predict('04.nothing')", "print('never')")
    with (
        attached_cloud(tmp_path),
        environment(IPYTHONDIR=str(tmp_path)),
        pytest.raises(CellExecutionError) as stopped,
    ):
        client(notebook).execute()
    assert stopped.value.ename == "UnknownQuestionError"
    assert notebook.cells[2].outputs == []


def test_nbval_sees_the_error(tmp_path: Path) -> None:
    nbformat.write(
        notebook_of("import labkit\nlab = labkit.start()", "labkit.predict('04.nothing')"),
        tmp_path / "red.ipynb",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax"]
    with attached_cloud(tmp_path / "state"):
        done = subprocess.run(
            [*command, str(tmp_path / "red.ipynb"), "--rootdir", str(tmp_path), "-c", os.devnull],
            cwd=tmp_path,
            env=os.environ | {"IPYTHONDIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "UnknownQuestionError: The course has no question '04.nothing'." in done.stdout
