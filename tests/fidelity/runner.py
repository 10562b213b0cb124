"""Runs one row of a gateway ledger: makes its situation, sends its request and compares the answer and the journey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from labkit.local.ledger import Row
from tests.fidelity import gateway_situations
from tests.support.gateway import STAGE, Gateway, Situation

SITUATIONS = (gateway_situations,)
"""Imported for what it registers."""

MISSING = object()

REQUEST_KEYS = frozenset(
    """
    after api arguments body chunked headers json large_header method operation path size stage
    token token_header token_prefix
    """.split()
)
EXPECT_KEYS = frozenset(
    """
    absent body body_pattern body_prefix code error error_type event event_matches exact_header_names
    gate header_patterns headers invocations json log log_without message no_headers no_journey
    only_headers outcome result result_matches result_sorted same status
    """.split()
)


def check_form(row: Row, prefix: str, request_keys: frozenset[str] = REQUEST_KEYS) -> None:
    """A row says what it stands on, and in words that its runner knows."""
    assert row.id.startswith(prefix), row.id
    assert row.facts, row.id
    assert row.source, row.id
    assert row.expect, row.id
    assert set(row.request) <= request_keys, row.id
    assert set(row.expect) <= EXPECT_KEYS, row.id


class Runner:
    """Runs a row on one cloud.

    Args:
        gateway: the cloud and what is in it.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self, row: Row) -> None:
        """Fails when the cloud doesn't do what the row says."""
        name = row.setup.partition(", ")[0]
        fresh = name == "a fresh api" or row.setup.endswith(", anew")
        situation = self.gateway.fresh(name) if fresh else self.gateway.situation(name)
        for step in row.request.get("after", []):
            self.operate(situation, step)
        if "operation" in row.request:
            self.check_operation(situation, row.request, row.expect)
        else:
            self.check_answer(self.send(situation, row.request), row.expect)

    # -- the data plane -----------------------------------------------------------------------

    def send(self, situation: Situation, asked: Mapping[str, Any]) -> requests.Response:
        headers = dict(asked.get("headers", {}))
        if "token" in asked:
            name = asked["token"]
            token = asked.get("token_prefix", "") + (self.gateway.token(name) if name else "")
            headers[asked.get("token_header", "Authorization")] = token
        if "large_header" in asked:
            headers["X-Large"] = "x" * asked["large_header"]
        data: bytes | Iterator[bytes] | None = body_of(asked)
        if isinstance(data, bytes) and asked.get("chunked"):
            data = iter([data])
        path = f"/{asked.get('stage', STAGE)}{asked.get('path', '/')}"
        return self.gateway.cloud.send(
            asked.get("api", situation.api_id), path, asked.get("method", "GET"), headers, data
        )

    def check_answer(self, response: requests.Response, expect: Mapping[str, Any]) -> None:
        assert response.status_code == expect["status"], response.text
        if "error_type" in expect:
            assert response.headers.get("x-amzn-ErrorType", "") == expect["error_type"]
        if "body" in expect:
            assert response.content == expect["body"].encode()
        if "body_prefix" in expect:
            assert response.text.startswith(expect["body_prefix"]), response.text
        if "body_pattern" in expect:
            assert re.fullmatch(expect["body_pattern"], response.text, re.DOTALL), response.text
        for name, value in expect.get("headers", {}).items():
            assert response.headers.get(name) == value
        for name, pattern in expect.get("header_patterns", {}).items():
            assert re.fullmatch(pattern, response.headers[name])
        for name in expect.get("no_headers", []):
            assert name not in response.headers
        if "only_headers" in expect:
            assert sorted(name.lower() for name in response.headers) == expect["only_headers"]
        for name in expect.get("exact_header_names", []):
            assert name in list(response.raw.headers)
        if {"json", "event", "event_matches", "absent"} & set(expect):
            body = response.json()
            check_values(body, expect.get("json", {}))
            check_values(body, expect.get("event", {}))
            check_patterns(body, expect.get("event_matches", {}))
            for place in expect.get("absent", []):
                assert value_at(body, place) is MISSING, place
        if not expect.get("no_journey"):
            self.check_journey(response, expect)

    def check_journey(self, response: requests.Response, expect: Mapping[str, Any]) -> None:
        """Every answer has a journey, and it agrees with the answer."""
        journey = self.gateway.cloud.journey(response)
        assert journey["status"] == response.status_code
        last = journey["steps"][-1]
        if last["gate"] != "integration":
            assert last["outcome"] == "stop"
        assert (last["code"] is not None) == (last["outcome"] == "stop"), last
        if "code" in expect:
            assert last["code"] == expect["code"], last
        if "gate" in expect:
            wanted = (expect["gate"], expect.get("outcome", "stop"))
            assert (last["gate"], last["outcome"]) == wanted, last

    # -- the control plane -----------------------------------------------------------------------

    def operate(self, situation: Situation, asked: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {"restApiId": situation.api_id, **asked.get("arguments", {})}
        if str(arguments.get("resourceId", "")).startswith("/"):
            arguments["resourceId"] = situation.resources[arguments["resourceId"]]
        for name, value in arguments.items():
            if isinstance(value, str) and re.fullmatch(r"\{\w+\}", value):
                arguments[name] = situation.extra[value[1:-1]]
        client = self.gateway.cloud.client("apigateway")
        model = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[asked["operation"]]
        )
        if "restApiId" not in model.input_shape.members:
            del arguments["restApiId"]
        return dict(getattr(client, asked["operation"])(**arguments))

    def check_operation(
        self, situation: Situation, asked: Mapping[str, Any], expect: Mapping[str, Any]
    ) -> None:
        if "error" in expect:
            with pytest.raises(ClientError) as caught:
                self.operate(situation, asked)
            answer = caught.value.response
            assert answer["Error"]["Code"] == expect["error"]
            if "message" in expect:
                assert answer["Error"]["Message"] == expect["message"]
        else:
            answer = self.operate(situation, asked)
        if "status" in expect:
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == expect["status"]
        check_values(answer, expect.get("result", {}))
        check_patterns(answer, expect.get("result_matches", {}))
        for place in expect.get("absent", []):
            assert value_at(answer, place) is MISSING, place
        for place, key in expect.get("result_sorted", {}).items():
            values = [item[key] for item in value_at(answer, place)]
            assert values == sorted(values)
        for place, values in expect.get("same", {}).items():
            found, key = place.rsplit(" / ", 1)
            assert all(item.get(key) == values for item in value_at(answer, found))
        for pattern in expect.get("log", []):
            assert re.search(pattern, answer["log"], re.MULTILINE), (pattern, answer["log"])
        for pattern in expect.get("log_without", []):
            assert not re.search(pattern, answer["log"], re.MULTILINE), (pattern, answer["log"])


def body_of(asked: Mapping[str, Any]) -> bytes | None:
    """The request's body."""
    if "size" in asked:
        return b"x" * int(asked["size"])
    if "json" in asked:
        return json.dumps(asked["json"]).encode()
    return str(asked["body"]).encode() if "body" in asked else None


# -- values in JSON ------------------------------------------------------------------------------


def value_at(data: Any, place: str) -> Any:
    """The value at ``a / b``; in a list, a number is an index and ``name=value`` picks an item; ``#`` counts.

    A text that is a JSON object is looked into.
    """
    for part in place.split(" / "):
        if isinstance(data, str) and data.startswith("{"):
            data = json.loads(data)
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


def check_values(data: Any, expected: Mapping[str, Any]) -> None:
    for place, value in expected.items():
        found = value_at(data, place)
        assert found == (None if value == "(null)" else value), place


def check_patterns(data: Any, expected: Mapping[str, str]) -> None:
    for place, pattern in expected.items():
        found = value_at(data, place)
        assert isinstance(found, str), place
        assert re.fullmatch(pattern, found, re.DOTALL), (place, found)
