"""Fixtures of the tests that talk to user pools."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves it out

from in_process_cloud import Cognito, InProcessCloud, cloud


@pytest.fixture(scope="session")
def in_process_cloud() -> InProcessCloud:
    return cloud()


@pytest.fixture
def cognito(in_process_cloud: InProcessCloud) -> Iterator[Cognito]:
    with in_process_cloud.in_use():
        yield Cognito(in_process_cloud)
