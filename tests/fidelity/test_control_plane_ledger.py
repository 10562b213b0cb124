"""Every row of the control planes' ledger: what AWS was recorded to answer to the author of an API."""

from __future__ import annotations

import re

import pytest

from labkit.local.ledger import Row, rows
from labkit.local.ledger.citations import facts
from tests.fidelity.control_plane_runner import EXPECT_KEYS, FILE, REQUEST_KEYS, run_row, tables

ROWS = rows(FILE)
OF_CONTROL_PLANES = re.compile(r"recorded (?:[1-9]|1[012]|2[4567])\.\d+")
WITHOUT_A_ROW = {
    "1.51": "VPC endpoints aren't offered",
    "8.36": "VPC links aren't offered",
    "9.32": "cache clusters aren't offered",
    "9.36": "cache clusters aren't offered",
    "9.37": "CloudFormation makes the stage",
    "10.7": "needs the data plane",
    "11.24": "needs the data plane",
    "11.36": "what it answers isn't known, so the limit is refused",
    "12.7": "needs a function",
    **{f"27.{number}": "VPC links aren't offered" for number in range(1, 5)},
    **{f"27.{number}": "documentation parts aren't offered" for number in range(5, 9)},
}
"""The facts of the control planes' sections that no row of this ledger stands on, and why."""


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


def test_every_fact_of_the_control_planes_has_a_row() -> None:
    wanted = {name for name in facts() if OF_CONTROL_PLANES.fullmatch(name)}
    missing = wanted - {row.fact for row in ROWS}
    assert missing == {f"recorded {number}" for number in WITHOUT_A_ROW}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row) -> None:
    run_row(row)
