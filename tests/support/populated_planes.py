"""Control planes of API Gateway with something of everything in them, for calls that Hypothesis makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.control_plane import ACCOUNT, FUNCTION_URI, LAMBDA, POOL, REGION, ControlPlane

POLICY = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",'
    '"Action":"execute-api:Invoke","Resource":"execute-api:/*"}}'
)
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/good"


@dataclass(frozen=True)
class Populated:
    """Control planes with something of everything in them.

    Attributes:
        plane: the control planes.
        known: of a service: what is there, and what fits, by the name of a member in small letters.
    """

    plane: ControlPlane
    known: Mapping[str, Mapping[str, list[Any]]]


def populated() -> Populated:
    """New control planes: a REST API and an HTTP API, deployed, with keys, a plan and a domain name."""
    plane = ControlPlane()
    v2 = plane.of("apigatewayv2")
    api = plane.rest_api("/pets/{petId}")
    validator = api("CreateRequestValidator", name="v").result["id"]
    token = api(
        "CreateAuthorizer",
        name="mine",
        type="TOKEN",
        authorizerUri=FUNCTION_URI,
        identitySource="method.request.header.Authorization",
    ).result["id"]
    where = api.mock(
        "/pets/{petId}",
        authorizationType="CUSTOM",
        authorizerId=token,
        requestValidatorId=validator,
        requestModels={"application/json": "Empty"},
        requestParameters={"method.request.header.a": True},
    )
    headers = {"method.response.header.a": True}
    api("PutMethodResponse", **where, statusCode="200", responseParameters=headers)
    api("PutIntegrationResponse", **where, statusCode="200")
    api("PutGatewayResponse", responseType="DEFAULT_4XX", statusCode="404")
    deployment = api.deploy()
    key = plane.made("CreateApiKey", name="k", enabled=True)["id"]
    spare_key = plane.made("CreateApiKey", name="spare")["id"]
    spare_plan = plane.made("CreateUsagePlan", name="spare")["id"]
    spare_api = plane.rest_api().id
    spare_validator = api("CreateRequestValidator", name="spare").result["id"]
    spare_deployment = api("CreateDeployment").result["id"]
    spare_authorizer = api(
        "CreateAuthorizer",
        name="spare",
        type="COGNITO_USER_POOLS",
        providerARNs=[POOL],
        identitySource="method.request.header.Authorization",
    ).result["id"]
    stage = {"apiId": api.id, "stage": "dev"}
    plan = plane.made("CreateUsagePlan", name="p", apiStages=[stage])["id"]
    plane.made("CreateUsagePlanKey", usagePlanId=plan, keyId=key, keyType="API_KEY")
    plane.made(
        "CreateDomainName",
        domainName="api.example.com",
        regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    mapping = {"domainName": "api.example.com", "basePath": "v1"}
    plane.made("CreateBasePathMapping", **mapping, restApiId=api.id, stage="dev")
    http = v2.made("CreateApi", Name="h", ProtocolType="HTTP", Target=LAMBDA)["ApiId"]
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_ABC123"
    jwt = v2.made(
        "CreateAuthorizer",
        ApiId=http,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": ["client"]},
    )["AuthorizerId"]
    spare_http = v2.made("CreateApi", Name="spare", ProtocolType="HTTP")["ApiId"]
    [integration] = v2.made("GetIntegrations", ApiId=http)["Items"]
    target = f"integrations/{integration['IntegrationId']}"
    route = v2.made(
        "CreateRoute",
        ApiId=http,
        RouteKey="GET /a",
        AuthorizationType="JWT",
        AuthorizerId=jwt,
        Target=target,
    )["RouteId"]
    [snapshot] = v2.made("GetDeployments", ApiId=http)["Items"]
    v2.made("CreateApiMapping", DomainName="api.example.com", ApiId=http, Stage="$default")
    [*_rest, api_mapping] = v2.made("GetApiMappings", DomainName="api.example.com")["Items"]
    known: dict[str, list[Any]] = {
        "basepath": ["v1", "(none)", "v2"],
        "updateusage.patchoperations": [
            [{"op": "replace", "path": "/remaining", "value": "5"}],
        ],
        "failonwarnings": [True, False],
        "mode": ["merge", "overwrite"],
        "exporttype": ["swagger", "oas30"],
        "accepts": ["application/json", "application/yaml"],
        "parameters": [{"extensions": "apigateway"}, {"basepath": "prepend"}, {}],
        "importapi.basepath": ["ignore", "prepend", "split"],
        "reimportapi.basepath": ["ignore", "prepend", "split"],
        "protocoltype": ["HTTP"],
        "type": ["MOCK", "HTTP", "AWS_PROXY"],
        "createauthorizer.type": ["TOKEN", "REQUEST", "COGNITO_USER_POOLS"],
        "createauthorizer.name": ["new"],
        "createbasepathmapping.basepath": ["v2", "v1"],
        "domainnameconfigurations": [
            [{"certificateArn": CERTIFICATE, "endpointType": "REGIONAL"}],
        ],
        "createintegration.integrationuri": [LAMBDA],
        "createdomainname.domainname": ["new.example.com"],
        "createdomainname.endpointtype": ["REGIONAL"],
        "createusageplankey.keyid": [spare_key],
        "deleteauthorizer.authorizerid": [spare_authorizer, token],
        "deleterequestvalidator.requestvalidatorid": [spare_validator, validator],
        "deletemodel.modelname": ["Error", "Empty"],
        "deletedeployment.deploymentid": [spare_deployment, deployment],
        "deleterestapi.restapiid": [spare_api, api.id],
        "deleteusageplan.usageplanid": [spare_plan, plan],
        "authorizertype": ["REQUEST", "JWT"],
        "integrationtype": ["AWS_PROXY", "HTTP_PROXY"],
        "connectiontype": ["INTERNET"],
        "name": ["new", "New1"],
        "domainnameid": [""],
        "embed": [["methods"], ["apisummary"]],
        "limit": [1, 500],
        "maxresults": ["1", "500"],
        "accesslogsettings": [{"format": "$context.requestId"}],
        "requestparameters": [{}, {"method.request.header.a": True}],
        "responseparameters": [{}, {"method.response.header.a": True}],
        "responsemodels": [{}, {"application/json": "Empty"}],
        "requestmodels": [{}, {"application/json": "Empty"}],
        "requesttemplates": [{}, {"application/json": "{}"}],
        "responsetemplates": [{}, {"application/json": ""}],
        "passthroughbehavior": ["NEVER", "WHEN_NO_MATCH"],
        "restapiid": [api.id],
        "apiid": [http],
        "resourceid": [where["resourceId"], where["resourceId"], *api.resources.values()],
        "parentid": [*api.resources.values()],
        "authorizerid": [token],
        "requestvalidatorid": [validator],
        "deploymentid": [deployment],
        "stagename": ["dev", "dev", "new"],
        "stage": ["dev"],
        "apikey": [key],
        "keyid": [key],
        "keytype": ["API_KEY"],
        "usageplanid": [plan],
        "domainname": ["api.example.com", "new.example.com"],
        "apimappingkey": ["", "a/b"],
        "apimappingid": [api_mapping["ApiMappingId"]],
        "integrationid": [integration["IntegrationId"]],
        "routeid": [route],
        "routekey": ["GET /a", "$default", "ANY /{proxy+}"],
        "target": [target, LAMBDA],
        "modelname": ["Empty"],
        "httpmethod": ["GET", "GET", "POST"],
        "integrationhttpmethod": ["GET", "POST"],
        "integrationmethod": ["GET", "POST"],
        "statuscode": ["200", "200", "404"],
        "responsetype": ["DEFAULT_4XX", "UNAUTHORIZED"],
        "authorizationtype": ["NONE", "AWS_IAM", "CUSTOM", "JWT"],
        "authorizeruri": [FUNCTION_URI],
        "uri": [FUNCTION_URI, "http://example.com"],
        "integrationuri": [LAMBDA, "http://example.com"],
        "identitysource": ["method.request.header.A", ["$request.header.A"]],
        "payloadformatversion": ["1.0", "2.0"],
        "authorizerpayloadformatversion": ["1.0", "2.0"],
        "schema": ["{}", '{"type":"object"}'],
        "contenttype": ["application/json"],
        "pathpart": ["new", "{proxy+}"],
        "resourcearn": [
            f"arn:aws:apigateway:{REGION}::/restapis/{api.id}",
            f"arn:aws:apigateway:{REGION}::/apis/{http}/stages/$default",
        ],
        "regionalcertificatearn": [CERTIFICATE],
        "certificatearn": [CERTIFICATE],
        "policy": [POLICY],
        "startdate": ["2024-02-01"],
        "enddate": ["2024-02-29"],
        "issuer": [issuer],
        "audience": [["client"]],
        "providerarns": [[POOL]],
        "period": ["DAY"],
        "types": [["EDGE"], ["REGIONAL"]],
        "position": ["0", "1"],
        "nexttoken": ["0", "1"],
    }
    of_http = {
        "authorizerid": [jwt],
        "createauthorizer.authorizeruri": [FUNCTION_URI],
        "deleteapi.apiid": [spare_http, http],
        "deletedeployment.deploymentid": [],
        "deleteauthorizer.authorizerid": [],
        "deploymentid": [snapshot["DeploymentId"]],
        "stagename": ["$default", "$default", "new"],
        "stage": ["$default"],
        "authorizationtype": ["NONE", "AWS_IAM", "JWT"],
        "identitysource": [["$request.header.A"]],
        "basepath": [],
    }
    return Populated(plane, {"apigateway": known, "apigatewayv2": {**known, **of_http}})
