"""The cloud's secret key and its token are nowhere where a function, a process list or a log could show them."""

import io
import json
import os
import stat
import sys
import zipfile

import psutil
import pytest

from tests.support.attacker import Attacker

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

SPY = """
import os, pathlib

def ancestors(pid):
    while pid > 1:
        yield pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        pid = int(status.split("PPid:")[1].split()[0])

def handler(event, context):
    seen = {"environment": str(dict(os.environ)), "working directory": os.getcwd()}
    for pid in ancestors(os.getpid()):
        for name in ("environ", "cmdline"):
            try:
                text = pathlib.Path(f"/proc/{pid}/{name}").read_bytes().decode("latin-1")
            except OSError as error:
                text = repr(error)
            seen[f"{pid} {name}"] = text
    if pathlib.Path("/proc").exists():
        seen["files"] = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                         if os.path.lexists(f"/proc/self/fd/{fd}")]
    return seen
"""


@pytest.fixture(scope="module")
def spied(cloud: Attacker) -> dict[str, object]:
    """What a function can see of the process that started it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("spy.py", SPY)
    lambda_ = cloud.client("lambda")
    lambda_.create_function(
        FunctionName="spy",
        Runtime="python3.13",
        Role=lambda_.get_function(FunctionName=cloud.demo.function_arn)["Configuration"]["Role"],
        Handler="spy.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    answer = lambda_.invoke(FunctionName="spy")
    seen = json.loads(answer["Payload"].read())
    lambda_.delete_function(FunctionName="spy")
    assert "FunctionError" not in answer, seen
    return seen


def holds_no_secret(cloud: Attacker, text: str) -> bool:
    settings = cloud.settings
    return settings.secret_access_key not in text and settings.admin_token not in text


@linux
def test_a_function_sees_no_secret(cloud: Attacker, spied: dict[str, object]) -> None:
    assert f"{cloud.pid} environ" in spied  # it looked at the cloud itself
    assert holds_no_secret(cloud, json.dumps(spied))
    assert cloud.settings.access_key_id not in json.dumps(spied)


@linux
def test_a_function_has_keys_of_its_role(cloud: Attacker, spied: dict[str, object]) -> None:
    assert "ASIA" in str(spied["environment"])


@linux
def test_the_process_list_shows_no_secret(cloud: Attacker) -> None:
    for process in [psutil.Process(cloud.pid), *psutil.Process(cloud.pid).children(recursive=True)]:
        assert holds_no_secret(cloud, json.dumps([process.cmdline(), process.environ()]))


@linux
def test_the_caller_s_environment_doesn_t_reach_the_cloud(cloud: Attacker) -> None:
    """The cloud of these tests was started with LABKIT_STATE_DIR, PYTEST_CURRENT_TEST and more."""
    names = psutil.Process(cloud.pid).environ().keys()
    assert not [name for name in names if name.startswith(("LABKIT_", "PYTEST", "AWS_"))]


def test_the_log_shows_no_secret(cloud: Attacker) -> None:
    cloud.signed("cognito-idp", "POST", "/", headers={"X-Amz-Target": "x"}, body=b"\xff")
    assert holds_no_secret(cloud, (cloud.directory / "cloud.log").read_text())


def test_only_the_state_file_has_them_and_it_is_private(cloud: Attacker) -> None:
    holders = [
        path.relative_to(cloud.directory).as_posix()
        for path in cloud.directory.rglob("*")
        if path.is_file() and not holds_no_secret(cloud, path.read_bytes().decode("latin-1"))
    ]
    assert holders == ["cloud.json"]
    if os.name == "posix":
        assert stat.S_IMODE((cloud.directory / "cloud.json").stat().st_mode) == 0o600


def test_services_don_t_tell_the_secret(cloud: Attacker) -> None:
    iam, sts = cloud.client("iam"), cloud.client("sts")
    configuration = cloud.client("lambda").get_function(FunctionName=cloud.demo.function_arn)
    told = [
        iam.get_account_authorization_details(),
        iam.list_users(),
        sts.get_caller_identity(),
        configuration,
        cloud.client("logs").describe_log_groups(),
    ]
    assert holds_no_secret(cloud, json.dumps(told, default=str))
    assert cloud.settings.secret_access_key not in json.dumps(sts.get_session_token(), default=str)
