"""Builds the situations of the gateway's ledger through AWS's own operations: APIs, functions, user pools, tokens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from labkit.lab.cloud_process import clean_environment
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
STAGE = "dev"
PASSWORD = "Correct-Horse-7"
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
FUNCTIONS = {
    "echo": "import json\ndef handler(event, context):\n"
    "    return {'statusCode': 200, 'body': json.dumps(event)}\n",
    "give": "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n",
    "crash": "def handler(event, context):\n    raise RuntimeError('a secret detail')\n",
    "slow": "import time\ndef handler(event, context):\n    time.sleep(30)\n",
}
"""Name → source of the functions that integrations call."""


# -- the cloud -----------------------------------------------------------------


@dataclass(frozen=True)
class Cloud:
    """A running local cloud, as it announced itself."""

    endpoint: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    admin_token: str
    pid: int = 0

    @cached_property
    def http(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    @cache  # noqa: B019 - one cloud a session
    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def send(
        self,
        api_id: str,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
    ) -> requests.Response:
        """A request to an API, by its genuine host name."""
        host = f"{api_id}.execute-api.{self.region}.amazonaws.com"
        return self.http.request(
            method,
            self.endpoint + path,
            headers={"Host": host, **(headers or {})},
            data=data,
            allow_redirects=False,
            timeout=PATIENCE,
        )

    def labkit(self, path: str) -> requests.Response:
        headers = {"x-labkit-token": self.admin_token}
        return self.http.get(f"{self.endpoint}/_labkit/{path}", headers=headers, timeout=PATIENCE)

    def journey(self, response: requests.Response) -> dict[str, Any]:
        """The journey of a response's request."""
        found = self.labkit(f"journeys/{response.headers['x-amzn-RequestId']}")
        assert found.status_code == 200, found.text
        return dict(found.json())


@contextmanager
def running_cloud(
    temporary: Path, ahead: float, module: str = "tests.support.start"
) -> Iterator[Cloud]:
    """Start a cloud with this interpreter and read the line that it prints; stop it in the end.

    Args:
        temporary: where it keeps its files.
        ahead: how far its clock is ahead of the computer's, in seconds.
        module: the program.
    """
    command = [sys.executable, "-m", module, "--ahead", str(ahead), "--port", "0"]
    environment = clean_environment() | {"TMPDIR": str(temporary)}
    errors = temporary / "stderr"
    with errors.open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=environment,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, errors.read_text()
        cloud = Cloud(**json.loads(line), pid=process.pid)
        yield cloud
        cloud.http.close()
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(timeout=PATIENCE)


# -- what is in it ----------------------------------------------------------------


@dataclass
class Situation:
    """An API as a ledger row finds it.

    Attributes:
        api_id: the REST API.
        resources: path → resource id.
        extra: named values that requests and expectations may use as ``{name}``.
    """

    api_id: str
    resources: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)


