"""The life of a learner's local cloud, with real processes: found, started, replaced, stopped."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

import labkit
from labkit.course.build import deployment_package
from labkit.errors import CloudUnavailableError, SetupError
from labkit.lab import cloud_process
from labkit.local.instance import clean_environment
from labkit.local.settings import CloudSettings
from tests.support.attached_cloud import environment, eventually
from tests.support.patience import PATIENCE

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes are POSIX")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state directory of this test, and the end of whatever it started."""
    directory = tmp_path / "state"
    with environment(LABKIT_STATE_DIR=str(directory), LABKIT_CLOUD="local"):
        yield directory
        for process_id in cloud_pids(directory):
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(process_id).kill()


def cloud_pids(directory: Path) -> set[int]:
    """The clouds that work in this directory: a cloud's working directory is its state directory."""
    found = set()
    for one in psutil.process_iter(["cmdline", "status"]):
        with contextlib.suppress(psutil.Error, OSError):
            if "labkit.local" in (one.info["cmdline"] or []) and Path(one.cwd()) == directory:
                found.add(one.pid)
    return found


def pid_of(directory: Path) -> int:
    return int((directory / "work" / cloud_process.INSTANCE_PID).read_text())


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(pid: int, seconds: float = PATIENCE) -> bool:
    return eventually(lambda: not lives(pid), seconds)


