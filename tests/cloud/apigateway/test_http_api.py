"""The gates of HTTP APIs by themselves: hostile tokens, issuers, routes, CORS, results, what isn't done here."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Coroutine, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import jwt
import pytest
import requests
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from labkit import sigv4
from labkit.journey import Code, Journey
from labkit.lab.local_cloud import LocalCloud
from labkit.local.apigateway.composition import compose_http_gates, compose_rest_gates
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.cors import answer_to_preflight, with_cors_headers
from labkit.local.apigateway.http.integrations import HttpIntegrations, read_answer
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.pipeline import HttpGates, http_pipeline
from labkit.local.apigateway.http.records import HttpDeployment, freeze, freeze_cors
from labkit.local.apigateway.http.responses import HttpError
from labkit.local.apigateway.http.routing import find_routes, route
from labkit.local.apigateway.issuers import Issuers
from labkit.local.apigateway.limits import Buckets
from labkit.local.apigateway.outcomes import Answer, Pass, Stop
from labkit.local.apigateway.proxy_results import MalformedProxyResultError
from labkit.local.apigateway.rest.pipeline import rest_pipeline
from labkit.local.iam.caller import Caller
from labkit.local.iam.evaluation import IdentityPolicies
from labkit.local.iam.question import ANONYMOUS, Principal
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings
from tests.support.policies import policy
from tests.unit.apigateway.test_cognito_authorizer import (
    CLIENT,
    GONE,
    NOW,
    OTHER,
    POOL,
    Pools,
    _hostile,
    claims,
    key,
    token,
)

T = TypeVar("T")

ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
FUNCTION_URI = (
    f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


class Functions:
    """One function that anybody may invoke; it gives what the test says."""

    def __init__(self, payload: object = None, *, error: bool = False) -> None:
        self.answer = {"payload": payload, "error": error, "log": ""}
        self.events: list[Any] = []

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        return True

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        self.events.append(event)
        return self.answer


class Nobody:
    """No callers."""

    def caller(self, access_key_id: str) -> Caller | None:
        return None

    def identity(self, access_key_id: str, region: str) -> tuple[Principal, IdentityPolicies]:
        return ANONYMOUS, IdentityPolicies(())


def deployment(
    routes: Mapping[str, Mapping[str, Any]],
    authorizer: Mapping[str, Any] | None = None,
    integration: Mapping[str, Any] | None = None,
    **api: Any,
) -> HttpDeployment:
    """A deployment whose routes go to one integration."""
    records = {
        str(number): {"routeKey": key.strip(), "target": "integrations/i", **record}
        for number, (key, record) in enumerate(routes.items())
    }
    made = {
        "integrationType": "AWS_PROXY",
        "integrationUri": FUNCTION,
        "payloadFormatVersion": "2.0",
    }
    return freeze(
        "abc123",
        "us-east-1",
        "d1",
        {
            "api": {"protocolType": "HTTP", **api},
            "routes": records,
            "authorizers": {"a": {"authorizerId": "a", **(authorizer or {})}},
            "integrations": {"i": {**made, **(integration or {})}},
        },
    )


def call(made: HttpDeployment, request: Request | None = None, **settings: Any) -> HttpCall:
    """A call of ``GET /x`` whose route is found already, if there is one."""
    sent = request or Request("GET", "/x")
    found = HttpCall(
        **{
            "request": sent,
            "deployment": made,
            "account_id": "123456789012",
            "stage": "$default",
            "stage_record": {},
            "raw_path": sent.raw_path,
            "whole_path": sent.raw_path,
            "domain_name": "abc123.execute-api.us-east-1.amazonaws.com",
            "request_id": "AAAAAAAAAAAAAAA=",
            "time": float(NOW),
            **settings,
        }
    )
    route(found)
    return found


def gates(functions: Any = None, callers: Any = None, clock: Any = lambda: float(NOW)) -> HttpGates:
    """Every gate, over functions and callers that the test makes up."""
    return compose_http_gates(
        functions=functions or Functions(),
        callers=callers or Nobody(),
        user_pools=Pools(),
        buckets=Buckets(clock),
        clock=clock,
    )


async def outcome_of(gate: Any, asked: HttpCall) -> Any:
    """What a gate says, whether or not it has to wait."""
    outcome = gate(asked)
    return await outcome if isinstance(outcome, Coroutine) else outcome


def stopped(outcome: object, status: int, reason: str = "") -> Stop[HttpError]:
    assert isinstance(outcome, Stop), outcome
    assert outcome.refusal.status == status, outcome.reason
    assert reason in outcome.reason
    assert json.loads(outcome.refusal.response().body) == {"message": outcome.refusal.message}
    return outcome


# -- tokens --------------------------------------------------------------------------------------


def ask(
    value: str | None,
    scopes: list[str] | None = None,
    issuer: str = ISSUER,
    audience: tuple[str, ...] = (CLIENT,),
    now: float = NOW,
    made: list[HttpCall] | None = None,
    **authorizer: Any,
) -> Pass | Stop[HttpError]:
    record = {
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": issuer, "audience": list(audience)},
        **authorizer,
    }
    guarded = {"authorizationType": "JWT", "authorizerId": "a", "authorizationScopes": scopes or []}
    headers = [] if value is None else [("Authorization", value)]
    asked = call(deployment({"GET /x": guarded}, record), Request("GET", "/x", headers=headers))
    if made is not None:
        made.append(asked)
    return run(JwtAuthorizer(Issuers(Pools()), clock=lambda: now)(asked))


def test_good_tokens_pass() -> None:
    assert isinstance(ask(token()), Pass)
    assert isinstance(ask(f"Bearer {token()}"), Pass)
    assert isinstance(ask(token(claims(use="access"))), Pass)
    assert isinstance(ask(token(claims(scope="a b")), ["b", "c"]), Pass)
    assert isinstance(ask(token(claims(exp=NOW + 1, iat=NOW, nbf=NOW))), Pass)


@pytest.mark.parametrize("value", [pytest.param(v, id=k) for k, v in _hostile().items()])
def test_a_hostile_token_is_refused(value: str) -> None:
    for scopes in ([], ["a"]):
        outcome = stopped(ask(value, scopes), 401)
        assert outcome.refusal.response().header("www-authenticate")
        assert value[:60] not in json.dumps(outcome.evidence) or len(value) < 10


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [NOW + 300]},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": NOW + 1},
        {"nbf": None},
        {"nbf": "0"},
        {"iat": NOW + 1},
        {"iat": float("nan")},
        {"iat": {}},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"iss": ISSUER.replace(POOL, OTHER)},
        {"aud": None},
        {"aud": ""},
        {"aud": []},
        {"aud": {}},
        {"aud": [[CLIENT]]},
        {"aud": {CLIENT: CLIENT}},
        {"aud": CLIENT.upper()},
        {"aud": f"{CLIENT} "},
        {"aud": f"{CLIENT} other"},
        {"aud": None, "client_id": CLIENT},
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused(changed: dict[str, Any]) -> None:
    head, _payload, _signature = token().split(".")
    signed = jwt.api_jws.encode(
        json.dumps({**claims(), **changed}).encode(),
        key(POOL),
        algorithm="RS256",
        headers={"kid": f"kid-{POOL}"},
    )
    assert signed.split(".")[0] == head
    stopped(ask(signed), 401)


@pytest.mark.parametrize("depth", [10, 400, 900, 5_000, 100_000])
@pytest.mark.parametrize("claim", ["groups", "aud", "scope", "iss", "exp"])
def test_a_nested_bomb_never_raises(claim: str, depth: int) -> None:
    bomb = f'"{claim}": {"[" * depth}{"]" * depth}'
    content = ", ".join(
        [bomb, *(f'"{k}": {json.dumps(v)}' for k, v in claims().items() if k != claim)]
    )
    signed = jwt.api_jws.encode(
        f"{{{content}}}".encode(), key(POOL), algorithm="RS256", headers={"kid": f"kid-{POOL}"}
    )
    outcome = ask(signed)
    if claim in ("aud", "iss", "exp") or depth > 5_000:
        stopped(outcome, 401)


def test_tokens_of_pools_that_are_not_asked_are_refused() -> None:
    stopped(ask(token(claims(OTHER), OTHER)), 401, "kid")
    stopped(ask(token(claims(OTHER), POOL)), 401, "another issuer")
    stopped(ask(token(claims(POOL), OTHER, kid=f"kid-{POOL}")), 401, "signature")
    gone = ISSUER.replace(POOL, GONE)
    stopped(ask(token(claims(GONE), GONE), issuer=gone), 401, "kid")


def test_an_empty_audience_is_nobody() -> None:
    stopped(ask(token(), audience=()), 401)
    stopped(ask(token(claims(aud="")), audience=()), 401)
    stopped(ask(token(claims(aud="None")), audience=()), 401)


def test_a_route_without_its_authorizer_lets_nobody_in() -> None:
    for broken in (
        {"authorizerType": "REQUEST"},
        {"identitySource": []},
        {"identitySource": "$request.header.Authorization"},
        {"identitySource": ["$request.header.Authorization", "$request.header.X"]},
    ):
        stopped(ask(token(), **broken), 500)
    for source in ("$request.body", "$context.nothing", "Authorization", ""):
        stopped(ask(token(), identitySource=[source]), 401)


def test_two_authorization_headers_are_not_a_token() -> None:
    record = {
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": ISSUER, "audience": [CLIENT]},
    }
    guarded = {"authorizationType": "JWT", "authorizerId": "a"}
    twice = [("Authorization", token()), ("authorization", token())]
    made = call(deployment({"GET /x": guarded}, record), Request("GET", "/x", headers=twice))
    stopped(run(JwtAuthorizer(Issuers(Pools()), clock=lambda: NOW)(made)), 401)


# -- issuers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "issuer",
    [
        "https://issuer.example.com",
        "https://cognito-idp.us-east-1.amazonaws.com.example.com/us-east-1_aaaaaaaaa",
        "https://cognito-idp.us-east-1.amazonaws.com@example.com/us-east-1_aaaaaaaaa",
        "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_aaaaaaaaa",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://example.com#127.0.0.1",
        "http://[::ffff:8.8.8.8]/",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_nothing_leaves_the_machine_for_an_issuer(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(*_asked: Any, **_options: Any) -> Any:
        raise AssertionError("something was sent")

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    stopped(ask(token(claims(iss=issuer)), issuer=issuer), 500, "nothing leaves it")


LOCAL = "http://127.0.0.1:8080"
DISCOVERY = f"{LOCAL}/.well-known/openid-configuration"


def _jwk(**changed: Any) -> dict[str, Any]:
    return {**Pools().signing_keys(POOL)[0], **changed}


@pytest.mark.parametrize(
    ("documents", "status"),
    [
        ({}, 401),
        ({DISCOVERY: b""}, 401),
        ({DISCOVERY: b"["}, 401),
        ({DISCOVERY: b"[" * 100_000}, 401),
        ({DISCOVERY: b"[]"}, 401),
        ({DISCOVERY: {"issuer": LOCAL}}, 401),
        ({DISCOVERY: {"issuer": LOCAL, "jwks_uri": 7}}, 401),
        ({DISCOVERY: {"issuer": "http://localhost", "jwks_uri": f"{LOCAL}/keys"}}, 401),
        ({DISCOVERY: {"issuer": LOCAL, "jwks_uri": "https://example.com/keys"}}, 500),
        ({DISCOVERY: {"issuer": LOCAL, "jwks_uri": "file:///etc/passwd"}}, 500),
        *(
            (
                {DISCOVERY: {"issuer": LOCAL, "jwks_uri": f"{LOCAL}/keys"}, f"{LOCAL}/keys": keys},
                401,
            )
            for keys in (
                {},
                {"keys": None},
                {"keys": [None, 7, [], {}]},
                {"keys": [_jwk(kid="another")]},
                {"keys": [_jwk(kid=None)]},
                {"keys": [_jwk(n="!!")]},
                {"keys": [_jwk(n=None)]},
                {"keys": [_jwk(n="")]},
                {"keys": [_jwk(e="AA")]},
                {"keys": [{"kty": "oct", "kid": f"kid-{POOL}", "k": "c2VjcmV0", "alg": "HS256"}]},
                {"keys": [_jwk(kty="oct", k="c2VjcmV0")]},
                {"keys": [_jwk(use="enc")]},
                {"keys": [_jwk(alg="RS512")]},
                {"keys": [_jwk(**json.loads(RSAAlgorithm.to_jwk(key(POOL))))]},  # its private part
            )
        ),
    ],
)
def test_an_issuer_that_answers_nonsense(
    documents: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(_client: Any, request: httpx.Request, **_options: Any) -> httpx.Response:
        found = documents.get(str(request.url))
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        return httpx.Response(404 if found is None else 200, stream=httpx.ByteStream(data))

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    stopped(ask(token(claims(iss=LOCAL)), issuer=LOCAL), status)


# -- routes ----------------------------------------------------------------------------------------


def chosen(keys: str, verb: str, path: str) -> list[str]:
    made = deployment({key + " " * n: {} for n, key in enumerate(keys.split("|"))})
    return sorted(found.key for found, _parameters in find_routes(made.routes, verb, path))


@pytest.mark.parametrize(
    ("keys", "verb", "path", "expected"),
    [
        ("GET /a|GET /{p}", "GET", "/a", ["GET /a"]),
        ("GET /a|GET /{p}", "GET", "/b", ["GET /{p}"]),
        ("ANY /a|GET /{p}", "GET", "/a", ["ANY /a"]),
        ("ANY /a|GET /a", "GET", "/a", ["GET /a"]),
        ("POST /a|GET /{p}", "GET", "/a", ["GET /{p}"]),
        ("POST /admin|ANY /{proxy+}", "GET", "/admin", ["ANY /{proxy+}"]),
        ("GET /a/{p}/c|GET /a/b/{p}", "GET", "/a/b/c", ["GET /a/b/{p}"]),
        ("GET /{p}/{q}|GET /a/{proxy+}", "GET", "/a/b", ["GET /{p}/{q}"]),
        ("GET /a/{x+}|GET /{y+}", "GET", "/a/b", ["GET /a/{x+}"]),
        ("GET /a/{x+}|GET /{y+}", "GET", "/a", ["GET /{y+}"]),
        ("GET /a/{x+}|GET /{y+}", "GET", "/a/", ["GET /{y+}"]),
        ("GET /{y+}|$default", "GET", "/", ["$default"]),
        ("GET /|$default", "GET", "/", ["GET /"]),
        ("GET /a", "GET", "/a/", []),
        ("GET /a", "GET", "//a", []),
        ("GET /a", "GET", "/A", []),
        ("GET /a", "HEAD", "/a", []),
        ("ANY /a", "HEAD", "/a", ["ANY /a"]),
        ("ANY /a|$default", "PROPFIND", "/a", []),
        ("GET /a", "GET", "/%61", ["GET /a"]),
        ("GET /a/b|$default", "GET", "/a%2Fb", ["$default"]),
        ("GET /{p}", "GET", "/%7Bp%7D", ["GET /{p}"]),
        ("get /a|GET a|GET|GET /a/|GET //a|ANY", "GET", "/a", []),
        ("GET /{p}|GET /{q}", "GET", "/a", ["GET /{p}", "GET /{q}"]),
        ("GET /a|GET /a", "GET", "/a", ["GET /a", "GET /a"]),
    ],
)
def test_the_best_route(keys: str, verb: str, path: str, expected: list[str]) -> None:
    assert chosen(keys, verb, path) == expected


@given(st.text(), st.text())
def test_no_path_raises(verb: str, path: str) -> None:
    made = deployment({"GET /a/{p}": {}, "ANY /{proxy+}": {}, "$default": {}})
    find_routes(made.routes, verb, path)


def test_path_parameters_are_decoded() -> None:
    made = deployment({"GET /a/{p}/{rest+}": {}})
    [(_route, parameters)] = find_routes(made.routes, "GET", "/a/x%2Fy/1%202/3")
    assert parameters == {"p": "x/y", "rest": "1 2/3"}


# -- CORS ------------------------------------------------------------------------------------------


def _cors(origin: str | None, *origins: str, **settings: Any) -> dict[str, str]:
    request = Request("OPTIONS", "/x", headers=[("Origin", origin)] if origin else [])
    made = answer_to_preflight(freeze_cors({"allowOrigins": list(origins), **settings}), request)
    assert (made.status, made.body) == (204, b"")
    return dict(made.headers)


def test_which_origin_is_allowed() -> None:
    name = "access-control-allow-origin"
    origin = "https://app.example.com"
    assert _cors(origin, origin)[name] == origin
    assert _cors(origin, "https://*")[name] == origin
    assert _cors(origin, "*")[name] == "*"
    for others in (
        ["https://example.com"],
        ["http://*"],
        ["https://app.example.com.evil"],
        [""],
        [],
    ):
        assert _cors(origin, *others, allowMethods=["GET"]) == {}
    assert _cors("null", origin) == {}
    assert _cors(None, "*") == {}


def test_credentials_are_never_for_everybody() -> None:
    everybody = _cors("https://evil.example", "*", allowCredentials=True)
    assert "access-control-allow-credentials" not in everybody
    one = _cors("https://a.example", "https://a.example", allowCredentials=True)
    assert one["access-control-allow-credentials"] == "true"


def test_the_backends_cors_headers_are_ignored() -> None:
    request = Request("GET", "/x", headers=[("Origin", "https://evil.example")])
    backend = Response(200, [("Access-Control-Allow-Origin", "*"), ("X", "y")])
    cors = freeze_cors({"allowOrigins": ["https://app.example"], "exposeHeaders": ["x"]})
    assert with_cors_headers(cors, request, backend).headers == [("X", "y")]


# -- Lambda authorizers ------------------------------------------------------------------------------


def authorize(
    payload: object, version: str = "2.0", simple: bool = True, **settings: Any
) -> Pass | Stop[HttpError]:
    record = {
        "authorizerType": "REQUEST",
        "authorizerUri": FUNCTION_URI,
        "authorizerPayloadFormatVersion": version,
        "enableSimpleResponses": simple,
        "identitySource": [],
        **settings,
    }
    guarded = {"authorizationType": "CUSTOM", "authorizerId": "a"}
    functions = Functions(payload)
    gate = gates(functions).lambda_authorizer
    return run(outcome_of(gate, call(deployment({"GET /x": guarded}, record))))


ALLOW = {
    "principalId": "p",
    "policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
}


def test_what_a_lambda_authorizer_may_return() -> None:
    assert isinstance(authorize({"isAuthorized": True}), Pass)
    assert isinstance(authorize(ALLOW, simple=False), Pass)
    assert isinstance(authorize(ALLOW, "1.0", simple=False), Pass)
    assert isinstance(authorize({**ALLOW, "context": {"map": {}}}, simple=False), Pass)
    stopped(authorize({"isAuthorized": False}), 403)


@pytest.mark.parametrize(
    ("payload", "version", "simple"),
    [
        (None, "2.0", True),
        (True, "2.0", True),
        ("true", "2.0", True),
        ([], "2.0", True),
        ({}, "2.0", True),
        ({"isAuthorized": 1}, "2.0", True),
        ({"isAuthorized": "true"}, "2.0", True),
        ({"isAuthorized": None}, "2.0", True),
        ({"IsAuthorized": True}, "2.0", True),
        ({"isAuthorized": True, "context": []}, "2.0", True),
        ({"isAuthorized": True, "extra": 1}, "2.0", True),
        ({"isAuthorized": True}, "2.0", False),
        ({"isAuthorized": True}, "1.0", True),
        (ALLOW, "2.0", True),
        ({**ALLOW, "principalId": None}, "2.0", False),
        ({**ALLOW, "policyDocument": "{"}, "2.0", False),
        ({**ALLOW, "context": {"map": {}}}, "1.0", False),
        ({"statusCode": 200}, "2.0", False),
        (ALLOW, "3.0", False),
        (ALLOW, "", False),
    ],
)
def test_a_result_of_another_form_lets_nobody_in(
    payload: object, version: str, simple: bool
) -> None:
    stopped(authorize(payload, version, simple), 500)


@pytest.mark.parametrize(
    "settings",
    [
        {"authorizerUri": ""},
        {"authorizerUri": FUNCTION},
        {"authorizerCredentialsArn": "arn:aws:iam::123456789012:role/r"},
        {"authorizerType": "JWT"},
    ],
    ids=str,
)
def test_an_authorizer_that_is_not_done_here_lets_nobody_in(settings: dict[str, Any]) -> None:
    stopped(authorize({"isAuthorized": True}, **settings), 500)


def test_an_identity_source_that_comes_twice_lets_nobody_in() -> None:
    record = {
        "authorizerType": "REQUEST",
        "authorizerUri": FUNCTION_URI,
        "authorizerPayloadFormatVersion": "1.0",
        "identitySource": ["$request.header.X", "$request.querystring.q"],
    }
    guarded = {"authorizationType": "CUSTOM", "authorizerId": "a"}
    gate = gates(Functions(ALLOW)).lambda_authorizer
    for headers, query, status in (
        ([("X", "1")], "q=1", None),
        ([("X", "1"), ("x", "2")], "q=1", 401),
        ([("X", "1")], "q=1&q=2", 401),
        ([("X", "")], "q=1", 401),
        ([], "q=1", 401),
        ([("X", "1")], "Q=1", 401),
    ):
        made = call(deployment({"GET /x": guarded}, record), Request("GET", "/x", query, headers))
        outcome = run(outcome_of(gate, made))
        assert isinstance(outcome, Pass) if status is None else stopped(outcome, status)


# -- what functions return ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        {"statusCode": "abc"},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": 7},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"X": "a\r\nY: b"}},
        {"statusCode": 200, "headers": {"X Y": "a"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": ["a=1\r\nY: b"]},
        {"statusCode": 200, "cookies": [{}]},
        {"statusCode": 200, "unknown": 1},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
    ids=str,
)
def test_a_malformed_result(payload: object) -> None:
    with pytest.raises(MalformedProxyResultError):
        read_answer(payload, "2.0")


def test_format_1_infers_nothing() -> None:
    for payload in (None, "hi", 7, {}, {"message": "hi"}, {"body": "hi"}):
        with pytest.raises(MalformedProxyResultError):
            read_answer(payload, "1.0")


def test_format_2_infers_the_answer() -> None:
    for payload, body in (({"a": 1}, b'{"a": 1}'), ("hi", b"hi"), (None, b"null"), ([1], b"[1]")):
        made = read_answer(payload, "2.0")
        assert (made.status, made.body) == (200, body)
        assert made.header("content-type") == "application/json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = st.sampled_from(["statusCode", "headers", "cookies", "body", "isBase64Encoded"])


@given(JSON | st.dictionaries(KEYS, JSON), st.sampled_from(["1.0", "2.0"]))
def test_no_result_raises_anything_else(payload: object, version: str) -> None:
    try:
        made = read_answer(payload, version)
    except MalformedProxyResultError:
        return
    assert 200 <= made.status <= 599


# -- what isn't done here fails closed ---------------------------------------------------------------------


def through(
    record: Mapping[str, Any] | None = None,
    request: Request | None = None,
    stage: Mapping[str, Any] | None = None,
    **settings: Any,
) -> tuple[Response, Journey, Functions]:
    """``GET /x`` through all gates to a function that says hi."""
    functions = Functions({"statusCode": 200, "body": "hi"})
    pipeline = http_pipeline(gates(functions))
    made = call(deployment({"GET /x": record or {}}, **settings), request, stage_record=stage or {})
    made.route = None
    journey = Journey(made.request_id, "GET", "/x")
    return run(pipeline.run(made, journey)), journey, functions


def test_an_open_route_is_served() -> None:
    response, journey, functions = through()
    assert (response.status, response.body) == (200, b"hi")
    assert [(s.gate, s.outcome) for s in journey.steps if s.outcome != "skip"] == [
        ("route", "pass"),
        ("throttle", "pass"),
        ("integration", "pass"),
    ]
    assert len(functions.events) == 1


@pytest.mark.parametrize(
    ("record", "settings"),
    [
        ({"apiKeyRequired": True}, {}),
        ({"requestModels": {"a": "b"}}, {}),
        ({"requestParameters": {"a": {"required": True}}}, {}),
        ({"authorizationType": "SOMETHING"}, {}),
        ({"authorizationType": "jwt"}, {}),
        ({"authorizationType": "JWT"}, {}),
        ({"authorizationType": "JWT", "authorizerId": "gone"}, {}),
        ({"authorizationType": "CUSTOM"}, {}),
        ({"authorizationType": "CUSTOM", "authorizerId": "gone"}, {}),
        ({"target": ""}, {}),
        ({"target": "integrations/gone"}, {}),
        ({"target": "somethingelse/i"}, {}),
        ({}, {"integration": {"requestParameters": {"append:header.x": "y"}}}),
        ({}, {"integration": {"responseParameters": {"200": {}}}}),
        ({}, {"integration": {"connectionType": "VPC_LINK"}}),
        ({}, {"integration": {"credentialsArn": "arn:aws:iam::123456789012:role/r"}}),
        ({}, {"integration": {"integrationType": "MOCK"}}),
        ({}, {"integration": {"integrationType": "AWS"}}),
        ({}, {"integration": {"payloadFormatVersion": "3.0"}}),
        ({}, {"integration": {"integrationUri": ""}}),
        ({}, {"integration": {"integrationUri": "arn:aws:sqs:us-east-1:123456789012:q"}}),
        (
            {},
            {
                "integration": {
                    "integrationType": "HTTP_PROXY",
                    "integrationUri": "https://a.example",
                }
            },
        ),
        ({}, {"integration": {"integrationType": "HTTP_PROXY", "integrationUri": ""}}),
    ],
    ids=str,
)
def test_what_is_not_enforced_is_refused(record: dict[str, Any], settings: dict[str, Any]) -> None:
    response, journey, functions = through(record, **settings)
    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')
    assert journey.stopped_at is not None
    assert journey.stopped_at is journey.steps[-1]
    assert len(journey.stopped_at.reason) > 20
    assert functions.events == []


@pytest.mark.parametrize(
    ("way_in", "code"),
    [
        ({"endpoint_disabled": True}, Code.ENDPOINT_DISABLED),
        ({"vpc_endpoint": "vpce-1"}, Code.VPC_ENDPOINT_NOT_SERVED),
        ({"endpoint_disabled": True, "has_custom_domain": True}, None),
    ],
    ids=str,
)
def test_a_closed_way_in_stops_before_the_route(way_in: dict[str, Any], code: Code | None) -> None:
    made = call(deployment({"GET /x": {}}), **way_in)
    journey = Journey(made.request_id, "GET", "/x")
    response = run(http_pipeline(gates(Functions("hi"))).run(made, journey))
    stop = journey.stopped_at
    assert (response.status, stop and stop.code) == (404 if code else 200, code)
    assert [step.gate for step in journey.steps[:2]] == ["waf", "route"]
    assert (len(journey.steps) == 2) == bool(code)


def test_both_doors_have_the_same_gates() -> None:
    """Also where nothing is written: the endpoint is looked at behind the web ACL."""
    rest_gates = compose_rest_gates(
        functions=Functions(),
        callers=Nobody(),
        user_pools=Pools(),
        api_keys=None,  # type: ignore[arg-type]
        buckets=Buckets(lambda: float(NOW)),
        clock=lambda: float(NOW),
        numbers=random.Random(1),
    )
    rest, http = rest_pipeline(rest_gates).gates, http_pipeline(gates()).gates
    # A REST API's resource policy is asked again behind the authorizer.
    assert [name for name, _gate in (*rest[:5], *rest[6:])] == [name for name, _gate in http]
    assert rest[1][1].__name__ == http[1][1].__name__ == "closed_endpoint"  # type: ignore[attr-defined]


def test_two_equal_routes_serve_nobody() -> None:
    made = deployment({"GET /{a}": {"authorizationType": "AWS_IAM"}, "GET /{b}": {}})
    stopped(route(call(made)), 500, "equally well")


def test_a_preflight_behind_an_authorizer_meets_it() -> None:
    headers = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")]
    cors = {"corsConfiguration": {"allowOrigins": ["https://a.example"]}}
    for keys, status in (
        ({"GET /x": {"authorizationType": "AWS_IAM"}}, 204),
        ({"ANY /x": {"authorizationType": "AWS_IAM"}}, 403),
        ({"$default": {"authorizationType": "AWS_IAM"}}, 403),
        ({"$default": {"authorizationType": "AWS_IAM"}, "OPTIONS /{proxy+}": {}}, 204),
    ):
        made = call(deployment(keys, **cors), Request("OPTIONS", "/x", headers=headers))
        made.route = None
        pipeline = http_pipeline(gates())
        response = run(pipeline.run(made, Journey(made.request_id, "OPTIONS", "/x")))
        assert response.status == status


def test_a_limit_of_the_route_comes_before_the_stages() -> None:
    none = {"throttlingBurstLimit": 0, "throttlingRateLimit": 0}
    plenty = {"throttlingBurstLimit": 5, "throttlingRateLimit": 5}
    assert through(stage={"defaultRouteSettings": none})[0].status == 429
    assert through(stage={"routeSettings": {"GET /x": none}})[0].status == 429
    both = {"defaultRouteSettings": none, "routeSettings": {"GET /x": plenty}}
    assert through(stage=both)[0].status == 200
    assert through(stage={"routeSettings": {"GET /y": none}})[0].status == 200


def test_the_throttle_gate_tells_what_it_looked_at_and_when() -> None:
    """As on a REST API: the level, its numbers, and the bucket's own time."""
    plenty = {"throttlingBurstLimit": 5, "throttlingRateLimit": 2}
    none = {"throttlingBurstLimit": 0, "throttlingRateLimit": 0}
    for limits, expected in (
        (plenty, {"strictest level": "the route", "rate": 2.0, "burst": 5.0}),
        (none, {"level": "the route", "rate": 0.0, "burst": 0.0}),
    ):
        gate = gates(clock=lambda: 12.5).throttle
        asked = call(deployment({"GET /x": {}}), stage_record={"defaultRouteSettings": limits})
        assert gate(asked).evidence == {**expected, "time": 12.5}


