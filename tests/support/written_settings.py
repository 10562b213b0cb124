"""Settings that API Gateway's control planes take, by kind: what Terraform and the like write, read and change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from labkit.local.apigateway.control.patches import PatchPath
from labkit.local.apigateway.control.rest import (
    api_keys,
    authorizers,
    deployments,
    domain_names,
    gateway_responses,
    integrations,
    methods,
    models,
    request_validators,
    resources,
    rest_apis,
    stages,
    usage_plans,
)
from tests.support.control_plane import FUNCTION_URI, POOL, ControlPlane
from tests.support.populated_planes import CERTIFICATE

JsonObject = dict[str, Any]
Settings = st.SearchStrategy[JsonObject]


@dataclass(frozen=True)
class Kind:
    """A kind of record.

    Attributes:
        create, get, update: the operations.
        settings: what can be written; members that nobody has to write may be absent.
        before: makes what it stands on, and says which members name it in the path.
        named: members of a created one's answer that name it in the path: member → parameter.
        paths: what patches may change; without them an update takes the members themselves.
        fixed: members that no update changes.
        service: whose operations these are.
    """

    create: str
    get: str
    update: str
    settings: Settings
    before: Callable[[ControlPlane], JsonObject] = lambda plane: {}
    named: Mapping[str, str] = field(default_factory=dict)
    paths: Iterable[PatchPath] = ()
    fixed: tuple[str, ...] = ()
    service: str = "apigateway"


TEXT = st.text(min_size=1, max_size=12)
WORD = st.text("abcXYZ019", min_size=1, max_size=6)
TAGS = st.dictionaries(WORD, TEXT, min_size=1, max_size=2)
VARIABLES = st.dictionaries(WORD, WORD, min_size=1, max_size=3)
_TEMPLATES = st.dictionaries(
    st.sampled_from(["application/json", "text/plain", "$default"]), TEXT, min_size=1
)


def settings(needed: Mapping[str, Any], **optional: Any) -> Settings:
    return st.fixed_dictionaries(dict(needed), optional=optional)


def parameters_of(place: str, *kinds: str) -> st.SearchStrategy[Any]:
    """A map of declared parameters; a name comes once."""
    names = st.dictionaries(WORD, st.tuples(st.sampled_from(kinds), st.booleans()), min_size=1)
    return names.map(lambda d: {f"{place}.{kind}.{n}": value for n, (kind, value) in d.items()})


def _api(plane: ControlPlane) -> JsonObject:
    return {"restApiId": plane.rest_api().id}


def _resource(plane: ControlPlane) -> JsonObject:
    api = plane.rest_api("/a")
    api("CreateRequestValidator", name="v")
    return {"restApiId": api.id, "resourceId": api.resources["/a"], "httpMethod": "GET"}


def _method(plane: ControlPlane) -> JsonObject:
    where = _resource(plane)
    plane.made("PutMethod", **where, authorizationType="NONE")
    return where


def _integration(plane: ControlPlane) -> JsonObject:
    where = _method(plane)
    declared = {f"method.response.header.{name}": False for name in "ab"}
    plane.made("PutMethodResponse", **where, statusCode="200", responseParameters=declared)
    plane.made("PutIntegration", **where, type="MOCK")
    return {**where, "statusCode": "200"}


def _deployed(plane: ControlPlane) -> JsonObject:
    api = plane.rest_api()
    api.mock()
    return {"restApiId": api.id, "deploymentId": api.deploy()}


def _parent(plane: ControlPlane) -> JsonObject:
    api = plane.rest_api()
    return {"restApiId": api.id, "parentId": api.resources["/"]}


def domain(plane: ControlPlane) -> JsonObject:
    where = _deployed(plane)
    plane.made(
        "CreateDomainName",
        domainName="api.example.com",
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    return {"domainName": "api.example.com", "restApiId": where["restApiId"]}


_HTTP_INTEGRATION = settings(
    {
        "type": st.sampled_from(["HTTP", "HTTP_PROXY"]),
        "integrationHttpMethod": st.sampled_from(methods.VERBS),
        "uri": st.sampled_from(["http://example.com", "https://example.com/a"]),
    },
    connectionType=st.just("INTERNET"),
)
_INTEGRATION: Mapping[str, Any] = {
    "passthroughBehavior": st.sampled_from(["NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES"]),
    "contentHandling": st.sampled_from(["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
    "timeoutInMillis": st.integers(*integrations.TIMEOUT_MS),
    "cacheNamespace": WORD,
    "cacheKeyParameters": st.lists(WORD, unique=True, min_size=1, max_size=2),
    "requestTemplates": _TEMPLATES,
    "requestParameters": st.dictionaries(
        WORD.map("integration.request.header.{}".format), WORD.map("'{}'".format), min_size=1
    ),
}
_TOKEN = settings(
    {
        "type": st.just("TOKEN"),
        "name": WORD,
        "authorizerUri": st.just(FUNCTION_URI),
        "identitySource": WORD.map("method.request.header.{}".format),
    },
    authType=WORD,
    authorizerResultTtlInSeconds=st.integers(0, 3600),
    identityValidationExpression=WORD,
)
_COGNITO = settings(
    {
        "type": st.just("COGNITO_USER_POOLS"),
        "name": WORD,
        "providerARNs": st.just([POOL]),
        "identitySource": WORD.map("method.request.header.{}".format),
    },
    authorizerResultTtlInSeconds=st.integers(0, 3600),
)
_LIMITS = {"rateLimit": st.integers(0, 9_999).map(float), "burstLimit": st.integers(0, 9_999)}
_QUOTA = settings(
    {
        "limit": st.integers(0, 99),
        "period": st.just("MONTH"),
        "offset": st.integers(0, 27),
    }
)

KINDS: Mapping[str, Kind] = {
    "REST API": Kind(
        "CreateRestApi",
        "GetRestApi",
        "UpdateRestApi",
        settings(
            {"name": WORD},
            description=TEXT,
            version=TEXT,
            apiKeySource=st.sampled_from(["HEADER", "AUTHORIZER"]),
            binaryMediaTypes=st.lists(WORD.map("image/{}".format), unique=True, min_size=1),
            minimumCompressionSize=st.integers(0, rest_apis.MAX_COMPRESSION_SIZE),
            disableExecuteApiEndpoint=st.booleans(),
            endpointConfiguration=settings(
                {"types": st.just(["REGIONAL"])},
                ipAddressType=st.sampled_from(["ipv4", "dualstack"]),
            ),
            tags=TAGS,
        ),
        named={"id": "restApiId"},
        paths=rest_apis.PATCHES.paths,
        fixed=("endpointConfiguration", "tags"),
    ),
    "resource": Kind(
        "CreateResource",
        "GetResource",
        "UpdateResource",
        settings({"pathPart": WORD | WORD.map("{{{}}}".format) | WORD.map("{{{}+}}".format)}),
        before=_parent,
        named={"id": "resourceId"},
        paths=resources.PATCHES.paths,
    ),
    "method": Kind(
        "PutMethod",
        "GetMethod",
        "UpdateMethod",
        settings(
            {"authorizationType": st.sampled_from(["NONE", "AWS_IAM"])},
            apiKeyRequired=st.booleans(),
            operationName=TEXT,
            requestParameters=parameters_of("method.request", "header", "querystring"),
            requestModels=st.dictionaries(WORD.map("a/{}".format), st.just("Empty"), min_size=1),
        ),
        before=_resource,
        paths=methods.PATCHES.paths,
    ),
    "method response": Kind(
        "PutMethodResponse",
        "GetMethodResponse",
        "UpdateMethodResponse",
        settings(
            {},
            responseParameters=parameters_of("method.response", "header"),
            responseModels=st.dictionaries(WORD.map("a/{}".format), st.just("Empty"), min_size=1),
        ),
        before=lambda plane: {**_method(plane), "statusCode": "404"},
        paths=methods.RESPONSE_PATCHES.paths,
    ),
    "integration": Kind(
        "PutIntegration",
        "GetIntegration",
        "UpdateIntegration",
        st.builds(
            lambda kind, more: {**more, **kind},
            _HTTP_INTEGRATION | st.just({"type": "MOCK"}),
            settings({}, **_INTEGRATION),
        ),
        before=_method,
        paths=integrations.PATCHES.paths,
        fixed=("type", "integrationHttpMethod", "uri", "connectionType"),
    ),
    "integration response": Kind(
        "PutIntegrationResponse",
        "GetIntegrationResponse",
        "UpdateIntegrationResponse",
        settings(
            {},
            selectionPattern=TEXT,
            responseTemplates=_TEMPLATES,
            contentHandling=_INTEGRATION["contentHandling"],
            responseParameters=st.dictionaries(
                st.sampled_from(["method.response.header.a", "method.response.header.b"]),
                WORD.map("'{}'".format),
                min_size=1,
            ),
        ),
        before=_integration,
        paths=integrations.RESPONSE_PATCHES.paths,
    ),
    "model": Kind(
        "CreateModel",
        "GetModel",
        "UpdateModel",
        settings(
            {
                "name": WORD,
                "contentType": st.just("application/json"),
                "schema": st.sampled_from(["{}", '{"type": "object"}']),
            },
            description=TEXT,
        ),
        before=_api,
        named={"name": "modelName"},
        paths=models.PATCHES.paths,
        fixed=("name", "contentType"),
    ),
    "request validator": Kind(
        "CreateRequestValidator",
        "GetRequestValidator",
        "UpdateRequestValidator",
        settings(
            {"name": TEXT},
            validateRequestBody=st.booleans(),
            validateRequestParameters=st.booleans(),
        ),
        before=_api,
        named={"id": "requestValidatorId"},
        paths=request_validators.PATCHES.paths,
    ),
    "TOKEN authorizer": Kind(
        "CreateAuthorizer",
        "GetAuthorizer",
        "UpdateAuthorizer",
        _TOKEN,
        before=_api,
        named={"id": "authorizerId"},
        paths=authorizers.PATCHES.paths,
        fixed=("authorizerResultTtlInSeconds",),
    ),
    "COGNITO_USER_POOLS authorizer": Kind(
        "CreateAuthorizer",
        "GetAuthorizer",
        "UpdateAuthorizer",
        _COGNITO,
        before=_api,
        named={"id": "authorizerId"},
        paths=authorizers.PATCHES.paths,
        fixed=("authorizerResultTtlInSeconds",),
    ),
    "gateway response": Kind(
        "PutGatewayResponse",
        "GetGatewayResponse",
        "UpdateGatewayResponse",
        settings(
            {"statusCode": st.integers(100, 599).map(str)},
            responseParameters=st.dictionaries(
                WORD.map("gatewayresponse.header.{}".format), WORD.map("'{}'".format), min_size=1
            ),
        ),
        before=lambda plane: {**_api(plane), "responseType": "UNAUTHORIZED"},
        paths=gateway_responses.PATCHES.paths,
    ),
    "deployment": Kind(
        "CreateDeployment",
        "GetDeployment",
        "UpdateDeployment",
        settings({}, description=TEXT),
        before=lambda plane: {"restApiId": _deployed(plane)["restApiId"]},
        named={"id": "deploymentId"},
        paths=deployments.PATCHES.paths,
    ),
    "stage": Kind(
        "CreateStage",
        "GetStage",
        "UpdateStage",
        settings(
            {"stageName": WORD},
            description=TEXT,
            documentationVersion=TEXT,
            tracingEnabled=st.booleans(),
            variables=VARIABLES,
            tags=TAGS,
        ),
        before=_deployed,
        named={"stageName": "stageName"},
        paths=stages.PATCH_PATHS,
        fixed=("stageName", "tags"),
    ),
    "API key": Kind(
        "CreateApiKey",
        "GetApiKey",
        "UpdateApiKey",
        settings(
            {"value": st.just("a-value-of-thirty-characters-1")},
            name=TEXT,
            description=TEXT,
            customerId=TEXT,
            enabled=st.booleans(),
            tags=TAGS,
        ),
        named={"id": "apiKey"},
        paths=api_keys.PATCHES.paths,
        fixed=("value", "tags"),
    ),
    "usage plan": Kind(
        "CreateUsagePlan",
        "GetUsagePlan",
        "UpdateUsagePlan",
        settings(
            {"name": TEXT},
            description=TEXT,
            throttle=settings(_LIMITS),
            quota=_QUOTA,
            tags=TAGS,
        ),
        named={"id": "usagePlanId"},
        paths=usage_plans.PATCHES.paths,
        fixed=("tags", "quota"),
    ),
    "domain name": Kind(
        "CreateDomainName",
        "GetDomainName",
        "UpdateDomainName",
        settings(
            {
                "domainName": st.just("api.example.com"),
                "regionalCertificateArn": st.just(CERTIFICATE),
                "endpointConfiguration": st.just({"types": ["REGIONAL"]}),
                "securityPolicy": st.just("TLS_1_2"),
            },
            mutualTlsAuthentication=st.just({"truststoreUri": "s3://bucket/key"}),
            tags=TAGS,
        ),
        named={"domainName": "domainName"},
        paths=domain_names.PATCHES.paths,
        fixed=("tags", "endpointConfiguration"),
    ),
    "base path mapping": Kind(
        "CreateBasePathMapping",
        "GetBasePathMapping",
        "UpdateBasePathMapping",
        settings({"basePath": WORD}, stage=st.just("dev")),
        before=domain,
        named={"basePath": "basePath"},
        paths=domain_names.MAPPING_PATCHES.paths,
        fixed=("basePath",),
    ),
}
