"""Clouds of the tests' own: a lab as a notebook has it, and user pools in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labkit.lab.session import Lab
from tests.support.attached_cloud import attached_cloud
from tests.support.in_process_cloud import Cognito, cognito_in_use


@pytest.fixture
def cognito() -> Iterator[Cognito]:
    with cognito_in_use() as cognito:
        yield cognito


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with attached_cloud(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
