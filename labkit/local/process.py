"""The life of a learner's local cloud: one for each state directory, found again by every kernel.

The state file holds the port and the credentials; a cloud that died is started again with the same ones, so that the
clients of an open notebook go on.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labkit.errors import CloudUnavailableError, SetupError
from labkit.local.settings import CloudSettings

STATE_DIRECTORY_VARIABLE = "LABKIT_STATE_DIR"
INSTANCE_LOCK = "instance.lock"
"""A running cloud holds this file lock in its work directory: whether it is held tells if it lives."""
DEFAULT_IDLE_MINUTES = 12 * 60

_KEPT_VARIABLES = frozenset(
    """
    HOME LANG LANGUAGE LC_ALL LC_CTYPE PATH PATHEXT SYSTEMROOT TEMP TMP TMPDIR TZ USERPROFILE
    """.split()
)
_START_SECONDS = 30


def clean_environment() -> dict[str, str]:
    """The environment of a cloud's process: nothing in it is secret, nothing configures an AWS client."""
    return {name: value for name, value in os.environ.items() if name.upper() in _KEPT_VARIABLES}


def state_directory() -> Path:
    """Where this user's cloud keeps its state file; made private (0700) when missing.

    Raises:
        SetupError: it can't be made.
    """
    chosen = os.environ.get(STATE_DIRECTORY_VARIABLE)
    if chosen:
        path = Path(chosen)
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
    directory = state_directory()
    found = _running(directory)
    if found is not None:
        return found
    try:
        with FileLock(directory / "start.lock", timeout=_START_SECONDS * 2):
            return _running(directory) or _start(directory)
    except Timeout:
        raise CloudUnavailableError(
            "Another kernel has been starting the local cloud for a minute: run this cell again."
        ) from None


def stop() -> bool:
    """Stop this user's cloud, if one runs. Its port and credentials are kept for the next one.

    Returns:
        Whether one ran.
    """
    directory = state_directory()
    state = _read_state(directory)
    if state is None or not _lives(directory):
        return False
    settings = _settings_of(state)
    if settings is not None:
        call(settings, "POST", "/_labkit/shutdown")
    _end(directory, int(state.get("pid", 0)))
    return True


def call(
    settings: CloudSettings, method: str, path: str, body: bytes = b"", timeout: float = 5
) -> Any:
    """One request to ``/_labkit/*``; the JSON answer, or None when the cloud doesn't answer with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=timeout)
    try:
        connection.request(
            method, path, body=body, headers={"x-labkit-token": settings.admin_token}
        )
        response = connection.getresponse()
        text = response.read()
        return json.loads(text) if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _running(directory: Path) -> CloudSettings | None:
    """The settings of a cloud that answers and runs the present code, or None."""
    state = _read_state(directory)
    settings = _settings_of(state)
    if state is None or settings is None or state.get("fingerprint") != fingerprint():
        return None
    return settings if call(settings, "GET", "/_labkit/health", timeout=2) is not None else None


def _start(directory: Path) -> CloudSettings:
    """Start a cloud; the caller holds the start lock."""
    state = _read_state(directory)
    if state is not None and _lives(directory):
        _end(directory, int(state.get("pid", 0)))
    before = _settings_of(state)
    work = directory / "work"
    work.mkdir(exist_ok=True, mode=0o700)
    settings = before or CloudSettings.new(_free_port(), work)
    if not _is_free(settings.port):
        settings = replace(settings, port=_free_port())
    process = _spawn(directory, settings)
    _write_state(directory, settings, process.pid)
    return settings


def _spawn(directory: Path, settings: CloudSettings) -> subprocess.Popen[str]:
    """Start the process, on its own: a kernel's interrupt and end don't reach it."""
    idle = os.environ.get("LABKIT_IDLE_MINUTES", str(DEFAULT_IDLE_MINUTES))
    command = [
        sys.executable,
        "-m",
        "labkit.local",
        "--settings-from-stdin",
        "--idle-minutes",
        idle,
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
    with process.stdin, process.stdout:
        process.stdin.write(settings.to_json() + "\n")
        process.stdin.flush()
        ready = process.stdout.readline()
    if not ready:
        process.wait(timeout=10)
        said = log.read_text().strip().splitlines()
        reason = said[-1] if said else f"exit status {process.returncode}"
        raise CloudUnavailableError(f"The local cloud didn't start: {reason} (its log: {log}).")
    process.returncode = (
        0  # it is on its own from here: no ResourceWarning for a child we don't wait for
    )
    return process


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


def _lives(directory: Path) -> bool:
    """Whether the process of the state file lives: it holds its instance lock."""
    lock = FileLock(directory / "work" / INSTANCE_LOCK)
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _end(directory: Path, pid: int) -> None:
    """Wait for the cloud's end; after 5 s, end it. Only called while the instance lock proves the pid is its."""
    deadline = time.monotonic() + 5
    asked = False
    while _lives(directory):
        if time.monotonic() > deadline and pid > 0:
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            deadline = time.monotonic() + 5
        elif not asked and pid > 0:
            asked = True
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.02)


def _state_file(directory: Path) -> Path:
    return directory / "cloud.json"


def _read_state(directory: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(_state_file(directory).read_text())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _settings_of(state: dict[str, Any] | None) -> CloudSettings | None:
    try:
        return CloudSettings.from_json(json.dumps((state or {})["settings"]))
    except (KeyError, ValueError):
        return None


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


_fingerprint: str | None = None


def fingerprint() -> str:
    """A hash of labkit's code and the engine's version: a cloud of other code is stale."""
    global _fingerprint
    if _fingerprint is None:
        digest = hashlib.sha256(sys.version.encode())
        try:
            digest.update(version("ministack").encode())
        except PackageNotFoundError:
            raise SetupError(
                "The package ministack is missing: run `python3 -m labkit` in the course's directory."
            ) from None
        root = Path(__file__).parent
        for path in sorted([*root.rglob("*.py"), root.parent / "journey.py"]):
            digest.update(path.read_bytes())
        _fingerprint = digest.hexdigest()
    return _fingerprint
