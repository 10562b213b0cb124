"""The APIs of the rows about authorization: Lambda authorizers, Signature v4, resource policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.gateway import FUNCTIONS, STAGE
from tests.support.rest_api import Api, situation

GUARD = """
import json

def policy(effect, resource):
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}

def handler(event, context):
    asked = event.get("authorizationToken") or (event.get("headers") or {}).get("X-Do") or "allow"
    word, _, rest = asked.partition(" ")
    arn = event["methodArn"]
    result = {"principalId": "somebody", "context": {"seen": rest}}
    if word == "raise":
        raise Exception(rest)
    if word == "raw":
        return json.loads(rest.replace("METHOD_ARN", arn))
    if word == "event":
        result["context"] = {"event": json.dumps(event)}
    if word == "context":
        result["context"] = json.loads(rest)
    if word == "key":
        result["usageIdentifierKey"] = rest
    if word == "long":
        return {**result, "policyDocument": policy("Allow", [arn, "arn:aws:execute-api:" + "x" * int(rest)])}
    if word == "only":
        return {**result, "policyDocument": policy("Allow", arn.split("/GET/")[0] + "/" + rest)}
    if word == "everything":
        return {**result, "policyDocument": policy("Allow", "*")}
    if word == "all-but":
        other = arn.split("/GET/")[0] + "/" + rest
        allow, deny = policy("Allow", "*"), policy("Deny", other)
        allow["Statement"] += deny["Statement"]
        return {**result, "policyDocument": allow}
    if word == "silent":
        return {**result, "policyDocument": policy("Allow", arn + "/somewhere/else")}
    effect = "Deny" if word == "deny" else "Allow"
    return {**result, "policyDocument": policy(effect, arn)}
