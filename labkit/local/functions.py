"""Runs Lambda functions: a process is an execution environment, warm ones are kept, and what AWS limits is limited.

The inside of such a process is ``function_runtime.py``. It gets the environment variables that AWS
would give it and nothing of this process's: no variable, no open file, no credentials but those of
the function's own role.

As on AWS an environment serves one invocation at a time, keeps its modules and global variables for
the next one, and is replaced when it times out, ends, or when the function's code or configuration
changes. Unlike AWS, Python is the one that labkit runs on, whatever ``Runtime`` says, and layers
aren't mounted.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import io
import itertools
import json
import os
import queue
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from labkit.errors import CloudUnavailableError

JsonObject = dict[str, Any]
CredentialsFor = Callable[[str, str], dict[str, str]]
"""Makes a role's temporary credentials, as environment variables: (role ARN, session name) → variables."""

LOG_LIMIT = 256 * 1024
"""How many bytes of an invocation's output are kept, the last ones."""

UNPACKED_LIMIT = 250 * 1024 * 1024
"""AWS's limit for an unpacked deployment package."""

RUNTIME_SCRIPT = Path(__file__).with_name("function_runtime.py")

SDK_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What AWS's Python runtime has besides the standard library."""

CLOCK_MODULES = ("time_machine", "_time_machine")
"""What moves the clock of an environment."""

RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: a function can't set these."""

_STOPPED = "The local cloud has stopped. Run lab = labkit.start() again."
_REPLY_HEAD = 16 + 1 + 4
_REPLY_LIMIT = (
    8 * 1024 * 1024
)  # over AWS's limit for responses, which the environment itself applies
_LOG_PATIENCE = 1.0  # seconds until the end of a log counts as lost
_LIFE_CHECK = 0.25  # seconds between looks whether a silent environment is alive
_FITS_INTO_PIPE = 4000  # bytes that an empty pipe holds on any platform

_CREATION_FLAGS = 0
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NO_WINDOW

# Deadlines use the performance counter: it is no time of day, so a lesson that moves the clock
# doesn't reach it.
_now = time.perf_counter


class _FailedError(Exception):
    """An invocation came to nothing, and the environment with it.

    Attributes:
        body: what the caller of the function gets.
        log: the invocation's output.
    """

    def __init__(self, body: JsonObject, log: str = "") -> None:
        super().__init__(body.get("errorMessage"))
        self.body = body
        self.log = log


class _TimedOutError(Exception):
    """No reply came before the deadline."""


class _EndedError(Exception):
    """The process ended or talks nonsense."""


