"""A look at what the cloud logged, for tests that try to break it."""

from collections.abc import Iterator

import pytest

from tests.support.in_process_cloud import cloud as in_process_cloud
from tests.support.running_cloud import Cloud


@pytest.fixture(autouse=True)
def _nothing_unhandled(cloud: Cloud) -> Iterator[None]:
    """An exception that nobody handled is logged and answered with 500: no input may get so far."""
    before = cloud.log.stat().st_size
    yield
    if cloud.log.stat().st_size > before:
        logged = cloud.log.read_bytes()[before:].decode(errors="replace")
        assert "Traceback" not in logged, logged
        assert " ERROR " not in logged, logged


@pytest.fixture
def in_process() -> Iterator[None]:
    """The environment that MiniStack in this process wants."""
    with in_process_cloud().in_use():
        yield