"""
FUNCTIONS["guard"] = GUARD
FUNCTIONS["late"] = "import time\ndef handler(event, context):\n    time.sleep(30)\n"

AUTHORIZERS_ARN = "arn:aws:execute-api:{region}:{account}:{api}/authorizers/*"


def lambda_authorizer(
    api: Api, kind: str = "TOKEN", function: str = "guard", **settings: Any
) -> dict[str, Any]:
    """The settings of a method that a function guards."""
    if settings.pop("permitted", True):
        api.allow(function, AUTHORIZERS_ARN)
    made = api.aws.create_authorizer(
        restApiId=api.id,
        **{
            "name": f"{kind}-{len(api.extra)}-{function}",
            "type": kind,
            "authorizerUri": api.gateway.function_uri(function),
            "identitySource": "method.request.header.Authorization",
            **settings,
        },
    )
    api.extra[f"authorizer_{len(api.extra)}"] = made["id"]
    return {"authorizationType": "CUSTOM", "authorizerId": made["id"]}


def set_policy(api: Api, *statements: Mapping[str, Any]) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Principal": "*", "Action": "execute-api:Invoke", **s} for s in statements],
    }
    patch(api, "/policy", json.dumps(document))


def patch(api: Api, path: str, value: str) -> None:
    operation = {"op": "replace", "path": path, "value": value}
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[operation])


def here(*paths: str) -> dict[str, Any]:
    """The short form of some paths, for any verb of the stage (5.15)."""
    return {"Resource": [f"execute-api:/{STAGE}/*{path}" for path in paths]}


# -- 3. Lambda authorizers ------------------------------------------------------------------


@situation
def token_authorizers(api: Api) -> None:
    guarded = lambda_authorizer(api)
    api.extra["authorizer"] = guarded["authorizerId"]
    api.function("ANY", "/echo", **guarded)
    api.mock("GET", "/first", **guarded)
    api.mock("GET", "/second", **guarded)
    api.mock("GET", "/pets/{id}", **guarded)
    api.mock(
        "GET",
        "/context",
        '{"seen": "$context.authorizer.seen", "who": "$context.authorizer.principalId"}',
        **guarded,
    )
    api.mock("GET", "/uncached", **lambda_authorizer(api, authorizerResultTtlInSeconds=0))
    api.mock("GET", "/short", **lambda_authorizer(api, authorizerResultTtlInSeconds=10))
    expression = {"identityValidationExpression": "^(Bearer|allow) .*"}
    api.mock("GET", "/expression", **lambda_authorizer(api, **expression))
    own = {"identitySource": "method.request.header.X-Token"}
    api.mock("GET", "/x-token", **lambda_authorizer(api, **own))
    api.mock("GET", "/late", **lambda_authorizer(api, function="late"))
    api.mock(
        "GET", "/no-permission", **lambda_authorizer(api, function="guard-closed", permitted=False)
    )
    api.gateway.cloud.client("lambda").update_function_configuration(FunctionName="late", Timeout=1)
    api.deploy()


@situation
def request_authorizers(api: Api) -> None:
    two = {"identitySource": "method.request.header.X-Who,method.request.querystring.where"}
    guarded = lambda_authorizer(api, "REQUEST", **two)
    api.function("ANY", "/echo/{name}", **guarded)
    api.mock("GET", "/two", **guarded)
    api.mock(
        "GET",
        "/uncached",
        **lambda_authorizer(api, "REQUEST", authorizerResultTtlInSeconds=0, **two),
    )
    colour = {"identitySource": "stageVariables.colour"}
    api.mock("GET", "/variable", **lambda_authorizer(api, "REQUEST", **colour))
    missing = {"identitySource": "stageVariables.missing"}
    api.mock("GET", "/no-variable", **lambda_authorizer(api, "REQUEST", **missing))
    where = {"identitySource": "context.path"}
    api.mock("GET", "/context", **lambda_authorizer(api, "REQUEST", **where))
    api.deploy(variables={"colour": "blue"})


@situation
def an_authorizer_changed_after_the_deployment(api: Api) -> None:
    guarded = lambda_authorizer(api)
    api.mock("GET", "/first", **guarded)
    api.deploy()
    operation = {"op": "replace", "path": "/identitySource", "value": "method.request.header.X-New"}
    api.aws.update_authorizer(
        restApiId=api.id, authorizerId=guarded["authorizerId"], patchOperations=[operation]
    )


@situation
def test_authorizers(api: Api) -> None:
    """For ``TestInvokeAuthorizer``: nothing is deployed."""
    api.extra["token"] = lambda_authorizer(api)["authorizerId"]
    api.extra["request"] = lambda_authorizer(
        api, "REQUEST", identitySource="method.request.header.X-Who"
    )["authorizerId"]
    api.extra["cognito"] = api.authorizer(api.gateway.pool)["authorizerId"]


# -- 4. Signature v4 --------------------------------------------------------------------------


@situation
def signed(api: Api) -> None:
    iam = {"authorizationType": "AWS_IAM"}
    api.function("ANY", "/echo", **iam)
    api.mock("GET", "/x", **iam)
    api.mock("POST", "/x", **iam)
    api.mock("GET", "/pets/{id}", **iam)
    api.deploy()


# -- 5. resource policies -----------------------------------------------------------------------


@situation
def tables(api: Api) -> None:
    """Below ``/allowed``, ``/silent`` and ``/denied`` the policy says so; each has every kind of guard."""
    set_policy(
        api,
        {"Effect": "Allow", **here("/allowed/*")},
        {"Effect": "Deny", **here("/denied/*")},
    )
    token, cognito = lambda_authorizer(api), api.authorizer(api.gateway.pool)
    for path in ("/allowed", "/silent", "/denied"):
        api.mock("GET", f"{path}/open")
        api.mock("OPTIONS", f"{path}/open")
        api.mock("GET", f"{path}/token", **token)
        api.mock("GET", f"{path}/signed", authorizationType="AWS_IAM")
        api.mock("GET", f"{path}/cognito", **cognito)
    api.deploy()


@situation
def spellings(api: Api) -> None:
    """Every path is open but two, and what is allowed by ``NotResource`` isn't ``/hidden``."""
    get = f"execute-api:/{STAGE}/GET"
    set_policy(
        api,
        {"Effect": "Allow", "NotResource": f"{get}/hidden"},
        {"Effect": "Deny", "Resource": [f"{get}/closed", f"{get}/a%20b"]},
    )
    api.mock("GET", "/{name}")
    api.mock("GET", "/token/{name}", **lambda_authorizer(api))
    api.mock("GET", "/signed/{name}", authorizationType="AWS_IAM")
    api.deploy()


