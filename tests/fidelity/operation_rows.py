"""Runs rows whose request is an operation in boto3's spelling."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit.local.ledger import Row

KNOWN_REQUEST = {"as", "operation", "parameters", "service", "unsigned"}
KNOWN_CHECKS = {
    "absent",
    "credentials",
    "error",
    "fields",
    "keys",
    "message",
    "role",
    "status",
    "values",
}

Situation = dict[str, Any]
"""What a setup made: texts for {placeholders}, and sessions, which are boto3's keyword arguments."""


def filled(value: Any, here: Situation) -> Any:
    """The value with its {placeholders} replaced, in keys too; bytes stand alone."""
    if isinstance(value, str):
        whole = here.get(value[1:-1]) if value[:1] == "{" else None
        if isinstance(whole, bytes):
            return whole
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


def run_row(row: Row, here: Situation, service: str) -> dict[str, Any]:
    """Send the row's request, and hold the answer against what it expects.

    Args:
        row: with nothing but `KNOWN_REQUEST` and `KNOWN_CHECKS`.
        here: what its setup made.
        service: unless the row names another one.

    Returns:
        the answer.
    """
    assert set(row.request) <= KNOWN_REQUEST
    assert set(row.expect) <= KNOWN_CHECKS
    expect = row.expect
    if "error" in expect:
        with pytest.raises(ClientError) as refused:
            _call(here, dict(row.request), service)
        answer: dict[str, Any] = dict(refused.value.response)
        assert answer["Error"]["Code"] == expect["error"], answer["Error"]
        if "message" in expect:
            wanted = filled(expect["message"], {k: re.escape(str(v)) for k, v in here.items()})
            assert re.fullmatch(wanted, answer["Error"]["Message"]), answer["Error"]["Message"]
    else:
        answer = _call(here, dict(row.request), service)
    metadata = answer.pop("ResponseMetadata")
    if "status" in expect:
        assert metadata["HTTPStatusCode"] == expect["status"]
    if "keys" in expect:
        assert sorted(answer) == expect["keys"]
    if "credentials" in expect:
        assert sorted(answer["Credentials"]) == expect["credentials"]
    for name, keys in expect.get("fields", {}).items():
        assert sorted(answer[name]) == keys
    for name, value in expect.get("values", {}).items():
        assert answer.get(name) == filled(value, here), name
    for name in expect.get("absent", []):
        assert not answer.get(name), name
    return answer


def _call(here: Situation, asked: dict[str, Any], service: str) -> dict[str, Any]:
    session = here[asked["as"]] if "as" in asked else here.get("everybody", {})
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    if asked.get("unsigned"):
        config = config.merge(Config(signature_version=UNSIGNED))
    client = boto3.client(asked.get("service", service), config=config, **session)
    return dict(getattr(client, asked["operation"])(**filled(asked.get("parameters", {}), here)))
