"""The control plane of HTTP APIs: automatic deployments, and what isn't taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.control_plane import FUNCTION_URI, LAMBDA, ControlPlane

STAGE = "$default"


class HttpApi:
    """An HTTP API with one integration."""

    def __init__(self) -> None:
        self.plane = ControlPlane("apigatewayv2")
        self.id = self.plane.made("CreateApi", Name="a", ProtocolType="HTTP")["ApiId"]
        made = self.made(
            "CreateIntegration",
            IntegrationType="AWS_PROXY",
            IntegrationUri=LAMBDA,
            PayloadFormatVersion="2.0",
        )
        self.target = f"integrations/{made['IntegrationId']}"

    def __call__(self, operation: str, **parameters: Any) -> Any:
        return self.plane(operation, ApiId=self.id, **parameters)

    def made(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.plane.made(operation, ApiId=self.id, **parameters)


def test_an_automatic_deployment_has_the_clock_s_time_and_is_the_only_one() -> None:
    api = HttpApi()
    api.made("CreateStage", StageName=STAGE, AutoDeploy=True)
    for number in range(2):
        api.made("CreateRoute", RouteKey=f"GET /{number}", Target=api.target)
    [deployment] = api.made("GetDeployments")["Items"]
    assert deployment["AutoDeployed"]
    assert deployment["CreatedDate"].isoformat() == "2024-02-29T23:59:59+00:00"
    stage = api.made("GetStage", StageName=STAGE)
    assert stage["DeploymentId"] == deployment["DeploymentId"]


@pytest.mark.parametrize(
    ("operation", "settings", "words"),
    [
        (
            "CreateAuthorizer",
            {
                "AuthorizerType": "REQUEST",
                "Name": "a",
                "AuthorizerUri": FUNCTION_URI,
                "IdentitySource": ["$request.header.X"],
            },
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer",
        ),
        (
            "CreateAuthorizer",
            {
                "AuthorizerType": "REQUEST",
                "Name": "a",
                "AuthorizerUri": FUNCTION_URI,
                "AuthorizerPayloadFormatVersion": "2.0",
                "AuthorizerResultTtlInSeconds": 3_601,
                "IdentitySource": ["$request.header.X"],
            },
            "less than or equal to 3600",
        ),
        ("CreateRoute", {"RouteKey": "GET pets"}, "The provided route key is not formatted"),
        ("CreateRoute", {"RouteKey": "GET /a", "AuthorizerId": "abcdef"}, "invalid or null"),
        ("CreateRoute", {"RouteKey": "GET /a", "Target": "integrations/none"}, "Invalid target"),
        ("CreateRoute", {"RouteKey": "GET /a", "ApiKeyRequired": True}, "doesn't offer"),
        ("CreateDeployment", {}, "At least one route is required"),
        ("CreateStage", {"StageName": "a b"}, "Stage name only allows"),
    ],
)
def test_what_is_not_taken(operation: str, settings: dict[str, Any], words: str) -> None:
    api = HttpApi()
    before = api.plane.gateway.store.region("us-east-1").http_apis[api.id].parts
    kept = repr(before)
    answer = api(operation, **settings)
    assert answer.error == "BadRequestException", answer
    assert words in answer.message
    assert repr(api.plane.gateway.store.region("us-east-1").http_apis[api.id].parts) == kept


def test_an_update_with_an_authorizer_s_id_alone_is_refused() -> None:
    api = HttpApi()
    route = api.made("CreateRoute", RouteKey="GET /a", Target=api.target)
    answer = api("UpdateRoute", RouteId=route["RouteId"], AuthorizerId="abcdef")
    assert answer.message == "Unable to update route. Authorizer type is invalid or null."


ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ABC123"
SOURCES = ["$request.header.Authorization"]


def _jwt(api: HttpApi, name: str = "jwt", **changes: Any) -> Any:
    configuration = {"Issuer": ISSUER, "Audience": ["client"], **changes}
    return api(
        "CreateAuthorizer",
        AuthorizerType="JWT",
        Name=name,
        IdentitySource=SOURCES,
        JwtConfiguration=configuration,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"Issuer": ""},
        {"Issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_NOBODY"},
        {"Issuer": "http://issuer.example.com"},
        {"Issuer": "http://127.0.0.1:9"},
        {"Issuer": "file:///etc/passwd"},
        {"Audience": []},
        {"Audience": [str(number) for number in range(51)]},
    ],
)
def test_settings_of_a_jwt_authorizer_that_aws_refuses(changes: dict[str, Any]) -> None:
    api = HttpApi()
    assert _jwt(api, **changes).error == "BadRequestException"
    assert api.made("GetAuthorizers")["Items"] == []


def test_settings_that_aws_takes() -> None:
    api = HttpApi()
    ids = [
        _jwt(api, str(number), Audience=[str(n) for n in range(50)]).result["AuthorizerId"]
        for number in range(10)
    ]
    answer = _jwt(api, "one more")
    assert (answer.status, answer.error) == (429, "ConflictException")
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": ids[0]}
    scopes = [str(n) for n in range(10)]
    api.made("CreateRoute", RouteKey="GET /x", AuthorizationScopes=scopes, **guarded)
    more = {"RouteKey": "GET /y", "AuthorizationScopes": [*scopes, "10"], **guarded}
    assert "more than 10 authorization scopes" in api("CreateRoute", **more).message
    for milliseconds, taken in ((49, False), (50, True), (30_000, True), (30_001, False)):
        made = {"IntegrationType": "AWS_PROXY", "IntegrationUri": LAMBDA}
        answer = api(
            "CreateIntegration",
            PayloadFormatVersion="2.0",
            TimeoutInMillis=milliseconds,
            **made,
        )
        assert (not answer.error) == taken
