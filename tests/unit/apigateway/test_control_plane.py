"""What is corrected in front of the engine's control plane."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labkit.local.apigateway.control.rest.control_plane import patched_scopes, truth_values
from labkit.local.apigateway.control.rest.gateway_response_operations import (
    DEFAULT_STATUS,
    answer_gateway_response_operation,
    is_gateway_response_operation,
)

from labkit.local.messages import Request, Response
from tests.support.rest_calls import run


@pytest.mark.parametrize(
    ("before", "operations", "after"),
    [
        (["a"], [], ["a"]),
        (["a"], [("add", "b")], ["a", "b"]),
        (["a"], [("add", "a")], ["a"]),
        (["a"], [("add", "b,c")], ["a", "b", "c"]),
        (["a"], [("add", " b , ,c ")], ["a", "b", "c"]),
        (["a", "b"], [("remove", "a")], ["b"]),
        (["a", "b"], [("remove", "a,b")], []),
        (["a", "b"], [("remove", "c")], ["a", "b"]),
        (["a", "b"], [("remove", None)], []),
        (["a"], [("replace", "b")], ["b"]),
        (["a"], [("replace", "")], []),
        (["a"], [("replace", "b"), ("add", "c"), ("remove", "b")], ["c"]),
    ],
)
def test_scopes(
    before: list[str], operations: list[tuple[str, str | None]], after: list[str]
) -> None:
    asked = [{"op": op, "path": "/authorizationScopes", "value": value} for op, value in operations]
    assert patched_scopes(before, asked) == after


@given(st.lists(st.text()), st.lists(st.dictionaries(st.sampled_from(["op", "value"]), st.text())))
def test_scopes_are_never_letters(before: list[str], operations: list[dict[str, Any]]) -> None:
    after = patched_scopes(before, operations)
    written = {v.strip() for op in operations for v in op.get("value", "").split(",")}
    assert set(after) <= set(before) | written


@pytest.mark.parametrize(
    ("value", "kept"),
    [("true", True), ("True", True), ("false", False), ("", False), (True, True), (False, False)],
)
def test_truth_values(value: object, kept: bool) -> None:
    assert truth_values({"apiKeyRequired": value}) == {"apiKeyRequired": kept}
    assert truth_values({"disableExecuteApiEndpoint": value}) == {"disableExecuteApiEndpoint": kept}


class Api:
    """A control plane that knows one API and, like the engine, no update of gateway responses."""

    def __init__(self, status: int = 404) -> None:
        self.status = status
        self.customised: dict[str, dict[str, Any]] = {}

    def rest_api_region(self, api_id: str) -> str | None:
        return "us-east-1" if api_id == "abc123" else None

    def gateway_responses(self, api_id: str, region: str) -> dict[str, dict[str, Any]]:
        return self.customised

    async def forward(self, request: Request) -> Response:
        return Response.of_json({"message": "Unknown path"}, self.status)

    def patch(self, kind: str, *operations: Any, api_id: str = "abc123") -> Response:
        path = f"/restapis/{api_id}/gatewayresponses/{kind}"
        body = json.dumps({"patchOperations": operations}).encode()
        request = Request("PATCH", path, body=body)
        assert is_gateway_response_operation(request)
        return run(answer_gateway_response_operation(request, self, self.forward))


def _op(op: str, path: str, value: str | None = None) -> dict[str, str | None]:
    return {"op": op, "path": path, "value": value}


def test_an_update_turns_a_default_into_a_customised_response() -> None:
    api = Api()
    parameter = "/responseParameters/gatewayresponse.header.X"
    answer = api.patch("UNAUTHORIZED", _op("add", parameter, "'y'"))
    assert answer.status == 200
    assert answer.json() == {
        "responseType": "UNAUTHORIZED",
        "statusCode": "401",
        "responseParameters": {"gatewayresponse.header.X": "'y'"},
        "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
        "defaultResponse": False,
    }
    api.patch(
        "UNAUTHORIZED",
        _op("replace", "/responseTemplates/text~1html", "<p>"),
        _op("remove", parameter),
    )
    assert api.customised["UNAUTHORIZED"]["responseParameters"] == {}
    assert api.customised["UNAUTHORIZED"]["responseTemplates"]["text/html"] == "<p>"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (_op("add", "/statusCode", "404"), "Invalid patch path /statusCode"),
        (_op("remove", "/statusCode"), "Invalid patch path /statusCode"),
        (_op("replace", "/statusCode", "abc"), "Invalid status code specified"),
        (_op("replace", "/statusCode", "99"), "Invalid status code specified"),
        (_op("replace", "/statusCode", "4040"), "Invalid status code specified"),
        (_op("replace", "/statusCode/x", "404"), "Invalid patch path /statusCode/x"),
        (_op("replace", "/defaultResponse", "true"), "Invalid patch path /defaultResponse"),
        (_op("replace", "/responseType", "THROTTLED"), "Invalid patch path /responseType"),
        (_op("replace", "/responseParameters", "{}"), "Invalid patch path /responseParameters"),
        (_op("test", "/responseParameters/a", "b"), "Invalid patch path /responseParameters/a"),
        (_op("replace", "", "b"), "Invalid patch path "),
        ({"op": "replace"}, "Invalid request input"),
        ("text", "Invalid request input"),
        (7, "Invalid request input"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(operation: object, message: str) -> None:
    api = Api()
    good = _op("replace", "/statusCode", "418")
    answer = api.patch("UNAUTHORIZED", good, operation)
    assert (answer.status, answer.json()) == (400, {"message": message})
    assert api.customised == {}


def test_an_unknown_type_is_refused() -> None:
    answer = Api().patch("NOTHING", _op("replace", "/statusCode", "418"))
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (400, "BadRequestException")


@pytest.mark.parametrize("status", [403, 400, 500])
def test_who_may_not_call_may_not_update(status: int) -> None:
    api = Api(status)
    assert api.patch("UNAUTHORIZED", _op("replace", "/statusCode", "418")).status == status
    assert api.customised == {}


def test_an_unknown_api_is_the_engines_404() -> None:
    api = Api()
    assert (
        api.patch("UNAUTHORIZED", _op("replace", "/statusCode", "418"), api_id="none").status == 404
    )
    assert api.customised == {}


def test_the_types_are_sorted() -> None:
    assert list(DEFAULT_STATUS) == sorted(DEFAULT_STATUS)
    assert len(DEFAULT_STATUS) == 21
