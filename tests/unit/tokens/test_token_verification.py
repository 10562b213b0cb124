"""Verify says which check failed, and keeps a bad token apart from keys that can't be reached."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import tomllib
import weakref
from importlib import resources
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from labkit import tokens
from labkit.errors import (
    ForeignHostError,
    InvalidTokenError,
    KeysUnreachableError,
    LabkitError,
    TokenError,
)
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.records import freeze as freeze_http
from labkit.local.apigateway.issuers import Issuers
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.responses import render
from labkit.local.messages import Request
from labkit.tokens.keys import REFETCH_SECONDS, KeySet
from labkit.tokens.meaning import meaning
from labkit.tokens.signed import rs256_key
from labkit.tokens.verdicts import verify
from tests.support.issuer import ADMIN, ARN, CLIENT, NOW, POOL, Issuer, jwk, key
from tests.support.rest_calls import call


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def check_of(issuer: Issuer, token: Any, now: float = NOW, **options: Any) -> str:
    with pytest.raises(InvalidTokenError) as refused:
        issuer.verify(token, now, **options)
    error = refused.value
    assert isinstance(error, TokenError)
    assert error.reason
    assert error.reason.lower().rstrip(".") in str(error).lower()
    json.dumps(error.evidence)
    return error.check


# -- verify ----------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["id", "access"])
def test_a_good_token(issuer: Issuer, use: Any) -> None:
    token = issuer.token(use)
    decoded = issuer.verify(f" Bearer {token}\n")
    assert decoded.verified
    assert decoded.claims == tokens.decode(token).claims
    assert str(decoded).endswith(
        str(tokens.decode(token)).partition(", decoded but not verified")[2]
    )
    assert str(decoded).partition("\n")[0] in ("ID token, verified", "access token, verified")
    assert issuer.asked == [f"{issuer.url}/.well-known/jwks.json"]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": NOW}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "9999999999"}, "exp"),
        ({"exp": True}, "exp"),
        ({"nbf": NOW + 1}, "nbf"),
        ({"nbf": "soon"}, "nbf"),
    ],
)
def test_the_check_that_failed(issuer: Issuer, changes: dict[str, Any], check: str) -> None:
    assert check_of(issuer, issuer.token("id", **changes)) == check


@pytest.mark.parametrize(
    ("changes", "options", "check"),
    [
        ({}, {"use": "access"}, "token_use"),
        ({"token_use": None}, {"use": "id"}, "token_use"),
        ({"token_use": ["id"]}, {"use": "id"}, "token_use"),
        ({}, {"client_id": "another"}, "aud"),
        ({}, {"client_id": ""}, "aud"),
        ({"aud": ["another", 7, None]}, {"client_id": CLIENT}, "aud"),
        ({"aud": None}, {"client_id": CLIENT}, "client_id"),
        ({"aud": "another", "client_id": CLIENT}, {"client_id": CLIENT}, "aud"),
        ({"token_use": "access", "client_id": "x"}, {"client_id": CLIENT}, "client_id"),
        ({}, {"scopes": [ADMIN]}, "scope"),
    ],
)
def test_what_a_backend_wants_of_a_token(
    issuer: Issuer, changes: dict[str, Any], options: dict[str, Any], check: str
) -> None:
    assert issuer.verify(issuer.token("id"), use="id", client_id=CLIENT).verified
    assert check_of(issuer, issuer.token("id", **changes), **options) == check


def test_scopes(issuer: Issuer) -> None:
    token = issuer.token("access", scope=f"demo/read {ADMIN}")
    assert issuer.verify(token, use="access", client_id=CLIENT).verified
    for scopes in ([], ["demo/read"], ["demo/write", ADMIN]):
        issuer.verify(token, scopes=scopes)
    for scopes in (["demo/write"], ["demo"], ["read"], [""], [f"demo/read {ADMIN}"]):
        assert check_of(issuer, token, scopes=scopes) == "scope"


def test_time_to_the_second(issuer: Issuer) -> None:
    token = issuer.token(nbf=NOW)
    issuer.verify(token, now=NOW)
    issuer.verify(token, now=NOW + 3599.999)
    assert check_of(issuer, token, now=NOW - 0.001) == "nbf"
    assert check_of(issuer, token, now=NOW + 3600) == "exp"
    with pytest.raises(InvalidTokenError):
        verify(token, issuer=issuer.url, http=issuer)  # the present is later


def test_a_token_of_another_issuer_than_cognito(issuer: Issuer) -> None:
    token = issuer.token("id", token_use=None, aud=["https://api.example.com", CLIENT])
    assert issuer.verify(token).kind == "token"


def test_another_key_or_a_changed_token(issuer: Issuer) -> None:
    assert check_of(issuer, issuer.token(signer="mallory")) == "signature"
    assert check_of(issuer, issuer.token(signer="access")) == "signature"
    head, _payload, signature = issuer.token().split(".")
    payload = issuer.token(sub="root").split(".")[1]
    assert check_of(issuer, f"{head}.{payload}.{signature}") == "signature"


@given(st.text(max_size=300) | st.binary(max_size=20) | st.none() | st.integers())
def test_nothing_else_is_a_token(anything: Any) -> None:
    issuer = Issuer()
    assert check_of(issuer, anything) == "format"
    assert not issuer.asked


def test_a_refresh_token_is_named(issuer: Issuer) -> None:
    with pytest.raises(InvalidTokenError, match="encrypted"):
        issuer.verify("eyJjdHkiOiJKV1Qi.a.b.c.d")


# -- keys -----------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_kept(issuer: Issuer) -> None:
    for _ in range(5):
        issuer.verify(issuer.token("id"))
        issuer.verify(issuer.token("access"))
    assert len(issuer.asked) == 1


def test_an_unknown_key_id_is_looked_up_again_but_not_at_once() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer, clock)
    assert keys.find(issuer.url, "kid-new") is None
    assert len(issuer.asked) == 1  # they were just fetched
    issuer.jwks = {"keys": [jwk("id"), jwk("access"), jwk("new")]}
    assert keys.find(issuer.url, "kid-new") is None
    clock.now = REFETCH_SECONDS
    assert keys.find(issuer.url, "kid-new") is not None
    for number in range(100):
        assert keys.find(issuer.url, f"invented-{number}") is None
    assert len(issuer.asked) == 2
    clock.now = 2 * REFETCH_SECONDS
    assert keys.find(issuer.url, "invented") is None
    assert len(issuer.asked) == 3
    assert keys.find(issuer.url, "kid-id") is not None
    assert len(issuer.asked) == 3


def test_known_keys_outlast_an_outage() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer, clock)
    assert keys.find(issuer.url, "kid-id")
    issuer.status, clock.now = 503, REFETCH_SECONDS
    with pytest.raises(KeysUnreachableError):
        keys.find(issuer.url, "invented")
    assert keys.find(issuer.url, "invented") is None  # not asked again at once
    assert keys.find(issuer.url, "kid-id")
    assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 404},
        {"status": 302},
        {"status": 500},
        {"error": requests.ConnectionError("no route")},
        {"error": requests.Timeout()},
        {"error": ForeignHostError("lab.http only reaches the lab's own host names")},
        {"body": b""},
        {"body": b"<html>"},
        {"body": b"\xff\xfe"},
        {"body": b"[" * 100_000},
        {"jwks": []},
        {"jwks": {}},
        {"jwks": {"keys": None}},
        {"jwks": {"keys": ["x"]}},
        {"jwks": "keys"},
    ],
)
def test_keys_that_cannot_be_reached_say_nothing_of_the_token(
    issuer: Issuer, trouble: dict[str, Any]
) -> None:
    vars(issuer).update(trouble)
    for ask in (issuer.verify, issuer.verdict, issuer.http_verdict):
        with pytest.raises(KeysUnreachableError) as unreachable:
            ask(issuer.token())
        assert isinstance(unreachable.value, LabkitError)
        assert not isinstance(unreachable.value, TokenError)
        assert unreachable.value.url == f"{issuer.url}/.well-known/jwks.json"
    vars(issuer).update(vars(Issuer()))
    assert issuer.verify(issuer.token()).verified  # the failure isn't kept


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://example.com", "file:///etc", "ftp://example.com", "https://", "https://["],
)
def test_an_issuer_is_an_https_url(issuer: Issuer, url: str) -> None:
    token = issuer.token(iss=url)
    with pytest.raises(KeysUnreachableError):
        verify(token, issuer=url, http=issuer, now=NOW)
    assert not issuer.asked


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"kid": 7},
        {"n": "!"},
        {"n": None},
        {"e": None},
        json.loads(RSAAlgorithm.to_jwk(key("id"))),  # its private part
    ],
)
def test_keys_for_something_else_are_not_used(issuer: Issuer, other: dict[str, Any]) -> None:
    issuer.jwks = {"keys": [jwk("id", **other), jwk("access")]}
    assert check_of(issuer, issuer.token("id")) == "kid"
    issuer.verify(issuer.token("access"))


def test_a_short_key_is_no_key() -> None:
    made = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    short = made.public_key()
    entry = {**json.loads(RSAAlgorithm.to_jwk(short)), "kid": "short"}
    assert rs256_key(entry) is None
    assert rs256_key(jwk("id")) is not None


def test_an_odd_entry_costs_no_other_key(issuer: Issuer) -> None:
    issuer.jwks = {"keys": [{"kid": ["x"]}, jwk("id"), {"kid": "kid-id", "kty": "EC"}]}
    assert issuer.verify(issuer.token("id")).verified


def test_a_key_may_leave_out_what_it_is_for(issuer: Issuer) -> None:
    issuer.jwks = {"keys": [jwk("id", use=None, alg=None)]}
    issuer.verify(issuer.token("id"))


def test_keys_go_with_their_session() -> None:
    session = Issuer()
    session.verify(session.token())
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_every_public_name_is_there() -> None:
    for name in tokens.__all__:
        assert name in dir(tokens)
        assert getattr(tokens, name)
    with pytest.raises(AttributeError, match="has no attribute 'verfy'"):
        tokens.verfy  # noqa: B018


# -- verdict ----------------------------------------------------------------------------------

UNAUTHORIZED = '{"message":"Unauthorized"}'
CASES: dict[str, tuple[dict[str, Any], list[str], dict[str, Any]]] = {
    "ID token": ({"use": "id"}, [], {}),
    "ID token, scopes": ({"use": "id"}, [ADMIN], {}),
    "access token": ({"use": "access"}, [], {}),
    "access token, scopes": ({"use": "access"}, ["demo/read", ADMIN], {}),
    "access token, other scopes": ({"use": "access"}, ["demo/read"], {}),
    "validation": ({"use": "id"}, [], {"identityValidationExpression": "7.*"}),
    "validation fails": ({"use": "id"}, [], {"identityValidationExpression": "x"}),
    "broken validation": ({"use": "id"}, [], {"identityValidationExpression": "("}),
    "access, validation": ({"use": "access"}, [ADMIN], {"identityValidationExpression": ".*"}),
    "expired": ({"use": "id", "exp": NOW}, [], {}),
    "another client": ({"use": "id", "aud": "x"}, [], {}),
    "another issuer": ({"use": "id", "iss": "https://example.com"}, [], {}),
    "another key": ({"use": "id", "signer": "mallory"}, [], {}),
    "unknown key": ({"use": "id", "header": {"kid": "x"}}, [], {}),
    "no pools": ({"use": "id"}, [], {"providerARNs": []}),
    "two pools": ({"use": "id"}, [], {"providerARNs": [ARN + "2", ARN]}),
}


class Pools:
    """The issuer as the gateway sees it."""

    def signing_keys(self, pool_id: str) -> list[dict[str, Any]]:
        return [jwk("id"), jwk("access")] if pool_id == POOL else []

    def client_ids(self, pool_id: str) -> list[str] | None:
        return [CLIENT]


@pytest.mark.parametrize("name", [*CASES, "nothing", "garbage"])
def test_the_verdict_is_what_the_local_gateway_answers(name: str) -> None:
    issuer = Issuer()
    made, scopes, settings = CASES.get(name, ({}, [], {}))
    token = {"nothing": "", "garbage": "Bearer x"}.get(name) or (
        issuer.token(**made) if made else ""
    )
    if "two" in name:
        issuer = TwoPools()
    verdict = issuer.verdict(token, *scopes, **settings)
    record = {
        "providerARNs": [ARN],
        "identitySource": "method.request.header.Authorization",
        **settings,
    }
    outcome = CognitoAuthorizer(Pools(), clock=lambda: NOW)(
        call(
            {"authorizerId": "a1", "authorizationScopes": scopes},
            headers={"Authorization": token},
            configuration={"authorizers": {"a1": record}},
        )
    )
    if isinstance(outcome, Pass):
        assert (verdict.allowed, verdict.status, verdict.body) == (True, 200, "")
        return
    assert isinstance(outcome, Stop)
    answer = render(outcome.refusal, {}, lambda _name: None)
    assert (verdict.status, verdict.body.encode()) == (answer.status, answer.body)
    if token:
        assert (verdict.reason, verdict.evidence) == (outcome.reason, outcome.evidence)
    assert verdict.www_authenticate is None


class TwoPools(Issuer):
    """Another pool's keys are asked for first; it has none of this id."""

    def get(self, url: str, /, **options: Any) -> requests.Response:
        self.jwks = {"keys": [jwk("other")] if f"{POOL}2" in url else [jwk("id"), jwk("access")]}
        return super().get(url, **options)


