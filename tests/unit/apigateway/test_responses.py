"""Gateway responses: templates, parameters, inheritance, and what a header may carry."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.journey import Code, Journey
from labkit.local.apigateway.addresses import Address
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.rest import responses
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane
from labkit.local.apigateway.rest.pipeline import reject
from labkit.local.apigateway.rest.records import freeze_gateway_response
from labkit.local.apigateway.rest.responses import (
    ACCESS_DENIED,
    AUTHORIZER_CONFIGURATION_ERROR,
    DEFAULT_5XX,
    FORBIDDEN,
    INTEGRATION_TIMEOUT,
    THROTTLED,
    UNAUTHORIZED,
    GatewayError,
    ResponseType,
    render,
)
from labkit.local.messages import CONTROL_CHARACTER, Request, Response
from tests.support.rest_calls import METHOD, call, run

TYPES = [value for value in vars(responses).values() if isinstance(value, ResponseType)]


def _render(error: GatewayError, customised: dict[str, Any] | None = None) -> Response:
    frozen = {kind: freeze_gateway_response(r) for kind, r in (customised or {}).items()}
    return render(error, frozen, {"context.path": "/dev/x"}.get)


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        (UNAUTHORIZED, 401, b'{"message":"Unauthorized"}'),
        (FORBIDDEN, 403, b'{"message":"Forbidden"}'),
        (ACCESS_DENIED, 403, b'{"Message":"User is not authorized to access this resource"}'),
        (AUTHORIZER_CONFIGURATION_ERROR, 500, b'{"message":null}'),
        (DEFAULT_5XX, 500, b'{"message": "Internal server error"}'),
        (INTEGRATION_TIMEOUT, 504, b'{"message": "Endpoint request timed out"}'),
        (THROTTLED, 429, b'{"message":"Too Many Requests"}'),
    ],
)
def test_the_bytes_of_a_default(kind: ResponseType, status: int, body: bytes) -> None:
    response = _render(GatewayError(kind))
    assert (response.status, response.body) == (status, body)
    assert response.headers == [
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", kind.error_type),
    ]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.error_type)
def test_the_documented_cors_template_is_json_for_every_type(kind: ResponseType) -> None:
    template = '{"message":$context.error.messageString}'
    record = {"responseTemplates": {"application/json": template}}
    response = _render(GatewayError(kind), {kind.name: record})
    assert json.loads(response.body) == {"message": kind.message}
    assert response.status == kind.status


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("$context.path", "/dev/x"),
        ("${context.path}", "/dev/x"),
        ("{$context.path}", "{/dev/x}"),
        ("{${context.path}}", "{/dev/x}"),
        ("$context.path}", "/dev/x}"),
        ("$context.error.messageString,", '"Unauthorized",'),
        ("$context.nothing", ""),
        ("$5 $$ $ #set($x)", "$5 $$ $ #set($x)"),
        ("$input.body", "$input.body"),
        ("$util.escapeJavaScript('x')", "$util.escapeJavaScript('x')"),
        ("", ""),
    ],
)
def test_substitution_is_plain(template: str, body: str) -> None:
    record = {"responseTemplates": {"application/json": template}}
    assert _render(GatewayError(UNAUTHORIZED), {"UNAUTHORIZED": record}).body == body.encode()


def test_a_value_is_not_substituted_twice() -> None:
    error = GatewayError(UNAUTHORIZED, "$context.path")
    record = {"responseTemplates": {"application/json": "$context.error.message"}}
    assert _render(error, {"UNAUTHORIZED": record}).body == b"$context.path"


def test_another_content_type() -> None:
    record = {"responseTemplates": {"text/html": "<p>$context.error.message</p>"}}
    response = _render(GatewayError(UNAUTHORIZED), {"UNAUTHORIZED": record})
    assert response.header("content-type") == "text/html"
    assert response.body == b"<p>Unauthorized</p>"


@pytest.mark.parametrize(
    ("customised", "status", "own_header"),
    [
        ({}, 401, None),
        ({"DEFAULT_4XX": {"statusCode": "418"}}, 418, None),
        ({"DEFAULT_5XX": {"statusCode": "599"}}, 401, None),
        ({"DEFAULT_4XX": {"statusCode": "418"}, "UNAUTHORIZED": {"statusCode": "402"}}, 402, None),
        ({"DEFAULT_4XX": {"statusCode": "418"}, "UNAUTHORIZED": {}}, 401, None),
        ({"DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.X": "'y'"}}}, 401, "y"),
        ({"UNAUTHORIZED": {"responseParameters": {"gatewayresponse.header.X": "'y'"}}}, 401, "y"),
        ({"UNAUTHORIZED": {"responseParameters": {"gatewayresponse.header.X": "y"}}}, 401, None),
        ({"UNAUTHORIZED": {"responseParameters": {"gatewayresponse.header.X": "'"}}}, 401, None),
        ({"UNAUTHORIZED": {"responseParameters": {"gatewayresponse.header.X": "''"}}}, 401, ""),
        ({"UNAUTHORIZED": {"responseParameters": {"X": "'y'"}}}, 401, None),
    ],
)
def test_inheritance(customised: dict[str, Any], status: int, own_header: str | None) -> None:
    response = _render(GatewayError(UNAUTHORIZED), customised)
    assert (response.status, response.header("x")) == (status, own_header)


@given(st.text(), st.text())
def test_no_template_raises(template: str, message: str) -> None:
    record = {"responseTemplates": {"application/json": template}}
    response = _render(GatewayError(UNAUTHORIZED, message), {"UNAUTHORIZED": record})
    assert isinstance(response.body, bytes)


class OneApi:
    """A control plane with one API, which turns every request away with a customised response."""

    def __init__(self, source: str) -> None:
        self.configuration = {
            "api": {},
            "resources": {"r": {"path": "/x", "resourceMethods": {"GET": METHOD}}},
            "authorizers": {},
            "gateway_responses": {
                "UNAUTHORIZED": {"responseParameters": {"gatewayresponse.header.X-Back": source}}
            },
        }

    def rest_api_region(self, api_id: str) -> str | None:
        return "us-east-1"

    def stage(self, api_id: str, region: str, stage_name: str) -> dict[str, Any] | None:
        return {"deploymentId": "d1", "variables": {"evil": "a\r\nX-Evil: 1"}}

    def rest_api_configuration(self, api_id: str, region: str) -> dict[str, Any]:
        return self.configuration

    def is_http_api(self, api_id: str) -> bool:
        return False


class Refusing:
    """A pipeline that refuses everything."""

    async def run(self, call: Any, journey: Journey) -> Response:
        return reject(call, Stop(GatewayError(UNAUTHORIZED), Code.TOKEN_MISSING, "no"))


def _headers_back(source: str, request: Request) -> list[tuple[str, str]]:
    data_plane = RestApiDataPlane(
        OneApi(source),
        Refusing(),  # type: ignore[arg-type]
        "123456789012",
        Journeys(),
        lambda *_: None,
        lambda: 0.0,
        random.Random(1),
    )
    data_plane.deploy("abc123", "d1")
    response = run(data_plane.handle(request, Address("abc123", None, "dev", "/x")))
    assert response.status == 401
    return response.headers


@pytest.mark.parametrize(
    ("source", "query", "sent"),
    [
        ("method.request.querystring.q", "q=a%0d%0aX-Evil:%201", ""),
        ("method.request.querystring.q", "q=a%0aX-Evil:%201", ""),
        ("method.request.querystring.q", "q=a%00b", ""),
        ("method.request.header.X-Sent", "", "a\r\nX-Evil: 1"),
        ("stageVariables.evil", "", ""),
        ("'a\r\nX-Evil: 1'", "", ""),
    ],
)
def test_a_line_break_never_reaches_a_header(source: str, query: str, sent: str) -> None:
    request = Request("GET", "/_aws/execute-api/abc123/dev/x", query, [("X-Sent", sent)])
    headers = _headers_back(source, request)
    assert "X-Back" not in dict(headers)
    assert not any(CONTROL_CHARACTER.search(name + value) for name, value in headers)


@given(st.text(max_size=20))
def test_no_header_value_breaks_the_answer(value: str) -> None:
    request = Request("GET", "/_aws/execute-api/abc123/dev/x", headers=[("X-Sent", value)])
    for name, text in _headers_back("method.request.header.X-Sent", request):
        assert not CONTROL_CHARACTER.search(name + text)
        assert text == text.strip()


def test_a_call_without_a_route_still_renders() -> None:
    record = {"responseTemplates": {"application/json": "[$context.resourcePath]"}}
    found = call(configuration={"gateway_responses": {"UNAUTHORIZED": record}})
    found.route = None
    assert reject(found, Stop(GatewayError(UNAUTHORIZED), Code.TOKEN_MISSING, "no")).body == b"[]"
