"""Runs the rows about settings: calls of control planes in order, of which the last is looked at."""

from __future__ import annotations

import base64
import hmac
import io
import itertools
import json
import re
import struct
import time
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import jwt
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit.local.ledger import Row
from tests.fidelity.steered import SteeredGateway
from tests.support.patience import PATIENCE

STEP_KEYS = {"as", "call", "keep", "named", "unsigned", "with"}
EXPECT_KEYS = {"absent", "error", "lifetime", "message", "status", "values"}

_CODE = """
import base64, os, time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    print("a line of the log")
    return {
        "client": os.environ.get("GREETING"),
        "memory": context.memory_limit_in_mb,
        "name": context.function_name,
        "runtime": os.environ["AWS_EXECUTION_ENV"],
        "variable": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        "version": context.function_version,
    }

def other(event, context):
    return "other"

def pass_on(event, context):
    return event

def caller(event, context):
    import boto3
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
_OTHER_CODE = "def handler(event, context):\n    return 'changed'\n"


def _zipped(code: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        files.writestr("index.py", code)
    return package.getvalue()


FILES = {"code": _zipped(_CODE), "other code": _zipped(_OTHER_CODE)}


class SettingsRunner:
    """One cloud, and what the rows make on it: everything has a name of its own.

    Args:
        gateway: where, and what its clock shows.
    """

    def __init__(self, gateway: SteeredGateway) -> None:
        self._gateway = gateway
        self._cloud = gateway.cloud
        self._numbers = itertools.count(1)
        self._steps = {name: list(steps) for name, steps in SITUATIONS.items()}

    def run(self, row: Row) -> None:
        assert set(row.request) <= {"steps"}, row.id
        assert set(row.expect) <= EXPECT_KEYS, row.id
        here: dict[str, Any] = {
            "n": f"{next(self._numbers)}-{time.time_ns() % 10**9}",
            "account": self._cloud.account_id,
            "region": self._cloud.region,
            "now": time.time(),
        }
        self._gateway.steer(reset=True)
        *first, last = [*self._steps[row.setup], *row.request["steps"]]
        for step in first:
            self._take(step, here)
        if "error" not in row.expect:
            self._check(self._take(last, here), row.expect, here)
            return
        try:
            answer = self._take(last, here)
        except ClientError as refused:
            found = refused.response["Error"]
            assert found["Code"] == row.expect["error"], found
            if "message" in row.expect:
                wanted = _filled(row.expect["message"], here)
                assert re.fullmatch(wanted, found["Message"]), found["Message"]
            if "status" in row.expect:
                status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
                assert status == row.expect["status"], status
            return
        raise AssertionError(f"no {row.expect['error']} but {answer}")

    def _take(self, step: Mapping[str, Any], here: dict[str, Any]) -> Any:
        assert set(step) <= STEP_KEYS, step
        service, _dot, operation = step["call"].partition(".")
        if service == "inbox":
            address = _filled(step["with"]["address"], here)
            messages = self._cloud.labkit(f"inbox/{address}").json()
            here |= {
                name: next(_found(messages, path)) for name, path in step.get("keep", {}).items()
            }
            return messages
        if service == "clock":
            return self._gateway.steer(advance=step["with"]["seconds"])
        if service == "http":
            return self._ask_api(operation, _filled(step["with"], here))
        client = self._client(service, step, here)
        answer = getattr(client, operation)(**_filled(step.get("with", {}), here))
        if operation in (
            "create_function",
            "update_function_code",
            "update_function_configuration",
        ):
            waiter = client.get_waiter("function_updated_v2")
            waiter.wait(
                FunctionName=answer["FunctionName"],
                WaiterConfig={"Delay": 0.02, "MaxAttempts": int(PATIENCE / 0.02)},
            )
        if "Payload" in answer:
            answer["Payload"] = json.loads(answer["Payload"].read() or "null")
        if "LogResult" in answer:
            answer["LogResult"] = base64.b64decode(answer["LogResult"]).decode()
        for name, path in step.get("keep", {}).items():
            here[name] = next(_found(answer, path))
        return answer

    def _ask_api(self, method: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """A request to an API, and its answer."""
        answer = self._cloud.send(asked["api"], asked["path"], method)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return {"status": answer.status_code, "headers": headers, "body": answer.text}

    def _client(self, service: str, step: Mapping[str, Any], here: Mapping[str, Any]) -> Any:
        if step.get("unsigned"):
            return boto3.client(
                service,
                endpoint_url=self._cloud.endpoint,
                region_name=self._cloud.region,
                config=Config(signature_version=UNSIGNED, proxies={}),
            )
        if "as" not in step:
            return self._cloud.client(service)
        key = here[step["as"]]
        return boto3.client(
            service,
            endpoint_url=self._cloud.endpoint,
            region_name=self._cloud.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key.get("SecretAccessKey") or key["SecretKey"],
            aws_session_token=key.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def _check(self, answer: Any, expect: Mapping[str, Any], here: Mapping[str, Any]) -> None:
        if "status" in expect:
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            assert status == expect["status"], status
        if "lifetime" in expect:
            left = answer["Credentials"]["Expiration"].timestamp() - self._now()
            assert expect["lifetime"] - PATIENCE < left <= expect["lifetime"] + 1, left
        for path, value in expect.get("values", {}).items():
            found = list(_found(answer, path))
            wanted = _filled(value, here)
            if isinstance(wanted, str) and wanted.startswith("~"):
                assert found, path
                assert re.fullmatch(wanted[1:], str(found[0]), re.DOTALL), found
            else:
                assert found == [wanted], (path, found)
        for path in expect.get("absent", []):
            assert not any(_found(answer, path)), path

    def _now(self) -> float:
        clock = self._cloud.labkit("clock").json()
        return float(clock["now"]) if "now" in clock else time.time()


def _found(answer: Any, path: str) -> Iterator[Any]:
    """What stands at a path of names and numbers, with dots; empty: all of it."""
    for name in path.split(".") if path else ():
        if isinstance(answer, list):
            if name.startswith("?"):  # an attribute by its name
                named = [one["Value"] for one in answer if one["Name"] == name[1:]]
                answer = named[0] if named else None
            else:
                answer = answer[int(name)] if int(name) < len(answer) else None
        elif isinstance(answer, str) and answer.startswith("ey"):
            claims = jwt.decode(answer, options={"verify_signature": False})
            answer = {**claims, "lifetime": claims["exp"] - claims["iat"]}.get(name)
        else:
            answer = answer.get(name) if isinstance(answer, dict) else None
        if answer is None:
            return
    yield answer


def _filled(value: Any, here: Mapping[str, Any]) -> Any:
    """The value with its ``{words}`` replaced; ``{{`` stays a brace; ``file:`` names one of FILES."""
    if isinstance(value, str):
        if value.startswith("file:"):
            return FILES[value.removeprefix("file:")]
        for name, found in here.items():
            if value == f"{{{name}}}":
                return found
            if isinstance(found, str):
                value = value.replace(f"{{{name}}}", found)
        kind, _colon, rest = value.partition(":")
        return PROOFS[kind](rest, here["now"]) if kind in PROOFS else value
    if isinstance(value, dict):
        return {_filled(name, here): _filled(item, here) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, here) for item in value]
    return value


def _secret_hash(what: str, _now: float) -> str:
    """``SECRET_HASH`` of ``secret:client:name``."""
    secret, client, name = what.split(":")
    digest = hmac.digest(secret.encode(), f"{name}{client}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def _one_time_password(secret: str, now: float) -> str:
    """The six digits that an authenticator app shows."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(now) // 30), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{number % 2**31 % 10**6:06}"


PROOFS = {"hash": _secret_hash, "totp": _one_time_password}
"""What a client makes of a secret: words that begin so."""


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _trust(principal: Mapping[str, Any], *actions: str) -> str:
    action = list(actions) or "sts:AssumeRole"
    return _policy({"Effect": "Allow", "Principal": principal, "Action": action})


_NOTHING: list[dict[str, Any]] = []
_EXECUTION_ROLE = [
    {
        "call": "iam.create_role",
        "with": {
            "RoleName": "runs-{n}",
            "AssumeRolePolicyDocument": _trust({"Service": "lambda.amazonaws.com"}),
        },
        "keep": {"execution_role": "Role.Arn"},
    },
]
_FUNCTION = [
    *_EXECUTION_ROLE,
    {
        "call": "lambda.create_function",
        "with": {
            "FunctionName": "show-{n}",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": "{execution_role}",
            "Code": {"ZipFile": "file:code"},
        },
        "keep": {"function": "FunctionArn", "first_revision": "RevisionId"},
    },
]
_USER = [
    {"call": "iam.create_user", "with": {"UserName": "kim-{n}"}, "keep": {"user": "User.Arn"}},
    {
        "call": "iam.create_access_key",
        "with": {"UserName": "kim-{n}"},
        "keep": {"kim": "AccessKey", "kims_key": "AccessKey.AccessKeyId"},
    },
]
_ASSUMES = _policy(
    {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
)
_ASSUMER = [
    *_USER,
    {
        "call": "iam.put_user_policy",
        "with": {"UserName": "kim-{n}", "PolicyName": "assumes", "PolicyDocument": _ASSUMES},
    },
]
_ROLE = [
    *_ASSUMER,
    {
        "call": "iam.create_role",
        "with": {
            "RoleName": "reads-{n}",
            "AssumeRolePolicyDocument": _trust({"AWS": "{account}"}),
        },
        "keep": {"role": "Role.Arn"},
    },
]
_LISTS_USERS = _policy({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"})
_MANAGED = [
    {
        "call": "iam.create_policy",
        "with": {"PolicyName": "lists-{n}", "PolicyDocument": _LISTS_USERS},
        "keep": {"policy": "Policy.Arn"},
    }
]

_POOL = [
    {
        "call": "cognito-idp.create_user_pool",
        "with": {"PoolName": "settings-{n}"},
        "keep": {"pool": "UserPool.Id"},
    },
    {
        "call": "cognito-idp.create_user_pool_client",
        "with": {
            "UserPoolId": "{pool}",
            "ClientName": "app",
            "ExplicitAuthFlows": [
                "ALLOW_ADMIN_USER_PASSWORD_AUTH",
                "ALLOW_REFRESH_TOKEN_AUTH",
                "ALLOW_USER_PASSWORD_AUTH",
            ],
        },
        "keep": {"client": "UserPoolClient.ClientId"},
    },
    {
        "call": "cognito-idp.admin_create_user",
        "with": {
            "UserPoolId": "{pool}",
            "Username": "kim",
            "MessageAction": "SUPPRESS",
            "UserAttributes": [{"Name": "email", "Value": "kim-{n}@example.com"}],
        },
    },
    {
        "call": "cognito-idp.admin_set_user_password",
        "with": {
            "UserPoolId": "{pool}",
            "Username": "kim",
            "Password": "Correct-1234",
            "Permanent": True,
        },
    },
]
_SECRET = [
    *_POOL,
    {
        "call": "cognito-idp.update_user_pool",
        "with": {"UserPoolId": "{pool}", "AutoVerifiedAttributes": ["email"]},
    },
    {
        "call": "cognito-idp.create_user_pool_client",
        "with": {
            "UserPoolId": "{pool}",
            "ClientName": "confidential",
            "GenerateSecret": True,
            "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        },
        "keep": {"client": "UserPoolClient.ClientId", "secret": "UserPoolClient.ClientSecret"},
    },
]
_TRIGGER = [
    *_FUNCTION,
    {
        "call": "lambda.update_function_configuration",
        "with": {"FunctionName": "show-{n}", "Handler": "index.pass_on"},
    },
    *_POOL,
    {
        "call": "cognito-idp.update_user_pool",
        "with": {"UserPoolId": "{pool}", "LambdaConfig": {"PreTokenGeneration": "{function}"}},
    },
]

_OPEN = '{"statusCode": 200}'
_REST_API = [
    {
        "call": "apigateway.create_rest_api",
        "with": {"name": "settings-{n}"},
        "keep": {"api": "id", "root": "rootResourceId"},
    },
    {
        "call": "apigateway.put_method",
        "with": {
            "restApiId": "{api}",
            "resourceId": "{root}",
            "httpMethod": "GET",
            "authorizationType": "NONE",
        },
    },
    {
        "call": "apigateway.put_method_response",
        "with": {
            "restApiId": "{api}",
            "resourceId": "{root}",
            "httpMethod": "GET",
            "statusCode": "200",
        },
    },
    {
        "call": "apigateway.put_integration",
        "with": {
            "restApiId": "{api}",
            "resourceId": "{root}",
            "httpMethod": "GET",
            "type": "MOCK",
            "requestTemplates": {"application/json": _OPEN},
        },
    },
    {
        "call": "apigateway.put_integration_response",
        "with": {
            "restApiId": "{api}",
            "resourceId": "{root}",
            "httpMethod": "GET",
            "statusCode": "200",
        },
    },
]

_DEPLOYED = [
    *_REST_API,
    {
        "call": "apigateway.create_deployment",
        "with": {"restApiId": "{api}", "stageName": "dev"},
    },
]
_PLAN = [
    *_DEPLOYED,
    {
        "call": "apigateway.create_usage_plan",
        "with": {"name": "plan-{n}", "apiStages": [{"apiId": "{api}", "stage": "dev"}]},
        "keep": {"plan": "id"},
    },
]
_DOMAIN = [
    *_DEPLOYED,
    {
        "call": "acm.request_certificate",
        "with": {"DomainName": "*.example.com"},
        "keep": {"wildcard": "CertificateArn"},
    },
    {
        "call": "apigateway.create_domain_name",
        "with": {
            "domainName": "a-{n}.example.com",
            "regionalCertificateArn": "{wildcard}",
            "endpointConfiguration": {"types": ["REGIONAL"]},
        },
    },
]
_HTTP_API = [
    {
        "call": "apigatewayv2.create_api",
        "with": {"Name": "settings-{n}", "ProtocolType": "HTTP"},
        "keep": {"http": "ApiId"},
    }
]
_DEPLOYED_HTTP_API = [
    *_HTTP_API,
    {
        "call": "apigatewayv2.create_integration",
        "with": {
            "ApiId": "{http}",
            "IntegrationType": "HTTP_PROXY",
            "IntegrationMethod": "GET",
            "IntegrationUri": "https://example.com",
        },
        "keep": {"integration": "IntegrationId"},
    },
    {
        "call": "apigatewayv2.create_route",
        "with": {
            "ApiId": "{http}",
            "RouteKey": "GET /a",
            "Target": "integrations/{integration}",
        },
    },
    {
        "call": "apigatewayv2.create_deployment",
        "with": {"ApiId": "{http}"},
        "keep": {"deployment": "DeploymentId"},
    },
]

SITUATIONS: dict[str, list[dict[str, Any]]] = {
    "a REST API": _REST_API,
    "a REST API beside a user pool": [*_POOL, *_REST_API],
    "a REST API in a usage plan": _PLAN,
    "a custom domain name": _DOMAIN,
    "a deployed HTTP API": _DEPLOYED_HTTP_API,
    "an HTTP API": _HTTP_API,
    "an HTTP API beside a user pool": [*_POOL, *_HTTP_API],
    "nothing": _NOTHING,
    "an execution role": _EXECUTION_ROLE,
    "a function": _FUNCTION,
    "a user with a key": _USER,
    "a user with a key, and a managed policy": [*_USER, *_MANAGED],
    "a user pool": _POOL,
    "a user pool whose app client has a secret": _SECRET,
    "a user pool with a trigger": _TRIGGER,
    "a user who may assume roles": _ASSUMER,
    "a role": _ROLE,
    "a role, and a managed policy": [*_ROLE, *_MANAGED],
}
"""What rows begin with: steps like theirs."""