# -- AWS_IAM ---------------------------------------------------------------------------------------------


class OneRole(Nobody):
    """A role's session, whose policy asks who it is."""

    arn = "arn:aws:sts::123456789012:assumed-role/r/s"
    role_arn = "arn:aws:iam::123456789012:role/r"

    def __init__(self, **condition: str) -> None:
        self.condition = {"StringEquals": {f"aws:{key}": value for key, value in condition.items()}}

    def caller(self, access_key_id: str) -> Caller | None:
        return Caller(
            access_key_id, "secret", "session", self.arn, "AROA:s", "AssumedRole", "123456789012"
        )

    def identity(self, access_key_id: str, region: str) -> tuple[Principal, IdentityPolicies]:
        keys = {"aws:userid": f"{access_key_id} in {region}"}
        principal = Principal("AssumedRole", self.arn, "123456789012", self.role_arn, keys)
        allow = {"Action": "execute-api:Invoke", "Condition": self.condition}
        return principal, IdentityPolicies([policy(allow)])


@pytest.mark.parametrize(
    ("condition", "lets_in"),
    [
        ({"PrincipalType": "AssumedRole"}, True),
        ({"PrincipalType": "User"}, False),
        ({"PrincipalArn": OneRole.role_arn}, True),
        ({"PrincipalAccount": "123456789012"}, True),
        ({"userid": "ASIAEXAMPLE in us-east-1"}, True),
        ({"UserAgent": "a test"}, True),
        ({"SourceIp": "127.0.0.1"}, True),
        ({"EpochTime": "1796040000"}, True),
    ],
)
def test_a_policy_is_told_who_signed(condition: dict[str, str], lets_in: bool) -> None:
    """Its condition keys name the caller and the request (gateway 5.11)."""
    made = deployment({"GET /x": {"authorizationType": "AWS_IAM"}})
    host = "abc123.execute-api.us-east-1.amazonaws.com"
    key = Credentials("ASIAEXAMPLE", "secret", "session")
    signed = sigv4.sign(
        "GET", f"https://{host}/x", headers={}, body=b"", credentials=key, region="us-east-1"
    )
    headers = list({**signed.headers, "Host": host, "User-Agent": "a test"}.items())
    asked = call(made, Request("GET", "/x", headers=headers))
    asked.time = 1796040000.0
    outcome = gates(callers=OneRole(**condition), clock=time.time).iam(asked)
    assert isinstance(outcome, Pass if lets_in else Stop), outcome