class Api:
    """A REST API under construction."""

    def __init__(self, gateway: Gateway, **settings: Any) -> None:
        self.gateway = gateway
        self.aws = gateway.cloud.client("apigateway")
        settings = {"endpointConfiguration": {"types": ["REGIONAL"]}, **settings}
        self.id = str(self.aws.create_rest_api(name="ledger", **settings)["id"])
        items = self.aws.get_resources(restApiId=self.id)["items"]
        self.resources: dict[str, str] = {"/": items[0]["id"]}
        self.extra: dict[str, str] = {}

    def resource(self, path: str) -> str:
        """The id of a resource, made with its parents when missing."""
        if path not in self.resources:
            parent, _slash, part = path.rpartition("/")
            made = self.aws.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, verb: str, path: str, **settings: Any) -> dict[str, str]:
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.aws.put_method(**where, **{"authorizationType": "NONE", **settings})
        return where

    def mock(
        self,
        verb: str,
        path: str,
        body: str | None = None,
        integration: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """A method that answers by itself: with its own verb and path, unless told otherwise."""
        where = self.method(verb, path, **settings)
        template = json.dumps({"route": f"{verb} {path}"}) if body is None else body
        self.aws.put_method_response(**where, statusCode="200")
        self.aws.put_integration(
            **where,
            **{
                "type": "MOCK",
                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                **(integration or {}),
            },
        )
        self.aws.put_integration_response(
            **where, statusCode="200", responseTemplates={"application/json": template}
        )

    def function(
        self,
        verb: str,
        path: str,
        name: str = "echo",
        integration: Mapping[str, Any] | None = None,
        source_arn: str | None = "arn:aws:execute-api:{region}:{account}:{api}/*/*/*",
        **settings: Any,
    ) -> None:
        """A method with a Lambda proxy integration, and the permission that it needs."""
        where = self.method(verb, path, **settings)
        self.aws.put_integration(
            **where,
            **{
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": self.gateway.function_uri(name),
                **(integration or {}),
            },
        )
        if source_arn is not None:
            self.allow(name, source_arn)

    def allow(self, name: str, source_arn: str, **settings: str) -> None:
        """Let API Gateway invoke a function."""
        cloud = self.gateway.cloud
        source = source_arn.format(region=cloud.region, account=cloud.account_id, api=self.id)
        self.gateway.allow(name, source, **settings)

    def authorizer(self, *pools: Pool, **settings: Any) -> dict[str, Any]:
        """The settings of a method that a Cognito authorizer guards."""
        made = self.aws.create_authorizer(
            restApiId=self.id,
            **{
                "name": f"pools-{len(self.extra)}",
                "type": "COGNITO_USER_POOLS",
                "providerARNs": [pool.arn for pool in pools],
                "identitySource": "method.request.header.Authorization",
                **settings,
            },
        )
        self.extra["authorizer"] = made["id"]
        return {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"]}

    def respond(self, kind: str, **settings: Any) -> None:
        self.aws.put_gateway_response(restApiId=self.id, responseType=kind, **settings)

    def patch(self, verb: str, path: str, *operations: Mapping[str, str]) -> None:
        self.aws.update_method(
            restApiId=self.id,
            resourceId=self.resource(path),
            httpMethod=verb,
            patchOperations=list(operations),
        )

    def deploy(self, stage: str = STAGE, **settings: Any) -> str:
        made = self.aws.create_deployment(restApiId=self.id, stageName=stage, **settings)
        self.extra["deployment"] = made["id"]
        return str(made["id"])

    def situation(self) -> Situation:
        return Situation(self.api_id, self.resources, self.extra)

    @property
    def api_id(self) -> str:
        return self.id


class Pool:
    """A user pool with two app clients."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._aws = cloud.client("cognito-idp")
        self.id = str(self._aws.create_user_pool(PoolName=name)["UserPool"]["Id"])
        self.arn = f"arn:aws:cognito-idp:{cloud.region}:{cloud.account_id}:userpool/{self.id}"
        self.clients = {name: self._client(name) for name in ("app", "other app")}

    def _client(self, name: str) -> str:
        made = self._aws.create_user_pool_client(
            UserPoolId=self.id,
            ClientName=name,
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        return str(made["UserPoolClient"]["ClientId"])

    def user(self, name: str, *groups: str) -> None:
        self._aws.admin_create_user(
            UserPoolId=self.id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{name}@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self._aws.admin_set_user_password(
            UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True
        )
        known = {g["GroupName"] for g in self._aws.list_groups(UserPoolId=self.id)["Groups"]}
        for group in groups:
            if group not in known:
                self._aws.create_group(UserPoolId=self.id, GroupName=group)
            self._aws.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)

    def sign_in(self, name: str, client: str = "app") -> dict[str, str]:
        answer = self._aws.initiate_auth(
            ClientId=self.clients[client],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return {"id": answer["IdToken"], "access": answer["AccessToken"]}

    def sign_in_and_delete_app(self, name: str) -> str:
        """An ID token for an app client that is gone."""
        self.clients["deleted"] = self._client("deleted")
        token = self.sign_in(name, "deleted")["id"]
        client_id = self.clients.pop("deleted")
        self._aws.delete_user_pool_client(UserPoolId=self.id, ClientId=client_id)
        return token


class Gateway:
    """Everything that the rows share on one cloud; each thing is made when first used."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._situations: dict[str, Situation] = {}
        self._allowed: set[tuple[str, str]] = set()

    # -- Lambda -----------------------------------------------------------------

    @cached_property
    def _role_arn(self) -> str:
        iam = self.cloud.client("iam")
        made = iam.create_role(RoleName="ledger", AssumeRolePolicyDocument=json.dumps(TRUST))
        return str(made["Role"]["Arn"])

    @cache  # noqa: B019 - one gateway a session
    def function_arn(self, name: str) -> str:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", FUNCTIONS[name.partition("-")[0]])
        made = self.cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self._role_arn,
            Handler="index.handler",
            Code={"ZipFile": package.getvalue()},
            Timeout=3,
        )
        return str(made["FunctionArn"])

    def function_uri(self, name: str) -> str:
        return (
            f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/"
            f"{self.function_arn(name)}/invocations"
        )

    def allow(self, name: str, source_arn: str, **settings: str) -> None:
        if (name, source_arn) not in self._allowed:
            self._allowed.add((name, source_arn))
            self.function_arn(name)
            self.cloud.client("lambda").add_permission(
                **{
                    "FunctionName": name,
                    "StatementId": f"statement-{len(self._allowed)}",
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": source_arn,
                    **settings,
                }
            )

    # -- Cognito ----------------------------------------------------------------

    @cached_property
    def pool(self) -> Pool:
        pool = Pool(self.cloud, "ledger")
        pool.user("jane")
        return pool

    @cached_property
    def other_pool(self) -> Pool:
        pool = Pool(self.cloud, "other")
        pool.user("jane")
        return pool

    @cached_property
    def third_pool(self) -> Pool:
        pool = Pool(self.cloud, "third")
        pool.user("jane")
        return pool

    @cache  # noqa: B019 - one gateway a session
    def token(self, name: str) -> str:
        """A token by the name that rows give it."""
        return TOKENS[name](self)

    # -- situations -----------------------------------------------------------------

    def situation(self, name: str) -> Situation:
        if name not in self._situations:
            self._situations[name] = SITUATIONS[name](self)
        return self._situations[name]

    def fresh(self, name: str) -> Situation:
        """The situation, made anew: for rows that change it."""
        return SITUATIONS[name](self)


# -- tokens ---------------------------------------------------------------------------


def _tampered(token: str) -> str:
    """The token with another user's name in its claims and the old signature."""
    import base64

    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["cognito:username"] = "root"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


def _unsigned(token: str) -> str:
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.split('.')[1]}."


