"""The APIs of the rows about limits: throttles, quotas, API keys, validation, integrations, ways in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from tests.fidelity.authorization_situations import lambda_authorizer, patch
from tests.support.gateway import STAGE
from tests.support.rest_api import Api, situation

KEYED = {"apiKeyRequired": True}


def make_key(api: Api, name: str, **settings: Any) -> str:
    """An API key whose value rows name ``{name}`` and whose id ``{name_id}``."""
    made = api.aws.create_api_key(**{"name": f"{name}-{api.id}", "enabled": True, **settings})
    api.extra[name], api.extra[f"{name}_id"] = made["value"], made["id"]
    return str(made["id"])


def make_plan(api: Api, *keys: str, name: str = "plan", **settings: Any) -> str:
    stages = [{"apiId": api.id, "stage": STAGE}]
    made = api.aws.create_usage_plan(
        **{"name": f"{name}-{api.id}", "apiStages": stages, **settings}
    )
    api.extra[name] = made["id"]
    for key in keys:
        api.aws.create_usage_plan_key(usagePlanId=made["id"], keyId=key, keyType="API_KEY")
    return str(made["id"])


def limits(rate: float, burst: int) -> dict[str, Any]:
    return {"throttle": {"rateLimit": rate, "burstLimit": burst}}


def set_stage(api: Api, stage: str = STAGE, **values: str) -> None:
    """Stage settings, ``path`` → value, with ``__`` for ``/``."""
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    api.aws.update_stage(restApiId=api.id, stageName=stage, patchOperations=operations)


def throttle_stage(api: Api, method: str, rate: str, burst: str, stage: str = STAGE) -> None:
    set_stage(
        api,
        stage,
        **{
            f"/{method}/throttling/rateLimit": rate,
            f"/{method}/throttling/burstLimit": burst,
        },
    )


# -- 6. throttles and quotas -------------------------------------------------------------------


@situation
def a_throttled_stage(api: Api) -> None:
    """Two tokens, and two a second, for each method."""
    api.mock("GET", "/x")
    api.mock("GET", "/y")
    api.mock("GET", "/guarded", **lambda_authorizer(api, authorizerResultTtlInSeconds=0))
    api.deploy()
    throttle_stage(api, "*/*", "2", "2")


@situation
def a_throttled_method(api: Api) -> None:
    api.mock("GET", "/pets/{id}")
    api.mock("GET", "/x")
    api.deploy()
    throttle_stage(api, "~1pets~1{id}/GET", "1", "1")


@situation
def a_method_throttled_more_loosely_than_its_stage(api: Api) -> None:
    api.mock("GET", "/x")
    api.deploy()
    throttle_stage(api, "*/*", "1", "1")
    throttle_stage(api, "~1x/GET", "3", "3")


@situation
def a_plan(api: Api) -> None:
    """Three tokens, one a second, for each of two keys, over two stages."""
    api.mock("GET", "/x", **KEYED)
    api.mock("GET", "/y", **KEYED)
    api.mock("GET", "/open")
    api.function("GET", "/echo", **KEYED)
    api.mock("GET", "/guarded", **KEYED, **lambda_authorizer(api))
    api.deploy()
    api.deploy("other")
    keys = make_key(api, "key"), make_key(api, "second_key")
    stages = [{"apiId": api.id, "stage": stage} for stage in (STAGE, "other")]
    make_plan(api, *keys, apiStages=stages, **limits(1, 3))


@situation
def an_api_that_was_added_to_a_plan(api: Api) -> None:
    """The plan and its key were made for another API."""
    first = Api(api.gateway)
    first.mock("GET", "/x", **KEYED)
    first.deploy()
    plan = make_plan(first, make_key(api, "key"))
    api.mock("GET", "/x", **KEYED)
    api.deploy()
    added = {"op": "add", "path": "/apiStages", "value": f"{api.id}:{STAGE}"}
    api.aws.update_usage_plan(usagePlanId=plan, patchOperations=[added])


@situation
def a_plan_looser_than_the_stage(api: Api) -> None:
    api.mock("GET", "/x", **KEYED)
    api.deploy()
    throttle_stage(api, "*/*", "1", "2")
    make_plan(api, make_key(api, "key"), **limits(5, 5))


@situation
def a_plan_with_a_method(api: Api) -> None:
    """The plan has five tokens, ``GET /x`` has one."""
    api.mock("GET", "/x", **KEYED)
    api.mock("GET", "/y", **KEYED)
    api.deploy()
    stage = {
        "apiId": api.id,
        "stage": STAGE,
        "throttle": {"/x/GET": {"rateLimit": 1, "burstLimit": 1}},
    }
    make_plan(api, make_key(api, "key"), apiStages=[stage], **limits(1, 3))


@situation
def a_quota(api: Api) -> None:
    """Three requests a day."""
    api.mock("GET", "/x", **KEYED)
    api.mock("GET", "/open")
    api.mock("GET", "/guarded", **KEYED, **lambda_authorizer(api))
    api.deploy()
    keys = make_key(api, "key"), make_key(api, "second_key")
    make_plan(api, *keys, quota={"limit": 3, "period": "DAY"})


@situation
def a_quota_with_an_offset(api: Api) -> None:
    api.mock("GET", "/x", **KEYED)
    api.deploy()
    make_plan(api, make_key(api, "key"), quota={"limit": 3, "offset": 2, "period": "MONTH"})


@situation
def a_quota_and_a_throttle(api: Api) -> None:
    """One token, one a second; three requests a day."""
    api.mock("GET", "/x", **KEYED)
    api.deploy()
    make_plan(api, make_key(api, "key"), quota={"limit": 3, "period": "DAY"}, **limits(1, 1))


@situation
def a_function_that_lambda_throttles(api: Api) -> None:
    """Its concurrency is used up before it begins."""
    api.function("GET", "/busy", "echo-busy")
    none = {
        "FunctionName": api.gateway.function_arn("echo-busy"),
        "ReservedConcurrentExecutions": 0,
    }
    api.gateway.cloud.client("lambda").put_function_concurrency(**none)
    api.deploy()


@situation
def limits_with_cors(api: Api) -> None:
    api.mock("GET", "/x", **KEYED)
    api.deploy()
    make_plan(api, make_key(api, "key"), **limits(1, 1))
    api.respond(
        "DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )
    api.deploy()


# -- 7. API keys ------------------------------------------------------------------------------------


@situation
def api_keys(api: Api) -> None:
    api.function("GET", "/x", **KEYED)
    api.function("GET", "/open")
    api.deploy()
    api.deploy("unplanned")
    disabled = make_key(api, "disabled", enabled=False)
    make_key(api, "planless")
    make_plan(api, make_key(api, "key"), disabled)


@situation
def keys_from_the_authorizer(api: Api) -> None:
    """``apiKeySource`` is set by a patch."""
    patch(api, "/apiKeySource", "AUTHORIZER")
    api.mock("GET", "/x", **KEYED, **lambda_authorizer(api))
    api.mock("GET", "/unguarded", **KEYED)
    api.deploy()
    make_plan(api, make_key(api, "key"), **limits(1, 3))
    make_key(api, "planless")


@situation
def a_key_required_after_the_deployment(api: Api) -> None:
    api.mock("GET", "/x")
    api.deploy()
    api.patch("GET", "/x", {"op": "replace", "path": "/apiKeyRequired", "value": "true"})


# -- 1. validation --------------------------------------------------------------------------------


MODEL = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {
        "bar": {"type": "string"},
        "count": {"type": "integer"},
        "size": {"type": "number"},
        "name": {"type": "string", "pattern": r"^[a-z]+\d?$"},
    },
    "required": ["bar"],
}


@situation
def validated(api: Api) -> None:
    def validator(name: str, **settings: bool) -> str:
        made = api.aws.create_request_validator(restApiId=api.id, name=name, **settings)
        return str(made["id"])

    everything = validator("all", validateRequestBody=True, validateRequestParameters=True)
    parameters = validator("parameters", validateRequestParameters=True)
    body = validator("body", validateRequestBody=True)
    api.aws.create_model(
        restApiId=api.id, name="Bar", contentType="application/json", schema=json.dumps(MODEL)
    )
    models = {"requestModels": {"application/json": "Bar"}}
    required = {
        "requestParameters": {
            "method.request.querystring.qs1": True,
            "method.request.header.x-header-param": True,
            "method.request.path.issuer": True,
            "method.request.querystring.optional": False,
        }
    }
    both = {"requestParameters": {"method.request.querystring.qs1": True}}
    api.mock("GET", "/parameters/{issuer}", requestValidatorId=parameters, **required)
    api.mock("POST", "/parameters/{issuer}", requestValidatorId=body, **required, **models)
    any_type = {
        "requestTemplates": dict.fromkeys(("application/json", "text/plain"), '{"statusCode": 200}')
    }
    api.mock("POST", "/body", integration=any_type, requestValidatorId=body, **models)
    api.mock("POST", "/both", requestValidatorId=everything, **both, **models)
    api.mock("POST", "/nothing", **both, **models)
    api.mock("POST", "/keyed", requestValidatorId=everything, **both, **models, **KEYED)
    api.deploy()
    throttle_stage(api, "~1both/POST", "1", "1")


@situation
def validated_with_reasons(api: Api) -> None:
    made = api.aws.create_request_validator(restApiId=api.id, name="body", validateRequestBody=True)
    api.aws.create_model(
        restApiId=api.id, name="Bar", contentType="application/json", schema=json.dumps(MODEL)
    )
    api.mock(
        "POST", "/body", requestValidatorId=made["id"], requestModels={"application/json": "Bar"}
    )
    template = '{"why":"$context.error.validationErrorString"}'
    api.respond("BAD_REQUEST_BODY", responseTemplates={"application/json": template})
    api.deploy()


@situation
def passthrough(api: Api) -> None:
    api.mock("POST", "/never", integration={"passthroughBehavior": "NEVER"})
    api.mock("POST", "/no-templates", integration={"passthroughBehavior": "WHEN_NO_TEMPLATES"})
    api.mock("POST", "/no-match", integration={"passthroughBehavior": "WHEN_NO_MATCH"})
    api.deploy()


# -- integrations -----------------------------------------------------------------------------------


def http(
    api: Api, verb: str, path: str, uri: str, kind: str = "HTTP_PROXY", **settings: Any
) -> None:
    parameters = settings.pop("requestParameters", {})
    method: dict[str, Any] = {}
    if "{" in path:
        method["requestParameters"] = {
            f"method.request.path.{path.split('{')[1].rstrip('+}')}": True
        }
    where = api.method(verb, path, **method, **settings.pop("method", {}))
    api.aws.put_integration(
        **where,
        type=kind,
        integrationHttpMethod=verb,
        uri=uri,
        requestParameters=parameters,
        **settings,
    )


@situation
def http_backends(api: Api) -> None:
    backend = api.gateway.backend  # type: ignore[attr-defined]
    api.gateway.caller("allowed")  # type: ignore[attr-defined]
    http(
        api,
        "ANY",
        "/proxy/{proxy+}",
        f"{backend.url}/{{proxy}}",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    http(api, "GET", "/status", f"{backend.url}/status/418")
    http(api, "GET", "/unreachable", f"{backend.unreachable_url}/")
    http(api, "GET", "/late", f"{backend.url}/slow", timeoutInMillis=50)
    http(api, "GET", "/elsewhere", "http://192.0.2.1/")
    http(api, "GET", "/signed", f"{backend.url}/signed", method={"authorizationType": "AWS_IAM"})
    http(api, "GET", "/variable", f"{backend.url}/${{stageVariables.place}}")
    http(api, "GET", "/custom", f"{backend.url}/custom", "HTTP")
    where = {"restApiId": api.id, "resourceId": api.resource("/custom"), "httpMethod": "GET"}
    api.aws.put_method_response(**where, statusCode="200")
    api.aws.put_integration_response(
        **where, statusCode="200", responseTemplates={"application/json": '{"mine": true}'}
    )
    api.deploy(variables={"place": "blue"})


# -- 0.6. CORS ----------------------------------------------------------------------------------------


@situation
def cors(api: Api) -> None:
    """A preflight that MOCK answers, one that an authorizer guards, one that isn't there."""
    headers = {
        "Access-Control-Allow-Origin": "'https://app.example.com'",
        "Access-Control-Allow-Headers": "'Authorization'",
        "Access-Control-Allow-Methods": "'GET,OPTIONS'",
    }
    guarded = lambda_authorizer(api)
    for path, settings in (("/good", {}), ("/guarded", guarded)):
        api.mock("GET", path, **guarded)
        where = api.method("OPTIONS", path, **settings)
        names = {f"method.response.header.{name}": False for name in headers}
        api.aws.put_method_response(**where, statusCode="200", responseParameters=names)
        api.aws.put_integration(
            **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )
        values = {f"method.response.header.{name}": value for name, value in headers.items()}
        api.aws.put_integration_response(**where, statusCode="200", responseParameters=values)
    api.mock("GET", "/none", **guarded)
    api.mock("GET", "/keyed", **KEYED)
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        api.respond(
            kind,
            responseParameters={
                "gatewayresponse.header.Access-Control-Allow-Origin": "'https://app.example.com'"
            },
        )
    api.deploy()


