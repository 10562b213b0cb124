"""Builds the situations of the HTTP APIs' ledger: APIs, functions, an issuer of tokens, callers."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from labkit.local.ledger import Row
from tests.fidelity.runner import Runner, body_of
from tests.fidelity.steered import SteeredGateway
from tests.support.gateway import ADMIN_SCOPE, FUNCTIONS, Gateway, Pool, Situation
from tests.support.running_cloud import Cloud

DEFAULT = "$default"
CLIENT = "client-of-the-issuer"
STATEMENT = """
def policy(effect, resource):
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "somebody", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}

"""
FUNCTIONS |= {
    "simple": "import json, os\nCOUNT = []\n"
    "def handler(event, context):\n"
    "    asked = event['headers']['x-ask']\n"
    "    if asked.startswith('{'):\n"
    "        return json.loads(asked)\n"
    "    if asked == 'crash':\n"
    "        raise RuntimeError('a secret detail')\n"
    "    if asked == 'Unauthorized':\n"
    "        raise Exception('Unauthorized')\n"
    "    context = {'n': 1, 'list': ['a', 'b'], 'map': {'k': 'v'}, 'event': event, 'asked': asked}\n"
    "    return {'isAuthorized': asked.startswith('allow'), 'context': context}\n",
    "policy": STATEMENT + "def handler(event, context):\n"
    "    arn = event.get('routeArn') or event['methodArn']\n"
    "    asked = event['headers']['x-ask']\n"
    "    if asked == 'nothing':\n"
    "        return {'principalId': 'somebody'}\n"
    "    if asked == 'elsewhere':\n"
    "        return policy('Allow', arn + '/elsewhere')\n"
    "    answer = policy('Allow' if asked.startswith('allow') else 'Deny', arn)\n"
    "    kind = event.get('identitySource')\n"
    "    return {**answer, 'context': {'version': event['version'], 'type': event['type'], 'kind': str(kind)}}\n",
    "raw": "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n",
    "cors": "def handler(event, context):\n"
    "    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': 'https://backend.example'},"
    " 'body': 'hi'}\n",
}


# -- the cloud ---------------------------------------------------------------------------------


class HttpCloud(Cloud):
    """A cloud whose answers carry ``apigw-requestid``."""

    def journey(self, response: requests.Response) -> dict[str, Any]:
        key = quote(response.headers["apigw-requestid"], safe="")
        found = self.labkit(f"journeys/{key}")
        assert found.status_code == 200, found.text
        return dict(found.json())


class Issuer:
    """An OpenID provider on loopback, with keys of its own."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        keys = {"keys": [{**jwk, "kid": "k1", "alg": "RS256", "use": "sig"}]}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/jwks",
                    },
                    "/jwks": keys,
                }
                document = documents.get(self.path)
                data = json.dumps(document).encode()
                self.send_response(404 if document is None else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def token(self, without: tuple[str, ...] = (), **claims: Any) -> str:
        return jwt.encode(
            self.claims(without, **claims), self.key, algorithm="RS256", headers={"kid": "k1"}
        )

    def claims(self, without: tuple[str, ...] = (), **claims: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {"iss": self.url, "aud": CLIENT, "sub": "jane", "iat": now - 60, "exp": now + 3_600}
        return {k: v for k, v in {**made, **claims}.items() if k not in without}


class HttpGateway(Gateway):
    """What the rows share; each thing is made when first used."""

    def __init__(self, gateway: SteeredGateway, issuer: Issuer) -> None:
        values = {f.name: getattr(gateway.cloud, f.name) for f in dataclasses.fields(gateway.cloud)}
        super().__init__(HttpCloud(**values))
        self.issuer = issuer
        self._shared = gateway

    def run_clock(self) -> None:
        """Let the gateway's time be the tokens' and the signatures'."""
        self._shared.steer(reset=True, run=True)

    def function_arn(self, name: str) -> str:
        return str(self._shared.function_arn(name))

    def allow(self, name: str, source_arn: str, **settings: str) -> None:
        self._shared.allow(name, source_arn, **settings)

    @cached_property
    def pool(self) -> Pool:
        return self._shared.pool

    def situation(self, name: str) -> Situation:
        if name not in self._situations:
            self._situations[name] = self.fresh(name)
        return self._situations[name]

    def fresh(self, name: str) -> Situation:
        api = HttpApi(self)
        SITUATIONS[name](api)
        return Situation(api.id, extra=api.extra)

    def token(self, name: str) -> str:
        made = TOKENS.get(name)
        return str(self._shared.token(name)) if made is None else made(self.issuer)

    @cached_property
    def callers(self) -> dict[str, tuple[str, ...]]:
        """Access keys: ``invoker`` may call every API, ``stranger`` none, ``role`` as a role only.

        ``foreign`` may too, and is of another account.
        """
        found: dict[str, tuple[str, ...]] = {
            "root": (self.cloud.access_key_id, self.cloud.secret_access_key)
        }
        iam = self.cloud.client("iam")
        for name, effect in (("invoker", "Allow"), ("stranger", None), ("denied", "Deny")):
            iam.create_user(UserName=f"http-{name}")
            key = iam.create_access_key(UserName=f"http-{name}")["AccessKey"]
            found[name] = (key["AccessKeyId"], key["SecretAccessKey"])
            statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}
            if effect is not None:
                document = {"Version": "2012-10-17", "Statement": [statement]}
                iam.put_user_policy(
                    UserName=f"http-{name}", PolicyName="p", PolicyDocument=json.dumps(document)
                )
        return {**found, "role": self._role(), "foreign": self._foreign()}

    def _foreign(self) -> tuple[str, ...]:
        """Credentials of another account's role, whose policy allows every call."""
        key = self._shared.caller("foreign allowed")
        return key.access_key, key.secret_key, str(key.token)

    def _role(self) -> tuple[str, ...]:
        """Credentials of a role whose policy names the kind of caller that it is for."""
        iam, sts = self.cloud.client("iam"), self.cloud.assumer
        root = f"arn:aws:iam::{self.cloud.account_id}:root"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": root}}
        role = iam.create_role(
            RoleName="http-role", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )["Role"]
        for_roles = {"StringEquals": {"aws:PrincipalType": "AssumedRole"}}
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        document = {
            "Version": "2012-10-17",
            "Statement": [{**statement, "Condition": for_roles}],
        }
        iam.put_role_policy(
            RoleName="http-role", PolicyName="p", PolicyDocument=json.dumps(document)
        )
        made = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


class HttpApi:
    """An HTTP API under construction."""

    def __init__(self, gateway: HttpGateway) -> None:
        self.gateway = gateway
        self.aws = gateway.cloud.client("apigatewayv2")
        self.made = self.aws.create_api(Name="ledger", ProtocolType="HTTP")
        self.id = str(self.made["ApiId"])
        self.extra: dict[str, str] = {}
        self.routes: dict[str, str] = {}

    @property
    def arn(self) -> str:
        cloud = self.gateway.cloud
        return f"arn:aws:execute-api:{cloud.region}:{cloud.account_id}:{self.id}"

    def integration(self, **settings: Any) -> str:
        made = self.aws.create_integration(ApiId=self.id, **settings)
        return f"integrations/{made['IntegrationId']}"

    def function(self, name: str = "echo", **settings: Any) -> str:
        """The target of routes that call a function."""
        source = settings.pop("source", "*")
        if source:
            self.gateway.allow(name, f"{self.arn}/{source}")
        return self.integration(
            **{
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": self.gateway.function_arn(name),
                "PayloadFormatVersion": "2.0",
                **settings,
            }
        )

    def route(self, key: str, target: str, **settings: Any) -> None:
        made = self.aws.create_route(ApiId=self.id, RouteKey=key, Target=target, **settings)
        self.routes[key] = made["RouteId"]

    def stage(self, name: str = DEFAULT, **settings: Any) -> None:
        self.aws.create_stage(ApiId=self.id, StageName=name, **{"AutoDeploy": True, **settings})

    def deploy(self, stage: str) -> str:
        made = self.aws.create_deployment(ApiId=self.id, StageName=stage)
        return str(made["DeploymentId"])

    def jwt(self, issuer: str, *audience: str, **settings: Any) -> dict[str, str]:
        """The settings of routes that a JWT authorizer guards."""
        made = self.aws.create_authorizer(
            ApiId=self.id,
            AuthorizerType="JWT",
            **{
                "Name": "jwt",
                "IdentitySource": ["$request.header.Authorization"],
                "JwtConfiguration": {"Issuer": issuer, "Audience": list(audience)},
                **settings,
            },
        )
        return {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"]}

    def all_authorizers(self) -> list[dict[str, Any]]:
        return list(self.aws.get_authorizers(ApiId=self.id)["Items"])

    def pool_jwt(self, **settings: Any) -> dict[str, str]:
        pool = self.gateway.pool
        issuer = f"https://cognito-idp.{self.gateway.cloud.region}.amazonaws.com/{pool.id}"
        return self.jwt(issuer, pool.clients["app"], **settings)

    def asking(self, function: str, version: str = "2.0", **settings: Any) -> dict[str, str]:
        """The settings of routes that a function guards."""
        if settings.pop("permitted", True):
            self.gateway.allow(function, f"{self.arn}/authorizers/*")
        made = self.aws.create_authorizer(
            ApiId=self.id,
            AuthorizerType="REQUEST",
            **{
                "Name": function,
                "AuthorizerUri": self.gateway.function_uri(function),
                "AuthorizerPayloadFormatVersion": version,
                "IdentitySource": ["$request.header.X-Ask"],
                **settings,
            },
        )
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}


class HttpRunner(Runner):
    """Runs a row: the path begins with the stage's name, unless the stage is ``$default``."""

    gateway: HttpGateway

    def run(self, row: Row) -> None:
        self.gateway.run_clock()
        situation = self.gateway.situation(row.setup)
        if "operation" in row.request:
            before = self._settings(situation)
            self.check_operation(situation, row.request, row.expect)
            assert self._settings(situation) == before, "a refused call must change nothing"
            return
        for step in row.request.get("before", []):
            self.send(situation, {**row.request, "before": [], **step})
        self.check_answer(self.send(situation, row.request), row.expect)

    def operate(self, situation: Situation, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Call apigatewayv2; ``{many}`` stands for a list of so many texts, ``{name}`` for an id."""
        text = json.dumps(asked["arguments"])
        for name, value in {"region": self.gateway.cloud.region, **situation.extra}.items():
            text = text.replace(f"{{{name}}}", value)
        arguments = json.loads(text, object_hook=_with_many)
        client = self.gateway.cloud.client("apigatewayv2")
        return dict(getattr(client, asked["operation"])(ApiId=situation.api_id, **arguments))

    def _settings(self, situation: Situation) -> list[Any]:
        client = self.gateway.cloud.client("apigatewayv2")
        lists = (client.get_routes, client.get_authorizers, client.get_integrations)
        return [get(ApiId=situation.api_id)["Items"] for get in lists]

    def send(self, situation: Situation, asked: Mapping[str, Any]) -> requests.Response:
        headers = dict(asked.get("headers", {}))
        method, path = asked.get("method", "GET"), asked.get("path", "/")
        if "token" in asked:
            token = asked.get("token_prefix", "Bearer ") + self.gateway.token(asked["token"])
            headers[asked.get("token_header", "Authorization")] = token
        if "token_query" in asked:
            path += f"?{asked['token_query']}={self.gateway.token('good')}"
        body = body_of(asked)
        if "sign" in asked:
            headers |= self._signature(situation, asked, method, path, body or b"")
        return self.gateway.cloud.send(situation.api_id, path, method, headers, body)

    def _signature(
        self, situation: Situation, asked: Mapping[str, Any], method: str, path: str, body: bytes
    ) -> dict[str, str]:
        from botocore.credentials import Credentials

        from labkit import sigv4

        cloud = self.gateway.cloud
        key = Credentials(*self.gateway.callers[asked["sign"]])
        url = f"https://{situation.api_id}.execute-api.{cloud.region}.amazonaws.com{path}"
        region = asked.get("sign_region", cloud.region)
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=asked.get("sign_age", 0))
        signed = sigv4.sign(
            method,
            url.replace(path, asked.get("sign_path", path)),
            headers={},
            body=body,
            credentials=key,
            region=region,
            now=moment,
        )
        return dict(signed.headers)


def _with_many(found: dict[str, Any]) -> Any:
    """``{"many": 3}`` as ``["0", "1", "2"]``."""
    return [str(n) for n in range(found["many"])] if set(found) == {"many"} else found


# -- tokens ------------------------------------------------------------------------------------


def _unsigned(issuer: Issuer) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1"}').rstrip(b"=").decode()
    return f"{head}.{issuer.token().split('.')[1]}.eA"


TOKENS: dict[str, Callable[[Issuer], str]] = {
    "good": lambda i: i.token(),
    "not a token": lambda _: "not-a-token",
    "without a signature": _unsigned,
    "with another's key": lambda i: jwt.encode(
        i.claims(), i.other_key, algorithm="RS256", headers={"kid": "k1"}
    ),
    "with an unknown kid": lambda i: jwt.encode(
        i.claims(), i.key, algorithm="RS256", headers={"kid": "k2"}
    ),
    "without a kid": lambda i: jwt.encode(i.claims(), i.key, algorithm="RS256"),
    "of another issuer": lambda i: i.token(iss="https://example.com"),
    "for another audience": lambda i: i.token(aud="somebody-else"),
    "with several audiences": lambda i: i.token(aud=["somebody-else", CLIENT]),
    "with client_id": lambda i: i.token(("aud",), client_id=CLIENT),
    "with client_id and another aud": lambda i: i.token(aud="somebody-else", client_id=CLIENT),
    "without aud and client_id": lambda i: i.token(("aud",)),
    "expired": lambda i: i.token(exp=int(time.time()) - 1),
    "not valid yet": lambda i: i.token(nbf=int(time.time()) + 600),
    "from the future": lambda i: i.token(iat=int(time.time()) + 600),
    "with a scope": lambda i: i.token(scope="demo/read profile"),
    "with scp": lambda i: i.token(scp=["demo/read", "other"]),
    "with another scope": lambda i: i.token(scope="demo/other"),
    "with many kinds of claims": lambda i: i.token(
        groups=["admin", "poweruser"], verified=True, number=7, nickname=None
    ),
}


# -- situations --------------------------------------------------------------------------------

SITUATIONS: dict[str, Callable[[HttpApi], None]] = {}


def situation(build: Callable[[HttpApi], None]) -> Callable[[HttpApi], None]:
    """Register a builder of an API under its name, with blanks for underscores."""
    SITUATIONS[build.__name__.replace("_", " ")] = build
    return build


@situation
def pets(api: HttpApi) -> None:
    """The routes of the Developer Guide's example, on ``$default`` and on a named stage."""
    for key in ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}"):
        api.route(key, api.function())
    api.route(DEFAULT, api.function())
    api.stage()
    api.stage("test", StageVariables={"colour": "blue"})


@situation
def no_catch_all(api: HttpApi) -> None:
    api.route("GET /pets", api.function())
    api.route("GET /", api.function())
    api.route("POST /admin", api.function(), AuthorizationType="AWS_IAM")
    api.route("GET /old", api.function(PayloadFormatVersion="1.0"))
    api.stage()


@situation
def only_a_named_stage(api: HttpApi) -> None:
    api.route("GET /pets", api.function())
    api.stage("test")


@situation
def a_stage_without_a_deployment(api: HttpApi) -> None:
    api.route("GET /pets", api.function())
    api.stage("test", AutoDeploy=False)


@situation
def changed_after_the_deployment(api: HttpApi) -> None:
    api.route("GET /old", api.function())
    api.stage("test", AutoDeploy=False)
    api.deploy("test")
    api.route("GET /new", api.function())
    iam = {"AuthorizationType": "AWS_IAM"}
    api.aws.update_route(ApiId=api.id, RouteId=api.routes["GET /old"], **iam)


@situation
def changed_with_automatic_deployments(api: HttpApi) -> None:
    api.route("GET /old", api.function())
    api.stage()
    api.route("GET /new", api.function())
    iam = {"AuthorizationType": "AWS_IAM"}
    api.aws.update_route(ApiId=api.id, RouteId=api.routes["GET /old"], **iam)


@situation
def automatic_deployments_switched_off(api: HttpApi) -> None:
    api.route("GET /old", api.function())
    api.stage()
    api.aws.update_stage(ApiId=api.id, StageName=DEFAULT, AutoDeploy=False)
    api.route("GET /new", api.function())


@situation
def an_issuer(api: HttpApi) -> None:
    guarded = api.jwt(api.gateway.issuer.url, CLIENT)
    api.route("GET /me", api.function(), **guarded)
    api.route("GET /old", api.function(PayloadFormatVersion="1.0"), **guarded)
    api.route(
        "GET /scoped", api.function(), AuthorizationScopes=["demo/read", "demo/write"], **guarded
    )
    query = api.jwt(
        api.gateway.issuer.url, CLIENT, IdentitySource=["$request.querystring.token"], Name="q"
    )
    api.route("GET /query", api.function(), **query)
    api.stage()


@situation
def a_user_pool(api: HttpApi) -> None:
    guarded = api.pool_jwt()
    api.route("GET /me", api.function(), **guarded)
    api.route("GET /scoped", api.function(), AuthorizationScopes=[ADMIN_SCOPE], **guarded)
    api.stage()


@situation
def settings(api: HttpApi) -> None:
    """An API for calls that AWS refuses: a JWT authorizer, a Lambda authorizer, a route of each kind."""
    api.route("GET /open", api.function())
    api.route("GET /jwt", api.function(), **api.jwt(api.gateway.issuer.url, CLIENT))
    authorizers = {a["Name"]: a["AuthorizerId"] for a in api.all_authorizers()}
    lambda_authorizer = api.asking("simple", EnableSimpleResponses=True)["AuthorizerId"]
    api.extra = {
        "jwt": authorizers["jwt"],
        "lambda": lambda_authorizer,
        "issuer": api.gateway.issuer.url,
    }
    api.extra |= {key.removeprefix("GET /") + "_route": made for key, made in api.routes.items()}


@situation
def ten_authorizers(api: HttpApi) -> None:
    for number in range(10):
        api.jwt(api.gateway.issuer.url, CLIENT, Name=f"jwt-{number}")
    api.extra = {"issuer": api.gateway.issuer.url}


@situation
def an_issuer_far_away(api: HttpApi) -> None:
    api.route("GET /me", api.function(), **api.jwt("https://issuer.example.com", CLIENT))
    api.stage()


@situation
def a_lambda_authorizer(api: HttpApi) -> None:
    simple = api.asking("simple", EnableSimpleResponses=True)
    api.route("GET /simple", api.function(), **simple)
    api.route("GET /old", api.function(PayloadFormatVersion="1.0"), **simple)
    api.route("GET /policy", api.function(), **api.asking("policy"))
    api.route("GET /one", api.function(), **api.asking("policy", "1.0", Name="one"))
    cached = api.asking(
        "simple", EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=300, Name="cached"
    )
    api.route("GET /cached", api.function(), **cached)
    api.route("GET /cached/too", api.function(), **cached)
    policies = api.asking("policy", AuthorizerResultTtlInSeconds=300, Name="cached policy")
    api.route("GET /cached-policy", api.function(), **policies)
    api.route("GET /cached-policy/too", api.function(), **policies)
    forbidden = api.asking("simple-closed", permitted=False, EnableSimpleResponses=True)
    api.route("GET /closed", api.function(), **forbidden)
    api.stage()


@situation
def iam(api: HttpApi) -> None:
    api.route("GET /iam", api.function(), AuthorizationType="AWS_IAM")
    api.stage()


@situation
def results(api: HttpApi) -> None:
    api.route("POST /2", api.function("raw"))
    api.route("POST /1", api.function("raw", PayloadFormatVersion="1.0"))
    api.route("GET /crash", api.function("crash"))
    api.route("GET /slow", api.function("slow", TimeoutInMillis=50))
    api.route("GET /closed", api.function("echo-closed", source=""))
    api.route("POST /event", api.function())
    backend = {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY"}
    server = api.gateway.issuer.url
    api.route("GET /http/{path}", api.integration(IntegrationUri=f"{server}/{{path}}", **backend))
    api.route("GET /dead", api.integration(IntegrationUri="http://127.0.0.1:9/", **backend))
    api.route("GET /far", api.integration(IntegrationUri="https://example.com/", **backend))
    api.stage()


@situation
def throttled(api: HttpApi) -> None:
    api.route("GET /one", api.function())
    api.route("GET /other", api.function())
    slow = {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.001}
    none = {"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0.0}
    api.stage(RouteSettings={"GET /one": slow}, DefaultRouteSettings=none)


@situation
def cors(api: HttpApi) -> None:
    api.aws.update_api(
        ApiId=api.id,
        CorsConfiguration={
            "AllowOrigins": ["https://app.example.com"],
            "AllowMethods": ["GET", "POST"],
            "AllowHeaders": ["authorization"],
            "ExposeHeaders": ["x-api-id"],
            "AllowCredentials": True,
            "MaxAge": 300,
        },
    )
    api.route("GET /open", api.function("cors"))
    guarded = api.jwt(api.gateway.issuer.url, CLIENT)
    api.route("GET /get", api.function(), **guarded)
    api.route("ANY /any", api.function(), **guarded)
    api.stage()


@situation
def no_cors_configuration(api: HttpApi) -> None:
    api.route("GET /open", api.function("cors"))
    api.stage()


@situation
def no_default_endpoint(api: HttpApi) -> None:
    api.route("GET /pets", api.function())
    api.stage()
    api.aws.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)


@contextmanager
def with_an_issuer(gateway: SteeredGateway) -> Iterator[HttpGateway]:
    """HTTP APIs beside a gateway's REST APIs, and an issuer that lives as long."""
    issuer = Issuer()
    try:
        yield HttpGateway(gateway, issuer)
    finally:
        issuer.close()
