"""A cloud of its own for tests that try to break one, and a look at what it logged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_fixture import Cloud, Gateway, running_cloud
from tests.support.in_process_cloud import cloud as in_process_cloud


@pytest.fixture(scope="session")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cloud's log goes."""
    return tmp_path_factory.mktemp("cloud") / "stderr"


@pytest.fixture(scope="session")
def cloud(errors: Path, start: float) -> Iterator[Cloud]:
    with running_cloud(errors.parent, start) as started:
        yield started


@pytest.fixture(scope="session")
def gateway(cloud: Cloud) -> Gateway:
    """The APIs, functions and users that the tests share."""
    return Gateway(cloud)


@pytest.fixture(autouse=True)
def _nothing_unhandled(errors: Path) -> Iterator[None]:
    """An exception that nobody handled is logged and answered with 500: no input may get so far."""
    before = _size(errors)
    yield
    if _size(errors) > before:
        logged = errors.read_bytes()[before:].decode(errors="replace")
        assert "Traceback" not in logged, logged
        assert " ERROR " not in logged, logged


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@pytest.fixture
def in_process() -> Iterator[None]:
    """The environment that MiniStack in this process wants."""
    with in_process_cloud().in_use():
        yield
