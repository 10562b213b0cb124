"""Every row of the ledger of identity pools, run on a genuine local cloud with boto3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit.local.ledger import Row, rows
from tests.fidelity.identity_pool_situations import SETUPS, Pools, Situation
from tests.support.attached_cloud import attached_cloud

FILE = "identity_pools.toml"
KNOWN_REQUEST = {"as", "operation", "parameters", "service", "unsigned"}
KNOWN_CHECKS = {"absent", "credentials", "error", "keys", "message", "role", "status", "values"}


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pools]:
    with attached_cloud(tmp_path_factory.mktemp("pools")) as lab:
        yield Pools(lab)


def filled(value: Any, here: Situation) -> Any:
    """The value with its {placeholders} replaced, in keys too."""
    if isinstance(value, str):
        for name, text in here.items():
            if isinstance(text, str):
                value = value.replace(f"{{{name}}}", text)
        assert not re.search(r"\{\w+\}", value), f"{value}: not in this situation"
        return value
    if isinstance(value, dict):
        return {filled(name, here): filled(item, here) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, here) for item in value]
    return value


def call(here: Situation, asked: dict[str, Any]) -> dict[str, Any]:
    session = here[asked["as"]] if "as" in asked else {}
    config = Config(retries={"total_max_attempts": 1})
    if asked.get("unsigned"):
        config = config.merge(Config(signature_version=UNSIGNED))
    client = boto3.client(asked.get("service", "cognito-identity"), config=config, **session)
    return dict(getattr(client, asked["operation"])(**filled(asked.get("parameters", {}), here)))


@pytest.mark.parametrize("row", rows(FILE), ids=lambda row: row.id)
def test_row(pools: Pools, row: Row) -> None:
    assert set(row.request) <= KNOWN_REQUEST
    assert set(row.expect) <= KNOWN_CHECKS
    here, expect = SETUPS[row.setup](pools), row.expect
    if "error" in expect:
        with pytest.raises(ClientError) as refused:
            call(here, dict(row.request))
        answer = refused.value.response
        assert answer["Error"]["Code"] == expect["error"], answer["Error"]
        if "message" in expect:
            wanted = filled(expect["message"], {k: re.escape(str(v)) for k, v in here.items()})
            assert re.fullmatch(wanted, answer["Error"]["Message"]), answer["Error"]["Message"]
    else:
        answer = call(here, dict(row.request))
    metadata = answer.pop("ResponseMetadata")
    if "status" in expect:
        assert metadata["HTTPStatusCode"] == expect["status"]
    if "keys" in expect:
        assert sorted(answer) == expect["keys"]
    if "credentials" in expect:
        assert sorted(answer["Credentials"]) == expect["credentials"]
    for name, value in expect.get("values", {}).items():
        assert answer.get(name) == filled(value, here), name
    for name in expect.get("absent", []):
        assert not answer.get(name), name
    if "role" in expect:
        assert role_of(answer["Credentials"]).startswith(f"{expect['role']}-")


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
