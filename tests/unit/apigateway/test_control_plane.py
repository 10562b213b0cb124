"""API Gateway's control planes: patches, refusals, and that nothing of a refused call stays."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.control.patches import PatchOperation
from labkit.local.apigateway.control.rest.gateway_responses import DEFAULT_STATUS
from labkit.local.apigateway.control.rest.methods import patched_scopes
from labkit.local.messages import Response
from tests.support.control_plane import FUNCTION_URI, ControlPlane, Engine


def _scopes(before: list[str], operations: list[tuple[str, str | None]]) -> list[str]:
    after = before
    for op, value in operations:
        after = patched_scopes(after, PatchOperation(op, "/authorizationScopes", value))
    return after


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
    assert _scopes(before, operations) == after


@given(
    st.lists(st.text()),
    st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.text())),
)
def test_scopes_are_never_letters(before: list[str], operations: list[tuple[str, str]]) -> None:
    written = {v.strip() for _op, value in operations for v in value.split(",")}
    assert set(_scopes(before, list(operations))) <= set(before) | written


@pytest.mark.parametrize(
    ("value", "kept"), [("true", True), ("True", True), ("false", False), ("", False)]
)
def test_truth_values(value: str, kept: bool) -> None:
    api = ControlPlane().rest_api()
    where = api.mock()
    patch = [_op("replace", "/apiKeyRequired", value)]
    assert api("UpdateMethod", **where, patchOperations=patch).result["apiKeyRequired"] is kept
    patch = [_op("replace", "/disableExecuteApiEndpoint", value)]
    assert api("UpdateRestApi", patchOperations=patch).result["disableExecuteApiEndpoint"] is kept


def _op(op: str, path: str, value: str | None = None) -> dict[str, str]:
    found = {"op": op, "path": path, "value": value}
    return {name: text for name, text in found.items() if text is not None}


def _update(api: Any, kind: str, *operations: Any) -> Any:
    return api("UpdateGatewayResponse", responseType=kind, patchOperations=list(operations))


def test_an_update_turns_a_default_into_a_customised_response() -> None:
    api = ControlPlane().rest_api()
    parameter = "/responseParameters/gatewayresponse.header.X"
    answer = _update(api, "UNAUTHORIZED", _op("add", parameter, "'y'"))
    assert answer.status == 200
    assert answer.result == {
        "responseType": "UNAUTHORIZED",
        "statusCode": "401",
        "responseParameters": {"gatewayresponse.header.X": "'y'"},
        "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
        "defaultResponse": False,
    }
    html = _op("add", "/responseTemplates/text~1html", "<p>")
    changed = _update(api, "UNAUTHORIZED", html, _op("remove", parameter)).result
    assert changed["responseParameters"] == {}
    assert changed["responseTemplates"]["text/html"] == "<p>"


@pytest.mark.parametrize(
    ("operation", "status", "message"),
    [
        (_op("add", "/statusCode", "404"), 400, "Invalid patch path /statusCode"),
        (_op("remove", "/statusCode"), 400, "Invalid patch path /statusCode"),
        (_op("replace", "/statusCode", "abc"), 400, "Invalid status code specified"),
        (_op("replace", "/statusCode", "99"), 400, "Invalid status code specified"),
        (_op("replace", "/statusCode", "4040"), 400, "Invalid status code specified"),
        (_op("replace", "/statusCode/x", "404"), 400, "Invalid patch path /statusCode/x"),
        (_op("replace", "/defaultResponse", "true"), 400, "Invalid patch path /defaultResponse"),
        (_op("replace", "/responseType", "THROTTLED"), 400, "Invalid patch path /responseType"),
        (
            _op("replace", "/responseParameters", "{}"),
            400,
            "Invalid patch path /responseParameters",
        ),
        (
            _op("test", "/responseParameters/a", "b"),
            400,
            "Invalid patch path /responseParameters/a",
        ),
        (_op("replace", "", "b"), 400, "Invalid patch path "),
        ({"op": "replace"}, 400, "Invalid patch path null"),
        (_op("replace", "/responseParameters/a", "b"), 404, "Invalid parameter name specified"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(
    operation: dict[str, str], status: int, message: str
) -> None:
    api = ControlPlane().rest_api()
    before = copy.deepcopy(api("GetGatewayResponses").result)
    answer = _update(api, "UNAUTHORIZED", _op("replace", "/statusCode", "418"), operation)
    assert (answer.status, answer.message) == (status, message)
    assert api("GetGatewayResponses").result == before


@pytest.mark.parametrize("wrong", ["text", 7, None, [[]]])
def test_patch_operations_that_are_none_are_refused(wrong: object) -> None:
    api = ControlPlane().rest_api()
    body = json.dumps({"patchOperations": wrong if wrong == [[]] else [wrong]})
    path = f"/restapis/{api.id}/gatewayresponses/UNAUTHORIZED"
    assert api.plane.send("PATCH", path, body=body).status == 400


@pytest.mark.parametrize("status", [403, 400, 500])
def test_who_may_not_call_may_not_update(status: int) -> None:
    engine = Engine()
    api = ControlPlane(engine=engine).rest_api()
    engine.refusal = Response.of_json({"message": "no"}, status)
    assert _update(api, "UNAUTHORIZED", _op("replace", "/statusCode", "418")).status == status
    engine.refusal = None
    assert api("GetGatewayResponse", responseType="UNAUTHORIZED").result["statusCode"] == "401"


def test_the_types_are_sorted() -> None:
    assert list(DEFAULT_STATUS) == sorted(DEFAULT_STATUS)
    assert len(DEFAULT_STATUS) == 21


def test_a_name_of_an_sdk_with_slashes_and_colons_is_one_parameter() -> None:
    api = ControlPlane().rest_api()
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api.id}"
    assert api.plane("TagResource", resourceArn=arn, tags={"a": "b"}).status == 204
    assert api.plane("GetTags", resourceArn=arn).result == {"tags": {"a": "b"}}
    assert api.plane("UntagResource", resourceArn=arn, tagKeys=["a"]).status == 204
    assert api.plane("GetTags", resourceArn=arn).result == {"tags": {}}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("CreateVpcLink", {"name": "a", "targetArns": []}),
        ("ImportApiKeys", {"body": b"", "format": "csv"}),
        ("GetSdkTypes", {}),
    ],
)
def test_what_is_not_offered_says_so(operation: str, parameters: dict[str, Any]) -> None:
    answer = ControlPlane()(operation, **parameters)
    assert answer.error == "BadRequestException"
    assert answer.message == f"The local cloud doesn't offer {operation}."


def test_an_authorizer_in_use_is_not_deleted() -> None:
    api = ControlPlane().rest_api("/test")
    made = api(
        "CreateAuthorizer",
        name="mine",
        type="TOKEN",
        authorizerUri=FUNCTION_URI,
        identitySource="method.request.header.Authorization",
    ).result
    api.mock("/test", authorizationType="CUSTOM", authorizerId=made["id"])
    answer = api("DeleteAuthorizer", authorizerId=made["id"])
    assert (answer.status, answer.error) == (409, "ConflictException")
    assert answer.message == "Cannot delete authorizer 'mine', is referenced in method: GET//test"


ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize(
    ("role", "status", "words"),
    [
        (ROLE, 201, ""),
        ("arn:aws:iam::*:user/*", 201, ""),
        ("arn:aws:iam::123456789012:role/forbidden", 403, "may not"),
        ("arn:aws:iam::210987654321:role/r", 403, "Cross-account pass role is not allowed."),
        ("r", 400, "Invalid ARN specified in the request"),
    ],
)
def test_a_role_of_an_integration_must_be_passed(role: str, status: int, words: str) -> None:
    api = ControlPlane().rest_api()
    where = {"resourceId": api.resource("/"), "httpMethod": "GET"}
    assert api("PutMethod", **where, authorizationType="NONE").status == 201
    made = {"type": "AWS", "integrationHttpMethod": "POST", "uri": FUNCTION_URI}
    answer = api("PutIntegration", **where, **made, credentials=role)
    assert (answer.status, answer.message) == (status, words)
    assert (api("GetIntegration", **where).status == 200) == (status == 201)


def test_so_must_the_role_of_an_authorizer_and_of_the_logs() -> None:
    api = ControlPlane().rest_api()
    answer = api(
        "CreateAuthorizer",
        name="a",
        type="TOKEN",
        authorizerUri=FUNCTION_URI,
        identitySource="method.request.header.Authorization",
        authorizerCredentials=f"{ROLE}/forbidden",
    )
    assert (answer.status, answer.error) == (403, "AccessDeniedException")
    patch = [_op("replace", "/cloudwatchRoleArn", f"{ROLE}/forbidden")]
    assert api.plane("UpdateAccount", patchOperations=patch).status == 403
    assert "cloudwatchRoleArn" not in api.plane.made("GetAccount")
