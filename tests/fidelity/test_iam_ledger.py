"""Every row of the ledger of IAM, STS and Lambda, run on a genuine local cloud with boto3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.iam_situations import SETUPS, Account
from tests.fidelity.operation_rows import run_row
from tests.support.attached_cloud import attached_cloud

FILE = "iam.toml"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with attached_cloud(tmp_path_factory.mktemp("iam")):
        yield Account({})


@pytest.mark.parametrize("row", rows(FILE), ids=lambda row: row.id)
def test_row(account: Account, row: Row) -> None:
    run_row(row, SETUPS[row.setup](account), "iam")


def test_every_setup_is_used() -> None:
    assert set(SETUPS) == {row.setup for row in rows(FILE)}


def test_a_row_whose_answer_is_unknown_says_inferred() -> None:
    for row in rows(FILE):
        if "isn't known" in row.case or "The local cloud" in row.case:
            assert row.label == "inferred", row.id
