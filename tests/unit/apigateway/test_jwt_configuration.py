"""JWT authorizers of REST APIs in the control plane: what they take, what they refuse, how they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.control_plane import FUNCTION_URI, POOL, REGION, Answer, ControlPlane, RestApi
from tests.support.loopback_issuer import DISCOVERY, LoopbackIssuer, loopback_issuer

POOL_ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_ABC123"
HEADER = "method.request.header.Authorization"
ISSUER = {"issuer": POOL_ISSUER, "audiences": ["client"]}
CLAIM = {
    "claimName": "token_use",
    "format": "SINGLE_STRING",
    "required": True,
    "expectedValues": ["access"],
}
REMOVED = "removed"


def configuration(**changes: Any) -> dict[str, Any]:
    return {"issuers": [{**ISSUER, **changes}], "defaultAlgorithms": ["RS256"]}


def kept(api: RestApi) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api("GetAuthorizers").result["items"]
    return items


def create(api: RestApi, **changes: Any) -> Answer:
    asked = {
        "name": "tokens",
        "type": "JWT",
        "identitySource": HEADER,
        "jwtConfiguration": configuration(),
        **changes,
    }
    return api("CreateAuthorizer", **{k: v for k, v in asked.items() if v != REMOVED})


def update(api: RestApi, authorizer_id: str, *patches: tuple[str, str, Any]) -> Answer:
    operations = [
        {"op": op, "path": path, "value": value if isinstance(value, str) else json.dumps(value)}
        for op, path, value in patches
    ]
    return api("UpdateAuthorizer", authorizerId=authorizer_id, patchOperations=operations)


@pytest.fixture
def api() -> RestApi:
    return ControlPlane().rest_api()


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    with loopback_issuer() as made:
        yield made


# -- create ---------------------------------------------------------------------------------------------


def test_it_shows_where_the_keys_are(api: RestApi) -> None:
    made = create(api, jwtConfiguration=configuration(additionalClaims=[CLAIM]))
    assert made.status == 201
    shown = {
        **ISSUER,
        "additionalClaims": [CLAIM],
        "jwksUri": f"{POOL_ISSUER}/.well-known/jwks.json",
    }
    assert made.result == {
        "id": made.result["id"],
        "name": "tokens",
        "type": "JWT",
        "identitySource": HEADER,
        "jwtConfiguration": {"issuers": [shown], "defaultAlgorithms": ["RS256"]},
    }
    assert api("GetAuthorizer", authorizerId=made.result["id"]).result == made.result
    assert kept(api) == [made.result]


def test_the_discovery_document_names_the_keys(api: RestApi, issuer: LoopbackIssuer) -> None:
    both = [{"issuer": issuer.url, "audiences": ["app"]}, ISSUER]
    made = create(api, jwtConfiguration={"issuers": both, "defaultAlgorithms": ["ES256"]}).result
    addresses = [one["jwksUri"] for one in made["jwtConfiguration"]["issuers"]]
    assert addresses == [f"{issuer.url}/keys", f"{POOL_ISSUER}/.well-known/jwks.json"]
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize(
    "document",
    [None, {}, {"issuer": "{url}"}, {"issuer": "{url}/", "jwks_uri": "{url}/keys"}, b"no", b"[]"],
)
def test_an_issuer_without_a_discovery_document(
    document: Any, api: RestApi, issuer: LoopbackIssuer
) -> None:
    if isinstance(document, dict):
        document = json.loads(json.dumps(document).replace("{url}", issuer.url))
    issuer.documents[DISCOVERY] = document
    answer = create(api, jwtConfiguration=configuration(issuer=issuer.url))
    assert (answer.status, answer.error) == (400, "BadRequestException")
    assert answer.message.startswith(f"Invalid issuer: {issuer.url}. Its discovery document ")
    assert kept(api) == []


@pytest.mark.parametrize("far", ["discovery", "keys"])
def test_nothing_leaves_this_machine(far: str, api: RestApi, issuer: LoopbackIssuer) -> None:
    name = "https://issuer.example.com" if far == "discovery" else issuer.url
    issuer.documents[DISCOVERY]["jwks_uri"] = "https://issuer.example.com/keys"
    answer = create(api, jwtConfiguration=configuration(issuer=name))
    assert answer.message == (
        f"The local cloud doesn't offer the issuer {name}: it isn't a user pool of this cloud nor on this machine."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"jwtConfiguration": REMOVED},
        {"identitySource": REMOVED},
        {"identitySource": "method.request.querystring.token"},
        {"identitySource": f"{HEADER},method.request.header.X-Other"},
        {"identitySource": "stageVariables.token"},
        {"providerARNs": [POOL]},
        {"authorizerUri": FUNCTION_URI},
        {"authorizerCredentials": "arn:aws:iam::123456789012:role/r"},
        {"authorizerResultTtlInSeconds": 0},
        {"identityValidationExpression": ".*"},
        {"type": "TOKEN", "authorizerUri": FUNCTION_URI},
        {"type": "COGNITO_USER_POOLS", "providerARNs": [POOL]},
    ],
)
def test_settings_that_do_not_go_together(changes: dict[str, Any], api: RestApi) -> None:
    answer = create(api, **changes)
    assert (answer.status, answer.error) == (400, "BadRequestException"), answer
    assert kept(api) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"issuers": []},
        {"issuers": [ISSUER, ISSUER]},
        {"defaultAlgorithms": []},
        {"defaultAlgorithms": ["RS256", "RS256"]},
        {"unknown": True},
        *(
            {"issuers": [{**ISSUER, "issuer": name}]}
            for name in (
                "",
                "cognito",
                POOL_ISSUER.replace("https", "http"),
                f"{POOL_ISSUER}?",
                f"{POOL_ISSUER}#x",
                f"{POOL_ISSUER} ",
                POOL_ISSUER.replace("//", "//me@"),
                "https://",
                "https://[",
                f"{POOL_ISSUER}/",
                "ftp://127.0.0.1/",
            )
        ),
        {"issuers": [{**ISSUER, "audiences": []}]},
        {"issuers": [{**ISSUER, "audiences": [""]}]},
        {"issuers": [{**ISSUER, "jwksUri": f"{POOL_ISSUER}/.well-known/jwks.json"}]},
        *(
            {"issuers": [{**ISSUER, "additionalClaims": claims}]}
            for claims in (
                [CLAIM, CLAIM],
                [{**CLAIM, "claimName": ""}],
                *(
                    [{**CLAIM, "claimName": name}]
                    for name in "iss aud exp nbf iat scope scp".split()
                ),
                [{**CLAIM, "expectedValues": []}],
                [{**CLAIM, "expectedValues": [""]}],
                [{**CLAIM, "expectedValues": ["access", "id"]}],
                [{**CLAIM, "unknown": 1}],
            )
        ),
    ],
)
def test_configurations_that_are_refused(changed: dict[str, Any], api: RestApi) -> None:
    asked = {**configuration(), **changed}
    answer = api.plane.send(
        "POST",
        f"/restapis/{api.id}/authorizers",
        body=json.dumps(
            {"name": "n", "type": "JWT", "identitySource": HEADER, "jwtConfiguration": asked}
        ),
    )
    assert answer.status == 400, answer.body
    assert kept(api) == []
    made = create(api).result
    assert update(api, made["id"], ("replace", "/jwtConfiguration", asked)).status == 400
    assert kept(api) == [made]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"issuers": REMOVED},
            "Value null at 'createAuthorizerInput.jwtConfiguration.issuers' failed to satisfy constraint: Member must "
            "not be null",
        ),
        (
            {"defaultAlgorithms": ["HS256"]},
            "enum value set: [RS256, RS384, RS512, ES256, ES384, ES512]",
        ),
        ({"issuers": [{"issuer": POOL_ISSUER}]}, "jwtConfiguration.issuers.1.member.audiences'"),
    ],
)
def test_the_model_is_held_against_it(changed: dict[str, Any], said: str, api: RestApi) -> None:
    asked = {k: v for k, v in {**configuration(), **changed}.items() if v != REMOVED}
    answer = create(api, jwtConfiguration=asked)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert said in answer.message


# -- update ----------------------------------------------------------------------------------------------


def test_a_replacement_replaces_everything(api: RestApi, issuer: LoopbackIssuer) -> None:
    made = create(api, jwtConfiguration=configuration(additionalClaims=[CLAIM])).result
    other = {
        "issuers": [{"issuer": issuer.url, "audiences": ["app"]}],
        "defaultAlgorithms": ["ES384"],
    }
    changed = update(api, made["id"], ("replace", "/jwtConfiguration", other)).result
    [now] = changed["jwtConfiguration"]["issuers"]
    assert now == {"issuer": issuer.url, "audiences": ["app"], "jwksUri": f"{issuer.url}/keys"}
    issuer.documents[DISCOVERY]["jwks_uri"] = f"{issuer.url}/new"
    assert update(api, made["id"], ("replace", "/name", "other")).result == {
        **changed,
        "name": "other",
    }
    changed = update(api, made["id"], ("replace", "/jwtConfiguration", other)).result
    assert changed["jwtConfiguration"]["issuers"][0]["jwksUri"] == f"{issuer.url}/new"


@pytest.mark.parametrize(
    "patch",
    [
        ("add", "/jwtConfiguration", configuration()),
        ("remove", "/jwtConfiguration", ""),
        ("replace", "/jwtConfiguration", ""),
        ("replace", "/jwtConfiguration", "{"),
        ("replace", "/jwtConfiguration", "[]"),
        ("replace", "/jwtConfiguration", "null"),
        ("replace", "/jwtConfiguration", "[" * 100_000),
        ("replace", "/jwtConfiguration", '{"issuers": ["\\ud800"]}'),
        ("replace", "/jwtConfiguration/issuers", "[]"),
        ("replace", "/authorizerUri", FUNCTION_URI),
        ("replace", "/authorizerResultTtlInSeconds", "300"),
        ("replace", "/identityValidationExpression", ".*"),
        ("replace", "/identitySource", "method.request.querystring.token"),
        ("add", "/providerARNs", POOL),
    ],
)
def test_patches_that_are_refused(patch: tuple[str, str, Any], api: RestApi) -> None:
    made = create(api).result
    answer = update(api, made["id"], patch)
    assert (answer.status, answer.error) == (400, "BadRequestException"), answer
    assert kept(api) == [made]


def test_a_cognito_authorizer_becomes_a_jwt_one_and_goes_back(api: RestApi) -> None:
    made = create(
        api, type="COGNITO_USER_POOLS", providerARNs=[POOL], jwtConfiguration=REMOVED
    ).result
    patches = [("replace", "/type", "JWT"), ("replace", "/jwtConfiguration", configuration())]
    refused = update(api, made["id"], *patches)
    assert refused.message == "providerARNs isn't a setting of a JWT authorizer"
    now = update(api, made["id"], *patches, ("remove", "/providerARNs", POOL)).result
    assert now == {**create(api, name="new").result, "id": made["id"], "name": "tokens"}
    assert update(api, made["id"], ("replace", "/type", "COGNITO_USER_POOLS")).status == 400
    back = [("replace", "/type", "COGNITO_USER_POOLS"), ("add", "/providerARNs", POOL)]
    assert update(api, made["id"], *back).result == made


def test_a_lambda_authorizer_becomes_a_jwt_one(api: RestApi) -> None:
    made = create(
        api,
        type="TOKEN",
        jwtConfiguration=REMOVED,
        authorizerUri=FUNCTION_URI,
        authorizerResultTtlInSeconds=60,
        identityValidationExpression=".*",
    ).result
    to_jwt = [("replace", "/type", "JWT"), ("replace", "/jwtConfiguration", configuration())]
    keeps = ("replace", "/authorizerUri", FUNCTION_URI)
    assert update(api, made["id"], *to_jwt, keeps).status == 400
    now = update(api, made["id"], *to_jwt).result
    assert now == {**create(api, name="new").result, "id": made["id"], "name": "tokens"}
    assert update(api, made["id"], ("replace", "/type", "TOKEN")).status == 400
    back = update(api, made["id"], ("replace", "/type", "TOKEN"), keeps).result
    assert (back["authorizerUri"], back["authType"]) == (FUNCTION_URI, "custom")
    assert "jwtConfiguration" not in back


# -- methods ------------------------------------------------------------------------------------------------


def test_a_method_needs_a_jwt_authorizer(api: RestApi) -> None:
    jwt_id = create(api).result["id"]
    cognito_id = create(
        api, name="c", type="COGNITO_USER_POOLS", providerARNs=[POOL], jwtConfiguration=REMOVED
    ).result["id"]
    where = {"resourceId": api.resources["/"], "httpMethod": "GET"}
    for wrong in (
        {"authorizationType": "JWT"},
        {"authorizationType": "JWT", "authorizerId": cognito_id},
        {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": jwt_id},
        {"authorizationType": "CUSTOM", "authorizerId": jwt_id},
    ):
        answer = api("PutMethod", **where, **wrong)
        assert (answer.status, answer.error) == (400, "BadRequestException")
    right = {"authorizationType": "JWT", "authorizerId": jwt_id, "authorizationScopes": ["a/read"]}
    made = api("PutMethod", **where, **right).result
    assert {name: made[name] for name in right} == right
    answer = api("DeleteAuthorizer", authorizerId=jwt_id)
    assert answer.status == 409


def test_the_test_feature_is_not_offered(api: RestApi) -> None:
    answer = api("TestInvokeAuthorizer", authorizerId=create(api).result["id"])
    assert (
        answer.message == "The local cloud doesn't offer TestInvokeAuthorizer for JWT authorizers."
    )


@pytest.mark.parametrize(
    ("extensions", "status", "words"),
    [
        ({}, 200, ""),
        (
            {"extensions": "apigateway"},
            400,
            "The local cloud doesn't offer the export of the JWT authorizer tokens.",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["oas30", "swagger"])
def test_the_export_of_an_authorizer_is_not_offered(
    kind: str, extensions: dict[str, str], status: int, words: str, api: RestApi
) -> None:
    """How AWS writes a JWT authorizer in an OpenAPI file isn't known (rest_jwt 16.19)."""
    api.mock("/", authorizationType="JWT", authorizerId=create(api).result["id"])
    api.deploy()
    answer = api("GetExport", stageName="dev", exportType=kind, parameters=extensions)
    assert (answer.status, answer.message) == (status, words)


