"""The Cognito authorizer against hostile tokens: none passes, none raises."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.responses import GatewayError
from tests.support.rest_calls import call

NOW = 1_700_000_000
POOL, OTHER, GONE = "us-east-1_aaaaaaaaa", "us-east-1_bbbbbbbbb", "us-east-1_ccccccccc"
CLIENT = "client1234567890"
ADMIN = "aws.cognito.signin.user.admin"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Pools:
    """Two user pools; a third one was deleted, its keys are still known."""

    def signing_keys(self, pool_id: str) -> list[dict[str, Any]]:
        jwk = json.loads(RSAAlgorithm.to_jwk(key(pool_id).public_key()))
        return [{**jwk, "kid": f"kid-{pool_id}", "alg": "RS256", "use": "sig"}]

    def client_ids(self, pool_id: str) -> list[str] | None:
        return None if pool_id == GONE else [CLIENT, f"{CLIENT}-2"]


def claims(pool_id: str = POOL, use: str = "id", **others: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "sub": "11111111-2222-3333-4444-555555555555",
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{pool_id}",
        "token_use": use,
        "iat": NOW - 60,
        "exp": NOW + 300,
    }
    made |= {"aud": CLIENT} if use == "id" else {"client_id": CLIENT, "scope": ADMIN}
    return {**made, **others}


def token(content: dict[str, Any] | None = None, signer: str = POOL, **header: Any) -> str:
    head = {"kid": f"kid-{signer}", **header}
    return jwt.encode(content or claims(), key(signer), algorithm="RS256", headers=head)


def ask(
    value: str | None,
    scopes: list[str] | None = None,
    now: float = NOW,
    pools: tuple[str, ...] = (POOL,),
    **authorizer: Any,
) -> Pass | Stop[GatewayError]:
    record = {
        "providerARNs": [f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{p}" for p in pools],
        "identitySource": "method.request.header.Authorization",
        **authorizer,
    }
    method = {
        "authorizationType": "COGNITO_USER_POOLS",
        "authorizerId": "a1",
        "authorizationScopes": scopes or [],
    }
    made = call(
        method,
        headers={} if value is None else {"Authorization": value},
        configuration={"authorizers": {"a1": record}},
    )
    return CognitoAuthorizer(Pools(), clock=lambda: now)(made)


def refused(outcome: object, message: str | None = "Unauthorized") -> Stop[GatewayError]:
    assert isinstance(outcome, Stop)
    assert (outcome.refusal.type.name, outcome.refusal.shown_message) == ("UNAUTHORIZED", message)
    return outcome


def encoded(data: object) -> str:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


# -- what passes ---------------------------------------------------------------


def test_good_tokens_pass() -> None:
    assert isinstance(ask(token()), Pass)
    assert isinstance(ask(f"Bearer {token()}"), Pass)
    assert isinstance(ask(token(claims(use="access")), [ADMIN]), Pass)
    assert isinstance(ask(token(claims(use="access")), ["demo/read", ADMIN]), Pass)
    assert isinstance(ask(token(claims(OTHER), OTHER), pools=(POOL, OTHER)), Pass)
    assert isinstance(ask(token(), identityValidationExpression="client[0-9]+"), Pass)


def test_the_last_second() -> None:
    content = token(claims(exp=NOW))
    assert isinstance(ask(content, now=NOW - 0.001), Pass)
    refused(ask(content, now=NOW), "The incoming token has expired")
    refused(ask(content, now=NOW + 1), "The incoming token has expired")


def test_the_claims_are_kept_as_text() -> None:
    made = call(
        {"authorizerId": "a1"},
        headers={"Authorization": token(claims(email_verified=True, nested={"a": 1}, none=None))},
        configuration={
            "authorizers": {
                "a1": {
                    "providerARNs": [f"arn/{POOL}"],
                    "identitySource": "method.request.header.Authorization",
                }
            }
        },
    )
    assert isinstance(CognitoAuthorizer(Pools(), clock=lambda: NOW)(made), Pass)
    assert made.claims is not None
    assert all(isinstance(value, str) for value in made.claims.values())
    assert made.claims["email_verified"] == "true"
    assert made.claims["exp"] == "Tue Nov 14 22:18:20 UTC 2023"


# -- what doesn't ----------------------------------------------------------------


def _hs256_with_the_public_key(content: dict[str, Any], **header: Any) -> str:
    secret = (
        key(POOL)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{encoded({'alg': 'HS256', 'kid': f'kid-{POOL}', **header})}.{encoded(content)}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


def _self_signed_with_its_own_key() -> str:
    jwk = json.loads(RSAAlgorithm.to_jwk(key("mallory").public_key()))
    return jwt.encode(
        claims(), key("mallory"), algorithm="RS256", headers={"kid": f"kid-{POOL}", "jwk": jwk}
    )


def _parts(**changed: str) -> str:
    head, payload, signature = token().split(".")
    made = {"head": head, "payload": payload, "signature": signature, **changed}
    return f"{made['head']}.{made['payload']}.{made['signature']}"


def _hostile() -> dict[str, str]:
    good = token()
    head, payload, signature = good.split(".")
    bomb = b"[" * 100_000 + b"]" * 100_000
    return {
        "nothing": "",
        "a blank": " ",
        "Bearer": "Bearer",
        "Bearer and a blank": "Bearer ",
        "Bearer twice": f"Bearer Bearer {good}",
        "bearer": f"bearer {good}",
        "two blanks": f"Bearer  {good}",
        "a blank in front": f" {good}",
        "a blank behind": f"{good} ",
        "a line break behind": f"{good}\n",
        "a tab behind": f"{good}\t",
        "a line break inside": f"{good[:40]}\n{good[40:]}",
        "a comma and a second token": f"{good},{good}",
        "quotes": f'"{good}"',
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.x",
        "five parts": f"{good}.x.y",
        "dots": "..",
        "many dots": "." * 9000,
        "only the signature": f"..{signature}",
        "no signature": f"{head}.{payload}.",
        "padding": f"{good}==",
        "padding inside": f"{head}=.{payload}.{signature}",
        "characters outside the alphabet behind": f"{good}!",
        "characters outside the alphabet inside": f"{head}.{payload}.!{signature}",
        "standard Base64 alphabet": f"{head}.{payload}.{signature.replace('-', '+').replace('_', '/')}+/",
        "short signature": good[:-4],
        "last character changed": good[:-1] + chr(ord(good[-1]) + 1),
        "alg none": _parts(head=encoded({"alg": "none", "kid": f"kid-{POOL}"}), signature=""),
        "alg None": _parts(head=encoded({"alg": "None", "kid": f"kid-{POOL}"})),
        "alg missing": _parts(head=encoded({"kid": f"kid-{POOL}"})),
        "alg is a list": _parts(head=encoded({"alg": ["RS256"], "kid": f"kid-{POOL}"})),
        "alg is null": _parts(head=encoded({"alg": None, "kid": f"kid-{POOL}"})),
        "alg RS512": jwt.encode(
            claims(), key(POOL), algorithm="RS512", headers={"kid": f"kid-{POOL}"}
        ),
        "alg PS256": jwt.encode(
            claims(), key(POOL), algorithm="PS256", headers={"kid": f"kid-{POOL}"}
        ),
        "HS256 with the public key": _hs256_with_the_public_key(claims()),
        "HS256 called RS256": _hs256_with_the_public_key(claims(), alg="RS256"),
        "kid missing": jwt.encode(claims(), key(POOL), algorithm="RS256"),
        "kid is a number": _parts(head=encoded({"alg": "RS256", "kid": 7})),
        "kid is an object": _parts(head=encoded({"alg": "RS256", "kid": {"a": 1}})),
        "kid is null": _parts(head=encoded({"alg": "RS256", "kid": None})),
        "kid is a path": token(kid="../../../../dev/null"),
        "kid is an injection": token(kid="' OR '1'='1"),
        "kid of the pool, key of nobody": token(signer="mallory", kid=f"kid-{POOL}"),
        "kid of nobody": token(signer="mallory"),
        "jwk in the header": _self_signed_with_its_own_key(),
        "b64 false": token(crit=["b64"], b64=False),
        "crit": token(crit=["exp"]),
        "header is a list": _parts(head=encoded(["RS256"])),
        "header is a text": _parts(head=encoded("RS256")),
        "header isn't JSON": _parts(head=encoded(b"{")),
        "header isn't UTF-8": _parts(head=encoded(b'{"alg": "RS256\xff"}')),
        "header is a bomb": _parts(head=encoded(bomb)),
        "payload is a bomb": _parts(payload=encoded(bomb)),
        "payload is swapped": _parts(payload=encoded(claims(sub="root"))),
        "not ASCII": "tökën.ü.ä",
        "NUL": "\0.\0.\0",
        "huge": "A" * 2_000_000,
        "huge header": f"{'A' * 1_000_000}.{payload}.{signature}",
        "huge number": _parts(payload=encoded(b'{"exp": ' + b"9" * 10_000 + b"}")),
        "SigV4": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
        "Basic": "Basic dXNlcjpwYXNz",
    }


@pytest.mark.parametrize("value", [pytest.param(v, id=k) for k, v in _hostile().items()])
def test_a_hostile_token_is_refused(value: str) -> None:
    started = time.process_time()
    refused(ask(value))
    refused(ask(value, [ADMIN]))
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("content", "signer"),
    [
        (claims(OTHER), OTHER),
        (claims(OTHER), POOL),
        (claims(POOL), OTHER),
        (claims(iss="https://cognito-idp.us-east-1.amazonaws.com/"), POOL),
        (claims(iss=f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"), POOL),
        (claims(iss=f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}/"), POOL),
        (claims(token_use="access"), POOL),
        (claims(token_use=None), POOL),
        (claims(token_use=["id"]), POOL),
        (claims(aud="another-client"), POOL),
        (claims(aud=None), POOL),
        (claims(aud=[CLIENT]), POOL),
        (claims(GONE), GONE),
    ],
)
def test_a_signed_token_that_is_not_for_here(content: dict[str, Any], signer: str) -> None:
    refused(ask(token(content, signer)))
    refused(ask(token(content, signer), pools=(POOL, GONE)))


@pytest.mark.parametrize("expiry", [NOW - 1, 0, -1, None, "2999", [], {}, True])
def test_an_expiry_that_is_past_or_not_a_time(expiry: object) -> None:
    refused(ask(token(claims(exp=expiry))), "The incoming token has expired")


@pytest.mark.parametrize(
    "scope",
    ["", "admin", f"x{ADMIN}", f"{ADMIN}x", ADMIN.upper(), f"{ADMIN},demo", None, [ADMIN], 7],
)
def test_a_scope_is_compared_as_a_whole(scope: object) -> None:
    refused(ask(token(claims(use="access", scope=scope)), [ADMIN]))


@pytest.mark.parametrize("expression", [f"{CLIENT}x", "client", "(", "x*", "^$"])
def test_token_validation(expression: str) -> None:
    refused(ask(token(), identityValidationExpression=expression))
    access = token(claims(use="access"))
    refused(ask(access, [ADMIN], identityValidationExpression=expression))


def test_an_authorizer_that_cannot_work_refuses() -> None:
    refused(ask(token(), pools=()))
    refused(ask(token(), providerARNs=None))
    refused(ask(token(), identitySource=None))
    refused(ask(token(), identitySource="method.request.querystring.token"))
    refused(ask(None))
    made = call({"authorizationType": "COGNITO_USER_POOLS"}, headers={"Authorization": token()})
    refused(CognitoAuthorizer(Pools(), clock=lambda: NOW)(made))


@given(st.text(max_size=300))
def test_no_text_passes_or_raises(value: str) -> None:
    refused(ask(value))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_forged_header_passes_or_raises(value: object) -> None:
    _head, payload, signature = token().split(".")
    for head in (value, {"alg": value}, {"alg": "RS256", "kid": value}):
        refused(ask(f"{encoded(head)}.{payload}.{signature}"))


@given(st.data())
def test_no_changed_character_passes(data: st.DataObject) -> None:
    good = token()
    place = data.draw(st.integers(0, len(good) - 1))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "
    other = data.draw(st.sampled_from(alphabet).filter(lambda c: c != good[place]))
    refused(ask(good[:place] + other + good[place + 1 :]))


def test_no_other_last_character_passes() -> None:
    """The last character of a signature has spare bits: the same signature could be written in 16 ways."""
    good = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for other in set(alphabet) - {good[-1]}:
        refused(ask(good[:-1] + other))


@pytest.mark.parametrize("issuer", [None, ["x"], {"x": 1}, 7, True, ""])
def test_an_issuer_that_is_not_text(issuer: object) -> None:
    signed = f"{encoded({'alg': 'RS256', 'kid': f'kid-{POOL}'})}.{encoded(claims(iss=issuer))}"
    signature = key(POOL).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    refused(ask(f"{signed}.{encoded(signature)}"))


def test_reasons_name_no_token() -> None:
    value = token(claims(use="access"))
    stop = refused(ask(value))
    assert value.split(".")[2] not in stop.reason + json.dumps(dict(stop.evidence))
