"""The inside of an execution environment: loads a function's handler, then runs it, invocation after invocation.

A script that ``environment.py`` starts with ``python -I -S``: it imports the standard library only,
and nobody imports it. What it says to a handler and about one (the context object, the names and
words of the errors, the form of a log line) is what AWS's runtime for Python says; its source is
public: https://github.com/aws/aws-lambda-python-runtime-interface-client

Three pipes lead to the host, on the file descriptors that every platform inherits: requests come in
on 0, replies leave on 1, 2 is the log. Before any code of the function runs, 0 and 1 move to
private descriptors that no subprocess inherits, 0 becomes the null device and 1 the log. So
whatever a handler and its subprocesses print is log.

A request is four bytes of length and a JSON object. A reply is the 16-byte token of the request
that it answers, a letter (``R`` ready, ``V`` the handler's value, ``E`` an error), four bytes of
length and JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import decimal
import faulthandler
import importlib
import importlib.abc
import importlib.machinery
import json
import logging
import os
import queue
import signal
import site
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, TracebackType
from typing import Any, NoReturn

RESPONSE_LIMIT = 6_291_556
"""The most bytes that AWS lets a synchronous response have."""

WATCHDOG_GRACE = 2.0
"""How long after its deadline an invocation may still run until the process ends itself, host or no host."""

_NO_BREAK_SPACE = "\u00a0"


class FaultError(Exception):
    """The function can't be loaded or its value not be sent: an error that the runtime names, not the code."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []


# -- talking to the host ---------------------------------------------------------


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class Host:
    """The pipes to the process that started this one."""

    def __init__(self) -> None:
        self._process_id = os.getpid()
        self._requests = os.dup(0)
        self._replies = os.dup(1)
        self._log = os.dup(2)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        self._queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        # A thread of its own, not the main one: it must see the host's end while a handler runs.
        threading.Thread(target=self._listen, name="labkit-host", daemon=True).start()

    def _listen(self) -> None:
        # Plain descriptors: a buffered file that a daemon thread reads can stop the interpreter
        # from ending.
        try:
            while head := _read_exactly(self._requests, 4):
                body = _read_exactly(self._requests, int.from_bytes(head, "big"))
                if body is None:
                    break
                self._queue.put(json.loads(body))
        finally:
            _end_with_descendants()

    def next_request(self) -> dict[str, Any]:
        """Wait for the next request."""
        return self._queue.get()

    def reply(self, token: str, kind: bytes, payload: bytes = b"") -> None:
        """Mark the end of this invocation in the log, then answer."""
        if os.getpid() != self._process_id:
            os._exit(
                0
            )  # a handler forked and both sides returned; only one invocation was asked for
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the handler may have put anything in their place
                stream.flush()
        head = bytes.fromhex(token) + kind + len(payload).to_bytes(4, "big")
        try:
            if kind != b"R":
                # The token can't be guessed, so no output can pretend to be the end of the output.
                _write_all(self._log, b"\0" + token.encode() + b"\0")
            _write_all(self._replies, head + payload)
        except OSError:  # the host is gone; this thread noticed first
            _end_with_descendants()

    def log_error(self, error: dict[str, Any]) -> None:
        """Write an error to the log in the form that AWS gives it."""
        first = f"[ERROR] {error['errorType']}"
        if error["errorMessage"]:
            first += f": {error['errorMessage']}"
        lines = [first, "Traceback (most recent call last):"]
        for element in error["stackTrace"]:
            for line in element.splitlines():
                text = line.lstrip(" ")
                lines.append(_NO_BREAK_SPACE * (len(line) - len(text)) + text)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(OSError):  # the host is gone, as reply() will find
            _write_all(self._log, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))


# -- what a handler leaves running --------------------------------------------------


