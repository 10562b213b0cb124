"""Every row of the gateway's ledger, over HTTP, against a genuine local cloud."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.runner import Runner, check_form
from tests.support.gateway import Gateway

ROWS = rows("gateway.toml")


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        check_form(row, "gateway-")
    assert len(ROWS) >= 80


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, gateway: Gateway, request: pytest.FixtureRequest) -> None:
    if row.setup.endswith(", a day later"):
        gateway = request.getfixturevalue("gateway_a_day_later")
    Runner(gateway).run(row)
