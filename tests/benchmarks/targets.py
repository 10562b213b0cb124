"""One API for every benchmark of the gateway, made with the same boto3 calls in either cloud, and clients for it."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_cognito_mock_call import user_of_new_pool
from peers import ministack

REGION = "us-east-1"
STAGE = "dev"
ANSWER = b'{"answer":"mock"}'
SILENT = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'function'}\n"
AUTHORIZER = """
def handler(event, context):
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    return {
        "principalId": event["authorizationToken"],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
"""
PLENTY = {"rateLimit": 1_000_000.0, "burstLimit": 1_000_000}
"""Limits that no benchmark reaches."""


@contextmanager
def local_cloud(directory: Path, *program: str) -> Iterator[dict[str, Any]]:
    """A local cloud's announcement, with its ``pid``; ``program`` starts a variant of ``python -m labkit.local``."""
    command = [sys.executable, *(program or ("-m", "labkit.local")), "--port", "0"]
    with (
        (directory / "labkit.log").open("a") as log,
        subprocess.Popen(
            command,
            env=os.environ | {"TMPDIR": str(directory)},
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield {**json.loads(process.stdout.readline()), "pid": process.pid}
        finally:
            process.terminate()


@contextmanager
def ministack_with_auth(directory: Path) -> Iterator[dict[str, Any]]:
    """MiniStack by itself, verifying signatures and policies as the local cloud does."""
    before = os.environ.get("AUTH")
    os.environ["AUTH"] = "true"
    try:
        with ministack(directory) as endpoint:
            yield {
                "endpoint": endpoint,
                "access_key_id": "test",
                "secret_access_key": "test",
                "region": REGION,
            }
    finally:
        os.environ.pop("AUTH")
        if before is not None:
            os.environ["AUTH"] = before


@dataclass
class Api:
    """What a benchmark calls in one of the clouds.

    Attributes:
        endpoint: the cloud's.
        path: of the stage, by path.
        headers: kind of method → what makes the headers of a call that passes.
        key: the value of an API key in a usage plan.
    """

    endpoint: str
    path: str
    headers: Mapping[str, Callable[[], dict[str, str]]]
    key: str

    def client(self) -> Client:
        """A kept connection."""
        return Client(self)


class Client:
    """A kept connection to one API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        address = api.endpoint.removeprefix("http://")
        self._connection = http.client.HTTPConnection(address, timeout=30)

    def get(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of a GET below the stage."""
        return self.at(f"{self._api.path}/{path}", headers)

    def at(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of a GET."""
        self._connection.request("GET", path, headers=dict(headers))
        response = self._connection.getresponse()
        return response.status, response.read()

    def seconds(self, kind: str, status: int = 200) -> float:
        """The latency of one call of a kind of method; what the client does before it isn't counted."""
        headers = self._api.headers[kind]()
        began = time.perf_counter()
        answer = self.get(kind, headers)
        took = time.perf_counter() - began
        assert answer[0] == status, (kind, answer)
        return took

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def make_api(announced: Mapping[str, Any], limited: tuple[float, int] | None = None) -> Api:
    """The API: a GET method of each kind, named after it, deployed to ``dev``.

    Args:
        announced: endpoint and key of the cloud.
        limited: rate and burst of the method ``limited``; without them there is none.
    """
    import boto3

    endpoint = announced["endpoint"]
    session = boto3.Session(
        announced["access_key_id"], announced["secret_access_key"], region_name=REGION
    )

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    gateway, functions = client("apigateway"), client("lambda")
    account_id = client("sts").get_caller_identity()["Account"]
    pool_id, sign_in = user_of_new_pool(client("cognito-idp"))
    regional = {
        "types": ["REGIONAL"]
    }  # an edge-optimized API has four headers of CloudFront more to send
    api_id = gateway.create_rest_api(name="bench", endpointConfiguration=regional)["id"]
    root_id = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    role_arn = _role(client("iam"))

    def function(name: str, code: str) -> str:
        """The URI of a new function that the API may invoke."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", code)
        arn = functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role_arn,
            Handler="app.handler",
            Code={"ZipFile": package.getvalue()},
            Timeout=10,
        )["FunctionArn"]
        functions.add_permission(
            FunctionName=name,
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{account_id}:{api_id}/*",
        )
        return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"

    def authorizer(kind: str, **settings: Any) -> dict[str, Any]:
        made = gateway.create_authorizer(
            restApiId=api_id,
            name=f"{kind}-{settings.get('authorizerResultTtlInSeconds', '')}",
            type=kind,
            identitySource="method.request.header.Authorization",
            **settings,
        )
        return {"authorizerId": made["id"]}

    def method(path: str, uri: str | None = None, **settings: Any) -> None:
        resource_id = gateway.create_resource(restApiId=api_id, parentId=root_id, pathPart=path)
        where = {"restApiId": api_id, "resourceId": resource_id["id"], "httpMethod": "GET"}
        gateway.put_method(**where, **{"authorizationType": "NONE", **settings})
        if uri is not None:
            gateway.put_integration(
                **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri
            )
            return
        gateway.put_integration(
            **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )
        gateway.put_method_response(**where, statusCode="200")
        gateway.put_integration_response(
            **where, statusCode="200", responseTemplates={"application/json": ANSWER.decode()}
        )

    uri = function("authorizer", AUTHORIZER)
    pool_arn = f"arn:aws:cognito-idp:{REGION}:{account_id}:userpool/{pool_id}"
    cached = authorizer("TOKEN", authorizerUri=uri, authorizerResultTtlInSeconds=300)
    uncached = authorizer("TOKEN", authorizerUri=uri, authorizerResultTtlInSeconds=0)
    method("open")
    method("throttled")
    method(
        "cognito",
        authorizationType="COGNITO_USER_POOLS",
        **authorizer("COGNITO_USER_POOLS", providerARNs=[pool_arn]),
    )
    method("token", authorizationType="CUSTOM", **cached)
    method("uncached", authorizationType="CUSTOM", **uncached)
    method("iam", authorizationType="AWS_IAM")
    method("key", apiKeyRequired=True)
    method("function", function("silent", SILENT))
    limits: dict[str, tuple[float, int]] = {"throttled": (0, 0)}
    if limited is not None:
        method("limited")
        limits["limited"] = limited
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
    gateway.update_stage(
        restApiId=api_id,
        stageName=STAGE,
        patchOperations=[
            {"op": "replace", "path": f"/{path}/GET/throttling/{name}", "value": str(value)}
            for path, settings in limits.items()
            for name, value in zip(("rateLimit", "burstLimit"), settings, strict=True)
        ],
    )
    path = f"/_aws/execute-api/{api_id}/{STAGE}"
    key = _key_in_a_plan(gateway, api_id, PLENTY)
    id_token = sign_in()
    return Api(
        endpoint,
        path,
        {
            "open": dict,
            "throttled": dict,
            "limited": dict,
            "function": dict,
            "cognito": lambda: {"Authorization": id_token},
            "token": lambda: {"Authorization": "somebody"},
            "uncached": lambda: {"Authorization": "somebody"},
            "iam": _signer(client("iam"), f"{endpoint}{path}/iam"),
            "key": lambda: {"X-API-Key": key},
        },
        key,
    )


def _role(iam: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return str(iam.create_role(RoleName="bench", AssumeRolePolicyDocument=trust)["Role"]["Arn"])


def _key_in_a_plan(gateway: Any, api_id: str, throttle: Mapping[str, float]) -> str:
    key = gateway.create_api_key(name="bench", enabled=True)
    plan = gateway.create_usage_plan(
        name="bench", throttle=dict(throttle), apiStages=[{"apiId": api_id, "stage": STAGE}]
    )
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def _signer(iam: Any, url: str) -> Callable[[], dict[str, str]]:
    """What signs a GET of the URL anew for every call, as a user who may make it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    iam.create_user(UserName="bench")
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    iam.put_user_policy(
        UserName="bench",
        PolicyName="invoke",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    made = iam.create_access_key(UserName="bench")["AccessKey"]
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def sign() -> dict[str, str]:
        request = AWSRequest("GET", url)
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        return dict(request.headers.items())

    return sign


def by_turns(
    calls: Mapping[str, Callable[[], float]], rounds: int, calls_a_round: int, warm_up: int
) -> dict[str, list[float]]:
    """The seconds that each call took: some of one, some of the next, again and again."""
    import gc

    samples: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(warm_up):
            call()
    gc.disable()
    try:
        for number in range(rounds):
            # Who comes first changes: otherwise one always runs on what the other left in the caches.
            order = list(calls.items())[:: 1 if number % 2 else -1]
            for name, call in order:
                samples[name].extend(call() for _ in range(calls_a_round))
    finally:
        gc.enable()
    return samples
