"""``ImportRestApi`` and ``PutRestApi``: what a file makes of an API, and what they refuse."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.control.store import RestApi
from tests.support.control_plane import FUNCTION_URI, POOL, REGION, ControlPlane

INTEGRATION = "x-amazon-apigateway-integration"
MOCK = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
GET = {"get": {INTEGRATION: MOCK}}


def swagger(paths: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "Pets", "version": "1"}, "paths": paths, **members}


def openapi(paths: dict[str, Any], **members: Any) -> dict[str, Any]:
    info = {"title": "Pets", "version": "1"}
    return {"openapi": "3.0.1", "info": info, "paths": paths, **members}


def imported(plane: ControlPlane, document: Any, **parameters: Any) -> dict[str, Any]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return plane.made("ImportRestApi", body=body, **parameters)


def api_of(plane: ControlPlane, made: dict[str, Any]) -> RestApi:
    """The records of an API."""
    return rest_apis(plane)[made["id"]]


def rest_apis(plane: ControlPlane) -> dict[str, RestApi]:
    return plane.gateway.store.region(REGION).rest_apis


def methods(plane: ControlPlane, made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = api_of(plane, made).methods()
    return {f"{verb} {resource['path']}": method for resource, verb, method in found}


def refusal(plane: ControlPlane, document: Any, **parameters: Any) -> str:
    """The message of a refused import, which left nothing behind."""
    before = copy.deepcopy(rest_apis(plane))
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = plane("ImportRestApi", body=body, **parameters)
    assert (answer.status, answer.error) == (400, "BadRequestException")
    assert rest_apis(plane) == before
    return answer.message


@pytest.fixture
def plane() -> ControlPlane:
    return ControlPlane()


# -- what is no definition --------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"text",
        b"\xff\xfe",
        b'{"swagger": "2.0", "swagger": "2.0", "info": {"title": "x"}, "paths": {}}',
        b"swagger: '2.0'\ninfo: {title: x}\npaths: {}\npaths: {}\n",
        b"swagger: '2.0'\ninfo: {title: x}\npaths: !Ref y\n",
        b"swagger: '2.0'\ninfo: {title: x}\npaths: !!python/object/apply:os.getcwd []\n",
        b"swagger: '2.0'\ninfo: {title: x}\npaths: &a {/a: *a}\n",
        b"swagger: '2.0'\ninfo: {title: x}\npaths: {<<: {/a: {}}}\n",
        b'{"swagger": "2.0", "info": {"title": "x"}, "paths": {}, "x": NaN}',
        b'{"swagger": "2.0", "info": {"title": "x"}, "paths": {}, "x": 1e999}',
        b'{"swagger": "2.0", "info": {"title": "\\ud800"}, "paths": {}}',
        b"[" * 200_000,
        b"a: " + b"{a: " * 200_000,
        json.dumps(swagger({}, x=None, y="x" * (6 << 20))).encode(),
        json.dumps({**swagger({}), "swagger": "1.2"}).encode(),
        json.dumps({**openapi({}), "openapi": "3.1.0"}).encode(),
        json.dumps({**openapi({}), "info": {}}).encode(),
        json.dumps({**openapi({}), "paths": []}).encode(),
        json.dumps({"info": {"title": "x"}, "paths": {}}).encode(),
        json.dumps(swagger({"/a": []})).encode(),
        json.dumps(swagger({"/a": {"get": []}})).encode(),
        json.dumps(swagger({}, definitions=[])).encode(),
    ],
)
def test_what_is_no_definition(plane: ControlPlane, body: bytes) -> None:
    assert refusal(plane, body) == "Invalid OpenAPI input."


def test_aliases_are_bounded_by_what_they_stand_for(plane: ControlPlane) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert refusal(plane, "\n".join(lines).encode()) == "Invalid OpenAPI input."


def test_yaml_is_read_as_json_s_types(plane: ControlPlane) -> None:
    text = """
