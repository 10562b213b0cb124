"""Fixtures of the tests that talk to user pools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.in_process_cloud import Cognito, cognito_in_use


@pytest.fixture
def cognito() -> Iterator[Cognito]:
    with cognito_in_use() as cognito:
        yield cognito
