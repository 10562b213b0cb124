"""What all tests have in common: Hypothesis's profiles, the day, a running cloud, programs that no package brings."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.support.gateway import Gateway
from tests.support.running_cloud import Cloud, running_cloud
from tests.support.small_course import copy_small_course
from tests.support.start import chosen_ahead

# Neither profile has a limit of time, which a busy machine would break; --hypothesis-profile names another. Hypothesis
# brings "ci", which tries the same 100 examples each time; "dev" tries others each time, so half as many will do.
settings.register_profile(
    "dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
in_ci = os.environ.get("CI") or os.environ.get("LABKIT_REQUIRE_ALL")
settings.load_profile("ci" if in_ci else "dev")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, start: float) -> Iterator[Cloud]:
    """A genuine local cloud in a process of its own."""
    with running_cloud(tmp_path_factory.mktemp("cloud"), start) as started:
        yield started


@pytest.fixture(scope="session")
def gateway(cloud: Cloud) -> Gateway:
    """The functions and users that tests of APIs share."""
    return Gateway(cloud)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """Call it when a test needs what this computer lacks: it skips, or fails where CI wants all."""

    def stop(what: str) -> NoReturn:
        if os.environ.get("LABKIT_REQUIRE_ALL"):
            pytest.fail(f"{what} (LABKIT_REQUIRE_ALL forbids to skip)")
        pytest.skip(what)

    return stop


@pytest.fixture(scope="session")
def start() -> float:
    """Asked for by what takes place on a chosen day: how far that is ahead of the computer's clock, in seconds."""
    return chosen_ahead()


@pytest.fixture(scope="session")
def newman(lacking: Callable[[str], NoReturn]) -> str:
    """The path of newman, Postman's command line."""
    path = os.environ.get("LABKIT_NEWMAN") or shutil.which("newman")
    if not path or not shutil.which(path):
        lacking("newman is missing: 'npm install -g newman', or its path in LABKIT_NEWMAN")
    return path


@pytest.fixture(scope="session")
def chromium(lacking: Callable[[str], NoReturn]) -> str:
    """The path of a Chromium or Chrome that the system already has."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    lacking("a browser is missing: on Debian 'apt-get install chromium'")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small course with no environment, for those who make one."""
    folder = tmp_path / "course with a space"
    copy_small_course(folder)
    return folder