def test_without_the_clients_they_are_not_checked(issuer: Issuer) -> None:
    made = {"type": "COGNITO_USER_POOLS", "providerARNs": [ARN]}
    token = issuer.token(aud="whoever")
    assert tokens.verdict(token, authorizer=made, http=issuer, now=NOW).allowed
    assert issuer.verdict(token).check == "client"


INVALID = 'Bearer scope="" error="invalid_token"'
SEGMENTS = f'{INVALID} error_description="token contains an invalid number of segments"'
AUDIENCE = f'{INVALID} error_description="the token does not have a valid audience"'


@pytest.mark.parametrize(
    ("made", "scopes", "status", "header", "label"),
    [
        (None, [], 401, "Bearer", "recorded"),
        ("x", [], 401, SEGMENTS, "recorded"),
        ("a.b.c", [], 401, INVALID, "inferred"),
        ({"use": "id"}, [], 200, None, "documented"),
        ({"use": "access"}, [], 200, None, "documented"),
        ({"use": "access"}, [ADMIN], 200, None, "documented"),
        ({"use": "access", "scope": None, "scp": ["demo/read"]}, ["demo/read"], 200, None, "documented"),
        ({"use": "id"}, [ADMIN], 403, None, "measured"),
        ({"use": "access"}, ["demo/read"], 403, None, "measured"),
        ({"use": "id", "aud": "x"}, [], 401, AUDIENCE, "documented"),
        ({"use": "access", "client_id": "x"}, [], 401, AUDIENCE, "documented"),
        ({"use": "access", "aud": "x"}, [], 401, AUDIENCE, "documented"),
        ({"use": "id", "aud": ["x", CLIENT]}, [], 200, None, "documented"),
        ({"use": "id", "exp": NOW}, [], 401, INVALID, "inferred"),
        ({"use": "id", "nbf": NOW + 1}, [], 401, INVALID, "inferred"),
        ({"use": "id", "iat": NOW + 1}, [], 401, INVALID, "inferred"),
        ({"use": "id", "iss": "https://example.com"}, [], 401, INVALID, "inferred"),
        ({"use": "id", "signer": "mallory"}, [], 401, INVALID, "inferred"),
        ({"use": "id", "header": {"kid": "x"}}, [], 401, INVALID, "inferred"),
    ],
)  # fmt: skip
def test_the_verdict_of_an_http_api(
    issuer: Issuer, made: Any, scopes: list[str], status: int, header: str | None, label: str
) -> None:
    token = issuer.token(**made) if isinstance(made, dict) else made
    for value in (token, f"Bearer {token}" if token else token):
        verdict = issuer.http_verdict(value, *scopes)
        assert (verdict.status, verdict.www_authenticate, verdict.label) == (status, header, label)
        assert verdict.body == {200: "", 401: UNAUTHORIZED, 403: '{"message":"Forbidden"}'}[status]
        assert verdict.allowed == (status == 200)
        outcome = asyncio.run(http_gateway(value, scopes))
        if isinstance(outcome, Stop):
            answer = outcome.refusal.response()
            assert (answer.status, answer.body.decode()) == (status, verdict.body)
            assert dict(answer.headers).get("www-authenticate") == header
            assert not token or outcome.reason == verdict.reason
        else:
            assert verdict.allowed
        for line in verdict.lines():
            assert line in str(verdict)


