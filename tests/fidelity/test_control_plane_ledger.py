"""Every row of the control planes' ledger: what AWS was recorded to answer to the author of an API."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.control_plane_runner import EXPECT_KEYS, FILE, REQUEST_KEYS, run_row, tables

ROWS = rows(FILE)


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        assert row.id == f"control-{row.fact.removeprefix('recorded ')}"
        assert row.source, row.id
        assert set(row.request) <= REQUEST_KEYS, row.id
        assert set(row.expect) <= EXPECT_KEYS, row.id
        says = {"error", "result", "has", "log"} & set(row.expect)
        assert says, row.id
        assert not row.setup or row.setup in tables("setup"), row.id
    assert len(ROWS) >= 250


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row) -> None:
    run_row(row)