swagger: "2.0"
info: {title: 2024-02-29, version: 1:30:00, description: yes}
paths:
  /a:
    get:
      responses: {200: {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        responses: {default: {statusCode: 200}, 2\\d\\d: {statusCode: 012}}
"""
    answer = refusal(plane, text.encode())
    assert "Value '012' at 'statusCode'" in answer
    made = imported(plane, text.replace("012", "201").encode())
    assert (made["name"], made["version"], made["description"]) == ("2024-02-29", "1:30:00", "yes")
    method = methods(plane, made)["GET /a"]
    assert method["methodResponses"] == {"200": {"statusCode": "200"}}
    assert (
        method["methodIntegration"]["integrationResponses"]["201"]["selectionPattern"] == r"2\d\d"
    )


# -- what an import makes ---------------------------------------------------------------------


def test_the_answer_and_what_is_there(plane: ControlPlane) -> None:
    made = imported(plane, swagger({}, info={"title": "Pets", "version": 1}))
    assert made == {
        "id": made["id"],
        "name": "Pets",
        "version": "1",
        "createdDate": made["createdDate"],
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": False,
        "rootResourceId": made["rootResourceId"],
    }
    assert plane.made("GetModels", restApiId=made["id"])["items"] == []


def test_settings_of_the_api(plane: ControlPlane) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        },
    }
    made = imported(
        plane,
        swagger(
            {},
            **{
                "x-amazon-apigateway-policy": policy,
                "x-amazon-apigateway-api-key-source": "AUTHORIZER",
                "x-amazon-apigateway-binary-media-types": ["*/*", "image/png"],
                "x-amazon-apigateway-minimum-compression-size": 0,
                "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True},
                "x-amazon-apigateway-gateway-responses": {
                    "UNAUTHORIZED": {"statusCode": 418, "responseTemplates": {"a/b": "c"}}
                },
                "x-amazon-apigateway-importexport-version": "1.0",
            },
        ),
        parameters={"endpointConfigurationTypes": "REGIONAL"},
    )
    assert made["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert made["apiKeySource"] == "AUTHORIZER"
    assert made["binaryMediaTypes"] == ["*/*", "image/png"]
    assert made["minimumCompressionSize"] == 0
    assert made["disableExecuteApiEndpoint"] is True
    assert f"{made['id']}/*" in made["policy"]
    response = api_of(plane, made).gateway_responses["UNAUTHORIZED"]
    assert (response["statusCode"], response["responseTemplates"]) == ("418", {"a/b": "c"})


def test_the_default_endpoint_is_closed_in_a_server(plane: ControlPlane) -> None:
    """Where the Developer Guide has it in version 3; an export has it there, too."""
    name = "x-amazon-apigateway-endpoint-configuration"
    closed, open_ = ({name: {"disableExecuteApiEndpoint": one}} for one in (True, False))
    url = {"url": "https://example.com"}
    made = imported(plane, openapi({"/a": GET}, servers=[url, {**url, **closed}]))
    assert made["disableExecuteApiEndpoint"] is True
    both = openapi({"/a": GET}, servers=[{**url, **closed}, {**url, **open_}])
    assert "two different values" in refusal(plane, both)
    other = openapi({"/a": GET}, servers=[{**url, "x-amazon-apigateway-policy": {}}])
    assert "x-amazon-apigateway-policy of a server" in refusal(plane, other)


def test_a_null_says_nothing_of_security(plane: ControlPlane) -> None:
    scheme = {"type": "apiKey", "in": "header", "name": "x-api-key"}
    made = imported(
        plane,
        openapi(
            {"/a": {"get": {**GET["get"], "security": None}}},
            security=[{"key": []}],
            components={"securitySchemes": {"key": scheme}},
        ),
    )
    assert methods(plane, made)["GET /a"]["apiKeyRequired"] is True


@pytest.mark.parametrize(
    ("how", "paths"),
    [
        ("ignore", {"/", "/test"}),
        ("prepend", {"/", "/base-url", "/base-url/part", "/base-url/part/test"}),
        ("split", {"/", "/part", "/part/test"}),
    ],
)
def test_base_path_of_a_server(plane: ControlPlane, how: str, paths: set[str]) -> None:
    servers = [{"url": "https://testdomain.com/base-url/part/"}]
    made = imported(plane, openapi({"/test": GET}, servers=servers), parameters={"basepath": how})
    assert {one["path"] for one in api_of(plane, made).resources.values()} == paths


@pytest.mark.parametrize(
    ("how", "path"), [("ignore", "/test"), ("prepend", "/base-var/test"), ("split", "/test")]
)
def test_base_path_of_a_variable(plane: ControlPlane, how: str, path: str) -> None:
    variables = {"basePath": {"default": "/base-var"}}
    servers = [{"url": "https://testdomain.com/{basePath}", "variables": variables}]
    made = imported(plane, openapi({"/test": GET}, servers=servers), parameters={"basepath": how})
    assert list(methods(plane, made)) == [f"GET {path}"]


@pytest.mark.parametrize(
    ("how", "path"), [("ignore", "/test"), ("prepend", "/base/test"), ("split", "/test")]
)
def test_base_path_of_swagger(plane: ControlPlane, how: str, path: str) -> None:
    document = swagger({"/test": GET}, basePath="/base")
    made = imported(plane, document, parameters={"basepath": how})
    assert list(methods(plane, made)) == [f"GET {path}"]


def cognito(**schemes: Any) -> dict[str, Any]:
    pool = {
        "type": "apiKey",
        "name": "TestHeaderAuth",
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [POOL]},
    }
    key = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    return {"securitySchemes": {"pool": pool, "api_key": key, **schemes}}


def test_scopes_and_keys(plane: ControlPlane) -> None:
    paths = {
        "/inherits": {"get": {}},
        "/open": {"get": {"security": []}},
        "/sam-open": {"get": {"security": [{"NONE": []}]}},
        "/own": {"get": {"security": [{"pool": ["email", "openid"]}]}},
        "/none": {"get": {"security": [{"pool": []}]}},
        "/key": {"get": {"security": [{"api_key": []}]}},
        "/one": {"get": {"security": [{"pool": ["a"], "api_key": []}]}},
        "/two": {"get": {"security": [{"pool": ["a"]}, {"api_key": []}]}},
        "/iam": {"get": {"security": [], "x-amazon-apigateway-auth": {"type": "AWS_IAM"}}},
    }
    made = imported(plane, openapi(paths, security=[{"pool": ["email"]}], components=cognito()))
    found = methods(plane, made)
    authorizer = next(iter(api_of(plane, made).authorizers.values()))
    assert authorizer == {
        "id": authorizer["id"],
        "name": "pool",
        "type": "COGNITO_USER_POOLS",
        "providerARNs": [POOL],
        "authType": "cognito_user_pools",
        "identitySource": "method.request.header.TestHeaderAuth",
    }
    guarded = {
        path: (
            found[f"GET {path}"]["authorizationType"],
            found[f"GET {path}"].get("authorizationScopes"),
            found[f"GET {path}"]["apiKeyRequired"],
        )
        for path in paths
    }
    pool = "COGNITO_USER_POOLS"
    assert guarded == {
        "/inherits": (pool, ["email"], False),
        "/open": ("NONE", None, False),
        "/sam-open": ("NONE", None, False),
        "/own": (pool, ["email", "openid"], False),
        "/none": (pool, None, False),
        "/key": ("NONE", None, True),
        "/one": (pool, ["a"], True),
        "/two": (pool, ["a"], True),
        "/iam": ("AWS_IAM", None, False),
    }


def test_lambda_authorizers(plane: ControlPlane) -> None:
    token = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "token",
            "authorizerUri": FUNCTION_URI,
            "authorizerResultTtlInSeconds": 60,
            "identityValidationExpression": "^x-.*$",
        },
    }
    request = {
        "type": "apiKey",
        "name": "X-Api-Key",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "authorizerUri": FUNCTION_URI,
            "identitySource": "method.request.header.A, stageVariables.B",
            "authorizerCredentials": "",
        },
    }
    components = {"securitySchemes": {"token": token, "request": request}}
    made = imported(plane, openapi({"/a": GET}, security=[{"request": []}], components=components))
    found = {one["name"]: one for one in api_of(plane, made).authorizers.values()}
    assert found["token"]["identitySource"] == "method.request.header.Authorization"
    assert found["token"]["authType"] == "oauth2"
    assert found["token"]["authorizerResultTtlInSeconds"] == 60
    assert found["request"] == {
        "id": found["request"]["id"],
        "name": "request",
        "type": "REQUEST",
        "authType": "custom",
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.A, stageVariables.B",
    }
    method = methods(plane, made)["GET /a"]
    assert (method["authorizationType"], method["apiKeyRequired"]) == ("CUSTOM", False)


def test_parameters_bodies_and_answers(plane: ControlPlane) -> None:
    pet, text = {"$ref": "#/components/schemas/Pet"}, {"type": "string"}
    item = {
        "parameters": [{"name": "id", "in": "path", "required": True}, {"$ref": "#/components/parameters/Page"}],
        "post": {
            "operationId": "makePet",
            "parameters": [{"name": "page", "in": "query", "required": True}, {"name": "s", "in": "cookie"}],
            "requestBody": {"content": {"application/json": {"schema": pet}, "text/xml": {"schema": text}}},
            "responses": {
                "201": {"headers": {"X-Id": {}}, "content": {"application/json": {"schema": pet}}},
                "default": {"description": "else"},
            },
        },
    }  # fmt: skip
    components = {
        "schemas": {"Pet": {"description": "d", "properties": {"parent": pet}}},
        "parameters": {"Page": {"name": "page", "in": "query"}},
    }
    made = imported(plane, openapi({"/pets/{id}": item}, components=components))
    method = methods(plane, made)["POST /pets/{id}"]
    other = method["requestModels"].pop("text/xml")
    assert method == {
        "httpMethod": "POST",
        "apiKeyRequired": False,
        "authorizationType": "NONE",
        "operationName": "makePet",
        "requestParameters": {
            "method.request.querystring.page": True,
            "method.request.path.id": True,
        },
        "requestModels": {"application/json": "Pet"},
        "methodResponses": {
            "201": {
                "statusCode": "201",
                "responseParameters": {"method.response.header.X-Id": False},
                "responseModels": {"application/json": "Pet"},
            }
        },
    }
    models = api_of(plane, made).models
    assert models["Pet"]["description"] == "d"
    assert json.loads(models["Pet"]["schema"])["properties"]["parent"]["$ref"] == (
        f"https://apigateway.amazonaws.com/restapis/{made['id']}/models/Pet"
    )
    assert json.loads(models[other]["schema"]) == {"type": "string"}


def test_an_integration_may_be_named(plane: ControlPlane) -> None:
    reference = {"$ref": "#/components/x-amazon-apigateway-integrations/one"}
    components = {"x-amazon-apigateway-integrations": {"one": MOCK}}
    made = imported(
        plane, openapi({"/a": {"get": {INTEGRATION: reference}}}, components=components)
    )
    assert methods(plane, made)["GET /a"]["methodIntegration"]["type"] == "MOCK"


def test_request_validators(plane: ControlPlane) -> None:
    basic = {"validateRequestBody": True, "validateRequestParameters": True}
    body = {"validateRequestBody": True}
    name = "x-amazon-apigateway-request-validator"
    made = imported(
        plane,
        swagger(
            {"/a": {"get": {}, "post": {name: "body"}}},
            **{name: "basic", f"{name}s": {"basic": basic, "body": body}},
        ),
    )
    validators = api_of(plane, made).request_validators
    found = methods(plane, made)
    assert validators[found["GET /a"]["requestValidatorId"]]["name"] == "basic"
    assert validators[found["POST /a"]["requestValidatorId"]] == {
        "id": found["POST /a"]["requestValidatorId"],
        "name": "body",
        "validateRequestBody": True,
        "validateRequestParameters": False,
    }


# -- warnings and errors ----------------------------------------------------------------------

WRONG_TYPE = {
    "get": {
        INTEGRATION: {
            "type": "http_proxy",
            "httpMethod": "GET",
            "uri": "https://example.com",
            "requestParameters": {
                "integration.request.header.nothing": True,
                "integration.request.header.some": "'True'",
            },
        }
    }
}
WARNING = (
    "Invalid format for 'requestParameters'. Expected type string for property "
    "'integration.request.header.nothing' of resource '/test' and method 'GET' but got 'true'"
)


def test_a_warning_is_told_and_the_rest_imported(plane: ControlPlane) -> None:
    made = imported(plane, swagger({"/test": WRONG_TYPE}))
    assert made["warnings"] == [WARNING]
    integration = methods(plane, made)["GET /test"]["methodIntegration"]
    assert integration["requestParameters"] == {"integration.request.header.some": "'True'"}


def test_a_warning_ends_the_import_if_asked(plane: ControlPlane) -> None:
    answer = refusal(plane, swagger({"/test": WRONG_TYPE}), failOnWarnings=True)
    assert answer == f"Warnings found during import:\n\t{WARNING}"


def test_a_schema_that_is_not_there_is_a_warning(plane: ControlPlane) -> None:
    schema = {"$ref": "#/components/schemas/Missing"}
    response = {"content": {"application/json": {"schema": schema}}}
    made = imported(plane, openapi({"/update": {"get": {"responses": {"200": response}}}}))
    assert made["warnings"] == [
        "Parse issue: attribute paths.'/update'(get).responses.200.content.schema."
        "#/components/schemas/Missing is missing"
    ]


def _integration(**members: Any) -> dict[str, Any]:
    return {"/a": {"get": {INTEGRATION: {"type": "http_proxy", "httpMethod": "GET", **members}}}}


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (
            swagger({"/version/:v4 0": GET}),
            "Unable to create resource at path '/version/:v4 0': Resource's path part only allow",
        ),
        (
            swagger({"/{a}": GET, "/{b}": GET}),
            "Unable to create resource at path '/{b}': A sibling ({a}) of this resource",
        ),
        (
            swagger({"/a": GET, "/a/": GET}),
            "Duplicate method 'GET' on resource at path '/a'",
        ),
        (
            swagger({"/a": {"trace": {}}}),
            "Unable to put method 'TRACE' on resource at path '/a': Invalid HttpMethod specified.",
        ),
        (
            swagger(_integration(type="aws", uri="arn:aws:iam::1:role/x")),
            "Unable to put integration on 'GET' for resource at path '/a': AWS ARN for integration must contain",
        ),
        (
            swagger(_integration(uri="https://example.com", timeoutInMillis=30_000)),
            "Unable to put integration on 'GET' for resource at path '/a': Timeout should be between 50 ms",
        ),
        (
            swagger(_integration(type="https")),
            "Value 'HTTPS' at 'putIntegrationInput.type' failed to satisfy constraint",
        ),
        (
            swagger(_integration(uri="https://example.com", connectionType="VPC_LINK", connectionId="v")),
            "The local cloud doesn't offer this value of connectionType. It offers INTERNET.",
        ),
        (
            swagger(_integration(uri="https://example.com", integrationSubtype="SQS-SendMessage")),
            "The local cloud doesn't offer x-amazon-apigateway-integration.integrationSubtype.",
        ),
        (
            swagger({"/a": GET}, security=[{"mistyped": []}]),
            "The local cloud doesn't offer the security requirement mistyped",
        ),
        (
            openapi(
                {"/a": GET},
                security=[{"bearer": []}],
                components={"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
            ),
            "The local cloud doesn't offer the security scheme bearer without",
        ),
        (
            openapi({"/a": GET}, security=[{"pool": []}, {"iam": []}], components=cognito(
                iam={"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"}
            )),
            "The local cloud doesn't offer two authorizers of one method.",
        ),
        (
            openapi({}, components=cognito(jwt={"x-amazon-apigateway-authorizer": {"type": "jwt"}})),
            "Unable to create authorizer 'jwt': The local cloud doesn't offer",
        ),
        (
            openapi({}, components=cognito(no={"x-amazon-apigateway-authorizer": {"type": "token"}})),
            "Unable to create authorizer 'no': Invalid Authorizer URI",
        ),
        (
            swagger({}, definitions={"My_Model": {}}),
            "Unable to create model for 'My_Model': Model name must be alphanumeric: My_Model",
        ),
        (
            swagger({}, **{"x-amazon-apigateway-policy": {"Statement": []}}),
            "Invalid policy document.",
        ),
        (swagger({}, **{"x-amazon-apigateway-cors": {}}), "The local cloud doesn't offer x-amazon-apigateway-cors."),
        (
            swagger({"/a": {"get": {"x-amazon-apigateway-request-validator": "none"}}}),
            "Invalid Request Validator specified: none",
        ),
        (swagger({"/a": {"$ref": "other.yaml#/x"}}), "The local cloud doesn't offer $ref of a path."),
        (
            swagger({"/a": {"get": {"responses": {"200": {"$ref": "other.yaml#/x"}}}}}),
            "The local cloud doesn't offer references to other files",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(plane: ControlPlane, document: Any, error: str) -> None:
    assert error in refusal(plane, document)


def test_all_errors_are_told(plane: ControlPlane) -> None:
    paths = _integration(uri="no") | {"/b": {"get": {INTEGRATION: {"type": "aws", "uri": "no"}}}}
    first, *errors = refusal(plane, swagger(paths)).split("\n\t")
    assert first == "Errors found during import:"
    assert [one.partition(":")[0] for one in errors] == [
        "Unable to put integration on 'GET' for resource at path '/a'",
        "Unable to put integration on 'GET' for resource at path '/b'",
    ]


@pytest.mark.parametrize("option", [{"basepath": "drop"}, {"ignore": "all"}, {"whatever": "x"}])
def test_options_that_are_not_there(plane: ControlPlane, option: dict[str, str]) -> None:
    assert refusal(plane, swagger({}), parameters=option)


# -- PutRestApi -------------------------------------------------------------------------------


def put(plane: ControlPlane, made: dict[str, Any], document: Any, **more: Any) -> dict[str, Any]:
    body = json.dumps(document).encode()
    return plane.made("PutRestApi", restApiId=made["id"], body=body, **more)


def test_merge_keeps_what_the_file_does_not_have(plane: ControlPlane) -> None:
    types = "x-amazon-apigateway-binary-media-types"
    two = {"get": {"operationId": "former"}, "post": {}}
    former = openapi({"/a": two}, components=cognito(), **{types: ["image/heif"]})
    made = imported(plane, former)
    ids = {one["path"]: key for key, one in api_of(plane, made).resources.items()}
    authorizers = set(api_of(plane, made).authorizers)
    new = openapi(
        {"/a": {"get": {"operationId": "new"}}, "/b": {"get": {}}},
        info={"title": "Renamed", "version": "2"},
        components=cognito(),
        **{types: ["image/png"]},
    )
    answer = put(plane, made, new)
    assert (answer["id"], answer["name"], answer["version"]) == (made["id"], "Renamed", "2")
    assert answer["binaryMediaTypes"] == ["image/heif", "image/png"]
    assert answer["tags"] == {}
    found = methods(plane, made)
    assert set(found) == {"GET /a", "POST /a", "GET /b"}
    assert found["GET /a"]["operationName"] == "new"
    api = api_of(plane, made)
    assert set(api.authorizers) == authorizers
    assert api.resources.keys() >= set(ids.values())


def test_overwrite_takes_away_what_the_file_does_not_have(plane: ControlPlane) -> None:
    types = "x-amazon-apigateway-binary-media-types"
    policy = {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    made = imported(
        plane,
        openapi(
            {"/a": GET, "/gone": GET},
            info={"title": "Pets", "version": "1", "description": "d"},
            components=cognito(),
            **{
                types: ["image/heif"],
                "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [policy]},
                "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": "503"}},
            },
        ),
    )
    before = api_of(plane, made).resources
    ids = {one["path"]: key for key, one in before.items()}
    answer = put(plane, made, openapi({"/a": GET}, **{types: ["image/png"]}), mode="overwrite")
    assert answer["binaryMediaTypes"] == ["image/png"]
    assert not {"policy", "description"} & set(answer)
    assert answer["rootResourceId"] == made["rootResourceId"]
    api = api_of(plane, made)
    assert (api.authorizers, api.gateway_responses, api.models) == ({}, {}, {})
    assert {one["path"]: key for key, one in api.resources.items()} == {
        "/": ids["/"],
        "/a": ids["/a"],
    }
    integration = methods(plane, made)["GET /a"]["methodIntegration"]
    assert integration["cacheNamespace"] != ids["/a"]


def test_a_method_that_is_kept_has_an_authorizer_of_its_type(plane: ControlPlane) -> None:
    guarded = {"/a": {"get": {"security": [{"pool": []}]}}}
    made = imported(plane, openapi(guarded, components=cognito()))
    token = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": FUNCTION_URI},
    }
    document = openapi({}, components={"securitySchemes": {"pool": token}})
    before = api_of(plane, made).configuration
    answer = plane("PutRestApi", restApiId=made["id"], body=json.dumps(document).encode())
    assert "Unable to put method 'GET' on resource at path '/a'" in answer.message
    assert api_of(plane, made).configuration == before


@pytest.mark.parametrize("mode", ["merge", "overwrite"])
def test_a_refused_update_changes_nothing(plane: ControlPlane, mode: str) -> None:
    made = imported(plane, openapi({"/a": GET}, components=cognito()))
    before = api_of(plane, made).configuration
    broken = openapi({"/a": {"get": {"security": [{"nobody": []}]}}, "/b": GET})
    for document in (broken, {}, swagger({"/test": WRONG_TYPE})):
        answer = plane(
            "PutRestApi",
            restApiId=made["id"],
            body=json.dumps(document).encode(),
            mode=mode,
            failOnWarnings=True,
        )
        assert answer.status == 400
    assert api_of(plane, made).configuration == before


# -- whatever comes ---------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FULL = openapi(
    {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True}],
            "x-amazon-apigateway-any-method": {
                "security": [{"pool": ["email"]}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"200": {"headers": {"X": {}}, "content": {"a/b": {"schema": {}}}}},
                "x-amazon-apigateway-auth": {"type": "NONE"},
                "x-amazon-apigateway-request-validator": "all",
                INTEGRATION: {
                    **MOCK,
                    "requestParameters": {"integration.request.header.A": "'b'"},
                    "responses": {"default": {"statusCode": "200", "responseTemplates": {"a/b": "x"}}},
                },
            },
        }
    },
    servers=[{"url": "https://x/{v}", "variables": {"v": {"default": "1"}}}],
    components={**cognito(), "schemas": {"Pet": {"type": "object"}}},
    **{
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True}},
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": "429"}},
        "x-amazon-apigateway-binary-media-types": ["a/b"],
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": False},
        "x-amazon-apigateway-minimum-compression-size": 3,
        "x-amazon-apigateway-api-key-source": "HEADER",
    },
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for name, one in members for place in _places(one, (*path, name)))]  # fmt: skip


PLACES = [place for place in _places(FULL) if place]


@given(st.sampled_from(PLACES), JSON_VALUES, st.sampled_from(["prepend", "ignore"]))
def test_whatever_a_member_is_it_is_taken_or_refused(
    place: tuple[Any, ...], value: Any, base_path: str
) -> None:
    plane, document = ControlPlane(), copy.deepcopy(FULL)
    owner = document
    for name in place[:-1]:
        owner = owner[name]
    owner[place[-1]] = value
    body = yaml.safe_dump(document).encode()
    answer = plane("ImportRestApi", body=body, parameters={"basepath": base_path})
    if answer.error:
        assert answer.status == 400
        assert not rest_apis(plane)
    else:
        assert answer.status == 201
        assert json.loads(json.dumps(api_of(plane, answer.result).configuration))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_is_it_is_read_or_refused(body: bytes) -> None:
    plane = ControlPlane()
    assert plane("ImportRestApi", body=body).message == "Invalid OpenAPI input."
