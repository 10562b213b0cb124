"""A local cloud of a test's own, found or started the way a notebook does it: `labkit.start()`."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
from botocore.waiter import Waiter

import labkit
from labkit.clock import PROCESS_CLOCK
from labkit.lab import cloud_process
from labkit.lab.session import Lab, restore_environment
from labkit.local.settings import CloudSettings
from tests.support.patience import PATIENCE
from tests.support.start import ahead


@contextmanager
def environment(**changes: str | None) -> Iterator[None]:
    """Environment variables for a while (None removes one); boto3 forgets what it read."""
    before = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        restore_environment()
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def attached_cloud(directory: Path) -> Iterator[Lab]:
    """A lab whose cloud keeps its state in `directory` and ends with the `with` block."""
    with environment(LABKIT_STATE_DIR=str(directory), LABKIT_CLOUD="local"), _quick_waiters():
        start_ahead()
        try:
            yield labkit.start()
        finally:
            labkit.stop()
            PROCESS_CLOCK.move_to(ahead())


def cloud_settings(directory: Path | None = None) -> CloudSettings:
    """Those of the cloud that keeps its state in `directory`, or of the environment's: its endpoint, its secrets."""
    state = (directory or cloud_process.state_directory()) / "cloud.json"
    return CloudSettings.from_data(json.loads(state.read_text())["settings"])


def start_ahead() -> None:
    """Start the environment's cloud at the moment that ``--start`` names, for ``labkit.start()`` to find."""
    if ahead():
        settings = cloud_process.attach_or_start()
        body = json.dumps({"advance_seconds": ahead()}).encode()
        status, answer = cloud_process.exchange(settings, "POST", "/_labkit/clock", body)
        assert status == 200, f"--start must be in the future: {answer}"


@contextmanager
def _quick_waiters() -> Iterator[None]:
    """A new function is active after some milliseconds: boto3 needn't wait a second to ask again."""
    own = Waiter.wait

    def wait(self: Waiter, **parameters: Any) -> Any:
        return own(self, WaiterConfig={"Delay": 0.02, "MaxAttempts": 500}, **parameters)

    with mock.patch.object(Waiter, "wait", wait):
        yield


def eventually(holds: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether it holds before the time is over."""
    deadline = time.monotonic() + seconds
    poll = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        poll.wait(0.02)
    return True