def python(program: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


START = """
    import os, labkit
    labkit.start()
    print(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
"""


# -- found again -----------------------------------------------------------------------------


def test_a_second_start_finds_the_first_one_s_cloud(state: Path) -> None:
    first = cloud_process.attach_or_start()
    pid = pid_of(state)
    assert cloud_process.attach_or_start() == first
    assert cloud_pids(state) == {pid}


@pytest.mark.parametrize("kernels", [2, 8])
def test_kernels_that_start_together_share_one_cloud(state: Path, kernels: int) -> None:
    program = """
        import sys, json, labkit.lab.local_cloud as client
        print("ready", flush=True)
        sys.stdin.readline()
        print(client.cloud_process.attach_or_start().to_json())
    """
    starting = [python(program, stdin=subprocess.PIPE) for _ in range(kernels)]
    for kernel in starting:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "ready\n"
    for kernel in starting:
        assert kernel.stdin is not None
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    answers = [kernel.communicate(timeout=PATIENCE) for kernel in starting]
    assert len({out for out, _errors in answers}) == 1, answers
    assert "endpoint" in CloudSettings.from_json(answers[0][0]).announcement()
    assert cloud_pids(state) == {pid_of(state)}


def test_two_state_directories_are_two_clouds(state: Path, tmp_path: Path) -> None:
    one = cloud_process.attach_or_start()
    with environment(LABKIT_STATE_DIR=str(tmp_path / "other")):
        other = cloud_process.attach_or_start()
        try:
            for name in ("port", "access_key_id", "secret_access_key", "admin_token"):
                assert getattr(one, name) != getattr(other, name)
            assert one.work_directory != other.work_directory
            for settings, foreign in ((one, other), (other, one)):
                health = cloud_process.call(settings, "GET", "/_labkit/health")
                assert health == {"status": "ready", "account_id": "123456789012"}
                stranger = CloudSettings.from_json(settings.to_json())
                object.__setattr__(stranger, "admin_token", foreign.admin_token)
                assert cloud_process.call(stranger, "GET", "/_labkit/health") is None
        finally:
            assert cloud_process.stop()
    assert cloud_process.call(one, "GET", "/_labkit/health")


# -- replaced ----------------------------------------------------------------------------------


@posix
def test_clients_of_a_killed_cloud_go_on_with_the_next(state: Path) -> None:
    lab = labkit.start()
    client = boto3.client("sts")
    demo = lab.start_task(5)
    assert lab.http.get(f"{demo.invoke_url}/demo").status_code == 401
    os.kill(pid_of(state), signal.SIGKILL)
    assert ended(pid_of(state))
    with pytest.raises(CloudUnavailableError):
        lab.http.get(f"{demo.invoke_url}/demo")
    again = labkit.start()
    assert client.get_caller_identity()["Account"] == "123456789012"
    demo = again.start_task(5)
    assert lab.http.get(f"{demo.invoke_url}/demo").status_code == 401


def test_a_cloud_of_other_code_is_replaced(state: Path) -> None:
    before, old = cloud_process.attach_or_start(), pid_of(state)
    told = json.loads((state / "cloud.json").read_text()) | {"fingerprint": "of older code"}
    (state / "cloud.json").write_text(json.dumps(told))
    assert cloud_process.attach_or_start() == before
    assert ended(old)
    assert cloud_pids(state) == {pid_of(state)}


@posix
def test_a_hung_cloud_is_replaced(state: Path) -> None:
    before, old = cloud_process.attach_or_start(), pid_of(state)
    os.kill(old, signal.SIGSTOP)
    started = time.monotonic()
    assert cloud_process.attach_or_start(health_seconds=1, grace_seconds=0.5) == before
    assert time.monotonic() - started < PATIENCE
    assert ended(old)
    assert cloud_process.call(before, "GET", "/_labkit/health")


class Stranger:
    """Somebody else's server on a port, who keeps all that is sent to it and never answers."""

    def __init__(self, port: int) -> None:
        self.heard = b""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert eventually(lambda: self._takes(port))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _takes(self, port: int) -> bool:
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                with connection:
                    self.heard += connection.recv(65536)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@posix
def test_a_stranger_on_the_port_gets_nothing_and_the_cloud_another_port(state: Path) -> None:
    before = cloud_process.attach_or_start()
    os.kill(pid_of(state), signal.SIGKILL)
    assert ended(pid_of(state))
    stranger = Stranger(before.port)
    try:
        after = cloud_process.attach_or_start()
    finally:
        stranger.close()
    assert stranger.heard == b""
    assert after.port != before.port
    assert after.admin_token == before.admin_token
    assert cloud_process.call(after, "GET", "/_labkit/health")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"settings": null}',
        b'{"settings": {}}',
        b'{"settings": {"port": "x"}, "fingerprint": 5}',
        b'{"settings": {"port": 0, "access_key_id": "x", "secret_access_key": "x", "admin_token": "x"}}',
        b'{"settings": {"port": 99999999, "access_key_id": "x", "secret_access_key": "", "admin_token": 1}}',
        b'{"settings": {"port": 80, "surprise": 1}}',
        b"[" * 100_000,
    ],
    ids=range(12),
)
def test_a_broken_state_file_is_survived(state: Path, content: bytes) -> None:
    state.mkdir()
    (state / "cloud.json").write_bytes(content)
    assert cloud_process.read_state(state) == (None, None)
    assert cloud_process.stop() is False


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("access_key_id", "\ud800"),
        ("secret_access_key", "\ud800"),
        ("admin_token", "\n"),
        ("admin_token", "\u00e9"),
    ],
)
def test_credentials_that_no_header_can_carry_are_replaced(
    state: Path, name: str, added: str
) -> None:
    cloud_process.attach_or_start()
    told = json.loads((state / "cloud.json").read_text())
    told["settings"][name] += added
    (state / "cloud.json").write_text(json.dumps(told))
    lab = labkit.start()
    assert boto3.client("sts").get_caller_identity()["Account"] == lab.account_id
    pid = pid_of(state)
    assert cloud_process.attach_or_start().admin_token not in told["settings"].values()
    assert pid_of(state) == pid, "the next kernel finds the same cloud"


def test_a_cloud_whose_state_file_broke_is_replaced(state: Path) -> None:
    cloud_process.attach_or_start()
    old = pid_of(state)
    (state / "cloud.json").write_bytes(b"{")
    settings = cloud_process.attach_or_start()
    assert ended(old)
    assert cloud_process.call(settings, "GET", "/_labkit/health")
    assert cloud_pids(state) == {pid_of(state)}


def test_a_state_file_from_elsewhere_works_in_its_new_place(state: Path, tmp_path: Path) -> None:
    """A home directory was moved, or copied to another machine."""
    elsewhere = CloudSettings.new(cloud_process._free_port(), tmp_path / "not" / "here")
    state.mkdir()
    told = {"settings": json.loads(elsewhere.to_json()), "fingerprint": "x"}
    (state / "cloud.json").write_text(json.dumps(told))
    settings = cloud_process.attach_or_start()
    assert settings.work_directory == str(state / "work")
    assert settings.admin_token == elsewhere.admin_token
    assert cloud_process.call(settings, "GET", "/_labkit/health")


