"""``ImportApi``, ``ReimportApi`` and ``ExportApi`` of HTTP APIs."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.control.store import HttpApi
from tests.support.control_plane import FUNCTION_URI, REGION, ControlPlane
from tests.support.generated_api import TEXTS

ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_ABC123"
NOBODY = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_NOBODY"
INTEGRATION = "x-amazon-apigateway-integration"
AUTHORIZER = "x-amazon-apigateway-authorizer"
PROXY = {"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION_URI, "payloadFormatVersion": "2.0"}  # fmt: skip
ANY = "x-amazon-apigateway-any-method"
JWT = {
    "type": "oauth2",
    AUTHORIZER: {
        "type": "jwt",
        "jwtConfiguration": {"issuer": ISSUER, "audience": ["client"]},
        "identitySource": "$request.header.Authorization",
    },
}
ASKED = {
    "type": "apiKey",
    "name": "Unused",
    "in": "header",
    AUTHORIZER: {
        "type": "request",
        "authorizerUri": FUNCTION_URI,
        "identitySource": ["$request.header.X-A"],
        "authorizerPayloadFormatVersion": 2.0,
        "enableSimpleResponses": True,
    },
}


def openapi(paths: dict[str, Any], **members: Any) -> dict[str, Any]:
    info = {"title": "Pets", "version": "1"}
    return {"openapi": "3.0.1", "info": info, "paths": paths, **members}


FULL = openapi(
    {
        "/pets/{id}": {
            "get": {"operationId": "getPet", "security": [{"jwt": ["a"]}], INTEGRATION: PROXY},
            ANY: {"security": [{"asked": []}], INTEGRATION: PROXY},
        },
        "/signed": {"post": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, INTEGRATION: PROXY}},
        "/$default": {
            ANY: {
                "isDefaultRoute": True,
                INTEGRATION: {
                    "type": "http_proxy",
                    "httpMethod": "ANY",
                    "uri": "https://example.com",
                    "payloadFormatVersion": "1.0",
                    "connectionType": "INTERNET",
                    "timeoutInMillis": 1_000,
                },
            }
        },
    },
    components={"securitySchemes": {"jwt": JWT, "asked": ASKED}},
    **{
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://example.com"], "maxAge": 60},
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True},
        "x-amazon-apigateway-importexport-version": "1.0",
    },
)


@pytest.fixture
def plane() -> ControlPlane:
    return ControlPlane("apigatewayv2")


def apis(plane: ControlPlane) -> dict[str, HttpApi]:
    return plane.gateway.store.region(REGION).http_apis


def imported(plane: ControlPlane, document: Any, **parameters: Any) -> dict[str, Any]:
    """The answer of ``ImportApi``, with ``ApiId`` and the like."""
    body = document if isinstance(document, str) else json.dumps(document)
    return plane.made("ImportApi", Body=body, **parameters)


def exported(plane: ControlPlane, api_id: str, kind: str = "JSON", **more: Any) -> bytes:
    answer = plane("ExportApi", ApiId=api_id, Specification="OAS30", OutputType=kind, **more)
    assert answer.status == 200
    return answer.body


def refusal(plane: ControlPlane, document: Any, **parameters: Any) -> str:
    """The message of a refused import, which left nothing behind."""
    body = document if isinstance(document, str) else json.dumps(document)
    answer = plane("ImportApi", Body=body, **parameters)
    assert (answer.status, answer.error) == (400, "BadRequestException")
    assert not apis(plane)
    return answer.message


def routes(plane: ControlPlane, api_id: str) -> dict[str, dict[str, Any]]:
    """The routes by key, with their authorizers' names and their integrations."""
    api, found = apis(plane)[api_id], {}
    for route in api.routes.values():
        shown = {name: value for name, value in route.items() if name not in ("routeId", "target")}
        authorizer = api.authorizers.get(str(route.get("authorizerId")))
        if authorizer:
            shown["authorizerId"] = authorizer["name"]
        target = str(route.get("target", "")).removeprefix("integrations/")
        integration = dict(api.integrations.get(target, {}))
        integration.pop("integrationId", None)
        found[route["routeKey"]] = {**shown, "integration": integration}
    return found


def shape(plane: ControlPlane, api_id: str) -> dict[str, Any]:
    """What an API is, without its ids."""
    api = apis(plane)[api_id]
    names = ("name", "description", "version", "corsConfiguration", "disableExecuteApiEndpoint")
    authorizers = {
        one["name"]: {name: value for name, value in one.items() if name != "authorizerId"}
        for one in api.authorizers.values()
    }
    settings = {name: api.settings.get(name) for name in names}
    return {"settings": settings, "routes": routes(plane, api_id), "authorizers": authorizers}