async def http_gateway(token: str | None, scopes: list[str]) -> object:
    """What the local cloud's HTTP API says to the same token."""
    issuer = Issuer()
    record = {
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": issuer.url, "audience": [CLIENT]},
    }
    guarded = {"routeKey": "GET /x", "authorizationType": "JWT", "authorizerId": "a"}
    made = freeze_http(
        "abc123",
        "us-east-1",
        "d1",
        {"routes": {"r": {**guarded, "authorizationScopes": scopes}}, "authorizers": {"a": record}},
    )
    request = Request("GET", "/x", headers=[("Authorization", token)] if token else [])
    asked = HttpCall(
        request=request,
        deployment=made,
        account_id="123456789012",
        stage="$default",
        stage_record={},
        raw_path="/x",
        whole_path="/x",
        domain_name="localhost",
        request_id="id",
        time=NOW,
        route=made.routes[0],
    )
    return await JwtAuthorizer(Issuers(Pools()), clock=lambda: NOW)(asked)


def test_a_verdict_can_be_read(issuer: Issuer) -> None:
    assert str(issuer.verdict(issuer.token("access"))) == (
        '401 {"message":"Unauthorized"}\n'
        "because the method has no scopes, so it takes an ID token; this is an access token"
    )
    assert repr(issuer.verdict(issuer.token())).startswith("passes: it is an ID token")
    assert "not confirmed on AWS" in str(issuer.http_verdict(issuer.token(exp=1)))
    expired = issuer.verdict(issuer.token(exp=1))
    assert expired.body == '{"message":"The incoming token has expired"}'
    assert "&quot;message&quot;" in expired._repr_html_()


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST", "", None, "jwt"])
def test_only_authorizers_of_tokens_have_a_verdict(issuer: Issuer, kind: Any) -> None:
    with pytest.raises(ValueError, match="COGNITO_USER_POOLS or JWT"):
        tokens.verdict(issuer.token(), authorizer={"type": kind}, http=issuer)


