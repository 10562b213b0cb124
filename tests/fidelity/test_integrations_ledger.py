"""Every row about integrations and their templates, over HTTP, against a genuine local cloud."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.runner import check_form
from tests.fidelity.steered import STEERED_KEYS, SteeredGateway, SteeredRunner

ROWS = rows("gateway_integrations.toml")


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        check_form(row, "integrations-", STEERED_KEYS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, steered_gateway: SteeredGateway) -> None:
    SteeredRunner(steered_gateway).run(row)
