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
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labkit.errors import CloudUnavailableError, SetupError
from labkit.local.instance import (
    CLOCK_FILE,
    INSTANCE_LOCK,
    INSTANCE_PID,
    STATE_DIRECTORY_VARIABLE,
    clean_environment,
    engine_version,
    explain_unwritable,
    fingerprint,
)
from labkit.local.settings import CloudSettings

IDLE_MINUTES_VARIABLE = "LABKIT_IDLE_MINUTES"
DEFAULT_IDLE_MINUTES = 12 * 60

_START_SECONDS = 30
_HEALTH_SECONDS = 10.0  # a request may hold up the others for three seconds of computing time
_GRACE_SECONDS = 5.0
_PORT_SECONDS = 0.5


def state_directory() -> Path:
    """Where this user's cloud keeps its state file; made private (0700) when missing.

    Raises:
        SetupError: it can't be made.
    """
    chosen = os.environ.get(STATE_DIRECTORY_VARIABLE)
    if chosen:
        path = Path(chosen).expanduser().absolute()
    else:
        from platformdirs import user_state_path

        path = user_state_path("labkit", appauthor=False)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SetupError(
            f"Can't make the directory {path} ({error.strerror}): set {STATE_DIRECTORY_VARIABLE} to one you can write."
        ) from None
    if not os.access(path, os.W_OK):
        raise SetupError(
            f"Can't write to the directory {path}: set {STATE_DIRECTORY_VARIABLE} to one you can write."
        )
    return path


def attach_or_start() -> CloudSettings:
    """The settings of this user's running cloud; one is started when none runs.

    Raises:
        SetupError: the state directory can't be used.
        CloudUnavailableError: the cloud didn't start.
    """
    engine_version()
    directory = state_directory()
    try:
        # Under the lock also to look: a port is only asked after the instance lock shows that it is the cloud's.
        with _alone(directory):
            return _running(directory) or _start(directory)
    except OSError as error:
        raise explain_unwritable(error, directory, STATE_DIRECTORY_VARIABLE) from error


def stop() -> bool:
    """Stop this user's cloud, if one runs. Its port and credentials are kept for the next one.

    Returns:
        Whether one ran.
    """
    directory = state_directory()
    with _alone(directory):
        if not _lives(directory):
            return False
        settings = _settings_of(_read_state(directory), directory)
        if settings is not None:
            call(settings, "POST", "/_labkit/shutdown", timeout=_GRACE_SECONDS)
        _end(directory)
        with contextlib.suppress(OSError):  # Windows: a kernel is reading it
            (_work_directory(directory) / CLOCK_FILE).unlink()
    return True


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One process at a time looks at a cloud, starts it or stops it."""
    lock = FileLock(directory / "start.lock")
    try:
        lock.acquire(timeout=_START_SECONDS * 2)
    except Timeout:
        raise CloudUnavailableError(
            "Another kernel has been starting the local cloud for a minute: run this cell again."
        ) from None
    try:
        yield
    finally:
        lock.release()


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


def _running(directory: Path) -> CloudSettings | None:
    """The settings of a cloud that answers and runs the present code, or None."""
    state = _read_state(directory)
    settings = _settings_of(state, directory)
    if state is None or settings is None or state.get("fingerprint") != fingerprint():
        return None
    if not _lives(directory):
        return None
    answer = call(settings, "GET", "/_labkit/health", timeout=_HEALTH_SECONDS)
    return settings if answer is not None else None


def _start(directory: Path) -> CloudSettings:
    """Start a cloud; the caller holds the start lock."""
    if _lives(directory):
        _end(directory)
    work = _work_directory(directory)
    work.mkdir(exist_ok=True, mode=0o700)
    (work / INSTANCE_PID).unlink(missing_ok=True)
    before = _settings_of(_read_state(directory), directory)
    settings = before or CloudSettings.new(_free_port(), work)
    if not _becomes_free(settings.port):
        settings = replace(settings, port=_free_port())
    process = _spawn(directory, settings)
    try:
        _write_state(directory, settings, process.pid)
    except OSError:
        _end(directory)  # nobody would find it
        raise
    return settings


def _spawn(directory: Path, settings: CloudSettings) -> subprocess.Popen[str]:
    """Start the process, on its own: a kernel's interrupt and end don't reach it."""
    command = [
        sys.executable,
        "-m",
        "labkit.local",
        "--settings-from-stdin",
        "--idle-minutes",
        str(_idle_minutes()),
    ]
    detached: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | 0x00000008}
        if os.name == "nt"
        else {"start_new_session": True}
    )
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
            **detached,
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
    process.returncode = (
        0  # it is on its own from here: no ResourceWarning for a child we don't wait for
    )
    return process


def _idle_minutes() -> float:
    text = os.environ.get(IDLE_MINUTES_VARIABLE, "") or str(DEFAULT_IDLE_MINUTES)
    try:
        return float(text)
    except ValueError:
        raise SetupError(
            f"{IDLE_MINUTES_VARIABLE}={text} isn't a number: set it to minutes, or 0 for a cloud that never stops."
        ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _work_directory(directory: Path) -> Path:
    return directory / "work"


def _becomes_free(port: int) -> bool:
    """Whether a port is free; a cloud that was killed lets go of its lock a moment before its port."""
    deadline = time.monotonic() + _PORT_SECONDS
    while not _is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lives(directory: Path) -> bool:
    """Whether a cloud of this directory lives: it holds its instance lock."""
    path = _work_directory(directory) / INSTANCE_LOCK
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _end(directory: Path) -> None:
    """End the living cloud of this directory: by a request, and when that doesn't help, by force."""
    started = time.monotonic()
    asked = False
    while _lives(directory):
        pid = _instance_pid(directory)
        waited = time.monotonic() - started
        if pid is not None and (not asked or waited > _GRACE_SECONDS):
            kind = signal.SIGTERM if not asked else getattr(signal, "SIGKILL", signal.SIGTERM)
            asked = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, kind)
        if waited > 2 * _GRACE_SECONDS:
            raise CloudUnavailableError(
                f"A local cloud in {directory} doesn't end: end its process ({pid}) yourself, and run this cell again."
            )
        time.sleep(0.02)


def _instance_pid(directory: Path) -> int | None:
    """The process id of the cloud that holds the instance lock; None while it hasn't written it yet."""
    try:
        pid = int((_work_directory(directory) / INSTANCE_PID).read_text())
    except (OSError, ValueError):
        return None
    return pid if pid > 0 else None


def _state_file(directory: Path) -> Path:
    return directory / "cloud.json"


def _read_state(directory: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(_state_file(directory).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _settings_of(state: dict[str, Any] | None, directory: Path) -> CloudSettings | None:
    try:
        settings = CloudSettings.from_data((state or {}).get("settings"))
    except ValueError:
        return None
    # The directory may have been moved, or come with a home directory from another machine.
    return replace(settings, work_directory=str(_work_directory(directory)))


def _write_state(directory: Path, settings: CloudSettings, pid: int) -> None:
    """Write the state file, readable for this user alone, in one step."""
    text = json.dumps(
        {"settings": json.loads(settings.to_json()), "pid": pid, "fingerprint": fingerprint()}
    )
    temporary = directory / f"cloud.json.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(_state_file(directory))