def test_what_a_file_makes(plane: ControlPlane) -> None:
    made = imported(plane, FULL, FailOnWarnings=True)
    assert made["CorsConfiguration"] == {"AllowOrigins": ["https://example.com"], "MaxAge": 60}
    assert (made["Name"], made["Version"], made["ProtocolType"]) == ("Pets", "1", "HTTP")
    assert made["DisableExecuteApiEndpoint"] is True
    assert "Warnings" not in made
    found = routes(plane, made["ApiId"])
    assert {key: one["authorizationType"] for key, one in found.items()} == {
        "GET /pets/{id}": "JWT",
        "ANY /pets/{id}": "CUSTOM",
        "POST /signed": "AWS_IAM",
        "$default": "NONE",
    }
    assert found["GET /pets/{id}"]["authorizationScopes"] == ["a"]
    assert found["GET /pets/{id}"]["operationName"] == "getPet"
    assert found["GET /pets/{id}"]["integration"] == {
        "connectionType": "INTERNET",
        "integrationMethod": "POST",
        "integrationType": "AWS_PROXY",
        "integrationUri": FUNCTION_URI,
        "payloadFormatVersion": "2.0",
        "timeoutInMillis": 30_000,
    }


@pytest.mark.parametrize("kind", ["JSON", "YAML"])
def test_an_export_is_imported_as_the_same_api(plane: ControlPlane, kind: str) -> None:
    made = imported(plane, FULL)
    before = shape(plane, made["ApiId"])
    body = exported(plane, made["ApiId"], kind).decode()
    again = imported(plane, body, FailOnWarnings=True)
    assert shape(plane, again["ApiId"]) == before
    plane.made("ReimportApi", ApiId=made["ApiId"], Body=body)
    assert shape(plane, made["ApiId"]) == before


def test_a_stage_s_export_names_the_stage(plane: ControlPlane) -> None:
    made = imported(plane, FULL)
    plane.made("CreateStage", ApiId=made["ApiId"], StageName="v1", AutoDeploy=True)
    found = json.loads(exported(plane, made["ApiId"], StageName="v1", IncludeExtensions=False))
    assert found["servers"][0]["variables"] == {"basePath": {"default": "v1"}}
    assert INTEGRATION not in json.dumps(found)
    asked = {"Specification": "OAS30", "OutputType": "JSON", "StageName": "v2"}
    answer = plane("ExportApi", ApiId=made["ApiId"], **asked)
    assert (answer.status, answer.message) == (404, "Unable to find Stage by name v2")


def test_one_integration_may_serve_several_routes(plane: ControlPlane) -> None:
    reference = {INTEGRATION: {"$ref": "#/components/x-amazon-apigateway-integrations/one"}}
    components = {"x-amazon-apigateway-integrations": {"one": PROXY}}
    document = openapi({"/a": {"get": reference, "put": reference}}, components=components)
    api = apis(plane)[imported(plane, document)["ApiId"]]
    assert len(api.integrations) == 1
    assert len({route["target"] for route in api.routes.values()}) == 1


def test_the_default_route_of_sam_is_made_with_a_warning(plane: ControlPlane) -> None:
    document = openapi({"$default": {ANY: {"isDefaultRoute": True, INTEGRATION: PROXY}}})
    made = imported(plane, document)
    assert list(routes(plane, made["ApiId"])) == ["$default"]
    warning = "Parse issue: attribute paths. Resource $default should start with /"
    assert made["Warnings"] == [warning]
    other = ControlPlane("apigatewayv2")
    answer = refusal(other, document, FailOnWarnings=True)
    assert answer == f"Warnings found during import:\n\t{warning}"


def test_base_path(plane: ControlPlane) -> None:
    document = openapi({"/a": {"get": {INTEGRATION: PROXY}}}, servers=[{"url": "/v1/x"}])
    for how, key in (("ignore", "GET /a"), ("prepend", "GET /v1/x/a"), ("split", "GET /x/a")):
        made = imported(plane, document, Basepath=how)
        assert list(routes(plane, made["ApiId"])) == [key]


