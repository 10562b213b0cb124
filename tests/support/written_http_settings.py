"""Settings that the control plane of HTTP APIs takes, by kind."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from tests.support.control_plane import LAMBDA, REGION, ControlPlane
from tests.support.populated_planes import CERTIFICATE
from tests.support.written_settings import (
    TAGS,
    TEXT,
    VARIABLES,
    WORD,
    JsonObject,
    Kind,
    domain,
    settings,
)

_ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_ABC123"


_CORS = settings(
    {},
    AllowOrigins=st.sampled_from([["*"], ["https://a.example.com", "http://b.example.com"]]),
    AllowMethods=st.sampled_from([["*"], ["GET", "PUT"]]),
    AllowHeaders=st.lists(WORD, min_size=1, max_size=2),
    ExposeHeaders=st.lists(WORD, min_size=1, max_size=2),
    MaxAge=st.integers(-1, 86_400),
    AllowCredentials=st.just(False),
).filter(bool)


def _http_api(plane: ControlPlane) -> JsonObject:
    v2 = plane.of("apigatewayv2")
    return {"ApiId": v2.made("CreateApi", Name="h", ProtocolType="HTTP")["ApiId"]}


def _quick(plane: ControlPlane) -> JsonObject:
    v2 = plane.of("apigatewayv2")
    return {"ApiId": v2.made("CreateApi", Name="h", ProtocolType="HTTP", Target=LAMBDA)["ApiId"]}


def _http_domain(plane: ControlPlane) -> JsonObject:
    return {"DomainName": domain(plane)["domainName"], **_quick(plane)}


KINDS: Mapping[str, Kind] = {
    "HTTP API": Kind(
        "CreateApi",
        "GetApi",
        "UpdateApi",
        settings(
            {"Name": TEXT, "ProtocolType": st.just("HTTP")},
            Description=TEXT,
            Version=TEXT,
            DisableExecuteApiEndpoint=st.booleans(),
            IpAddressType=st.sampled_from(["ipv4", "dualstack"]),
            CorsConfiguration=_CORS,
            Tags=TAGS,
        ),
        named={"ApiId": "ApiId"},
        fixed=("ProtocolType", "Tags", "DisableExecuteApiEndpoint", "IpAddressType"),
        service="apigatewayv2",
    ),
    "route": Kind(
        "CreateRoute",
        "GetRoute",
        "UpdateRoute",
        settings(
            {"RouteKey": WORD.map("GET /{}".format)},
            AuthorizationType=st.sampled_from(["NONE", "AWS_IAM"]),
            OperationName=TEXT,
        ),
        before=_http_api,
        named={"RouteId": "RouteId"},
        fixed=("AuthorizationType",),
        service="apigatewayv2",
    ),
    "HTTP API's integration": Kind(
        "CreateIntegration",
        "GetIntegration",
        "UpdateIntegration",
        settings(
            {
                "IntegrationType": st.just("AWS_PROXY"),
                "IntegrationUri": st.just(LAMBDA),
                "PayloadFormatVersion": st.sampled_from(["1.0", "2.0"]),
                "TimeoutInMillis": st.integers(50, 30_000),
            },
            Description=TEXT,
        ),
        before=_http_api,
        named={"IntegrationId": "IntegrationId"},
        service="apigatewayv2",
    ),
    "JWT authorizer": Kind(
        "CreateAuthorizer",
        "GetAuthorizer",
        "UpdateAuthorizer",
        settings(
            {
                "Name": TEXT,
                "AuthorizerType": st.just("JWT"),
                "IdentitySource": WORD.map(lambda name: [f"$request.header.{name}"]),
                "JwtConfiguration": st.builds(
                    lambda audience: {"Issuer": _ISSUER, "Audience": audience},
                    st.lists(WORD, min_size=1, max_size=3),
                ),
            }
        ),
        before=_http_api,
        named={"AuthorizerId": "AuthorizerId"},
        service="apigatewayv2",
    ),
    "API mapping": Kind(
        "CreateApiMapping",
        "GetApiMapping",
        "UpdateApiMapping",
        settings({"Stage": st.just("$default")}, ApiMappingKey=WORD | st.just("v1/a")),
        before=_http_domain,
        named={"ApiMappingId": "ApiMappingId"},
        fixed=("Stage",),
        service="apigatewayv2",
    ),
    "HTTP API's domain name": Kind(
        "CreateDomainName",
        "GetDomainName",
        "UpdateDomainName",
        settings(
            {
                "DomainName": st.just("api.example.com"),
                "DomainNameConfigurations": st.just(
                    [
                        {
                            "CertificateArn": CERTIFICATE,
                            "EndpointType": "REGIONAL",
                            "SecurityPolicy": "TLS_1_2",
                        }
                    ]
                ),
            },
            MutualTlsAuthentication=st.just({"TruststoreUri": "s3://bucket/key"}),
            Tags=TAGS,
        ),
        named={"DomainName": "DomainName"},
        fixed=("Tags", "DomainName"),
        service="apigatewayv2",
    ),
    "HTTP API's stage": Kind(
        "CreateStage",
        "GetStage",
        "UpdateStage",
        settings(
            {"StageName": WORD},
            Description=TEXT,
            StageVariables=VARIABLES,
            DefaultRouteSettings=settings(
                {"DetailedMetricsEnabled": st.booleans()},
                ThrottlingBurstLimit=st.integers(0, 99),
                ThrottlingRateLimit=st.integers(0, 99).map(float),
            ),
            Tags=TAGS,
        ),
        before=_quick,
        named={"StageName": "StageName"},
        fixed=("StageName", "Tags", "DefaultRouteSettings"),
        service="apigatewayv2",
    ),
}
