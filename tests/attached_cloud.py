"""A local cloud of a test's own, found or started the way a notebook does it: `labkit.start()`."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

import labkit
import labkit.lab
from labkit.lab import Lab


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
        labkit.lab._restore_environment()
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def attached_cloud(directory: Path) -> Iterator[Lab]:
    """A lab whose cloud keeps its state in `directory` and ends with the `with` block."""
    with environment(LABKIT_STATE_DIR=str(directory), LABKIT_CLOUD="local"):
        try:
            yield labkit.start()
        finally:
            labkit.stop()


def eventually(holds: Callable[[], object], seconds: float = 15) -> bool:
    """Whether it holds before the time is over."""
    deadline = time.monotonic() + seconds
    poll = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        poll.wait(0.02)
    return True