def test_the_import_is_not_offered(api: RestApi) -> None:
    scheme = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authorizer": {"type": "jwt", "identitySource": HEADER},
    }
    file = {
        "openapi": "3.0.1",
        "info": {"title": "a", "version": "1"},
        "paths": {},
        "components": {"securitySchemes": {"tokens": scheme}},
    }
    answer = api("PutRestApi", mode="merge", failOnWarnings=True, body=json.dumps(file))
    assert answer.status == 400
    assert (
        "doesn't offer x-amazon-apigateway-authorizer of type jwt in a REST API" in answer.message
    )
    assert kept(api) == []


# -- whatever comes ----------------------------------------------------------------------------------------------

TEXT = st.sampled_from(
    [POOL_ISSUER, "https://x", "iss", "RS256", "SINGLE_STRING", "", "a"]
) | st.text(max_size=3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "issuers issuer audiences additionalClaims claimName format defaultAlgorithms".split()
            )
            | TEXT,
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CONFIGURATIONS = ANYTHING | st.fixed_dictionaries(
    {
        "issuers": st.lists(
            st.fixed_dictionaries(
                {"issuer": TEXT | ANYTHING, "audiences": st.lists(TEXT, max_size=2) | ANYTHING},
                optional={"additionalClaims": ANYTHING, "jwksUri": ANYTHING},
            ),
            max_size=2,
        ),
        "defaultAlgorithms": st.lists(TEXT, max_size=2) | ANYTHING,
    }
)


@settings(deadline=None)
@given(CONFIGURATIONS)
def test_any_configuration_is_answered(found: Any) -> None:
    api = ControlPlane().rest_api()
    body = {"name": "n", "type": "JWT", "identitySource": HEADER, "jwtConfiguration": found}
    answer = api.plane.send("POST", f"/restapis/{api.id}/authorizers", body=json.dumps(body))
    items = kept(api)
    assert (answer.status, len(items)) in ((201, 1), (400, 0)), answer.body
    made = create(api, name="second").result
    patched = update(api, made["id"], ("replace", "/jwtConfiguration", json.dumps(found)))
    assert patched.status == (200 if items else 400)
    if items:
        assert patched.result["jwtConfiguration"] == items[0]["jwtConfiguration"]