def _other_signature(token: str) -> str:
    """The token with the middle of its signature changed."""
    return f"{token[:-20]}{'A' if token[-20] != 'A' else 'B'}{token[-19:]}"


def _user(*groups: str) -> Callable[[Gateway], str]:
    def make(gateway: Gateway) -> str:
        name = "-".join(("in", *groups))
        gateway.pool.user(name, *groups)
        return gateway.pool.sign_in(name)["id"]

    return make


def _signed_out(gateway: Gateway) -> str:
    gateway.pool.user("leaver")
    tokens = gateway.pool.sign_in("leaver")
    gateway.cloud.client("cognito-idp").global_sign_out(AccessToken=tokens["access"])
    return tokens["id"]


def _disabled(gateway: Gateway) -> str:
    gateway.pool.user("disabled")
    tokens = gateway.pool.sign_in("disabled")
    gateway.cloud.client("cognito-idp").admin_disable_user(
        UserPoolId=gateway.pool.id, Username="disabled"
    )
    return tokens["id"]


TOKENS: dict[str, Callable[[Gateway], str]] = {
    "id": lambda g: g.pool.sign_in("jane")["id"],
    "access": lambda g: g.pool.sign_in("jane")["access"],
    "id for the other app": lambda g: g.pool.sign_in("jane", "other app")["id"],
    "id of the other pool": lambda g: g.other_pool.sign_in("jane")["id"],
    "access of the other pool": lambda g: g.other_pool.sign_in("jane")["access"],
    "id of a third pool": lambda g: g.third_pool.sign_in("jane")["id"],
    "id with changed claims": lambda g: _tampered(g.token("id")),
    "id with a changed signature": lambda g: _other_signature(g.token("id")),
    "id without a signature": lambda g: _unsigned(g.token("id")),
    "garbage": lambda _: "not-a-token",
    "id of a user in no group": _user(),
    "id of a user in one group": _user("team_manager"),
    "id of a user in two groups": _user("group-a", "group-b"),
    "id of a user who signed out everywhere": _signed_out,
    "id of a disabled user": _disabled,
    "id for an app that was deleted": lambda g: g.pool.sign_in_and_delete_app("jane"),
}


# -- situations -------------------------------------------------------------------------

SITUATIONS: dict[str, Callable[[Gateway], Situation]] = {}


def situation(build: Callable[[Api], None]) -> Callable[[Api], None]:
    """Register a builder of an API under its name, with blanks for underscores."""

    def make(gateway: Gateway) -> Situation:
        api = Api(gateway)
        build(api)
        return api.situation()

    SITUATIONS[build.__name__.replace("_", " ")] = make
    return build


