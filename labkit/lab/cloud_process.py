"""The life of a learner's local cloud: one for each state directory, found again by every kernel.

The state file holds the port and the credentials; a cloud that died is started again with the same ones, so that the
clients of an open notebook go on.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labkit.errors import CloudUnavailableError, SetupError
from labkit.local.instance import (
    CLOCK_FILE,
    INSTANCE_LOCK,
    INSTANCE_PID,
    clean_environment,
    fingerprint,
)
from labkit.local.settings import CloudSettings
from labkit.state_directory import VARIABLE, explain_unwritable, state_directory
from labkit.whole_file import write_whole

IDLE_MINUTES_VARIABLE = "LABKIT_IDLE_MINUTES"
DEFAULT_IDLE_MINUTES = "720"

_START_SECONDS = 30
_HEALTH_SECONDS = 10.0  # a request may hold up the others for three seconds of computing time
_GRACE_SECONDS = 5.0
_PORT_SECONDS = 0.5

GONE = "The local cloud doesn't answer: run `lab = labkit.start()` again."


def attach_or_start(
    health_seconds: float = _HEALTH_SECONDS, grace_seconds: float = _GRACE_SECONDS
) -> CloudSettings:
    """The settings of this user's running cloud; one is started when none runs.

    Args:
        health_seconds: how long a cloud may take to say that it is well.
        grace_seconds: how long one that doesn't may take to end, before it is ended by force.

    Raises:
        SetupError: the state directory can't be used, or the engine is missing.
        CloudUnavailableError: the cloud didn't start.
    """
    directory = state_directory()
    present = fingerprint()
    # Under the lock also to look: a port is only asked after the instance lock shows that it is the cloud's.
    with _alone(directory):
        settings, code = read_state(directory)
        if (
            settings is not None
            and code == present
            and _lives(directory)
            and call(settings, "GET", "/_labkit/health", timeout=health_seconds) is not None
        ):
            return settings
        return _start(directory, settings, grace_seconds)


def stop(grace_seconds: float = _GRACE_SECONDS) -> bool:
    """Stop this user's cloud, if one runs. Its port and credentials are kept for the next one.

    Args:
        grace_seconds: how long it may take to end, before it is ended by force.

    Returns:
        Whether one ran.
    """
    directory = state_directory()
    with _alone(directory):
        if not _lives(directory):
            return False
        settings, _code = read_state(directory)
        if settings is not None:
            call(settings, "POST", "/_labkit/shutdown", timeout=grace_seconds)
        _end(directory, grace_seconds)
        with contextlib.suppress(OSError):  # Windows: a kernel is reading it
            (_work_directory(directory) / CLOCK_FILE).unlink()
    return True


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One process at a time looks at a cloud, starts it or stops it.

    Raises:
        CloudUnavailableError: another one takes too long.
        SetupError: the directory can't be written to.
    """
    try:
        with FileLock(directory / "start.lock", timeout=_START_SECONDS * 2):
            yield
    except Timeout:
        raise CloudUnavailableError(
            "Another kernel has been starting the local cloud for a minute: run this cell again."
        ) from None
    except OSError as error:
        raise explain_unwritable(error, directory, VARIABLE) from error


def call(
    settings: CloudSettings, method: str, path: str, body: bytes = b"", timeout: float = 5
) -> Any:
    """One request to ``/_labkit/*``; the JSON answer, or None when the cloud doesn't answer with 200."""
    status, answer = exchange(settings, method, path, body, timeout)
    return answer if status == 200 else None


