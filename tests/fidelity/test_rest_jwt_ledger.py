"""Every row about JWT authorizers of REST APIs, over HTTP, against a local cloud whose clock the rows move."""

from __future__ import annotations

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.runner import check_form
from tests.fidelity.steered import STEERED_KEYS, SteeredGateway, SteeredRunner

ROWS = rows("rest_jwt.toml")


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        check_form(row, "rest-jwt-", STEERED_KEYS)
        assert row.fact.startswith("rest_jwt 16."), row.id


def test_no_refusal_is_told_as_known() -> None:
    """AWS documents one status of a refusal, the 403, and no body (rest_jwt 16.36-16.43)."""
    for row in ROWS:
        if row.expect.get("status") in (401, 500) or (
            "body" in row.expect and row.expect["status"] > 400
        ):
            assert row.label == "inferred", row.id
    assert {row.label for row in ROWS} == {"documented", "inferred"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, steered_gateway: SteeredGateway) -> None:
    SteeredRunner(steered_gateway).run(row)