def test_a_file_takes_the_place_of_an_api(plane: ControlPlane) -> None:
    made = imported(plane, FULL)
    plane.made("CreateStage", ApiId=made["ApiId"], StageName="v1", AutoDeploy=True)
    first = plane.made("GetStage", ApiId=made["ApiId"], StageName="v1")["DeploymentId"]
    document = openapi({"/b": {"get": {INTEGRATION: PROXY}}})
    again = plane.made("ReimportApi", ApiId=made["ApiId"], Body=json.dumps(document))
    assert (again["ApiId"], again["ApiEndpoint"]) == (made["ApiId"], made["ApiEndpoint"])
    assert "CorsConfiguration" not in again
    assert again["DisableExecuteApiEndpoint"] is False
    assert list(routes(plane, made["ApiId"])) == ["GET /b"]
    assert apis(plane)[made["ApiId"]].authorizers == {}
    assert plane.made("GetStage", ApiId=made["ApiId"], StageName="v1")["DeploymentId"] != first


def test_a_refused_file_changes_nothing(plane: ControlPlane) -> None:
    made = imported(plane, FULL)
    before = copy.deepcopy(apis(plane))
    broken = openapi({"/a": {"get": {"security": [{"nobody": []}], INTEGRATION: PROXY}}})
    for document in (broken, {}, openapi({"a": {}})):
        body = json.dumps(document)
        answer = plane("ReimportApi", ApiId=made["ApiId"], Body=body, FailOnWarnings=True)
        assert answer.status == 400
    assert apis(plane) == before


UNKNOWN_ISSUER = {
    "type": "oauth2",
    AUTHORIZER: {
        **JWT[AUTHORIZER],  # type: ignore[dict-item]
        "jwtConfiguration": {"issuer": NOBODY, "audience": ["a"]},
    },
}


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("{", "Invalid OpenAPI input."),
        ({"swagger": "2.0", "info": {"title": "x"}, "paths": {}}, "Invalid OpenAPI input."),
        (
            openapi({}, components={"securitySchemes": {"u": UNKNOWN_ISSUER}}),
            "Warnings found during import:\n\tUnable to create Authorizer 'u': Caught exception when connecting to "
            f"{NOBODY}/.well-known/openid-configuration for issuer {NOBODY}. Please try",
        ),
        (
            openapi({"/a": {"get": {INTEGRATION: {**PROXY, "credentials": "arn:aws:iam::1:role/x"}}}}),
            "Unable to create Route 'GET /a': The local cloud doesn't offer CredentialsArn",
        ),
        (
            openapi({"/a": {"get": {INTEGRATION: {**PROXY, "integrationSubtype": "SQS-SendMessage"}}}}),
            "The local cloud doesn't offer IntegrationSubtype",
        ),
        (
            openapi({"/a": {"get": {INTEGRATION: {**PROXY, "type": "mock"}}}}),
            "Invalid integration type specified: MOCK",
        ),
        (
            openapi(
                {"/a": {"get": {}}},
                security=[{"key": []}],
                components={"securitySchemes": {"key": {"type": "apiKey"}}},
            ),
            "The local cloud doesn't offer this value of ApiKeyRequired. It offers False.",
        ),
        (openapi({}, **{"x-amazon-apigateway-policy": {}}), "The local cloud doesn't offer x-amazon-apigateway-policy"),
        (openapi({"/a": {"get": {}}, "/a/": {"get": {}}}), "Route with key GET /a already exists for this API"),
        (openapi({"/a": {ANY: {"isDefaultRoute": True}}}), "The local cloud doesn't offer isDefaultRoute at ANY /a"),
    ],
)  # fmt: skip
def test_what_is_refused(plane: ControlPlane, document: Any, error: str) -> None:
    assert error in refusal(plane, document)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for name, one in members for place in _places(one, (*path, name)))]  # fmt: skip


@given(st.sampled_from([place for place in _places(FULL) if place]), VALUES)
def test_whatever_a_member_is_it_is_taken_or_refused(place: tuple[Any, ...], value: Any) -> None:
    plane, document = ControlPlane("apigatewayv2"), copy.deepcopy(FULL)
    owner = document
    for name in place[:-1]:
        owner = owner[name]
    owner[place[-1]] = value
    answer = plane("ImportApi", Body=json.dumps(document))
    if answer.error:
        assert answer.status == 400
        assert not apis(plane)
        return
    before = shape(plane, answer.result["ApiId"])
    again = imported(plane, exported(plane, answer.result["ApiId"]).decode())
    after = shape(plane, again["ApiId"])
    if before["settings"]["version"] is None:
        del before["settings"]["version"], after["settings"]["version"]
    assert after == before
