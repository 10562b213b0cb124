"""A local cloud of a test's own, found or started the way a notebook does it: `labkit.start()`."""

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
import labkit.lab.session
from labkit.lab.session import Lab


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
        labkit.lab.session._restore_environment()
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def attached_cloud(directory: Path) -> Iterator[Lab]:
    """A lab whose cloud keeps its state in `directory` and ends with the `with` block."""
    with environment(LABKIT_STATE_DIR=str(directory), LABKIT_CLOUD="local"), _quick_waiters():
        try:
            yield labkit.start()
        finally:
            labkit.stop()


@contextmanager
def _quick_waiters() -> Iterator[None]:
    """A new function is active after some milliseconds: boto3 needn't wait a second to ask again."""
    own = Waiter.wait

    def wait(self: Waiter, **parameters: Any) -> Any:
        return own(self, WaiterConfig={"Delay": 0.02, "MaxAttempts": 500}, **parameters)

    with mock.patch.object(Waiter, "wait", wait):
        yield


def eventually(holds: Callable[[], object], seconds: float = 15) -> bool:
    """Whether it holds before the time is over."""
    deadline = time.monotonic() + seconds
    poll = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        poll.wait(0.02)
    return True
