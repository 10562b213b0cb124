"""Every row of the ledger of identity pools, run on a genuine local cloud with boto3."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity.identity_pool_situations import SETUPS, Pools
from tests.fidelity.operation_rows import run_row
from tests.support.attached_cloud import attached_cloud

FILE = "identity_pools.toml"


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pools]:
    with attached_cloud(tmp_path_factory.mktemp("pools")) as lab:
        yield Pools(lab)


@pytest.mark.parametrize("row", rows(FILE), ids=lambda row: row.id)
def test_row(pools: Pools, row: Row) -> None:
    answer = run_row(row, SETUPS[row.setup](pools), "cognito-identity")
    if "role" in row.expect:
        assert role_of(answer["Credentials"]).startswith(f"{row.expect['role']}-")


def role_of(credentials: dict[str, str]) -> str:
    """The name of the role that credentials are of."""
    caller = boto3.client(
        "sts",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretKey"],
        aws_session_token=credentials["SessionToken"],
    ).get_caller_identity()
    kind, name, session = caller["Arn"].split(":")[5].split("/")
    assert (kind, session) == ("assumed-role", "CognitoIdentityCredentials")
    return str(name)


def test_every_setup_is_used() -> None:
    assert set(SETUPS) == {row.setup for row in rows(FILE)}


def test_a_row_whose_answer_is_unknown_says_inferred() -> None:
    for row in rows(FILE):
        if "isn't known" in row.case or "The local cloud" in row.case:
            assert row.label == "inferred", row.id