@posix
def test_only_a_cloud_is_ever_killed(state: Path) -> None:
    """The process of an old cloud is long gone, and its number somebody else's."""
    cloud_process.attach_or_start()
    os.kill(pid_of(state), signal.SIGKILL)
    assert ended(pid_of(state))
    bystander = python("import time; time.sleep(60)")
    try:
        (state / "work" / cloud_process.INSTANCE_PID).write_text(str(bystander.pid))
        cloud_process.attach_or_start()
        assert cloud_process.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.communicate()


@posix
def test_a_start_that_was_interrupted_leaves_nothing_that_hinders_the_next(state: Path) -> None:
    """The starting kernel is killed after the cloud began and before it noted it."""
    program = """
        import os, signal
        from labkit.lab import cloud_process
        cloud_process._write_state = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        cloud_process.attach_or_start()
    """
    with python(program) as kernel:
        kernel.communicate(timeout=PATIENCE)
    assert kernel.returncode == -signal.SIGKILL
    [orphan] = cloud_pids(state)
    settings = cloud_process.attach_or_start()
    assert ended(orphan)
    assert cloud_process.call(settings, "GET", "/_labkit/health")


# -- on its own --------------------------------------------------------------------------------


@posix
def test_it_survives_its_starter_and_the_interrupt_of_a_kernel(state: Path) -> None:
    program = START + "    print(flush=True)\n    import time\n    time.sleep(60)\n"
    with python(program, start_new_session=True) as kernel:
        assert kernel.stdout is not None
        while kernel.stdout.readline() != "\n":
            assert kernel.poll() is None
        pid = pid_of(state)
        os.killpg(kernel.pid, signal.SIGINT)
        kernel.communicate(timeout=PATIENCE)
    assert kernel.returncode != 0
    assert lives(pid)
    settings = cloud_process.attach_or_start()
    assert pid_of(state) == pid
    assert cloud_process.call(settings, "GET", "/_labkit/health")


# -- stopped -------------------------------------------------------------------------------------


def test_stop_says_whether_one_ran(state: Path) -> None:
    assert labkit.stop() is False
    before = cloud_process.attach_or_start()
    pid = pid_of(state)
    assert labkit.stop() is True
    assert ended(pid)
    assert labkit.stop() is False
    assert cloud_process.attach_or_start() == before


@posix
def test_stop_ends_a_hung_cloud_too(state: Path) -> None:
    cloud_process.attach_or_start()
    pid = pid_of(state)
    os.kill(pid, signal.SIGSTOP)
    assert cloud_process.stop(grace_seconds=0.5) is True
    assert ended(pid)


def test_stop_needs_no_state_file(state: Path) -> None:
    cloud_process.attach_or_start()
    pid = pid_of(state)
    (state / "cloud.json").unlink()
    assert cloud_process.stop() is True
    assert ended(pid)


