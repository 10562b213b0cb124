"""Which tests pytest-xdist keeps together on one worker, and what its workers begin with.

A file's tests share what its fixtures make, and a notebook's cells share a kernel, so a group is a file. Tests that
measure real time would disturb one another: they are one group. (pytest-xdist 3.8 forgets the groups of its own
``--dist=loadgroup`` on pytest 9.2: pytest-xdist issue 1386.)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

MEASURES_REAL_TIME = (
    "notebooks/challenges/living-with-429.ipynb",
    "notebooks/modes/throttling.ipynb",
    "tests/cloud/bursts/",
    "tests/cloud/test_load.py",
    "tests/cloud/widgets/test_throttle_explorer.py",
    "tests/interop/test_model_against_wrk.py",
)
LONGEST = (
    "tests/browser/test_jupyterlab.py",
    *MEASURES_REAL_TIME,
    "tests/browser/test_notebook_widgets.py",
    "tests/notebooks/test_notebooks_again.py",
    "tests/cloud/course/",
)
"""Begin with these, so that all workers end together."""


def group_of(path: str) -> str:
    """The group of a test's file, whose path is relative to the repository.

    >>> group_of("tests/cloud/test_load.py"), group_of("labkit/clock.py")
    ('real time', 'doctests')
    """
    if path.startswith(MEASURES_REAL_TIME):
        return "real time"
    return "doctests" if path.startswith("labkit/") else path


def rank_of(path: str) -> int:
    """How early a file's tests begin: 0 is first."""
    return next(
        (rank for rank, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a third of a run is waiting, for browsers, buckets and new processes."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups, in the order in which they were collected."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda one: rank_of(Path(one.path).relative_to(config.rootpath).as_posix()))