def test_a_signature_does_not_reach_the_function() -> None:
    sent = [("Authorization", "AWS4-HMAC-SHA256 Credential=a"), ("X-Forwarded-For", "1.2.3.4")]
    _response, _journey, functions = through(request=Request("GET", "/x", headers=sent))
    headers = functions.events[0]["headers"]
    assert "authorization" not in headers
    assert headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"


def test_a_server_that_isn_t_there() -> None:
    proxy = {"integrationType": "HTTP_PROXY", "integrationUri": "http://127.0.0.1:9/"}
    response, journey, _functions = through(integration=proxy)
    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')
    assert journey.steps[-1].gate == "integration"


# -- the kernel's side ----------------------------------------------------------------------------------


def test_the_journey_is_found_by_apigw_requestid(tmp_path: Path) -> None:
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(Journey("id", "GET", "/x", 200).to_dict()).encode())

        def log_message(self, *_: object) -> None:
            pass

    cloud = object.__new__(LocalCloud)
    response = requests.Response()
    response.headers["apigw-requestid"] = "ab-_cd="
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        cloud.settings = CloudSettings.new(server.server_port, tmp_path)
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        assert cloud.journey(response).status == 200
        answering.join()
    assert asked == ["/_labkit/journeys/ab-_cd%3D"]


def test_an_answer_is_the_integrations() -> None:
    made = call(deployment({"GET /x": {}}))
    answer = run(outcome_of(HttpIntegrations(Functions("hi")), made))
    assert isinstance(answer, Answer)
    assert answer.response.body == b"hi"