# -- configuration ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Configuration:
    """What an environment is made of: when any of it changes, new ones are made."""

    function_arn: str
    version: str
    name: str
    runtime: str
    handler: str
    timeout: float
    memory_size: int
    role: str
    region: str
    log_group: str
    code_hash: str
    revision: str
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, config: JsonObject, code_zip: bytes, version: str) -> _Configuration:
        # An alias or a version at the end of the ARN is how this caller named the function.
        arn_parts = str(config.get("FunctionArn", "")).split(":")[:7]
        name = str(config.get("FunctionName", ""))
        return cls(
            function_arn=":".join(arn_parts),
            version=version,
            name=name,
            runtime=str(config.get("Runtime") or "python3.13"),
            handler=str(config.get("Handler", "")),
            timeout=float(config.get("Timeout") or 3),
            memory_size=int(config.get("MemorySize") or 128),
            role=str(config.get("Role", "")),
            region=arn_parts[3] if len(arn_parts) > 3 else "us-east-1",
            log_group=(config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
            code_hash=str(config.get("CodeSha256") or hashlib.sha256(code_zip).hexdigest()),
            revision=str(config.get("RevisionId", "")),
            variables=tuple(
                sorted(((config.get("Environment") or {}).get("Variables") or {}).items())
            ),
        )


@functools.cache
def _directories_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Where this Python has these modules."""
    found: dict[str, None] = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        found[str(origin.parent.parent if spec.submodule_search_locations else origin.parent)] = (
            None
        )
    return tuple(found)


def _places(task_root: Path) -> list[tuple[str, str]]:
    """(directory here, directory on AWS), so that a stack trace shows no path of this computer."""
    library = f"/var/lang/lib/python{sys.version_info.major}.{sys.version_info.minor}"
    places = [(str(task_root), "/var/task")]
    places += [
        (directory, f"{library}/site-packages") for directory in _directories_of(SDK_PACKAGES)
    ]
    places.append((os.path.dirname(os.__file__), library))
    return places


# -- code ---------------------------------------------------------------------------


def _unpack(code_zip: bytes, target: Path) -> None:
    """Unpack a deployment package into a new directory that nobody writes to.

    Raises:
        Exception: the package can't be unpacked (``zipfile`` has many ways to say that), or mustn't
            be.
    """
    target.mkdir(parents=True)
    left = UNPACKED_LIMIT
    with zipfile.ZipFile(io.BytesIO(code_zip)) as package:
        for entry in package.infolist():
            mode = entry.external_attr >> 16
            path = target.joinpath(*_safe_parts(entry.filename))
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise ValueError(f"{entry.filename!r} is a link or a device")
            path.parent.mkdir(parents=True, exist_ok=True)
            with package.open(entry) as source, path.open("wb") as copy:
                while block := source.read(1 << 20):
                    left -= len(block)
                    if left < 0:
                        raise ValueError(f"unpacked, it is over {UNPACKED_LIMIT} bytes")
                    copy.write(block)
            path.chmod(0o555 if mode & 0o111 else 0o444)
    for directory, _, _ in os.walk(target, topdown=False):
        os.chmod(directory, 0o555)  # noqa: S103 - readable like /var/task, and less than the default


def _safe_parts(name: str) -> tuple[str, ...]:
    """The parts of an entry's name, if it stays inside the directory on every platform.

    >>> _safe_parts("package/module.py")
    ('package', 'module.py')
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or any(c in name for c in "\\:\0"):
        raise ValueError(f"{name!r} is no path inside the package")
    return parts


def _remove_tree(path: Path) -> None:
    """Remove a directory, even a read-only one."""
    for directory, _, files in os.walk(path):
        with contextlib.suppress(OSError):
            os.chmod(directory, 0o700)
        if sys.platform == "win32":  # where it is the file that has to be writable
            for file in files:
                with contextlib.suppress(OSError):
                    os.chmod(os.path.join(directory, file), 0o600)
    shutil.rmtree(path, ignore_errors=True)


class _CodeStore:
    """Unpacked deployment packages: each once, shared by its environments, removed with the last of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._users: dict[Path, int] = {}
        self._unpacked = itertools.count()

    def acquire(self, code_zip: bytes) -> Path:
        path = self._directory / hashlib.sha256(code_zip).hexdigest()
        with self._lock:
            if path not in self._users:
                try:
                    _unpack(code_zip, path)
                except BaseException:
                    _remove_tree(path)
                    raise
            self._users[path] = self._users.get(path, 0) + 1
        return path

    def release(self, path: Path) -> None:
        with self._lock:
            self._users[path] -= 1
            if not self._users[path]:
                del self._users[path]
                _remove_tree(path)


# -- the log pipe -------------------------------------------------------------------


class _LogPipe:
    """Empties the log pipe of an environment all the time, and keeps the end of what an invocation wrote.

    So a handler never waits for a reader, and a flood of output costs no memory.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._kept = bytearray()
        self._dropped = 0
        self._marker = b""
        self._complete: str | None = None
        self._ended = False
        threading.Thread(target=self._drain, name="labkit-function-log", daemon=True).start()

    def expect(self, token: str) -> None:
        """The invocation with this token starts: its output ends with the token."""
        with self._changed:
            self._marker = b"\0" + token.encode() + b"\0"
            self._complete = None

    def take(self, patience: float) -> tuple[str, bool]:
        """The output up to the marker, and whether the marker came.

        Without it, all that came: up to the end of the pipe, or of the patience if a process that
        the handler left behind holds the pipe open.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._complete is not None or self._ended, patience)
            if self._complete is not None:
                return self._complete, True
            return self._cut(len(self._kept)), False

    def _drain(self) -> None:
        with self._stream as stream:
            descriptor = stream.fileno()
            while chunk := os.read(descriptor, 1 << 16):
                with self._changed:
                    self._add(chunk)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _add(self, chunk: bytes) -> None:
        searched = len(self._kept)
        self._kept += chunk
        if self._marker:
            position = self._kept.find(self._marker, max(0, searched - len(self._marker) + 1))
            if position >= 0:
                self._complete = self._cut(position)
                del self._kept[: len(self._marker)]
                self._marker = b""
                self._changed.notify_all()
        if len(self._kept) > 2 * LOG_LIMIT:
            surplus = len(self._kept) - LOG_LIMIT
            del self._kept[:surplus]
            self._dropped += surplus

    def _cut(self, end: int) -> str:
        """Take the first ``end`` bytes out of the buffer, as text."""
        start = max(0, end - LOG_LIMIT)
        text = self._kept[start:end].decode(errors="replace")
        dropped = self._dropped + start
        self._dropped = 0
        del self._kept[:end]
        if dropped:
            text = f"[labkit: {dropped} earlier bytes of this output weren't kept]\n{text}"
        return text


# -- one environment ----------------------------------------------------------------


class _Environment:
    """A process that runs the handler of one function.

    Args:
        configuration: the function's.
        variables: all environment variables of the process.
        task_root: the unpacked deployment package.
        temporary: a directory of its own, removed with it.
        created: when its credentials were made.
        clock_offset: how far the cloud's clock is ahead, in seconds.
    """

    def __init__(
        self,
        configuration: _Configuration,
        variables: dict[str, str],
        task_root: Path,
        temporary: Path,
        created: float,
        clock_offset: Callable[[], float],
    ) -> None:
        self.configuration = configuration
        self.task_root = task_root
        self.created = created
        self._clock_offset = clock_offset
        self.last_used = _now()
        self.reusable = True
        self._temporary = temporary
        self._retire_lock = threading.Lock()
        self._retired = False
        # -I -S: no module, variable or site directory of the learner's gets in; -u: what is printed
        # is written. A session of its own: Ctrl-C in the host's terminal isn't for handlers, and
        # the group dies as one.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-u", "-X", "utf8", str(RUNTIME_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=task_root,
            env=variables,
            start_new_session=sys.platform != "win32",
            creationflags=_CREATION_FLAGS,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._log = _LogPipe(cast(IO[bytes], self._process.stderr))
        self._replies: queue.SimpleQueue[tuple[str, bytes, bytes] | None] = queue.SimpleQueue()
        threading.Thread(
            target=self._listen,
            args=(cast(IO[bytes], self._process.stdout),),
            name="labkit-function",
            daemon=True,
        ).start()

    # - the protocol -

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while len(head := stream.read(_REPLY_HEAD)) == _REPLY_HEAD:
                size = int.from_bytes(head[17:], "big")
                if size > _REPLY_LIMIT:
                    break
                payload = stream.read(size)
                if len(payload) < size:
                    break
                self._replies.put((head[:16].hex(), head[16:17], payload))
        self._replies.put(None)

    def _ask(self, token: str, request: str, deadline: float) -> tuple[bytes, bytes]:
        """Send a request (JSON) and wait for its reply.

        Raises:
            _TimedOutError: no reply before the deadline.
            _EndedError: the process ended before.
        """
        body = request.encode(errors="surrogatepass")  # JSON may hold half of a surrogate pair
        self._log.expect(token)
        # A small request always fits into the pipe. A large one waits for its reader, who may be
        # stuck.
        timer = None
        if len(body) > _FITS_INTO_PIPE:
            timer = threading.Timer(max(0.0, deadline - _now()), self.kill)
            timer.daemon = True
            timer.start()
        try:
            self._requests.write(len(body).to_bytes(4, "big") + body)
            self._requests.flush()
        except (OSError, ValueError):
            pass  # it has ended, as the replies will tell
        finally:
            if timer is not None:
                timer.cancel()
        reply = self._next_reply(deadline)
        if reply is None or reply[0] != token:
            raise _TimedOutError if _now() >= deadline else _EndedError
        return reply[1], reply[2]

    def _next_reply(self, deadline: float) -> tuple[str, bytes, bytes] | None:
        while (remaining := deadline - _now()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._replies.get(timeout=min(remaining, _LIFE_CHECK))
            # A process that the handler forked can hold the pipes open after the handler's own has
            # ended.
            if not self.is_alive():
                with contextlib.suppress(queue.Empty):
                    return self._replies.get_nowait()
                return None
        return None

    # - what it is asked -

    def initialise(self, request_id: str, limit: float) -> None:
        """Import the function's code.

        Raises:
            _TimedOutError: not within the limit.
            _FailedError: it can't be imported, or ended the process.
        """
        start = {
            "token": secrets.token_hex(16),
            "handler": self.configuration.handler,
            "task_root": str(self.task_root),
            "sdk_names": SDK_PACKAGES,
            "sdk_directories": _directories_of(SDK_PACKAGES),
            "clock_modules": CLOCK_MODULES,
            "clock_directories": _directories_of(CLOCK_MODULES),
            "clock_offset": self._clock_offset(),
            "places": _places(self.task_root),
            "seconds": limit,
        }
        try:
            kind, payload = self._ask(str(start["token"]), json.dumps(start), _now() + limit)
        except _EndedError:
            raise self._exited(request_id) from None
        if kind != b"R":
            raise _FailedError(json.loads(payload), self.last_words())

    def invoke(self, event: str, request_id: str, function_arn: str, deadline: float) -> JsonObject:
        """Run the handler once.

        Args:
            event: as JSON.
            request_id: the invocation's.
            function_arn: as the function was named, with its alias or version.
            deadline: when the invocation times out.

        Raises:
            _FailedError: it timed out, or the process ended.
        """
        request = {
            "token": secrets.token_hex(16),
            "request_id": request_id,
            "function_arn": function_arn,
            "remaining_seconds": deadline - _now(),
            "clock_offset": self._clock_offset(),
        }
        body = f'{json.dumps(request)[:-1]}, "event": {event}}}'
        try:
            kind, payload = self._ask(str(request["token"]), body, deadline)
        except _EndedError:
            raise self._exited(request_id) from None
        except _TimedOutError:
            raise self.timed_out(request_id) from None
        log, complete = self._log.take(_LOG_PATIENCE)
        self.last_used = _now()
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError) as error:
            message = f"Unable to marshal response: {error}"
            raise _FailedError(
                {"errorMessage": message, "errorType": "Runtime.MarshalError"}, log
            ) from None
        if not complete:
            self.reusable = False  # what comes later couldn't be told from the next invocation's
        return {"body": value, "log": log} if kind == b"V" else _failed(value, log)

    def last_words(self) -> str:
        """End the process and take the rest of its output."""
        self.kill()
        return self._log.take(_LOG_PATIENCE)[0]

    def timed_out(self, request_id: str) -> _FailedError:
        """End the process; the failure to raise."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        seconds = f"{self.configuration.timeout:.2f}"
        message = f"{stamp}Z {request_id} Task timed out after {seconds} seconds"
        return _FailedError(
            {"errorMessage": message, "errorType": "Sandbox.Timedout"},
            f"{self.last_words()}{message}\n",
        )

    def _exited(self, request_id: str) -> _FailedError:
        log = self.last_words()
        status = self._process.wait()
        if status < 0:
            reason = f"Runtime exited with error: signal: {_signal_words(-status)}"
        elif status:
            reason = f"Runtime exited with error: exit status {status}"
        else:
            reason = "Runtime exited without providing a reason"
        message = f"RequestId: {request_id} Error: {reason}"
        return _FailedError(
            {"errorMessage": message, "errorType": "Runtime.ExitError"},
            f"{log}{message}\nRuntime.ExitError\n",
        )

    # - life -

    def is_alive(self) -> bool:
        """Whether the process runs."""
        if self._process.returncode is None and self._process.poll() is not None:
            self._kill_group()  # at once, before the system can give the number to another process
        return self._process.returncode is None

    def kill(self) -> None:
        """End the process and those that it started."""
        if self._process.returncode is None:
            self._kill_group()

    def _kill_group(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def retire(self) -> bool:
        """End the process and remove what it left; False when that has been done before."""
        with self._retire_lock:
            if self._retired:
                return False
            self._retired = True
        self.kill()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._process.wait()
        _remove_tree(self._temporary)
        return True


_SIGNAL_WORDS = {
    "SIGABRT": "aborted",
    "SIGALRM": "alarm clock",
    "SIGBUS": "bus error",
    "SIGFPE": "floating point exception",
    "SIGHUP": "hangup",
    "SIGILL": "illegal instruction",
    "SIGINT": "interrupt",
    "SIGKILL": "killed",
    "SIGPIPE": "broken pipe",
    "SIGQUIT": "quit",
    "SIGSEGV": "segmentation fault",
    "SIGTERM": "terminated",
}


def _signal_words(number: int) -> str:
    """A signal as AWS's logs call it (Go's names).

    >>> _signal_words(9)
    'killed'
    """
    with contextlib.suppress(ValueError):
        return _SIGNAL_WORDS.get(signal.Signals(number).name, f"signal {number}")
    return f"signal {number}"


# -- the environments of one function -------------------------------------------------


class _Pool:
    """The environments of one version of one function, in one configuration."""

    def __init__(
        self, configuration: _Configuration, maximum: int, hard_limit: int, patience: float
    ) -> None:
        self.configuration = configuration
        self._maximum = maximum
        self._hard_limit = hard_limit
        self._patience = patience
        self._changed = threading.Condition()
        self._idle: list[_Environment] = []
        self._size = 0
        self._starting = 0
        self._waiting = 0
        self._progress = 0
        self._open = True
        self._keeps = True

    def acquire(
        self, usable: Callable[[_Environment], bool]
    ) -> tuple[_Environment | None, list[_Environment]]:
        """Wait for an environment.

        Returns:
            An idle one, or None: the caller may start one, says so to :meth:`started`, and gives it
            (or None) to :meth:`release`. And those that were idle and not usable: the caller
            retires them.

        Raises:
            CloudUnavailableError: the runner was closed.
        """
        unusable: list[_Environment] = []
        limit = self._maximum
        with self._changed:
            while True:
                if not self._open:
                    raise CloudUnavailableError(_STOPPED)
                while self._idle:
                    environment = self._idle.pop()
                    if usable(environment):
                        return environment, unusable
                    unusable.append(environment)
                    self._size -= 1
                if self._size < limit:
                    self._size += 1
                    self._starting += 1
                    self._progress += 1
                    return None, unusable
                progress = self._progress
                self._waiting += 1
                self._changed.wait(self._patience)
                self._waiting -= 1
                stalled = progress == self._progress and not self._starting
                limit = self._hard_limit if stalled else self._maximum

    def release(self, environment: _Environment | None) -> bool:
        """Give back an environment (None: it was retired, or never came to be); whether it is kept."""
        with self._changed:
            self._progress += 1
            wanted = self._size <= self._maximum or len(self._idle) < self._waiting
            kept = environment is not None and self._keeps and wanted
            if kept and environment is not None:
                self._idle.append(environment)
            else:
                self._size -= 1
            self._changed.notify()
            return kept

    def started(self) -> None:
        """An environment has been started, or failed to."""
        with self._changed:
            self._starting -= 1
            self._progress += 1

    def take_idle(self, since: float | None = None) -> list[_Environment]:
        """Remove the idle environments (not used since a moment), for the caller to retire."""
        with self._changed:
            taken = [e for e in self._idle if since is None or e.last_used <= since]
            self._idle = [e for e in self._idle if e not in taken]
            self._size -= len(taken)
            self._changed.notify(len(taken))
        return taken

    def replace(self) -> list[_Environment]:
        """Keep no environment from now on; returns the idle ones."""
        with self._changed:
            self._keeps = False
        return self.take_idle()

    def close(self) -> None:
        """Whoever waits is refused."""
        with self._changed:
            self._open = self._keeps = False
            self._changed.notify_all()


class FunctionRunner:
    """Runs Python functions, as :meth:`labkit.local.engine.Engine.run_functions_with` wants it.

    Calls block, and may come from any thread. At most ``max_environments`` of one function (and
    version) are kept and run at once; further calls wait for a free one. A handler may wait for a
    call that itself waits: a function that calls itself, or two that call each other. So when for
    ``patience`` seconds no environment of the function got free or ready, one more is started, up
    to ``hard_limit``; it ends when nobody waits for it. At the hard limit calls wait until an
    environment is free, which its time-out guarantees.

    Args:
        credentials_for: makes the role's credentials for an environment.
        endpoint: the local cloud, for the handler's boto3.
        work_directory: ``functions`` in it belongs to this runner, which empties it.
        max_environments: how many environments of a function are kept.
        idle_seconds: how long an unused environment is kept.
        hard_limit: how many environments of a function there may be.
        patience: see above.
        init_seconds: how long importing the code may take before it counts as part of the
            invocation.
        credential_seconds: how old credentials may get; must be less than their lifetime.
        clock: the time of day, by which credentials age.
        clock_offset: how far that clock is ahead of the computer's, in seconds: the environments' are, too.
    """

    def __init__(
        self,
        credentials_for: CredentialsFor,
        endpoint: str,
        work_directory: Path,
        *,
        max_environments: int = 8,
        idle_seconds: float = 300,
        hard_limit: int = 64,
        patience: float = 0.25,
        init_seconds: float = 10,
        credential_seconds: float = 11 * 3600,
        clock: Callable[[], float] = time.time,
        clock_offset: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._credentials_for = credentials_for
        self._endpoint = endpoint
        self._directory = work_directory / "functions"
        self._max_environments = max_environments
        self._idle_seconds = idle_seconds
        self._hard_limit = hard_limit
        self._patience = patience
        self._init_seconds = init_seconds
        self._credential_seconds = credential_seconds
        self._clock = clock
        self._clock_offset = clock_offset
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._environments: set[_Environment] = set()
        self._code = _CodeStore(self._directory / "code")
        self._numbers = itertools.count(1)
        self._prepared = False
        self._closing = threading.Event()

    def __call__(
        self, config: JsonObject, code_zip: bytes, event: Any, request_id: str, version: str
    ) -> JsonObject:
        """Invoke a function and wait for its answer.

        Args:
            config: the function's configuration, as in ``GetFunctionConfiguration``.
            code_zip: its deployment package.
            event: any JSON value.
            request_id: the invocation's.
            version: a version number or ``$LATEST``.

        Returns:
            ``{"body": <JSON value>, "log": str}``, with ``"error": True`` and ``"function_error":
            "Unhandled"`` when the function failed; then the body is AWS's error object. An event
            that isn't JSON (NaN is not) fails too.

        Raises:
            CloudUnavailableError: :meth:`close` was called.
        """
        configuration = _Configuration.of(config, code_zip, version)
        if not configuration.runtime.startswith("python"):
            message = (
                f"The local cloud runs Python functions only, not {configuration.runtime}. "
                "Give the function a python3 runtime."
            )
            return _failed({"errorMessage": message, "errorType": "Runtime.Unsupported"})
        try:
            event_text = json.dumps(event, allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"Could not parse request body into json: {error}"
            return _failed({"errorMessage": message, "errorType": "InvalidRequestContentException"})
        pool = self._pool(configuration)
        environment, unusable = pool.acquire(self._is_usable)
        for other in unusable:
            self._retire(other)
        deadline = None
        log = ""
        try:
            if environment is None:
                try:
                    environment, deadline, log = self._started(configuration, code_zip, request_id)
                finally:
                    pool.started()
            result = environment.invoke(
                event_text,
                request_id,
                str(config.get("FunctionArn", "")),
                deadline or _now() + configuration.timeout,
            )
            result["log"] = log + result["log"]
            return result
        except _FailedError as failure:
            if environment is not None:
                environment.reusable = False
            return _failed(failure.body, log + failure.log)
        finally:
            if environment is not None and not environment.reusable:
                self._retire(environment)
                environment = None
            if not pool.release(environment) and environment is not None:
                self._retire(environment)

    def close(self) -> None:
        """End all environments and remove their files. Running invocations fail; later ones are refused."""
        self._closing.set()
        with self._lock:
            pools, environments = list(self._pools.values()), list(self._environments)
        for pool in pools:
            pool.close()
        for environment in environments:
            environment.kill()
        for environment in environments:
            self._retire(environment)
        _remove_tree(self._directory)

    # -- environments -----------------------------------------------------------------

    def _pool(self, configuration: _Configuration) -> _Pool:
        key = (configuration.function_arn, configuration.version)
        with self._lock:
            pool = self._pools.get(key)
            if pool is not None and pool.configuration == configuration:
                return pool
            replaced = pool
            pool = _Pool(configuration, self._max_environments, self._hard_limit, self._patience)
            self._pools[key] = pool
            if self._closing.is_set():
                pool.close()
        if replaced is not None:
            for environment in replaced.replace():
                self._retire(environment)
        return pool

    def _is_usable(self, environment: _Environment) -> bool:
        age = self._clock() - environment.created
        return (
            environment.is_alive() and environment.reusable and abs(age) < self._credential_seconds
        )

    def _started(
        self, configuration: _Configuration, code_zip: bytes, request_id: str
    ) -> tuple[_Environment, float | None, str]:
        """A new environment that has imported the function's code.

        Returns:
            It, the invocation's deadline if that runs already, and the output of a first attempt.

        Raises:
            _FailedError: there is none.
        """
        environment = self._start(configuration, code_zip)
        try:
            environment.initialise(request_id, self._init_seconds)
            return environment, None, ""
        except _TimedOutError:
            log = environment.last_words()
            self._retire(environment)
        except BaseException:
            self._retire(environment)
            raise
        # As on AWS: once more from the start, inside the function's own time-out.
        deadline = _now() + configuration.timeout
        environment = self._start(configuration, code_zip)
        try:
            environment.initialise(request_id, configuration.timeout)
            return environment, deadline, log
        except _TimedOutError:
            failure = environment.timed_out(request_id)
            failure.log = log + failure.log
            self._retire(environment)
            raise failure from None
        except BaseException:
            self._retire(environment)
            raise

    def _start(self, configuration: _Configuration, code_zip: bytes) -> _Environment:
        self._prepare()
        try:
            task_root = self._code.acquire(code_zip)
        except Exception as error:
            message = f"Lambda could not unzip the deployment package: {error}"
            raise _FailedError(
                {"errorMessage": message, "errorType": "InvalidZipFileException"}
            ) from error
        temporary = self._directory / "tmp" / str(next(self._numbers))
        try:
            temporary.mkdir(parents=True, mode=0o700)
            created = self._clock()
            variables = self._variables(configuration, task_root, temporary)
            environment = _Environment(
                configuration, variables, task_root, temporary, created, self._clock_offset
            )
        except BaseException as error:
            _remove_tree(temporary)
            self._code.release(task_root)
            if isinstance(error, OSError | ValueError):
                message = f"The local cloud can't start a process for this function: {error}"
                raise _FailedError(
                    {"errorMessage": message, "errorType": "ServiceException"}
                ) from error
            raise
        with self._lock:
            self._environments.add(environment)
        if self._closing.is_set():
            self._retire(environment)
        return environment

    def _retire(self, environment: _Environment) -> None:
        if environment.retire():
            with self._lock:
                self._environments.discard(environment)
            self._code.release(environment.task_root)

    def _prepare(self) -> None:
        """Before the first environment: remove what a host that was killed left, and watch for idle ones."""
        if self._closing.is_set():
            raise CloudUnavailableError(_STOPPED)
        with self._lock:
            if self._prepared:
                return
            _remove_tree(self._directory)
            self._directory.mkdir(parents=True, mode=0o700)
            self._prepared = True
        threading.Thread(
            target=self._retire_idle, name="labkit-functions-idle", daemon=True
        ).start()

    def _retire_idle(self) -> None:
        while not self._closing.wait(min(30.0, self._idle_seconds / 4)):
            with self._lock:
                pools = list(self._pools.values())
            for pool in pools:
                for environment in pool.take_idle(_now() - self._idle_seconds):
                    self._retire(environment)

    def _variables(
        self, configuration: _Configuration, task_root: Path, temporary: Path
    ) -> dict[str, str]:
        """All environment variables of an environment."""
        day = datetime.fromtimestamp(self._clock(), UTC)
        own = {
            "AWS_ENDPOINT_URL": self._endpoint,
            "HOME": str(temporary),
            "LANG": "en_US.UTF-8",
            "TMPDIR": str(temporary),
            "TZ": ":UTC",
        }
        if sys.platform == "win32":
            root = os.environ.get("SYSTEMROOT", r"C:\Windows")
            own |= {
                "PATH": rf"{root}\System32;{root}",
                "SYSTEMROOT": root,  # without it Windows starts no Python
                "TEMP": str(temporary),
                "TMP": str(temporary),
                "TZ": "UTC",
            }
        else:
            own["PATH"] = f"{os.path.dirname(sys.executable)}:/usr/local/bin:/usr/bin:/bin"
        given = {
            k: str(v) for k, v in configuration.variables if k.upper() not in RESERVED_VARIABLES
        }
        return {
            **own,
            **given,
            "AWS_DEFAULT_REGION": configuration.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size),
            "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
            "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
            "AWS_LAMBDA_LOG_GROUP_NAME": configuration.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{day:%Y/%m/%d}/[{configuration.version}]{secrets.token_hex(16)}",
            "AWS_REGION": configuration.region,
            "LAMBDA_TASK_ROOT": str(task_root),
            "_HANDLER": configuration.handler,
            **self._credentials_for(configuration.role, configuration.name[:64]),
        }


def _failed(body: JsonObject, log: str = "") -> JsonObject:
    return {"body": body, "error": True, "function_error": "Unhandled", "log": log}