@situation
def a_fresh_api(api: Api) -> None:
    """Nothing but the root."""


@situation
def open_routes(api: Api) -> None:
    api.mock("GET", "/open")
    api.function("ANY", "/event")
    api.function("GET", "/event/{name}")
    api.deploy(variables={"colour": "blue"})


@situation
def results(api: Api) -> None:
    """``POST /give`` returns the request's body as the function's result."""
    api.function("POST", "/give", "give")
    api.function("GET", "/crash", "crash")
    api.function("GET", "/slow", "slow", integration={"timeoutInMillis": 50})
    api.function("GET", "/with-get", integration={"integrationHttpMethod": "GET"})
    api.deploy()


@situation
def a_function_without_permission(api: Api) -> None:
    api.function("GET", "/closed", "echo-closed", source_arn=None)
    api.deploy()


@situation
def strict_mock(api: Api) -> None:
    api.mock("POST", "/strict", integration={"passthroughBehavior": "NEVER"})
    api.deploy()


@situation
def cognito(api: Api) -> None:
    pool = api.gateway.pool
    guarded = api.authorizer(pool)
    api.function("ANY", "/id", **guarded)
    api.function("GET", "/scoped", authorizationScopes=["demo/read", ADMIN_SCOPE], **guarded)
    api.function("GET", "/other-scope", authorizationScopes=["demo/write"], **guarded)
    custom = api.authorizer(pool, identitySource="method.request.header.X-Token")
    api.mock("GET", "/x-token", **custom)
    app = api.authorizer(pool, identityValidationExpression=pool.clients["app"])
    api.mock("GET", "/one-app", **app)
    api.mock("GET", "/one-app/scoped", authorizationScopes=[ADMIN_SCOPE], **app)
    anybody = api.authorizer(pool, identityValidationExpression=".*")
    api.mock("GET", "/any-app/scoped", authorizationScopes=[ADMIN_SCOPE], **anybody)
    two = api.authorizer(pool, api.gateway.other_pool)
    api.mock("GET", "/two-pools", **two)
    api.mock("GET", "/two-pools/scoped", authorizationScopes=[ADMIN_SCOPE], **two)
    template = '{"email": "$context.authorizer.claims.email"}'
    api.mock("GET", "/template", body=template, **guarded)
    template = '{"name": "$context.authorizer.claims[\'cognito:username\']"}'
    api.mock("GET", "/template/quoted", body=template, **guarded)
    api.deploy()


@situation
def pets(api: Api) -> None:
    """Static, parameter, greedy and ANY, all on one path each; no greedy resource at the root."""
    api.mock("GET", "/pets")
    api.mock("GET", "/pets/{id}")
    api.mock("GET", "/pets/mine")
    api.mock("GET", "/files/{proxy+}")
    api.mock("GET", "/files/readme")
    api.mock("GET", "/files/{name}/info")
    api.mock("ANY", "/any")
    api.mock("GET", "/any")
    api.deploy()


@situation
def half_guarded(api: Api) -> None:
    """An authorizer that one method names; another method, and the ANY beside it, don't."""
    guarded = api.authorizer(api.gateway.pool)
    api.mock("GET", "/orders")
    api.mock("GET", "/stock", **guarded)
    api.mock("ANY", "/stock")
    api.deploy()


@situation
def a_proxy_at_the_root(api: Api) -> None:
    api.mock("POST", "/admin", authorizationType="AWS_IAM")
    api.mock("OPTIONS", "/preflight")
    api.resource("/bare")
    api.mock("POST", "/test")
    api.mock("GET", "/part1/known")
    api.mock("ANY", "/{proxy+}")
    api.deploy()


@situation
def the_greedy_resource_first(api: Api) -> None:
    api.mock("GET", "/{proxy+}")
    api.mock("GET", "/known")
    api.deploy()


@situation
def changed_after_the_deployment(api: Api) -> None:
    """Deployed, then a route, a method, an authorizer and a scope were added and a route was deleted."""
    api.mock("GET", "/old")
    api.mock("GET", "/open")
    api.mock("GET", "/gone")
    api.mock("GET", "/scoped", **(guarded := api.authorizer(api.gateway.pool)))
    api.deploy()
    api.mock("GET", "/new")
    api.mock("POST", "/old")
    api.mock("GET", "/open", **guarded)
    api.patch("GET", "/scoped", {"op": "add", "path": "/authorizationScopes", "value": ADMIN_SCOPE})
    api.aws.delete_method(restApiId=api.id, resourceId=api.resource("/gone"), httpMethod="GET")