def _adopt_orphans() -> None:
    # A process that leaves its parent becomes a child of this one, not of the system's first.
    if sys.platform == "linux":
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _descendants() -> list[int]:
    """The processes that a handler has started, and theirs; none where there is no ``/proc``."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        with (
            contextlib.suppress(OSError, ValueError),
            open(f"/proc/{int(name)}/stat", "rb") as stat,
        ):
            # The program's name, in brackets, may hold anything; its state and its parent follow.
            parent = stat.read().rpartition(b")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(name))
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _signal_descendants(number: int) -> None:
    for pid in _descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


class Background:
    """What a handler started and didn't wait for.

    AWS freezes an environment between invocations: such processes go on in the next one, if there is one
    (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). Threads aren't frozen here.
    """

    def __init__(self) -> None:
        self._frozen = False

    def freeze(self) -> None:
        """Let it wait."""
        if sys.platform == "linux":
            with contextlib.suppress(ChildProcessError):  # there is none
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                _signal_descendants(signal.SIGSTOP)
                self._frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        if sys.platform == "linux" and self._frozen:
            _signal_descendants(signal.SIGCONT)
            self._frozen = False


def _end_with_descendants() -> NoReturn:
    if sys.platform != "win32":
        _signal_descendants(signal.SIGKILL)
    # The host made this process the leader of a process group: what a handler has started is in it
    # too.
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


# -- what a handler gets ------------------------------------------------------------


class CognitoIdentity:
    """``context.identity``; its attributes are None unless a mobile SDK invoked the function."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, request_id: str, function_arn: str, remaining_seconds: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = function_arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = CognitoIdentity()
        self.client_context = None
        # Not the time of day, which a lesson may move.
        self._deadline = time.perf_counter() + remaining_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until this invocation times out."""
        return max(0, int((self._deadline - time.perf_counter()) * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))


class _LogHandler(logging.Handler):
    """The handler that AWS's runtime has already put on the root logger, so ``basicConfig`` changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.request_id = ""
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S",
        )
        formatter.converter = time.gmtime
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = self.request_id
        try:
            sys.stdout.write(self.format(record))
        except Exception:
            self.handleError(record)


