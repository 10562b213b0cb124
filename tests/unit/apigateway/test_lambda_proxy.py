"""The Lambda proxy integration: the event, what a result may be, and functions that fail or are late."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.proxy_results import MalformedProxyResultError
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.function_backend import FunctionBackend
from labkit.local.apigateway.rest.lambda_proxy import (
    LambdaProxyIntegration,
    proxy_event,
    read_result,
)
from labkit.local.apigateway.rest.records import freeze_integration
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.messages import CONTROL_CHARACTER, Request, Response
from labkit.local.random_ids import new_uuid
from tests.support.rest_calls import call, run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.text(max_size=5) | st.sampled_from(["Content-Type", "Date", "x-a", "Transfer-Encoding"]),
    JSON | st.text(),
    max_size=3,
)
RESULT = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": st.integers(0, 700)
        | JSON
        | st.sampled_from(["200", "2e2", "\u0662\u0660\u0660", 10**400, "9" * 5000]),
        "headers": HEADERS | JSON,
        "multiValueHeaders": st.dictionaries(st.text(max_size=5), st.lists(JSON)) | JSON,
        "body": st.text() | JSON,
        "isBase64Encoded": st.booleans() | JSON,
    },
)


def backend(functions: Any) -> FunctionBackend:
    """Functions, and nobody who is asked about roles."""
    return FunctionBackend(functions, cast(Any, None), random.Random(1))


@given(JSON | RESULT, st.sampled_from([[], ["*/*"], ["image/png"]]))
def test_any_result_is_a_response_or_malformed(result: object, binary: list[str]) -> None:
    made = call(
        configuration={"api": {"binaryMediaTypes": binary}}, headers={"Accept": "image/png"}
    )
    try:
        response = read_result(result, made)
    except MalformedProxyResultError:
        return
    assert isinstance(response, Response)
    assert 200 <= response.status <= 599
    assert isinstance(response.body, bytes)
    assert not any(CONTROL_CHARACTER.search(name + value) for name, value in response.headers)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, 200), ("200", 200), (599, 599), (204.0, 204), ("404", 404), (None, None), (True, None), ("", None)]
    + [(value, None) for value in (0, 99, 100, 199, 600, 1000, -200, 200.5, "2e2", "200 ", " 200", "0200")]
    + [(value, None) for value in ([200], {"a": 1}, float("nan"), float("inf"), 10**400, "9" * 5000, "OK")]
    + [("\u0662\u0660\u0660", None)],
)  # fmt: skip
def test_status_codes(status: object, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(MalformedProxyResultError):
            read_result({"statusCode": status}, call())
    else:
        assert read_result({"statusCode": status}, call()).status == expected


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {},
        "text",
        7,
        {"body": "no status"},
        {"isBase64Encoded": False},
        {"statusCode": 200, "cookies": []},
        {"statuscode": 200},
        {"statusCode": 200, "body": {"an": "object"}},
        {"statusCode": 200, "body": 7},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a": {"b": 1}}},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nX-Evil: 1"}},
        {"statusCode": 200, "headers": {"a": "b\0"}},
        {"statusCode": 200, "headers": {"a\r\nX-Evil": "1"}},
        {"statusCode": 200, "headers": {"a b": "1"}},
        {"statusCode": 200, "headers": {"": "1"}},
        {"statusCode": 200, "headers": {"é": "1"}},
        {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
        {"statusCode": 200, "multiValueHeaders": {"a": ["b\n"]}},
        {"statusCode": 200, "multiValueHeaders": []},
        {"errorMessage": "x", "errorType": "Y"},
    ],
)
def test_malformed_results(result: object) -> None:
    with pytest.raises(MalformedProxyResultError):
        read_result(result, call())


def test_headers_of_a_result() -> None:
    response = read_result(
        {
            "statusCode": 200,
            "headers": {"A": "single", "Bool": True, "Number": 7, "Date": "today", "Transfer-Encoding": "chunked"},
            "multiValueHeaders": {"a": ["1", "2"], "content-type": ["text/plain"]},
        },
        call(),
    )  # fmt: skip
    assert [(n, v) for n, v in response.headers if n != "X-Amzn-Trace-Id"] == [
        ("a", "1"),
        ("a", "2"),
        ("content-type", "text/plain"),
        ("Bool", "true"),
        ("Number", "7"),
        ("x-amzn-Remapped-Date", "today"),
    ]


@pytest.mark.parametrize(
    ("types", "accept", "encoded", "body"),
    [
        ([], "image/png", True, b"aGk="),
        (["image/png"], "image/png", True, b"hi"),
        (["image/png"], "image/png, */*", True, b"hi"),
        (["image/png"], "text/html, image/png", True, b"aGk="),
        (["image/png"], "image/png", False, b"aGk="),
        (["*/*"], "text/html", True, b"hi"),
        (["image~1png"], "image/png", True, b"hi"),
    ],
)
def test_binary_bodies(types: list[str], accept: str, encoded: bool, body: bytes) -> None:
    made = call(configuration={"api": {"binaryMediaTypes": types}}, headers={"Accept": accept})
    result = {"statusCode": 200, "body": "aGk=", "isBase64Encoded": encoded}
    assert read_result(result, made).body == body


# -- the event -------------------------------------------------------------------


def test_the_event_of_a_plain_request() -> None:
    event = proxy_event(call())
    assert {name: event[name] for name in event if name not in ("requestContext", "headers", "multiValueHeaders")} == {
        "resource": "/x",
        "path": "/x",
        "httpMethod": "GET",
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }  # fmt: skip
    assert "authorizer" not in event["requestContext"]


def test_repeated_parameters_and_headers() -> None:
    sent = [("A", "1"), ("A", "2"), ("X-Forwarded-For", "9.9.9.9"), ("Content-Length", "0")]
    event = proxy_event(call(request=Request("GET", "/dev/x", "q=1&q=2&empty=", sent)))
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "empty": [""]}
    assert event["queryStringParameters"] == {"q": "2", "empty": ""}
    assert event["multiValueHeaders"]["A"] == ["1", "2"]
    assert event["headers"]["A"] == "2"
    assert event["headers"]["X-Forwarded-For"] == "9.9.9.9, 127.0.0.1"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert "Content-Length" not in event["headers"]


def test_the_whole_chain_of_addresses_is_kept() -> None:
    sent = [("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]
    event = proxy_event(call(request=Request("GET", "/dev/x", headers=sent)))
    assert event["multiValueHeaders"]["X-Forwarded-For"] == ["1.1.1.1, 2.2.2.2, 127.0.0.1"]
    assert "x-forwarded-for" not in event["headers"]


@pytest.mark.parametrize(
    "name", ["Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Server", "Content-MD5"]
)
def test_a_header_that_never_reaches_a_function(name: str) -> None:
    assert name not in proxy_event(call(headers={name: "x"}))["headers"]


@given(st.binary(), st.text(), st.text(alphabet=st.characters(codec="latin-1")))
def test_an_event_is_always_json(body: bytes, query: str, header: str) -> None:
    made = call(request=Request("GET", "/dev/x", query, [("X", header)], body))
    assert json.loads(json.dumps(proxy_event(made)))["resource"] == "/x"


def test_a_client_cannot_say_who_it_is() -> None:
    forged = {"X-Amzn-Trace-Id": "mine", "X-Forwarded-Proto": "gopher", "Host": "evil.example"}
    headers = proxy_event(call(headers=forged))["headers"]
    assert headers["Host"] == "abc123.execute-api.us-east-1.amazonaws.com"
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert headers["X-Forwarded-Proto"] == "https"


# -- the invocation ----------------------------------------------------------------

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"


class Function:
    """One function that anybody may invoke."""

    def __init__(self, result: dict[str, Any] | None = None, allowed: bool = True) -> None:
        self.result, self.allowed = result, allowed
        self.asked: list[tuple[str, str, str]] = []
        self.ended = asyncio.Event()

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        self.asked.append((function_arn, service, source_arn))
        return self.allowed

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        if self.result is None:
            await self.ended.wait()
            return {"payload": {"statusCode": 200}, "error": False}
        return self.result


def _invoke(function: Function, **integration: Any) -> tuple[Answer | Stop[GatewayError], RestCall]:
    made = call(log=[])
    settings = {"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI, **integration}
    return run(LambdaProxyIntegration(backend(function))(made, freeze_integration(settings))), made


def test_an_answer() -> None:
    function = Function({"payload": {"statusCode": 201, "body": "hi"}, "error": False})
    answer, made = _invoke(function)
    assert isinstance(answer, Answer)
    assert (answer.response.status, answer.response.body) == (201, b"hi")
    source = "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/GET/x"
    assert function.asked == [(ARN, "apigateway.amazonaws.com", source)]
    assert any(line.startswith("Received response. Status: 200") for line in made.log or [])


@pytest.mark.parametrize(
    ("function", "integration", "status", "kind"),
    [
        (Function(allowed=False), {}, 500, "DEFAULT_5XX"),
        (Function(), {"httpMethod": "GET"}, 500, "DEFAULT_5XX"),
        (Function(), {"httpMethod": None}, 500, "DEFAULT_5XX"),
        (Function(), {"uri": "https://example.com"}, 500, "API_CONFIGURATION_ERROR"),
        (Function(), {"uri": None}, 500, "API_CONFIGURATION_ERROR"),
        (Function(), {"uri": URI.replace(ARN, "${stageVariables.none}")}, 500, "API_CONFIGURATION_ERROR"),
        (Function({"payload": {"errorType": "E"}, "error": True}), {}, 502, "DEFAULT_5XX"),
        (Function({"payload": None, "error": True}), {}, 502, "DEFAULT_5XX"),
        (Function({"payload": None, "error": False}), {}, 502, "DEFAULT_5XX"),
        (Function({"payload": "x", "error": False}), {}, 502, "DEFAULT_5XX"),
    ],
)  # fmt: skip
def test_failures(function: Function, integration: dict[str, Any], status: int, kind: str) -> None:
    stop, _call = _invoke(function, **integration)
    assert isinstance(stop, Stop)
    assert (stop.refusal.shown_status, stop.refusal.type.name) == (status, kind)


def test_lambda_throttles() -> None:
    """Lambda's own 429 isn't the client's: 500, and the log says why."""
    refused = {"payload": {"Reason": "x"}, "error": True, "throttled": True}
    stop, made = _invoke(Function(refused))
    assert isinstance(stop, Stop)
    assert (stop.refusal.shown_status, stop.refusal.type.name) == (
        500,
        "DEFAULT_5XX",
    )
    lines = made.log or []
    request_id = new_uuid(random.Random(1))
    assert f"Lambda invocation failed with status: 429. Lambda request id: {request_id}" in lines
    assert "Execution failed due to configuration error: Rate Exceeded." in lines


def test_a_late_function_holds_nobody() -> None:
    """The answer comes although the function never ends."""

    async def ask() -> Answer | Stop[GatewayError]:
        integration = LambdaProxyIntegration(backend(Function()))
        settings = {"httpMethod": "POST", "uri": URI, "timeoutInMillis": 50}
        return await asyncio.wait_for(integration(call(), freeze_integration(settings)), 5)

    stop = run(ask())
    assert isinstance(stop, Stop)
    assert stop.refusal.type.name == "INTEGRATION_TIMEOUT"


def test_a_stage_variable_names_the_function() -> None:
    function = Function({"payload": {"statusCode": 200}, "error": False})
    uri = URI.replace(":function:f", ":function:${stageVariables.name}")
    made = call(stage_variables={"name": "blue"})
    run(
        LambdaProxyIntegration(backend(function))(
            made, freeze_integration({"httpMethod": "POST", "uri": uri})
        )
    )
    assert function.asked[0][0].endswith(":function:blue")