def exchange(
    settings: CloudSettings, method: str, path: str, body: bytes = b"", timeout: float = 5
) -> tuple[int, Any]:
    """One request to ``/_labkit/*``: the status and the JSON answer, or (0, None) when none comes."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=timeout)
    try:
        connection.request(
            method, path, body=body, headers={"x-labkit-token": settings.admin_token}
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


def _start(directory: Path, before: CloudSettings | None, grace_seconds: float) -> CloudSettings:
    """Start a cloud, with the settings of the one before if they are known; the caller holds the start lock."""
    _end(directory, grace_seconds)
    work = _work_directory(directory)
    work.mkdir(exist_ok=True, mode=0o700)
    (work / INSTANCE_PID).unlink(missing_ok=True)
    settings = before or CloudSettings.new(0, work)
    settings = replace(settings, port=_free_port(settings.port))
    _spawn(directory, settings)
    try:
        _write_state(directory, settings)
    except OSError:
        _end(directory)  # nobody would find it
        raise
    return settings


def _spawn(directory: Path, settings: CloudSettings) -> None:
    """Start the process, on its own: a kernel's interrupt and end don't reach it."""
    command = [sys.executable, "-m", "labkit.local", "--settings-from-stdin"]
    command += ["--idle-minutes", os.environ.get(IDLE_MINUTES_VARIABLE) or DEFAULT_IDLE_MINUTES]
    windows = ("CREATE_NEW_PROCESS_GROUP", "DETACHED_PROCESS")
    log = directory / "cloud.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=directory,
            env=clean_environment(),
            start_new_session=True,
            creationflags=sum(getattr(subprocess, name, 0) for name in windows),
        )
    assert process.stdin is not None and process.stdout is not None
    with process.stdout:
        with contextlib.suppress(BrokenPipeError), process.stdin:  # it ended at once
            process.stdin.write(settings.to_json() + "\n")
        said = process.stdout.readline()
    if not said or "error" in json.loads(said):
        process.wait(timeout=10)
        if said:
            raise SetupError(json.loads(said)["error"])
        logged = log.read_text().strip().splitlines()
        reason = logged[-1] if logged else f"exit status {process.returncode}"
        raise CloudUnavailableError(f"The local cloud didn't start: {reason} (its log: {log}).")
    # It is on its own from here: no ResourceWarning for a child we don't wait for.
    process.returncode = 0


def _free_port(wanted: int = 0) -> int:
    """The wanted port if it is free, or else another.

    A cloud that was killed lets go of its lock a moment before its port.
    """
    deadline = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            with socket.create_server(("127.0.0.1", wanted)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            if not wanted:
                raise
            if time.monotonic() > deadline:
                wanted = 0
            time.sleep(0.02)


def _work_directory(directory: Path) -> Path:
    return directory / "work"


def _lives(directory: Path, patience: float = 0) -> bool:
    """Whether a cloud of this directory lives, also so many seconds later: it holds its instance lock."""
    path = _work_directory(directory) / INSTANCE_LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=patience):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _end(directory: Path, grace_seconds: float = _GRACE_SECONDS) -> None:
    """End the cloud of this directory, if one lives: by a request, and when that doesn't help, by force."""
    if not _lives(directory):
        return
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        pid = _instance_pid(directory)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not _lives(directory, grace_seconds):
            return
    raise CloudUnavailableError(
        f"A local cloud in {directory} doesn't end: end its process ({pid}) yourself, and run this cell again."
    )


def _instance_pid(directory: Path) -> int | None:
    """The process id of the cloud that holds the instance lock; None while it hasn't written it yet."""
    try:
        pid = int((_work_directory(directory) / INSTANCE_PID).read_text())
    except (OSError, ValueError):
        return None
    return pid if pid > 0 else None


def _state_file(directory: Path) -> Path:
    return directory / "cloud.json"


def read_state(directory: Path) -> tuple[CloudSettings | None, object]:
    """The settings of the last cloud, and the fingerprint of its code; None when the file is of no use."""
    try:
        state = json.loads(_state_file(directory).read_text())
        settings = CloudSettings.from_data(state["settings"])
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return None, None
    # The directory may have been moved, or come with a home directory from another machine.
    settings = replace(settings, work_directory=str(_work_directory(directory)))
    return settings, state.get("fingerprint")


def _write_state(directory: Path, settings: CloudSettings) -> None:
    """Write the state file, readable for this user alone, in one step."""
    state = {"settings": asdict(settings), "fingerprint": fingerprint()}
    write_whole(_state_file(directory), json.dumps(state).encode(), mode=0o600)