class _SdkFinder(importlib.abc.MetaPathFinder):
    """Finds boto3 and what it needs, and nothing else that happens to be installed beside it.

    As on AWS, a package that the deployment package doesn't bring is missing, and a copy of boto3
    that it brings comes first.
    """

    def __init__(self, names: Sequence[str], directories: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._directories = directories

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if path is None and fullname in self._names:
            return importlib.machinery.PathFinder.find_spec(fullname, self._directories, target)
        return None


class _Clock:
    """The clock of this process, as far ahead of the computer's as the cloud's is.

    Args:
        names: the modules of time-machine, the only ones that are taken from there.
        directories: where they are.
    """

    def __init__(self, names: Sequence[str], directories: Sequence[str]) -> None:
        self._finder = _SdkFinder(names, directories)
        self._offset = 0.0
        self._traveller: Any = None

    def move_to(self, offset: float) -> None:
        """Put the clock ``offset`` seconds ahead; call it while no code of the function runs."""
        if offset == self._offset:
            return
        if self._traveller is None:
            time_machine = self._load()
            self._traveller = time_machine.travel(time.time() + offset, tick=True).start()
            time.time()  # a journey begins with the first look at the clock
        else:
            self._traveller.shift(offset - self._offset)
        self._offset = offset

    def _load(self) -> Any:
        """Import time-machine, and for it the standard library only: it would take more, also the function's."""
        meta_path, path = sys.meta_path[:], sys.path[:]
        task_root = os.environ["LAMBDA_TASK_ROOT"]
        sys.meta_path[:] = [f for f in meta_path if not isinstance(f, _SdkFinder)] + [self._finder]
        sys.path[:] = [entry for entry in path if entry != task_root]
        try:
            return importlib.import_module("time_machine")
        finally:
            sys.meta_path[:], sys.path[:] = meta_path, path


# -- the function -------------------------------------------------------------------


Handler = Callable[[Any, LambdaContext], Any]


def load_handler(handler: str) -> Handler:
    """Import the handler that a string such as ``module.function`` or ``package/module.function`` names.

    Raises:
        FaultError: with AWS's error type and message.
    """
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise FaultError(
            "Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}"
        ) from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise FaultError(
            "Runtime.BuiltInModuleConflict",
            f"Cannot use built-in module {module_name} as a handler module",
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise FaultError(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise FaultError(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace
        ) from None
    try:
        found: Handler = getattr(module, function_name)
    except AttributeError:
        raise FaultError(
            "Runtime.HandlerNotFound",
            f"Handler '{function_name}' missing on module '{module_name}'",
        ) from None
    return found


def _as_json(value: object) -> Any:
    """What AWS's encoder makes of the types that JSON doesn't have: numbers of decimals, text of bytes."""
    if isinstance(value, decimal.Decimal):
        return json.loads("NaN" if value.is_nan() else str(value))
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


# Bound now: a handler may replace what json offers. NaN and the infinities aren't JSON, and AWS
# refuses them too.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_as_json).encode
_encode_error = json.JSONEncoder().encode


def marshal(value: object) -> bytes:
    """A handler's return value as JSON.

    Raises:
        FaultError: it can't be JSON.
    """
    try:
        if isinstance(value, bytes):  # passed on as they are, if they are JSON
            json.loads(value)
            return value
        return _encode(value).encode()
    except Exception as error:
        raise FaultError("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


class Function:
    """The loaded function.

    Args:
        host: where its output goes.
        places: (directory on this machine, directory on AWS): how file names are shown in a stack
            trace.
    """

    def __init__(self, host: Host, places: list[tuple[str, str]]) -> None:
        self._host = host
        self._places = places
        self._background = Background()
        self._log_handler = _LogHandler()
        logging.getLogger().addHandler(self._log_handler)

    def load(self, token: str, name: str) -> Handler:
        """Import the function's code and answer that it is ready; or why it isn't, and end."""
        try:
            handler = load_handler(name)
        except Exception as problem:
            error = self._error(problem, "")
        else:
            self._host.reply(token, b"R")
            return handler
        self._host.log_error(error)
        self._host.reply(token, b"E", _encode_error(error).encode())
        _end_with_descendants()

    def invoke(self, handler: Handler, request: dict[str, Any]) -> None:
        """Run the handler once and answer with its value or its error.

        ``SystemExit`` and the like aren't caught: they end the process, as they end AWS's runtime.
        """
        request_id = self._log_handler.request_id = request["request_id"]
        self._background.thaw()
        error = None
        payload = b""
        try:
            context = LambdaContext(
                request_id, request["function_arn"], request["remaining_seconds"]
            )
            payload = marshal(handler(request["event"], context))
        except Exception as problem:
            error = self._error(problem, request_id)
        if error is not None:
            self._host.log_error(error)
            payload = _encode_error(error).encode()
        if len(payload) > RESPONSE_LIMIT:
            message = "Response payload size exceeded maximum allowed payload size"
            error = {
                "errorMessage": f"{message} ({RESPONSE_LIMIT} bytes).",
                "errorType": "Function.ResponseSizeTooLarge",
            }
            payload = _encode_error(error).encode()
        self._background.freeze()
        self._host.reply(request["token"], b"V" if error is None else b"E", payload)

    def _error(self, problem: Exception, request_id: str) -> dict[str, Any]:
        if isinstance(problem, FaultError):
            error_type, stack = problem.error_type, problem.trace
        else:
            error_type = type(problem).__name__
            # Four columns only: AWS prints no markers below the line of code.
            frames = [
                (f.filename, f.lineno or 0, f.name, f.line)
                for f in _own_frames(problem.__traceback__)
            ]
            stack = traceback.StackSummary.from_list(frames).format()
        return {
            "errorMessage": str(problem),
            "errorType": error_type,
            "requestId": request_id,
            "stackTrace": [self._as_on_aws(element) for element in stack],
        }

    def _as_on_aws(self, element: str) -> str:
        for here, there in self._places:
            element = element.replace(here, there)
        return element


def _own_frames(trace: TracebackType | None) -> Iterator[traceback.FrameSummary]:
    """The frames of the function, without those of this script that lead to it."""
    leading = True
    for frame in traceback.extract_tb(trace):
        leading = leading and frame.filename == __file__
        if not leading:
            yield frame


def main() -> NoReturn:
    """Serve invocations until the host ends this process."""
    _adopt_orphans()
    host = Host()
    start = host.next_request()
    # The descriptor stays open for the watchdog, which a handler stuck inside C code can't hold up:
    # it needs no interpreter lock. The host has ended an overdue process long before, unless the
    # host itself is gone.
    watchdog_output = os.open(os.devnull, os.O_WRONLY)

    def watch(seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds + WATCHDOG_GRACE, exit=True, file=watchdog_output)

    watch(start["seconds"])
    clock = _Clock(start["clock_modules"], start["clock_directories"])
    clock.move_to(start["clock_offset"])
    sys.argv = [""]
    sys.path.insert(0, start["task_root"])
    sys.meta_path.append(_SdkFinder(start["sdk_names"], start["sdk_directories"]))
    site.setquit()  # `-S` left out exit() and quit()
    function = Function(host, start["places"])
    handler = function.load(start["token"], start["handler"])
    faulthandler.cancel_dump_traceback_later()
    while True:
        request = host.next_request()
        watch(request["remaining_seconds"])
        clock.move_to(request["clock_offset"])
        function.invoke(handler, request)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