@situation
def changed_and_deployed_again(api: Api) -> None:
    api.mock("GET", "/open")
    api.mock("GET", "/gone")
    api.deploy()
    api.mock("GET", "/new")
    api.mock("GET", "/open", **api.authorizer(api.gateway.pool))
    api.aws.delete_method(restApiId=api.id, resourceId=api.resource("/gone"), httpMethod="GET")
    api.deploy()


@situation
def back_on_the_first_deployment(api: Api) -> None:
    api.mock("GET", "/first")
    first = api.deploy()
    api.mock("GET", "/second")
    api.deploy()
    api.aws.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )


@situation
def a_stage_variable_changed(api: Api) -> None:
    api.mock("GET", "/colour", body='{"colour": "$stageVariables.colour"}')
    api.deploy(variables={"colour": "blue"})
    api.aws.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[{"op": "replace", "path": "/variables/colour", "value": "red"}],
    )


@situation
def own_responses(api: Api) -> None:
    """Every way to customise a gateway response, on UNAUTHORIZED and MISSING_AUTHENTICATION_TOKEN."""
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond(
        "UNAUTHORIZED",
        statusCode="418",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'https://example.com'",
            "gatewayresponse.header.X-Sent": "method.request.header.X-Sent",
        },
        responseTemplates={
            "application/json": '{"error":$context.error.messageString,"plain":"$context.error.message",'
            '"type":"$context.error.responseType","colour":"$stageVariables.colour",'
            '"sent":"$method.request.header.X-Sent"}'
        },
    )
    api.respond(
        "MISSING_AUTHENTICATION_TOKEN",
        responseTemplates={"application/json": "#set($a = 1)$context.error.messageString"},
    )
    api.deploy(variables={"colour": "blue"})


@situation
def default_4xx_with_cors(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond(
        "DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )
    api.respond(
        "MISSING_AUTHENTICATION_TOKEN",
        responseParameters={"gatewayresponse.header.X-Own": "'yes'"},
    )
    api.deploy()


@situation
def default_4xx_with_a_status(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.respond("DEFAULT_4XX", statusCode="404")
    api.deploy()


@situation
def default_5xx_with_cors(api: Api) -> None:
    api.function("GET", "/crash", "crash")
    api.function("GET", "/slow", "slow", integration={"timeoutInMillis": 50})
    api.respond(
        "DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={"application/json": '{"oops":$context.error.messageString}'},
    )
    api.deploy()


@situation
def a_response_changed_after_the_deployment(api: Api) -> None:
    api.mock("GET", "/guarded", **api.authorizer(api.gateway.pool))
    api.deploy()
    api.respond("UNAUTHORIZED", statusCode="418")


@situation
def a_413_of_its_own(api: Api) -> None:
    api.mock("POST", "/upload")
    api.respond(
        "REQUEST_TOO_LARGE",
        statusCode="400",
        responseParameters={"gatewayresponse.header.X-Own": "'yes'"},
    )
    api.deploy()


@situation
def guarded_and_validated(api: Api) -> None:
    validator = api.aws.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    guarded = api.authorizer(api.gateway.pool)
    api.mock("POST", "/both", requestValidatorId=validator, **guarded)
    api.mock("GET", "/key", apiKeyRequired=True, **guarded)
    api.deploy()


@situation
def no_default_endpoint(api: Api) -> None:
    api.mock("GET", "/open")
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[_DISABLE])
    api.deploy()


@situation
def no_default_endpoint_yet_undeployed(api: Api) -> None:
    api.mock("GET", "/open")
    api.deploy()
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[_DISABLE])


_DISABLE = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}


@situation
def never_deployed(api: Api) -> None:
    """For ``TestInvokeMethod``: guarded, and not deployed."""
    api.mock("GET", "/pets/{petId}", apiKeyRequired=True, **api.authorizer(api.gateway.pool))
    api.function("GET", "/event")
    api.function(
        "GET", "/broken", integration={"uri": "arn:aws:apigateway:us-east-1:lambda:path/x"}
    )


def process_memory(pid: int) -> int:
    """The resident memory of a process in bytes; 0 where ``/proc`` isn't."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
