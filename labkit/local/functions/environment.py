"""One execution environment: a process that runs a function's handler, and what is said over its pipes.

The inside of the process is ``runtime.py``.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from labkit.local.functions.configuration import Configuration
from labkit.local.functions.deployment_package import remove_tree
from labkit.local.functions.descendants import kill_descendants
from labkit.local.functions.errors import EndedError, FailedError, TimedOutError, failed
from labkit.local.functions.log_pipe import LogPipe

JsonObject = dict[str, Any]

RUNTIME_SCRIPT = Path(__file__).with_name("runtime.py")

SDK_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What AWS's Python runtime has besides the standard library."""

CLOCK_MODULES = ("time_machine", "_time_machine")
"""What moves the clock of an environment."""

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
now = time.perf_counter


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


class Environment:
    """A process that runs the handler of one function.

    Args:
        configuration: the function's.
        variables: all environment variables of the process.
        task_root: the unpacked deployment package.
        temporary: a directory of its own, removed with it.
        created: when its credentials were made.
        clock: the time of day.
        clock_offset: how far it is ahead of the computer's, in seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        variables: dict[str, str],
        task_root: Path,
        temporary: Path,
        created: float,
        clock: Callable[[], float],
        clock_offset: Callable[[], float],
    ) -> None:
        self.configuration = configuration
        self.task_root = task_root
        self.created = created
        self._clock = clock
        self._clock_offset = clock_offset
        self.last_used = now()
        self.reusable = True
        self._temporary = temporary
        self._retire_lock = threading.Lock()
        self._retired = self._killed = False
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
        self._log = LogPipe(cast(IO[bytes], self._process.stderr))
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
            TimedOutError: no reply before the deadline.
            EndedError: the process ended before.
        """
        body = request.encode(errors="surrogatepass")  # JSON may hold half of a surrogate pair
        self._log.expect(token)
        # A small request always fits into the pipe. A large one waits for its reader, who may be
        # stuck.
        timer = None
        if len(body) > _FITS_INTO_PIPE:
            timer = threading.Timer(max(0.0, deadline - now()), self.kill)
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
            raise TimedOutError if now() >= deadline else EndedError
        return reply[1], reply[2]

    def _next_reply(self, deadline: float) -> tuple[str, bytes, bytes] | None:
        while (remaining := deadline - now()) > 0:
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
            TimedOutError: not within the limit.
            FailedError: it can't be imported, or ended the process.
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
            kind, payload = self._ask(str(start["token"]), json.dumps(start), now() + limit)
        except EndedError:
            raise self._exited(request_id) from None
        if kind != b"R":
            raise FailedError(json.loads(payload), self.last_words())

    def invoke(self, event: str, request_id: str, function_arn: str, deadline: float) -> JsonObject:
        """Run the handler once.

        Args:
            event: as JSON.
            request_id: the invocation's.
            function_arn: as the function was named, with its alias or version.
            deadline: when the invocation times out.

        Raises:
            FailedError: it timed out, or the process ended.
        """
        request = {
            "token": secrets.token_hex(16),
            "request_id": request_id,
            "function_arn": function_arn,
            "remaining_seconds": deadline - now(),
            "clock_offset": self._clock_offset(),
        }
        body = f'{json.dumps(request)[:-1]}, "event": {event}}}'
        try:
            kind, payload = self._ask(str(request["token"]), body, deadline)
        except EndedError:
            raise self._exited(request_id) from None
        except TimedOutError:
            raise self.timed_out(request_id) from None
        log, complete = self._log.take(_LOG_PATIENCE)
        self.last_used = now()
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError) as error:
            message = f"Unable to marshal response: {error}"
            raise FailedError(
                {"errorMessage": message, "errorType": "Runtime.MarshalError"}, log
            ) from None
        if not complete:
            self.reusable = False  # what comes later couldn't be told from the next invocation's
        return {"body": value, "log": log} if kind == b"V" else failed(value, log)

    def last_words(self) -> str:
        """End the process and take the rest of its output."""
        self.kill()
        return self._log.take(_LOG_PATIENCE)[0]

    def timed_out(self, request_id: str) -> FailedError:
        """End the process; the failure to raise."""
        moment = datetime.fromtimestamp(self._clock(), UTC)
        stamp = moment.isoformat(timespec="milliseconds").removesuffix("+00:00")
        seconds = f"{self.configuration.timeout:.2f}"
        message = f"{stamp}Z {request_id} Task timed out after {seconds} seconds"
        return FailedError(
            {"errorMessage": message, "errorType": "Sandbox.Timedout"},
            f"{self.last_words()}{message}\n",
        )

    def _exited(self, request_id: str) -> FailedError:
        log = self.last_words()
        status = self._process.wait()
        if status < 0:
            reason = f"Runtime exited with error: signal: {_signal_words(-status)}"
        elif status:
            reason = f"Runtime exited with error: exit status {status}"
        else:
            reason = "Runtime exited without providing a reason"
        message = f"RequestId: {request_id} Error: {reason}"
        return FailedError(
            {"errorMessage": message, "errorType": "Runtime.ExitError"},
            f"{log}{message}\nRuntime.ExitError\n",
        )

    # - life -

    def is_alive(self) -> bool:
        """Whether the process runs."""
        if self._process.returncode is None and self._process.poll() is not None:
            self._kill_group()  # at once, before the system can give the number to another process
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def kill(self) -> None:
        """End the process and those that it started."""
        kill_together([self])

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
        if not self._killed:
            self.kill()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._process.wait()
        remove_tree(self._temporary)
        return True


def kill_together(environments: Iterable[Environment]) -> None:
    """End the processes of environments and those that these started."""
    alive = [one for one in environments if one._process.returncode is None]
    kill_descendants([one.pid for one in alive])
    for one in alive:
        one._kill_group()
        one._killed = True


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