def test_jwt_authorizers_of_rest_apis_have_none(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="send the token"):
        tokens.verdict(issuer.token(), authorizer={"type": "JWT"}, http=issuer)


def test_meanings_are_sentences() -> None:
    text = (resources.files(tokens) / "claims.toml").read_text("utf-8")
    known = [each for group in tomllib.loads(text).values() for each in group.items()]
    assert len(known) > 20
    for claim, sentence in known:
        assert meaning(claim) == sentence
        assert sentence.endswith((".", "…")), claim
        assert sentence[0].isupper()
    assert meaning("custom:x") == meaning("dev:custom:x")


# -- redact -----------------------------------------------------------------------------------

SECRET = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-", min_size=8)
NAMES = """
AccessToken IdToken RefreshToken Session SecretAccessKey SessionToken ClientSecret SECRET_HASH EMAIL_OTP_CODE
SMS_OTP_CODE ConfirmationCode Password NEW_PASSWORD access_token id_token refresh_token client_secret code_verifier
Authorization Cookie Set-Cookie X-Amz-Security-Token X-Amz-Signature x-api-key UserCode SOFTWARE_TOKEN_MFA_CODE
aws_secret_access_key AWS_SESSION_TOKEN private_key Signature code
""".split()


def redact_all(data: dict[str, Any]) -> Any:
    """An answer of boto3, as text."""
    return json.loads(tokens.redact(json.dumps(data)))


