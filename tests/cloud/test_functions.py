"""Lambda functions run in processes of their own and behave, fail and are limited as on AWS."""

from __future__ import annotations

import http.server
import io
import json
import os
import re
import select
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import CloudUnavailableError
from labkit.local.functions import FunctionRunner, log_pipe
from labkit.local.functions.deployment_package import CodeStore
from tests.support.attached_cloud import eventually
from tests.support.patience import PATIENCE

REQUEST_ID = "8d1b3f0e-0000-4000-8000-000000000001"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"
ROLE = "arn:aws:iam::123456789012:role/hello-role"

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups are POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def package(files: dict[str, str] | str) -> bytes:
    """A deployment package: the text of app.py, or file names and texts."""
    if isinstance(files, str):
        files = {"app.py": files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            # A ZipInfo has a fixed date: the same files are the same package.
            archive.writestr(zipfile.ZipInfo(name), textwrap.dedent(text))
    return buffer.getvalue()


def configuration(**changes: Any) -> dict[str, Any]:
    return {
        "FunctionName": "hello",
        "FunctionArn": ARN,
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": ROLE,
        "Timeout": 10,
        "MemorySize": 128,
        "RevisionId": "1",
        **changes,
    }


Call = Callable[..., dict[str, Any]]
Make = Callable[..., tuple[FunctionRunner, Call]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a runner, and a function that invokes code with it."""
    runners: list[FunctionRunner] = []

    def new(**options: Any) -> tuple[FunctionRunner, Call]:
        directory = tmp_path / f"cloud{len(runners)}"
        runner = FunctionRunner(
            credentials, "http://127.0.0.1:4566", directory, **{"clock": time.time, **options}
        )
        runners.append(runner)
        return runner, caller(runner)

    yield new
    for runner in runners:
        runner.close()


def caller(runner: FunctionRunner) -> Call:
    def call(
        code: dict[str, str] | str | bytes,
        event: Any = None,
        version: str = "$LATEST",
        **changes: Any,
    ) -> dict[str, Any]:
        code_zip = code if isinstance(code, bytes) else package(code)
        return runner(configuration(**changes), code_zip, event, REQUEST_ID, version)

    return call


@pytest.fixture
def call(make: Make) -> Call:
    return make()[1]


def credentials(role_arn: str, session_name: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": f"ASIA-of-{role_arn}",
        "AWS_SECRET_ACCESS_KEY": "role-secret",
        "AWS_SESSION_TOKEN": f"session-{session_name}",
    }


def error_of(result: dict[str, Any]) -> tuple[str, str]:
    assert result["error"] is True
    assert result["function_error"] == "Unhandled"
    return result["body"]["errorType"], result["body"]["errorMessage"]


def ends(process_id: int, within: float = PATIENCE) -> bool:
    """Whether a process (not a child of this one, perhaps) has ended, or does within some seconds."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(within * 1000))
    finally:
        os.close(descriptor)


# -- values -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], dict[str, Any]]]:
    runner = FunctionRunner(
        credentials, "http://127.0.0.1:4566", tmp_path_factory.mktemp("echo"), clock=time.time
    )
    code = package("def handler(event, context): return event")
    yield lambda event: runner(configuration(), code, event, REQUEST_ID, "$LATEST")
    runner.close()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(json_values)
@settings(max_examples=60)
def test_any_json_value_comes_back_as_it_went(
    echo: Callable[[Any], dict[str, Any]], value: Any
) -> None:
    assert echo(value) == {"body": value, "log": ""}


def test_a_large_event_and_a_large_response(call: Call) -> None:
    text = "ä" * 3_000_000
    assert call("def handler(event, context): return event", text)["body"] == text


def test_half_a_surrogate_pair_arrives_but_cannot_be_sent(call: Call) -> None:
    assert call("def handler(event, context): return ord(event)", "\ud800")["body"] == 0xD800
    kind, _ = error_of(call("def handler(event, context): return event", "\ud800"))
    assert kind == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("Decimal('3')", 3),
        ("Decimal('0.1')", 0.1),
        ("(1, 2)", [1, 2]),
        ("{1: b'bytes'}", {"1": "bytes"}),
        ("b'[1]'", [1]),
    ],
)
def test_what_python_has_and_json_has_not(call: Call, expression: str, value: Any) -> None:
    code = f"from decimal import Decimal\ndef handler(event, context): return {expression}"
    assert call(code)["body"] == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("{1}", "Object of type set is not JSON serializable"),
        ("float('nan')", "Out of range float values are not JSON compliant"),
        ("float('inf')", "Out of range float values are not JSON compliant"),
        ("loop", "Circular reference detected"),
        ("b'text'", "Expecting value"),
    ],
)
def test_a_value_that_is_not_json(call: Call, expression: str, words: str) -> None:
    code = f"loop = []\nloop.append(loop)\ndef handler(event, context): return {expression}"
    kind, message = error_of(call(code))
    assert kind == "Runtime.MarshalError"
    assert message.startswith(f"Unable to marshal response: {words}")


