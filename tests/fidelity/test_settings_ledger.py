"""Every row about settings, against a local cloud: calls of its control planes with boto3."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.settings_runner import SITUATIONS, SettingsRunner
from tests.fidelity.steered import SteeredGateway

ROWS = rows("settings.toml")


@pytest.fixture(scope="module")
def runner(steered_gateway: SteeredGateway) -> SettingsRunner:
    return SettingsRunner(steered_gateway)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, runner: SettingsRunner) -> None:
    runner.run(row)


def test_every_situation_is_used() -> None:
    assert set(SITUATIONS) == {row.setup for row in ROWS}
