"""The Postman collection of task 6: up to date, the same requests as notebook 06, and it runs."""

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.support.attached_cloud import attached_cloud
from tests.support.patience import PATIENCE
from tests.support.running_cloud import LabCloud
from tests.tools import make_postman_collection as maker

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "notebooks/lab"


# -- the file ---------------------------------------------------------------------------------


def test_the_file_is_what_the_generator_makes() -> None:
    assert maker.PATH.read_bytes().decode() == maker.text(), (
        "run tests/tools/make_postman_collection.py"
    )


def test_its_structure() -> None:
    collection = json.loads(maker.PATH.read_bytes())
    assert collection["info"]["schema"] == (
        "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    )
    assert [item["name"] for item in collection["item"]] == [
        "Call without a token",
        "6.1 InitiateAuth",
        "6.2 RespondToAuthChallenge",
        "6.3 Call with the access token",
        "Call with the ID token",
    ]
    names = {variable["key"] for variable in collection["variable"]}
    used = set(re.findall(r"{{(\w+)}}", json.dumps(collection["item"])))
    asked = set(
        re.findall(r'(?:variables|collectionVariables)\.\w+\(\\"(\w+)', json.dumps(collection))
    )
    assert used | asked == names
    for item in collection["item"]:
        assert item["request"]["method"] in ("GET", "POST")
        assert "pm.test(" in json.dumps(item["event"])
        if "body" in item["request"]:
            json.loads(item["request"]["body"]["raw"])


def test_it_holds_no_secret() -> None:
    values = {v["key"]: v["value"] for v in json.loads(maker.PATH.read_bytes())["variable"]}
    filled_in = {name: value for name, value in values.items() if value}
    assert filled_in == {
        "cognito_endpoint": "https://cognito-idp.us-east-1.amazonaws.com/",
        "username": "learner@example.com",
    }


# -- notebook 06 sends the same -----------------------------------------------------------------

_RECORD = """
import json as _json, requests as _requests
_send = _requests.Session.send
def _recording(session, request, **options):
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    with open({file!r}, "a") as file:
        print(_json.dumps([request.method, request.url, dict(request.headers), body]), file=file)
    return _send(session, request, **options)
_requests.Session.send = _recording
"""


@pytest.mark.slow
def test_notebook_06_sends_these_requests(tmp_path: Path) -> None:
    """Each request of the collection is one that the notebook sends, in this order."""
    [path] = LAB.glob("06-*.ipynb")
    sent = requests_of(path, tmp_path / "requests")
    position, values = 0, {"cognito_endpoint": maker.COGNITO_ENDPOINT}
    for wanted in maker.REQUESTS:
        for index, request in enumerate(sent[position:], position):
            found = fits(wanted, request, values)
            if found is not None:
                position, values = index + 1, found
                break
        else:
            pytest.fail(f"{path.name} doesn't send the request {wanted.name!r}")
    assert values["access_token"] != values["id_token"]


def requests_of(path: Path, log: Path) -> list[list[Any]]:
    """What the notebook sends over requests: method, URL, headers, body."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_RECORD.format(file=str(log))))
    nbclient.NotebookClient(
        notebook, timeout=PATIENCE, resources={"metadata": {"path": path.parent}}
    ).execute()
    return [json.loads(line) for line in log.read_text().splitlines()]


def fits(
    wanted: maker.RawRequest, sent: list[Any], values: dict[str, str]
) -> dict[str, str] | None:
    """The values of the variables if `sent` is the request `wanted`; None if it isn't.

    requests may add headers of its own, but no Authorization.
    """
    method, url, headers, body = sent
    if method != wanted.method or ("Authorization" in headers) != (
        "Authorization" in wanted.headers
    ):
        return None
    pairs = [(wanted.url, url)]
    pairs += [(text, headers.get(name, "")) for name, text in wanted.headers.items()]
    if (wanted.body is None) != (body is None):
        return None
    if wanted.body is not None:
        sent_body = json.loads(body)
        if shape(sent_body) != shape(wanted.body):
            return None
        pairs += zip(leaves(wanted.body), leaves(sent_body), strict=True)
    found = dict(values)
    for template, text in pairs:
        pattern = "".join(
            rf"(?P<{part[2:-2]}>\S+)" if part.startswith("{{") else re.escape(part)
            for part in re.split(r"({{\w+}})", template)
        )
        match = re.fullmatch(pattern, text)
        if match is None or any(found.get(k, v) != v for k, v in match.groupdict().items()):
            return None
        if set(match.groupdict().items()) - found.items() and match[0] in found.values():
            return None  # the access token once more is no ID token
        found |= match.groupdict()
    return found


def shape(body: dict[str, Any]) -> dict[str, Any]:
    return {k: shape(v) if isinstance(v, dict) else None for k, v in sorted(body.items())}


def leaves(body: dict[str, Any]) -> list[str]:
    return [
        leaf
        for _name, value in sorted(body.items())
        for leaf in (leaves(value) if isinstance(value, dict) else [value])
    ]


# -- it runs ------------------------------------------------------------------------------------


class Run:
    """One run of newman.

    Attributes:
        status: its exit status.
        assertions: (request, assertion) → the error's message, or None.
    """

    def __init__(
        self,
        newman: str,
        directory: Path,
        variables: dict[str, str],
        environment_file: Path | None = None,
    ) -> None:
        report = directory / "report.json"
        command = [newman, "run", str(maker.PATH), "--disable-unicode", "--color", "off"]
        command += ["--reporters", "json", "--reporter-json-export", str(report)]
        command += ["--timeout", "60000", "--timeout-request", "15000"]
        if environment_file is not None:
            command += ["--environment", str(environment_file)]
        for name, value in variables.items():
            command += ["--env-var", f"{name}={value}"]
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        ran = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=directory,
        )
        self.status = ran.returncode
        assert report.exists(), ran.stdout + ran.stderr
        self.assertions = {
            (execution["item"]["name"], assertion["assertion"]): (assertion.get("error") or {}).get(
                "message"
            )
            for execution in json.loads(report.read_text())["run"]["executions"]
            for assertion in execution["assertions"]
        }

    @property
    def failed(self) -> set[str]:
        """The requests that an assertion failed on."""
        return {request for (request, _assertion), message in self.assertions.items() if message}


def variables_of(cloud: LabCloud) -> dict[str, str]:
    """What the environment says for a local cloud."""
    return {
        "cognito_endpoint": f"{cloud.endpoint}/",
        "invoke_url": cloud.invoke_url_by_path,
        "client_id": cloud.lab["client_id"],
        "username": cloud.lab["email"],
    }


@pytest.fixture
def inbox(cloud: LabCloud) -> dict[str, str]:
    """The two variables that let the collection read the code by itself."""
    return {
        "labkit_endpoint": cloud.endpoint,
        "labkit_token": cloud.admin_token,
    }


@pytest.mark.slow
def test_it_passes_with_both_files_as_the_learner_gets_them(newman: str, tmp_path: Path) -> None:
    beside = tmp_path / "lab"
    beside.mkdir()
    with attached_cloud(tmp_path / "state") as lab, contextlib.chdir(beside):
        lab.postman_environment(lab.start_task(6))
        [written] = beside.iterdir()
        run = Run(newman, tmp_path, {}, written)
    assert run.status == 0, run.assertions
    assert not run.failed
    asserted = [request for request, _assertion in run.assertions]
    assert set(asserted) == {request.name for request in maker.REQUESTS}
    # Each `pm.test` of a script, and the one of the script that runs before the third request.
    scripts = [s for request in maker.REQUESTS for s in (*request.before, *request.tests)]
    assert len(asserted) == "".join(scripts).count("pm.test(")


@pytest.mark.slow
def test_a_wrong_code_fails(newman: str, cloud: LabCloud, tmp_path: Path) -> None:
    run = Run(newman, tmp_path, variables_of(cloud) | {"code": "00000000"})
    assert run.status != 0
    assert run.failed == {
        "6.2 RespondToAuthChallenge",
        "6.3 Call with the access token",
        "Call with the ID token",
    }


@pytest.mark.slow
def test_a_wrong_token_for_the_inbox_fails(
    newman: str, cloud: LabCloud, inbox: dict[str, str], tmp_path: Path
) -> None:
    run = Run(newman, tmp_path, variables_of(cloud) | inbox | {"labkit_token": "wrong"})
    assert run.status != 0
    assert ("6.2 RespondToAuthChallenge", "the local inbox has a code") in run.assertions
    assert "6.2 RespondToAuthChallenge" in run.failed


@pytest.mark.slow
def test_an_api_without_an_authorizer_fails(
    newman: str, cloud: LabCloud, inbox: dict[str, str], tmp_path: Path
) -> None:
    run = Run(newman, tmp_path, variables_of(cloud) | inbox | {"invoke_url": open_api(cloud)})
    assert run.status != 0
    assert run.failed == {"Call without a token", "Call with the ID token"}


def open_api(cloud: LabCloud) -> str:
    """The invoke URL of an API with the lab's function at `/demo`, open to everybody."""
    gateway = cloud.client("apigateway")
    api_id = gateway.create_rest_api(name="open")["id"]
    root_id = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    resource_id = gateway.create_resource(restApiId=api_id, parentId=root_id, pathPart="demo")["id"]
    method = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(
        **method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": '"Hello from Lambda!"'}
    )
    gateway.create_deployment(restApiId=api_id, stageName="dev")
    return f"{cloud.endpoint}/_aws/execute-api/{api_id}/dev"