@pytest.mark.parametrize("event", [float("nan"), {"x": float("inf")}, {1, 2}])
def test_an_event_that_is_not_json_is_refused(call: Call, event: Any) -> None:
    kind, message = error_of(call("def handler(event, context): return 1", event))
    assert kind == "InvalidRequestContentException"
    assert message.startswith("Could not parse request body into json: ")


def test_a_response_over_aws_s_limit(call: Call) -> None:
    result = call("def handler(event, context): return 'x' * event", 7 * 1024 * 1024)
    assert result["body"] == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert call("def handler(event, context): return 'x' * event", 6291554)["body"] == "x" * 6291554


# -- the handler's surroundings -------------------------------------------------------


CONTEXT = """
    def handler(event, context):
        return {name: getattr(context, name) for name in (
            "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
            "aws_request_id", "log_group_name", "log_stream_name", "client_context",
        )} | {
            "remaining": context.get_remaining_time_in_millis(),
            "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        }
"""


def test_the_context_object(call: Call) -> None:
    context = call(CONTEXT, version="7", FunctionArn=f"{ARN}:live", MemorySize=256)["body"]
    assert 9_000 < context.pop("remaining") <= 10_000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", context.pop("log_stream_name"))
    assert context == {
        "function_name": "hello",
        "function_version": "7",
        "invoked_function_arn": f"{ARN}:live",
        "memory_limit_in_mb": "256",
        "aws_request_id": REQUEST_ID,
        "log_group_name": "/aws/lambda/hello",
        "client_context": None,
        "identity": [None, None],
    }