@given(SECRET, st.sampled_from(NAMES))
def test_nothing_of_a_secret_is_left(secret: str, name: str) -> None:
    if name == "code" and secret.isalpha():
        return  # AWS's errors have their name in Code
    mapping: dict[str, Any] = {
        "Result": {name: secret, "list": [{name: [secret]}], "TokenType": "Bearer", "n": 3},
        "text": json.dumps({name: secret}),
    }
    hidden = redact_all(mapping)
    assert secret not in str(hidden)
    assert hidden["Result"]["TokenType"] == "Bearer"
    assert hidden["Result"]["n"] == 3
    assert redact_all(hidden) == hidden
    for text in (
        json.dumps(mapping["Result"]),
        json.dumps(mapping["Result"], indent=4),
        str(mapping["Result"]),
        f"{name}={secret}&x=1",
        f"{name}: {secret}\nHost: example.com",
        f'curl -d \'{{"{name}": "{secret}"}}\'',
        f"https://example.com/?a=b&{name}={secret}#{name}={secret}",
    ):
        shown = tokens.redact(text)
        assert secret not in shown, (text, shown)
        assert tokens.redact(shown) == shown


@given(st.text())
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    once = tokens.redact(text)
    assert tokens.redact(once) == once


def test_what_is_left_says_what_it_was(issuer: Issuer) -> None:
    answer = {
        "ChallengeName": "EMAIL_OTP",
        "AuthenticationResult": {
            "AccessToken": issuer.token("access"),
            "RefreshToken": "eyJjdHkiOiJKV1Qi.a.b.c.d",
            "ExpiresIn": 3600,
            "TokenType": "Bearer",
        },
        "Error": {"Code": "NotAuthorizedException", "Message": "Incorrect username or password."},
        "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0},
        "ChallengeResponses": {"EMAIL_OTP_CODE": 12345678, "USERNAME": "jane@example.com"},
    }
    hidden = redact_all(answer)
    result = hidden["AuthenticationResult"]
    assert result["AccessToken"].startswith("[JWT, about ")
    assert result["RefreshToken"] == "[JWE, about 20 characters]"
    assert result["ExpiresIn"] == 3600
    assert hidden["ChallengeResponses"] == {
        "EMAIL_OTP_CODE": "[8 digits]",
        "USERNAME": "jane@example.com",
    }
    for name in ("ChallengeName", "Error", "ResponseMetadata"):
        assert hidden[name] == answer[name]
    again = redact_all({"AccessToken": issuer.token("access", jti="x" * 10)})
    assert math.isclose(len(again["AccessToken"]), len(result["AccessToken"]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer [text, about 7 characters]"),
        ("Your code is 123456.", "Your code is [6 digits]."),
        ("The code: 12345678", "The code: [8 digits]"),
        ("status code 404 of 1234 requests", "status code 404 of 1234 requests"),
        ("error_code=1234", "error_code=1234"),
        ("code=NotAuthorizedException", "code=NotAuthorizedException"),
        ("x-amz-security-token:abcdefgh\nhost:x", "x-amz-security-token:[text, about 8 characters]\nhost:x"),
        ("", ""),
        ("GET /dev/demo HTTP/1.1", "GET /dev/demo HTTP/1.1"),
    ],
)  # fmt: skip
def test_texts(text: str, shown: str) -> None:
    assert tokens.redact(text) == shown


def test_pyjwt_agrees_that_the_tests_tokens_are_good(issuer: Issuer) -> None:
    claims = jwt.decode(
        issuer.token("id", exp=NOW + 10**9),
        jwt.PyJWK(jwk("id")).key,
        algorithms=["RS256"],
        audience=CLIENT,
        issuer=issuer.url,
    )
    assert claims["token_use"] == "id"
