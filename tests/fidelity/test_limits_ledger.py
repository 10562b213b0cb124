"""Every row about limits and ways in, over HTTP, against a local cloud whose clock the rows move."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.runner import check_form
from tests.fidelity.steered import STEERED_KEYS, SteeredGateway, SteeredRunner

ROWS = rows("gateway_limits.toml")


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        check_form(row, "limits-", STEERED_KEYS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, steered_gateway: SteeredGateway) -> None:
    SteeredRunner(steered_gateway).run(row)