@situation
def conditions(api: Api) -> None:
    """``/<name>`` is allowed under one condition."""
    found: dict[str, dict[str, dict[str, Any]]] = {
        "referer": {"StringEquals": {"aws:Referer": "https://example.com/"}},
        "agent": {"StringLike": {"aws:UserAgent": "course/*"}},
        "loopback": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}},
        "elsewhere": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        "not-here": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        "future": {"DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}},
        "past": {"DateLessThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}},
        "epoch": {"NumericGreaterThan": {"aws:EpochTime": "1700000000"}},
        "tls": {"Bool": {"aws:SecureTransport": "true"}},
        "vpce": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
        "nobody": {"StringEquals": {"aws:PrincipalType": "User"}},
        "both": {
            "IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]},
            "StringEquals": {"aws:Referer": "https://example.com/"},
        },
    }
    statements = [
        {"Effect": "Allow", **here(f"/{name}"), "Condition": condition}
        for name, condition in found.items()
    ]
    set_policy(api, *statements)
    for name in found:
        api.mock("GET", f"/{name}")
    api.deploy()


@situation
def principals(api: Api) -> None:
    """``/user`` and ``/account`` name principals; ``/name``, ``/type`` and ``/arn`` deny one by a condition."""
    account = api.gateway.cloud.account_id
    user = api.gateway.caller("silent").arn  # type: ignore[attr-defined]
    role = f"arn:aws:iam::{account}:role/calls-allowed"
    api.gateway.caller("role allowed")  # type: ignore[attr-defined]
    set_policy(
        api,
        {"Effect": "Allow", **here("/user/*"), "Principal": {"AWS": user}},
        {
            "Effect": "Allow",
            **here("/account/*"),
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        },
        {"Effect": "Allow", **here("/guarded/*")},
        {
            "Effect": "Deny",
            **here("/guarded/name"),
            "Condition": {"StringEquals": {"aws:username": "silent"}},
        },
        {
            "Effect": "Deny",
            **here("/guarded/type"),
            "Condition": {"StringEquals": {"aws:PrincipalType": "AssumedRole"}},
        },
        {
            "Effect": "Deny",
            **here("/guarded/arn"),
            "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
        },
        {
            "Effect": "Deny",
            **here("/guarded/account"),
            "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
        },
    )
    for path in ("/user", "/account"):
        api.mock("GET", f"{path}/open")
        api.mock("GET", f"{path}/signed", authorizationType="AWS_IAM")
    for name in ("name", "type", "arn", "account", "free"):
        api.mock("GET", f"/guarded/{name}", authorizationType="AWS_IAM")
    api.deploy()


def _one_policy(api: Api, document: str, **settings: Any) -> None:
    patch(api, "/policy", document)
    api.mock("GET", "/open", **settings)
    api.deploy()


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_DENY_HERE = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": "execute-api:/*",
}
_ALLOW_HERE = {**_DENY_HERE, "Effect": "Allow"}


@situation
def an_escaped_policy(api: Api) -> None:
    """The form in which GetRestApi returns it."""
    _one_policy(api, json.dumps(json.dumps(json.loads(_document(_DENY_HERE)), indent=1))[1:-1])


@situation
def an_empty_policy(api: Api) -> None:
    _one_policy(api, _document(_DENY_HERE))
    patch(api, "/policy", "")
    api.deploy()


@situation
def a_policy_changed_after_the_deployment(api: Api) -> None:
    api.mock("GET", "/open")
    api.deploy()
    patch(api, "/policy", _document(_DENY_HERE))


@situation
def a_policy_changed_and_deployed(api: Api) -> None:
    api.mock("GET", "/open")
    api.deploy()
    patch(api, "/policy", _document(_DENY_HERE))
    api.deploy()


@situation
def policies_that_are_read_back(api: Api) -> None:
    patch(api, "/policy", _document(_ALLOW_HERE))


# -- private APIs, web ACLs -----------------------------------------------------------------------


_VPC_ENDPOINT = "vpce-0123456789abcdef0"


def _private(api: Api, *statements: Mapping[str, Any]) -> None:
    patch(api, "/endpointConfiguration/types/REGIONAL", "PRIVATE")
    associate = {"path": "/endpointConfiguration/vpcEndpointIds", "value": _VPC_ENDPOINT}
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[{"op": "add", **associate}])
    if statements:
        patch(api, "/policy", _document(*statements))
    api.mock("GET", "/open")
    if statements:
        api.deploy()


@situation
def a_private_api(api: Api) -> None:
    condition = {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}
    _private(api, _ALLOW_HERE, {**_DENY_HERE, **condition})


@situation
def a_private_api_made_with_its_endpoint(api: Api) -> None:
    made = Api(
        api.gateway,
        endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": [_VPC_ENDPOINT]},
        policy=_document(_ALLOW_HERE),
    )
    made.mock("GET", "/open")
    made.deploy()
    api.id, api.resources = made.id, made.resources


@situation
def a_private_api_without_a_policy(api: Api) -> None:
    _private(api)


@situation
def a_private_api_for_an_address(api: Api) -> None:
    condition = {"Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}}
    _private(api, {**_ALLOW_HERE, **condition})


@situation
def a_private_api_for_an_address_in_the_vpc(api: Api) -> None:
    condition = {"Condition": {"IpAddress": {"aws:VpcSourceIp": ["127.0.0.0/8", "::1/128"]}}}
    _private(api, {**_ALLOW_HERE, **condition})


@situation
def a_web_acl(api: Api) -> None:
    """In front of the stage, with a rule of AWS's that the local cloud doesn't have."""
    api.mock("GET", "/open", **lambda_authorizer(api))
    api.deploy()
    waf = api.gateway.cloud.client("wafv2")
    visible = {
        "SampledRequestsEnabled": False,
        "CloudWatchMetricsEnabled": False,
        "MetricName": "x",
    }
    made = waf.create_web_acl(
        Name=f"ledger-{api.id}",
        Scope="REGIONAL",
        DefaultAction={"Block": {}},
        VisibilityConfig=visible,
    )
    stage = f"arn:aws:apigateway:{api.gateway.cloud.region}::/restapis/{api.id}/stages/{STAGE}"
    waf.associate_web_acl(WebACLArn=made["Summary"]["ARN"], ResourceArn=stage)