# -- 8, 10. ways in ------------------------------------------------------------------------------------


def map_domain(api: Api, mappings: Mapping[str, str], name: str = "domain") -> None:
    """A custom domain name ``{domain}``; base path → stage, empty for none."""
    host = f"{uuid.uuid4().hex[:12]}.example.com"
    api.aws.create_domain_name(
        domainName=host,
        regionalCertificateArn=api.gateway.cloud.certificate(host),
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    for base_path, stage in mappings.items():
        if "/" in base_path:
            http_apis = api.gateway.cloud.client("apigatewayv2")
            http_apis.create_api_mapping(
                DomainName=host, ApiMappingKey=base_path, ApiId=api.id, Stage=stage
            )
            continue
        settings = {"stage": stage} if stage else {}
        api.aws.create_base_path_mapping(
            domainName=host, basePath=base_path or "(none)", restApiId=api.id, **settings
        )
    api.extra[name] = host


@situation
def custom_domains(api: Api) -> None:
    api.mock("GET", "/where", '{"stage": "$context.stage", "path": "$context.path"}')
    api.function("GET", "/echo")
    api.mock("GET", "/signed", authorizationType="AWS_IAM")
    api.deploy()
    api.deploy("prod")
    map_domain(api, {"v1": STAGE, "v1/new": "prod"})
    map_domain(api, {"": ""}, "stageless")


@situation
def client_certificates_wanted(api: Api) -> None:
    """A custom domain name with mutual TLS."""
    api.mock("GET", "/open")
    api.deploy()
    host, cloud = f"{uuid.uuid4().hex[:12]}.example.com", api.gateway.cloud
    cloud.client("s3").create_bucket(Bucket=host)
    cloud.client("s3").put_object(Bucket=host, Key="store.pem", Body=b"certificates")
    certificate = cloud.client("acm").request_certificate(DomainName=host)["CertificateArn"]
    api.aws.create_domain_name(
        domainName=host,
        regionalCertificateArn=certificate,
        endpointConfiguration={"types": ["REGIONAL"]},
        mutualTlsAuthentication={"truststoreUri": f"s3://{host}/store.pem"},
    )
    api.aws.create_base_path_mapping(domainName=host, restApiId=api.id, stage=STAGE)
    api.extra["domain"] = host


@situation
def only_a_custom_domain(api: Api) -> None:
    api.mock("GET", "/open")
    patch(api, "/disableExecuteApiEndpoint", "true")
    api.deploy()
    map_domain(api, {"": STAGE})


@situation
def edge_optimized(api: Api) -> None:
    patch(api, "/endpointConfiguration/types/REGIONAL", "EDGE")
    api.function("ANY", "/echo")
    api.mock("GET", "/keyed", **KEYED)
    api.deploy()


@situation
def type_changes(api: Api) -> None:
    """For the rows that change the endpoint's type."""
    api.mock("GET", "/open")


# -- the control plane ----------------------------------------------------------------------------------


@situation
def a_tree_of_resources(api: Api) -> None:
    """``/a/b/c`` and ``/d/b``."""
    for name, path in {"root": "/", "a": "/a", "b": "/a/b", "c": "/a/b/c", "d": "/d"}.items():
        api.extra[name] = api.resource(path)
    api.resource("/d/b")
