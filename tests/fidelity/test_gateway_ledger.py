"""Every row of the gateway's ledger, over HTTP, against a genuine local cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from labkit.local.ledger import Row, rows
from tests.fidelity.gateway_fixture import STAGE, Gateway, Situation

ROWS = rows("gateway.toml")
MISSING = object()

REQUEST_KEYS = frozenset(
    """
    after api arguments body chunked headers json large_header method operation path size stage
    token token_header token_prefix
    """.split()
)
EXPECT_KEYS = frozenset(
    """
    absent body body_pattern body_prefix error error_type event event_matches exact_header_names
    gate header_patterns headers json log log_without message no_headers no_journey outcome reason
    result result_matches result_sorted same status
    """.split()
)


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        assert row.id.startswith("gateway-"), row.id
        assert re.fullmatch(r"(gateway|symptoms)\.md [\d.]+[a-z]?( \(.+\))?", row.fact), row.id
        assert row.source, row.id
        assert set(row.request) <= REQUEST_KEYS, row.id
        assert set(row.expect) <= EXPECT_KEYS, row.id
        assert row.expect, row.id
    assert len(ROWS) >= 80


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, gateway: Gateway, request: pytest.FixtureRequest) -> None:
    name, _comma, when = row.setup.partition(", ")
    if when == "a day later":
        gateway = request.getfixturevalue("gateway_a_day_later")
    situation = gateway.fresh(name) if name == "a fresh api" else gateway.situation(name)
    for step in row.request.get("after", []):
        _operate(gateway, situation, step)
    if "operation" in row.request:
        _check_operation(gateway, situation, row)
    else:
        _check_answer(gateway, _send(gateway, situation, row.request), situation, row.expect)


# -- the data plane -----------------------------------------------------------------------


def _send(gateway: Gateway, situation: Situation, asked: Mapping[str, Any]) -> requests.Response:
    headers = dict(asked.get("headers", {}))
    if "token" in asked:
        name = asked["token"]
        token = asked.get("token_prefix", "") + (gateway.token(name) if name else "")
        headers[asked.get("token_header", "Authorization")] = token
    if "large_header" in asked:
        headers["X-Large"] = "x" * asked["large_header"]
    data: bytes | Iterator[bytes] | None = None
    if "size" in asked:
        data = b"x" * asked["size"]
        data = iter([data]) if asked.get("chunked") else data
    elif "json" in asked:
        data = json.dumps(asked["json"]).encode()
    elif "body" in asked:
        data = asked["body"].encode()
    path = f"/{asked.get('stage', STAGE)}{asked.get('path', '/')}"
    return gateway.cloud.send(
        asked.get("api", situation.api_id), path, asked.get("method", "GET"), headers, data
    )


def _check_answer(
    gateway: Gateway, response: requests.Response, situation: Situation, expect: Mapping[str, Any]
) -> None:
    assert response.status_code == expect["status"], response.text
    if "error_type" in expect:
        assert response.headers.get("x-amzn-ErrorType", "") == expect["error_type"]
    if "body" in expect:
        assert response.content == expect["body"].encode()
    if "body_prefix" in expect:
        assert response.text.startswith(expect["body_prefix"])
    if "body_pattern" in expect:
        assert re.fullmatch(expect["body_pattern"], response.text, re.DOTALL), response.text
    for name, value in expect.get("headers", {}).items():
        assert response.headers.get(name) == value
    for name, pattern in expect.get("header_patterns", {}).items():
        assert re.fullmatch(pattern, response.headers[name])
    for name in expect.get("no_headers", []):
        assert name not in response.headers
    for name in expect.get("exact_header_names", []):
        assert name in list(response.raw.headers)
    if {"json", "event", "event_matches", "absent"} & set(expect):
        body = response.json()
        _check_values(body, expect.get("json", {}))
        _check_values(body, expect.get("event", {}))
        _check_patterns(body, expect.get("event_matches", {}))
        for place in expect.get("absent", []):
            assert _at(body, place) is MISSING, place
    if not expect.get("no_journey"):
        _check_journey(gateway, response, expect)


def _check_journey(
    gateway: Gateway, response: requests.Response, expect: Mapping[str, Any]
) -> None:
    """Every answer has a journey, and it agrees with the answer."""
    journey = gateway.cloud.journey(response)
    assert journey["status"] == response.status_code
    last = journey["steps"][-1]
    if last["gate"] != "integration":
        assert last["outcome"] == "stop"
    if "gate" in expect:
        assert (last["gate"], last["outcome"]) == (expect["gate"], expect.get("outcome", "stop"))
    if "reason" in expect:
        assert re.search(expect["reason"], last["reason"]), last["reason"]


# -- the control plane -----------------------------------------------------------------------


def _operate(gateway: Gateway, situation: Situation, asked: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"restApiId": situation.api_id, **asked.get("arguments", {})}
    if str(arguments.get("resourceId", "")).startswith("/"):
        arguments["resourceId"] = situation.resources[arguments["resourceId"]]
    for name, value in arguments.items():
        if isinstance(value, str) and re.fullmatch(r"\{\w+\}", value):
            arguments[name] = situation.extra[value[1:-1]]
    operation = getattr(gateway.cloud.client("apigateway"), asked["operation"])
    return dict(operation(**arguments))


def _check_operation(gateway: Gateway, situation: Situation, row: Row) -> None:
    expect = row.expect
    if "error" in expect:
        with pytest.raises(ClientError) as caught:
            _operate(gateway, situation, row.request)
        answer = caught.value.response
        assert answer["Error"]["Code"] == expect["error"]
        if "message" in expect:
            assert answer["Error"]["Message"] == expect["message"]
    else:
        answer = _operate(gateway, situation, row.request)
    if "status" in expect:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == expect["status"]
    _check_values(answer, expect.get("result", {}))
    _check_patterns(answer, expect.get("result_matches", {}))
    for place in expect.get("absent", []):
        assert _at(answer, place) is MISSING, place
    for place, key in expect.get("result_sorted", {}).items():
        values = [item[key] for item in _at(answer, place)]
        assert values == sorted(values)
    for place, values in expect.get("same", {}).items():
        found, key = place.rsplit(" / ", 1)
        assert all(item.get(key) == values for item in _at(answer, found))
    for pattern in expect.get("log", []):
        assert re.search(pattern, answer["log"], re.MULTILINE), (pattern, answer["log"])
    for pattern in expect.get("log_without", []):
        assert not re.search(pattern, answer["log"], re.MULTILINE), (pattern, answer["log"])


# -- values in JSON ------------------------------------------------------------------------------


def _at(data: Any, place: str) -> Any:
    """The value at ``a / b``; in a list, a number is an index and ``name=value`` picks an item; ``#`` counts."""
    for part in place.split(" / "):
        if part == "#":
            data = len(data)
        elif isinstance(data, list) and "=" in part:
            key, _equals, value = part.partition("=")
            data = next((item for item in data if item.get(key) == value), MISSING)
        elif isinstance(data, list):
            data = data[int(part)]
        elif isinstance(data, dict):
            data = data.get(part, MISSING)
        else:
            return MISSING
    return data


def _check_values(data: Any, expected: Mapping[str, Any]) -> None:
    for place, value in expected.items():
        found = _at(data, place)
        assert found == (None if value == "(null)" else value), place


def _check_patterns(data: Any, expected: Mapping[str, str]) -> None:
    for place, pattern in expected.items():
        found = _at(data, place)
        assert isinstance(found, str), place
        assert re.fullmatch(pattern, found, re.DOTALL), (place, found)