@pytest.mark.parametrize("how", ["idle", "stop", "SIGTERM"])
def test_its_end_is_the_end_of_its_functions(
    state: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "idle":
        monkeypatch.setenv("LABKIT_IDLE_MINUTES", "0.08")
    lab = labkit.start()
    lab.start_task(2)
    boto3.client("lambda").invoke(FunctionName="d-lambda-nonvpc-cmp-demo-function")
    pid = pid_of(state)
    workers = [worker.pid for worker in psutil.Process(pid).children(recursive=True)]
    assert workers
    if how == "stop":
        assert labkit.stop()
    elif how == "SIGTERM":
        os.kill(pid, signal.SIGTERM)
    assert ended(pid)
    assert all(ended(worker, 5) for worker in workers)


BUSY = """
import re, time

def lambda_handler(event, context):
    if event.get("sleeps"):
        time.sleep(60)
    re.match("(a+)+$", "a" * 60 + "b")  # no other thread of Python's runs meanwhile
"""


@pytest.mark.parametrize("sleeps", [True, False])
@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_a_function_that_runs_doesnt_hold_up_the_end(state: Path, how: str, sleeps: bool) -> None:
    lab = labkit.start()
    lab.start_task(2)
    functions, name = boto3.client("lambda"), "d-lambda-nonvpc-cmp-demo-function"
    functions.update_function_configuration(FunctionName=name, Timeout=60)
    functions.update_function_code(FunctionName=name, ZipFile=deployment_package(BUSY))
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(
            functions.invoke, FunctionName=name, Payload=json.dumps({"sleeps": sleeps})
        )
        pid = pid_of(state)
        assert eventually(lambda: psutil.Process(pid).children(), PATIENCE)
        [worker] = psutil.Process(pid).children()
        if how == "stop":
            assert labkit.stop()
        else:
            os.kill(pid, signal.SIGTERM)
        assert ended(pid, 10)
        assert ended(worker.pid, 1)
        assert call.exception() or "FunctionError" in call.result()


DAEMON = """
import os, time

def lambda_handler(event, context):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.write(writer, str(os.getpid()).encode())
        time.sleep(600)
    os.wait()
    pid = os.read(reader, 20).decode()
    if event.get("dies"):
        print(f"daemon {pid}.")
        os._exit(1)
    return pid
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a process is lost")
@pytest.mark.parametrize("how", ["stop", "SIGTERM", "SIGKILL", "the environment dies"])
def test_no_daemon_of_a_handler_outlives_the_cloud(state: Path, how: str) -> None:
    lab = labkit.start()
    lab.start_task(2)
    functions, name = boto3.client("lambda"), "d-lambda-nonvpc-cmp-demo-function"
    functions.update_function_code(FunctionName=name, ZipFile=deployment_package(DAEMON))
    functions.get_waiter("function_updated").wait(FunctionName=name)
    event = {"dies": how == "the environment dies"}
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    if event["dies"]:
        log = base64.b64decode(answer["LogResult"]).decode()
        daemon = int(re.search(r"daemon (\d+)\.", log)[1])
    else:
        daemon = int(json.loads(answer["Payload"].read()))
        assert lives(daemon)
    if how == "stop":
        assert labkit.stop()
    elif how.startswith("SIG"):
        os.kill(pid_of(state), getattr(signal, how))
    assert ended(daemon)


def test_an_idle_time_that_is_no_number_is_named(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_IDLE_MINUTES", "soon")
    with pytest.raises(CloudUnavailableError, match="--idle-minutes: invalid float value: 'soon'"):
        labkit.start()


# -- files -----------------------------------------------------------------------------------------


@posix
def test_the_state_is_private(state: Path) -> None:
    before = os.umask(0)
    try:
        cloud_process.attach_or_start()
    finally:
        os.umask(before)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "cloud.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((state / "work").stat().st_mode) == 0o700
    assert not list(state.glob("cloud.json.*"))


def one_sentence(text: str) -> bool:
    return "\n" not in text and "Traceback" not in text and text.endswith(".") and len(text) < 300


def test_a_state_directory_that_can_t_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("LABKIT_STATE_DIR", str(place))
        for action in (cloud_process.attach_or_start, cloud_process.stop):
            with pytest.raises(SetupError) as refused:
                action()
            assert one_sentence(str(refused.value))
            assert "LABKIT_STATE_DIR" in str(refused.value)


@pytest.mark.parametrize("obstacle", ["cloud.json", "start.lock", "work", "cloud.log"])
def test_an_obstacle_in_the_state_directory_is_one_sentence(state: Path, obstacle: str) -> None:
    state.mkdir()
    if obstacle == "work":
        (state / obstacle).write_text("a file where a directory should be")
    else:
        (state / obstacle / "x").mkdir(parents=True)
    with pytest.raises(SetupError) as refused:
        cloud_process.attach_or_start()
    assert one_sentence(str(refused.value))


def test_a_relative_state_directory_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with environment(LABKIT_STATE_DIR="mine"):
        settings = cloud_process.attach_or_start()
        try:
            assert cloud_process.call(settings, "GET", "/_labkit/health")
            monkeypatch.chdir("/")
            assert Path(settings.work_directory) == tmp_path / "mine" / "work"
            monkeypatch.chdir(tmp_path)
        finally:
            assert cloud_process.stop()


# -- proxies -----------------------------------------------------------------------------------------


def test_a_proxy_doesn_t_get_in_between(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = f"http://127.0.0.1:{cloud_process._free_port()}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, dead)
        monkeypatch.setenv(name.lower(), dead)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    lab = labkit.start()
    demo = lab.start_task(5)
    assert boto3.client("sts").get_caller_identity()["Account"] == lab.account_id
    assert lab.http.get(f"{demo.invoke_url}/demo").status_code == 401


# -- python -m labkit.local --------------------------------------------------------------------------


def serve(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "labkit.local", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@contextlib.contextmanager
def served(*arguments: str, **options: Any) -> Iterator[dict[str, str]]:
    """A cloud in the foreground; what it announced."""
    with serve(*arguments, **options) as cloud:
        assert cloud.stdout is not None
        line = cloud.stdout.readline()
        try:
            yield json.loads(line)
        finally:
            cloud.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
            rest, errors = cloud.communicate(timeout=PATIENCE)
    assert (rest, errors) == ("", "")
    if os.name == "posix":
        assert cloud.returncode == 0


def test_a_cloud_announces_exactly_what_a_client_needs(tmp_path: Path) -> None:
    place = os.environ | {"TMPDIR": str(tmp_path)}
    with served("--port", "0", env=place) as one, served("--port", "0", env=place) as other:
        assert list(one) == [
            "endpoint",
            "region",
            "account_id",
            "access_key_id",
            "secret_access_key",
            "admin_token",
        ]
        assert one["endpoint"].startswith("http://127.0.0.1:")
        assert (one["region"], one["account_id"]) == ("us-east-1", "123456789012")
        for name in ("endpoint", "access_key_id", "secret_access_key", "admin_token"):
            assert one[name] != other[name]


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stopped_cloud_leaves_no_directory(tmp_path: Path, name: str) -> None:
    with serve("--port", "0", env=os.environ | {"TMPDIR": str(tmp_path)}) as cloud:
        assert cloud.stdout is not None
        assert json.loads(cloud.stdout.readline())
        assert list(tmp_path.iterdir())
        cloud.send_signal(getattr(signal, name))
        assert cloud.communicate(timeout=PATIENCE) == ("", "")
    assert cloud.returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_used_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serve("--port", str(port)) as cloud:
            out, errors = cloud.communicate(timeout=PATIENCE)
    assert (cloud.returncode, out) == (1, "")
    assert one_sentence(errors.strip())
    assert f"Port {port} is in use" in errors


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999"])
def test_a_port_that_is_none_is_one_sentence(port: str) -> None:
    with serve(f"--port={port}") as cloud:
        out, errors = cloud.communicate(timeout=PATIENCE)
    assert (cloud.returncode, out) == (1, "")
    assert one_sentence(errors.strip())
    assert port in errors


def test_a_port_that_is_a_word_is_a_usage_error() -> None:
    with serve("--port", "http") as cloud:
        out, errors = cloud.communicate(timeout=PATIENCE)
    assert (cloud.returncode, out) == (2, "")
    assert "Traceback" not in errors


WITHOUT_MINISTACK = """
import importlib.abc, importlib.metadata, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ministack":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
found = importlib.metadata.distribution
def distribution(name):
    if name == "ministack":
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)
importlib.metadata.distribution = distribution
"""


def test_another_engine_serves_nobody_and_what_is_different_is_listed(tmp_path: Path) -> None:
    program = """
        import importlib, sys
        from labkit.local import __main__

        cognito = importlib.import_module("ministack.services.cognito")
        del cognito._dispatch_idp
        cognito._signed_jwt = lambda claims: ""
        sys.exit(__main__.main(["--port", "0"]))
    """
    place = clean_environment() | {"TMPDIR": str(tmp_path)}
    with python(program, env=place, cwd=tmp_path) as cloud:
        out, errors = cloud.communicate(timeout=20)
    assert (cloud.returncode, out) == (1, "")
    assert "Traceback" not in errors
    _sentence, *listed = errors.splitlines()
    assert [line.split(":")[0] for line in listed] == [
        "ministack.services.cognito._signed_jwt is (claims), not (claims, pool_id=..., use=...)",
        "ministack.services.cognito._dispatch_idp is gone",
    ]


def test_a_missing_engine_is_one_sentence(state: Path, tmp_path: Path) -> None:
    (tmp_path / "shim").mkdir()
    (tmp_path / "shim" / "sitecustomize.py").write_text(WITHOUT_MINISTACK)
    place = os.environ | {"PYTHONPATH": str(tmp_path / "shim")}
    with serve("--port", "0", env=place) as cloud:
        out, errors = cloud.communicate(timeout=PATIENCE)
    assert (cloud.returncode, out) == (1, "")
    assert one_sentence(errors.strip())
    assert "ministack is missing" in errors
    program = """
        import labkit
        try:
            labkit.start()
        except labkit.errors.SetupError as error:
            print(error)
    """
    with python(program, env=place) as kernel:
        out, errors = kernel.communicate(timeout=PATIENCE)
    assert one_sentence(out.strip())
    assert "ministack is missing" in out
    assert not cloud_pids(state)