@posix
def test_the_environment_variables_are_these_and_no_others(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-cloud")
    monkeypatch.setenv("PYTHONPATH", "/secret/of/the/learner")
    variables = {
        "TABLE": "pets",
        "AWS_REGION": "mine",
        "AWS_ACCESS_KEY_ID": "mine",
        "LANG": "C.UTF-8",
    }
    code = "import os\ndef handler(event, context): return dict(os.environ)"
    found = call(code, Environment={"Variables": variables})["body"]
    assert found.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    assert found.pop("PATH")
    temporary = Path(found.pop("TMPDIR"))
    task_root = Path(found.pop("LAMBDA_TASK_ROOT"))
    assert temporary.is_relative_to(tmp_path)
    assert task_root.is_relative_to(tmp_path)
    assert found == {
        "AWS_ACCESS_KEY_ID": f"ASIA-of-{ROLE}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "role-secret",
        "AWS_SESSION_TOKEN": "session-hello",
        "HOME": str(temporary),
        "LANG": "C.UTF-8",
        "TABLE": "pets",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }


@linux
def test_no_file_of_the_host_is_open_in_the_handler_or_its_subprocesses(
    call: Call, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    code = """
        import os, subprocess, sys
        LIST = "import os\\nfor n in os.listdir('/proc/self/fd'):\\n"
        LIST += " try: print(n, os.readlink('/proc/self/fd/' + n))\\n except OSError: pass"
        def handler(event, context):
            mine = {}
            for name in os.listdir("/proc/self/fd"):
                try: mine[name] = os.readlink("/proc/self/fd/" + name)
                except OSError: pass
            sub = subprocess.run([sys.executable, "-ISc", LIST], capture_output=True, text=True, close_fds=False)
            return mine, sub.stdout
    """
    with secret.open() as file:
        os.set_inheritable(file.fileno(), True)
        mine, subs = call(code)["body"]
    # A newer libffi keeps its own file open, for its trampolines.
    places = {place for place in mine.values() if not re.fullmatch(r"/.*/libffi\.so[\d.]*", place)}
    assert mine["0"] == "/dev/null"
    pipes = places - {"/dev/null"}
    assert len(pipes) == 3  # requests, replies, log
    assert all(place.startswith("pipe:") for place in pipes)
    others = [line.split()[0] for line in subs.splitlines() if "/proc/" not in line]
    assert sorted(others) == ["0", "1", "2"]


def test_boto3_is_there_and_other_packages_are_not(call: Call) -> None:
    code = "import boto3\ndef handler(event, context): return boto3.client('sts').meta.endpoint_url"
    assert call(code)["body"] == "http://127.0.0.1:4566"
    assert error_of(call("import requests\ndef handler(event, context): return 1")) == (
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'requests'",
    )


def test_a_package_that_brings_its_own_boto3(call: Call) -> None:
    files = {
        "app.py": "import boto3\ndef handler(event, context): return boto3.MINE",
        "boto3.py": "MINE = 1",
    }
    assert call(files)["body"] == 1


def test_other_python_functions_only(call: Call) -> None:
    assert error_of(call("", Runtime="nodejs22.x"))[0] == "Runtime.Unsupported"


# -- the handler's name ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["package/module.run", "package.module.run"])
def test_a_handler_in_a_package(call: Call, name: str) -> None:
    files = {
        "package/__init__.py": "",
        "package/module.py": "def run(event, context): return event",
    }
    assert call(files, 5, Handler=name)["body"] == 5


@pytest.mark.parametrize(
    ("code", "name", "error_type", "message"),
    [
        ("", "x.f", "Runtime.ImportModuleError", "Unable to import module 'x': No module named 'x'"),
        ("import y", "app.f", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'y'"),
        ("", "app.f", "Runtime.HandlerNotFound", "Handler 'f' missing on module 'app'"),
        ("", "a", "Runtime.MalformedHandlerName", "Bad handler 'a': not enough values to unpack (expected 2, got 1)"),
        ("", "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("f(:", "a.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'a': invalid syntax (a.py, line 1)"),
    ],
)  # fmt: skip
def test_a_function_that_cannot_be_loaded(
    call: Call, code: str, name: str, error_type: str, message: str
) -> None:
    result = call({"app.py": code, "a.py": code}, Handler=name)
    assert error_of(result) == (error_type, message)
    assert result["body"]["requestId"] == ""
    assert result["log"].startswith(
        f"[ERROR] {error_type}: {message}\nTraceback (most recent call last):\n"
    )


def test_an_exception_while_importing(call: Call) -> None:
    result = call("print('loading')\nTABLE = {}['TABLE']\ndef handler(event, context): return 1")
    assert error_of(result) == ("KeyError", "'TABLE'")
    assert result["body"]["stackTrace"][-1] == (
        "  File \"/var/task/app.py\", line 2, in <module>\n    TABLE = {}['TABLE']\n"
    )
    assert result["log"].startswith("loading\n[ERROR] KeyError: 'TABLE'\n")


# -- failures ---------------------------------------------------------------------------


def test_an_exception(call: Call) -> None:
    code = """
        class OrderError(Exception): pass
        def handler(event, context):
            print("before")
            raise OrderError("no such order: ü")
    """
    result = call(code)
    assert result == {
        "body": {
            "errorMessage": "no such order: ü",
            "errorType": "OrderError",
            "requestId": REQUEST_ID,
            "stackTrace": [
                '  File "/var/task/app.py", line 5, in handler\n    raise OrderError("no such order: ü")\n'
            ],
        },
        "error": True,
        "function_error": "Unhandled",
        "log": "before\n[ERROR] OrderError: no such order: ü\nTraceback (most recent call last):\n"
        '\xa0\xa0File "/var/task/app.py", line 5, in handler\n'
        '\xa0\xa0\xa0\xa0raise OrderError("no such order: ü")\n',
    }


def test_an_exception_in_the_sdk_shows_no_path_of_this_computer(call: Call) -> None:
    code = "import boto3\ndef handler(event, context): boto3.client('no-such-service')"
    result = call(code)
    assert error_of(result)[0] == "UnknownServiceError"
    assert "/var/lang/lib/python" in "".join(result["body"]["stackTrace"])
    assert str(Path(boto3.__file__).parents[1]) not in result["log"]
    assert sys.prefix not in result["log"]


def test_an_environment_outlives_an_exception(call: Call) -> None:
    code = """
        import os
        calls = []
        def handler(event, context):
            calls.append(event)
            if event == 1: raise ValueError
            return os.getpid(), calls
    """
    first = call(code, 0)["body"][0]
    assert error_of(call(code, 1)) == ("ValueError", "")
    assert call(code, 2)["body"] == [first, [0, 1, 2]]


def test_endless_recursion(call: Call) -> None:
    result = call("def handler(event, context): return handler(event, context)")
    assert error_of(result)[0] == "RecursionError"
    assert len(result["body"]["stackTrace"]) < 10


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit(4)", "Runtime exited with error: exit status 4"),
        ("exit(5)", "Runtime exited with error: exit status 5"),
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("sys.exit('bye')", "Runtime exited with error: exit status 1"),
        pytest.param("os.kill(0, 9)", "Runtime exited with error: signal: killed", marks=posix),
        pytest.param(
            "os.kill(os.getpid(), 11)",
            "Runtime exited with error: signal: segmentation fault",
            marks=posix,
        ),
        pytest.param("os.abort()", "Runtime exited with error: signal: aborted", marks=posix),
    ],
)
def test_a_process_that_ends(call: Call, statement: str, reason: str) -> None:
    code = f"""
        import os, sys
        def handler(event, context):
            if event:
                print("last")
                {statement}
            return 1
    """
    result = call(code, True)
    message = f"RequestId: {REQUEST_ID} Error: {reason}"
    assert error_of(result) == ("Runtime.ExitError", message)
    assert result["log"].startswith("last\n")
    assert result["log"].endswith(f"{message}\nRuntime.ExitError\n")
    assert call(code, False)["body"] == 1


def test_a_process_that_ends_while_importing(call: Call) -> None:
    result = call("import sys\nsys.exit(2)")
    assert error_of(result) == (
        "Runtime.ExitError",
        f"RequestId: {REQUEST_ID} Error: Runtime exited with error: exit status 2",
    )


@posix
def test_a_process_that_ends_while_one_that_it_forked_holds_its_pipes(call: Call) -> None:
    code = """
        import os, signal
        def handler(event, context):
            pid = os.fork()
            if not pid:
                signal.pause()
            print(pid)
            os._exit(3)
    """
    result = call(code)
    assert error_of(result)[1].endswith("exit status 3")
    assert ends(int(result["log"].split()[0]))


@posix
def test_a_handler_that_forks_answers_once(call: Call) -> None:
    code = """
        import os
        def handler(event, context):
            pid = os.fork()
            if pid: os.waitpid(pid, 0)
            return os.getpid()
    """
    assert call(code)["body"] == call(code)["body"]


DAEMON = """
import os, sys, time

def write_for_ever(place):
    while True:
        with open(place, "a") as file:
            file.write("x")
        time.sleep(0.01)

def start_daemon(place, forks):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if forks == 2 and os.fork():
            os._exit(0)
        os.write(writer, str(os.getpid()).encode())
        write_for_ever(place)
    if forks == 2:
        os.wait()
    return int(os.read(reader, 20))

def handler(event, context):
    place = event["place"]
    if "forks" in event:
        return start_daemon(place, event["forks"])
    if "children" in event:
        for _ in range(event["children"]):
            if os.fork() == 0:
                write_for_ever(place)
        return os.getpid()
    before = os.path.getsize(place)
    while os.path.getsize(place) == before:
        time.sleep(0.01)
"""
"""Leaves processes that write to a file; asked for none, it waits until one goes on."""


@linux
@pytest.mark.parametrize("forks", [1, 2])
def test_a_daemon_ends_with_its_environment(make: Make, tmp_path: Path, forks: int) -> None:
    runner, call = make()
    pid = call(DAEMON, {"place": str(tmp_path / "x"), "forks": forks})["body"]
    assert psutil.pid_exists(pid)
    runner.close()
    assert ends(pid)


@linux
def test_a_daemon_is_frozen_between_invocations(make: Make, tmp_path: Path) -> None:
    _runner, call = make()
    place = {"place": str(tmp_path / "x")}
    pid = call(DAEMON, {**place, "forks": 2})["body"]
    for _ in range(2):
        assert eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        assert call(DAEMON, place) == {"body": None, "log": ""}, "it went on meanwhile"


@linux
def test_children_of_a_handler_that_returned_wait_and_end(make: Make, tmp_path: Path) -> None:
    runner, call = make()
    pid = call(DAEMON, {"place": str(tmp_path / "x"), "children": 300}, Timeout=60)["body"]
    children = psutil.Process(pid).children()
    assert len(children) == 300
    assert eventually(lambda: {one.status() for one in children} == {psutil.STATUS_STOPPED})
    runner.close()
    assert all(ends(child.pid) for child in children)


LEAP_DAY = 1_709_251_199.5
TIMED_OUT = f"2024-02-29T23:59:59.500Z {REQUEST_ID} Task timed out after"


@pytest.mark.parametrize(
    "statement",
    [
        "while True: pass",
        "threading.Event().wait()",
        "re.match('(a+)+b', 'a' * 60)",  # in C, with the interpreter lock
    ],
)
def test_a_handler_that_does_not_end(make: Make, statement: str) -> None:
    code = f"import os, re, threading\ndef handler(event, context):\n    print(os.getpid())\n    {statement}"
    started = time.monotonic()
    result = make(clock=lambda: LEAP_DAY)[1](code, Timeout=0.3)
    assert 0.3 <= time.monotonic() - started < PATIENCE
    kind, message = error_of(result)
    assert kind == "Sandbox.Timedout"
    assert message == f"{TIMED_OUT} 0.30 seconds"
    process_id, last = result["log"].splitlines()
    assert last == message
    assert ends(int(process_id))


def test_a_large_event_for_an_environment_that_reads_nothing_times_out(make: Make) -> None:
    call = make()[1]
    code = """
        import os, signal
        def handler(event, context):
            return os.getpid()
    """
    process_id = call(code, Timeout=0.3)["body"]
    os.kill(process_id, signal.SIGSTOP)
    assert error_of(call(code, "x" * 1_000_000, Timeout=0.3))[0] == "Sandbox.Timedout"
    assert call(code, Timeout=0.3)["body"] != process_id


def test_hanging_while_importing(make: Make) -> None:
    code = "import threading\nprint('importing')\nthreading.Event().wait()"
    result = make(init_seconds=1, clock=lambda: LEAP_DAY)[1](code, Timeout=1)
    kind, message = error_of(result)
    assert kind == "Sandbox.Timedout"
    assert message == f"{TIMED_OUT} 1.00 seconds"
    assert result["log"] == f"importing\nimporting\n{message}\n"  # AWS tries twice, too


def test_the_time_out_is_3_seconds_unless_set(call: Call) -> None:
    remaining = "def handler(event, context): return context.get_remaining_time_in_millis()"
    assert 2_000 < call(remaining, Timeout=None)["body"] <= 3_000


# -- the log ------------------------------------------------------------------------------


def test_output_of_every_kind_is_log(call: Call) -> None:
    code = """
        import logging, os, subprocess, sys
        print("import")
        def handler(event, context):
            print("out")
            print("err", file=sys.stderr)
            os.write(1, b"one\\n")
            os.write(2, b"two\\n")
            subprocess.run([sys.executable, "-ISc", "print('sub')"])
            sys.stdout.write("no newline")
            return sys.stdin.read()
    """
    assert call(code) == {"body": "", "log": "import\nout\nerr\none\ntwo\nsub\nno newline"}
    assert call(code)["log"] == "out\nerr\none\ntwo\nsub\nno newline"


def test_logging_is_already_set_up(call: Call) -> None:
    code = """
        import logging
        logging.basicConfig(format="mine", level=logging.INFO)
        def handler(event, context):
            logging.info("not at this level")
            logging.warning("careful")
    """
    log = call(code)["log"]
    assert re.fullmatch(
        rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{REQUEST_ID}\tcareful\n", log
    )


def test_20_mb_without_a_newline_cost_neither_time_nor_memory(call: Call) -> None:
    code = """
        import os, sys
        def handler(event, context):
            sys.stdout.write("x" * 10_000_000)
            os.write(2, b"\\xff\\x00" * 5_000_000)
            sys.stdout.write("the end")
    """
    log = call(code)["log"]
    assert log.startswith(
        f"[labkit: {20_000_007 - log_pipe.LOG_LIMIT} earlier bytes of this output weren't kept]\n"
    )
    assert log.endswith("\ufffd\0the end")
    assert len(log) < log_pipe.LOG_LIMIT + 100


def test_output_between_invocations_is_bounded_too(call: Call) -> None:
    code = """
        import os, threading
        done = threading.Event()
        def flood():
            for _ in range(300): os.write(1, b"x" * 10_000)
            done.set()
        def handler(event, context):
            if event: threading.Thread(target=flood).start()
            else: done.wait()
    """
    assert len(call(code, True)["log"]) < log_pipe.LOG_LIMIT + 100
    assert len(call(code, False)["log"]) < log_pipe.LOG_LIMIT + 100


def test_what_looks_like_the_end_of_a_log_is_not(call: Call) -> None:
    code = "def handler(event, context): print('\\0' + '0' * 32 + '\\0'); print('more')"
    assert call(code)["log"] == "\0" + "0" * 32 + "\0\nmore\n"


def test_a_handler_that_closes_its_output(call: Call) -> None:
    code = """
        import os, sys
        def handler(event, context):
            print("before")
            sys.stdout = None
            os.close(1); os.close(2)
            return 1
    """
    assert call(code) == {"body": 1, "log": "before\n"}


@posix
def test_a_process_left_behind_does_not_hold_up_the_log(call: Call) -> None:
    code = """
        import subprocess, sys
        def handler(event, context):
            wait = "import threading; threading.Event().wait()"
            return subprocess.Popen([sys.executable, "-ISc", wait]).pid
    """
    result = call(code)  # the answer doesn't wait for the end of what holds the pipe
    assert not ends(result["body"], within=0)  # as on AWS: it lives as long as the environment
    call(code, RevisionId="2")
    assert ends(result["body"])


# -- environments --------------------------------------------------------------------------

PROCESS_ID = "import os\ndef handler(event, context): return os.getpid()"


@pytest.mark.parametrize(
    "changes",
    [
        {"RevisionId": "2"},
        {"Handler": "app.handler2"},
        {"Timeout": 5},
        {"MemorySize": 512},
        {"Role": "arn:aws:iam::123456789012:role/other"},
        {"Environment": {"Variables": {"A": "1"}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_configuration_takes_a_new_environment(
    call: Call, changes: dict[str, Any]
) -> None:
    code = PROCESS_ID + "\nhandler2 = handler"
    first = call(code)["body"]
    assert call(code)["body"] == first
    assert call(code, **changes)["body"] != first
    assert ends(first)


def test_changed_code_takes_a_new_environment(call: Call) -> None:
    assert call("def handler(event, context): return 1")["body"] == 1
    assert call("def handler(event, context): return 2")["body"] == 2


def test_versions_have_environments_of_their_own_and_aliases_share_them(call: Call) -> None:
    latest = call(PROCESS_ID)["body"]
    first = call(PROCESS_ID, version="1", FunctionArn=f"{ARN}:1")["body"]
    assert first != latest
    assert call(PROCESS_ID, version="1", FunctionArn=f"{ARN}:live")["body"] == first
    assert call(PROCESS_ID)["body"] == latest


def test_an_environment_that_ended_while_idle_is_replaced(call: Call) -> None:
    first = call(PROCESS_ID)["body"]
    os.kill(first, signal.SIGTERM)
    assert ends(first)
    assert call(PROCESS_ID)["body"] != first


def test_credentials_are_renewed_before_they_expire(make: Make) -> None:
    now = 1_000_000.0
    _, call = make(clock=lambda: now, credential_seconds=3600)
    first = call(PROCESS_ID)["body"]
    now += 3599
    assert call(PROCESS_ID)["body"] == first
    now += 2
    assert call(PROCESS_ID)["body"] != first


def test_an_idle_environment_and_its_files_go(make: Make, tmp_path: Path) -> None:
    runner, call = make(idle_seconds=0.05)
    assert ends(call(PROCESS_ID)["body"])
    runner.close()
    assert not (tmp_path / "cloud0" / "functions").exists()


def test_closing_ends_everything_and_refuses_more(make: Make, tmp_path: Path) -> None:
    runner, call = make()
    started = threading.Event()
    results: list[dict[str, Any]] = []
    code = "import threading\nprint('x')\ndef handler(event, context): threading.Event().wait()"

    def stuck() -> None:
        started.set()
        results.append(call(code, FunctionArn=f"{ARN}2"))

    process_id = call(PROCESS_ID)["body"]
    thread = threading.Thread(target=stuck)
    thread.start()
    started.wait()
    while not any(e.configuration.function_arn == f"{ARN}2" for e in list(runner._environments)):
        os.sched_yield()
    runner.close()
    thread.join(10)
    assert error_of(results[0])[0] == "Runtime.ExitError"
    assert ends(process_id)
    assert not (tmp_path / "cloud0" / "functions").exists()
    with pytest.raises(CloudUnavailableError):
        call(PROCESS_ID)


@linux
@pytest.mark.parametrize(
    "waiting", ["while True: pass", "threading.Event().wait()", "return os.getpid()"]
)
def test_nothing_outlives_a_host_that_is_killed(tmp_path: Path, waiting: str) -> None:
    code = f"""
        import os, subprocess, sys, threading
        def handler(event, context):
            sub = subprocess.Popen([sys.executable, "-ISc", "import threading; threading.Event().wait()"])
            with open(event, "w") as pipe: pipe.write(f"{{os.getpid()}} {{sub.pid}}")
            {waiting}
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    host = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(log_pipe.__file__).parents[3])!r})
        from labkit.local.functions import FunctionRunner
        runner = FunctionRunner(lambda role, session: {{}}, "", Path({str(tmp_path)!r}), clock=time.time)
        runner({configuration(Timeout=600)!r}, {package(code)!r}, {str(pipe)!r}, "id", "$LATEST")
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(host)], stdin=subprocess.PIPE
    ) as process:
        process_ids = [int(word) for word in pipe.read_text().split()]
        assert len(process_ids) == 2
        process.kill()
    assert all(ends(process_id) for process_id in process_ids)


# -- concurrency -----------------------------------------------------------------------------


def test_50_threads_get_their_own_answers_from_at_most_8_processes(make: Make) -> None:
    _, call = make(patience=60)
    code = package(
        "import os\ndef handler(event, context):\n    print(event)\n    return event, os.getpid()"
    )

    def work(thread: int) -> set[int]:
        process_ids = set()
        for number in range(100):
            event = f"{thread}-{number}"
            result = call(code, event)
            assert result["log"] == f"{event}\n"
            assert result["body"][0] == event
            process_ids.add(result["body"][1])
        return process_ids

    with ThreadPoolExecutor(50) as pool:
        process_ids = set().union(*pool.map(work, range(50)))
    assert len(process_ids) <= 8


def test_a_function_that_calls_itself_does_not_wait_for_itself(make: Make) -> None:
    runner, call = make(max_environments=2, patience=0.05)
    code = package("""
        import os, urllib.request
        def handler(event, context):
            url, depth = event
            if not depth: return [os.getpid()]
            with urllib.request.urlopen(f"{url}/{depth - 1}") as response:
                return [os.getpid(), *__import__("json").load(response)]
    """)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(call(code, [url, int(self.path[1:])])["body"]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            process_ids = call(code, [url, 5])["body"]
        finally:
            server.shutdown()
            thread.join()
    assert len(set(process_ids)) == 6
    assert len(runner._environments) == 2


def test_at_the_hard_limit_a_call_waits_for_a_time_out(make: Make) -> None:
    _, call = make(max_environments=1, hard_limit=1, patience=0.01)
    code = "import threading\ndef handler(event, context):\n    if event: threading.Event().wait()\n    return 1"
    with ThreadPoolExecutor(4) as pool:
        stuck = [pool.submit(call, code, True, Timeout=0.5) for _ in range(2)]
        free = [pool.submit(call, code, False, Timeout=0.5) for _ in range(2)]
        assert [error_of(f.result())[0] for f in stuck] == ["Sandbox.Timedout"] * 2
        assert [f.result()["body"] for f in free] == [1, 1]


# -- the deployment package --------------------------------------------------------------------


def test_a_package_is_unpacked_once_read_only_and_removed_with_its_last_environment(
    make: Make, tmp_path: Path
) -> None:
    _, call = make()
    code = package({"app.py": PROCESS_ID, "data/text": "x"})
    call(code)
    call(code, version="1")
    (directory,) = (tmp_path / "cloud0" / "functions" / "code").iterdir()
    assert stat.S_IMODE((directory / "data" / "text").stat().st_mode) == 0o444
    assert stat.S_IMODE((directory / "data").stat().st_mode) == 0o555
    call(PROCESS_ID, RevisionId="2")
    assert directory.exists()
    call(PROCESS_ID, version="1", RevisionId="2")
    assert not directory.exists()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil", link()],
    ids=["..", "inner ..", "absolute", "backslash", "drive", "link"],
)
def test_an_entry_that_leads_out_of_the_package(
    call: Call, tmp_path: Path, name: str | zipfile.ZipInfo
) -> None:
    buffer = io.BytesIO(package(PROCESS_ID))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, "/etc")
    assert error_of(call(buffer.getvalue()))[0] == "InvalidZipFileException"
    assert not list(tmp_path.rglob("*evil*"))
    assert not list(tmp_path.rglob("code/*"))


def test_no_zip_file_or_a_broken_one(call: Call) -> None:
    whole = package("x = '" + "abc" * 1000 + "'")
    broken = whole[:60] + b"\xff" * 20 + whole[80:]
    for content in (b"", b"not a zip file", whole[:-30], broken):
        assert error_of(call(content))[0] == "InvalidZipFileException"


def test_a_package_that_unpacks_to_too_much(tmp_path: Path) -> None:
    size = len(textwrap.dedent(PROCESS_ID))
    assert CodeStore(tmp_path / "a", limit=size).acquire(package(PROCESS_ID)).is_dir()
    with pytest.raises(ValueError, match=f"over {size - 1} bytes"):
        CodeStore(tmp_path / "b", limit=size - 1).acquire(package(PROCESS_ID))
    assert not list((tmp_path / "b").iterdir())
