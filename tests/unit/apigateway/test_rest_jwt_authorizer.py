"""The JWT authorizer of REST APIs against good and hostile tokens: none of the bad ones passes, none raises."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from labkit.journey import Code
from labkit.local.apigateway.issuers import Issuers
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.jwt_authorizer import RestJwtAuthorizer, as_json_texts
from labkit.local.apigateway.rest.lambda_proxy import proxy_event
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.values import look_up
from tests.support.loopback_issuer import (
    CURVES,
    LoopbackIssuer,
    loopback_issuer,
    private_key,
    public_jwk,
)
from tests.support.rest_calls import call
from tests.unit.apigateway.test_cognito_authorizer import (
    CLIENT,
    GONE,
    NOW,
    OTHER,
    POOL,
    Pools,
    claims,
)
from tests.unit.apigateway.test_cognito_authorizer import token as pool_token

RS, ES = ("RS256", "RS384", "RS512"), tuple(CURVES)
ALL = (*RS, *ES)
AUDIENCE = "app"
POOL_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
ACCESS_ONLY = {
    "claimName": "token_use",
    "format": "SINGLE_STRING",
    "required": True,
    "expectedValues": ["access"],
}


@pytest.fixture(scope="module")
def provider() -> Iterator[LoopbackIssuer]:
    with loopback_issuer(*(("own", algorithm) for algorithm in ALL)) as made:
        yield made


def issued(provider: LoopbackIssuer, algorithm: str = "RS256", **changes: Any) -> str:
    made = {"aud": AUDIENCE, "sub": "jane", "iat": NOW - 60, "exp": NOW + 300}
    return provider.token(algorithm, **{**made, **changes})


def guarded(
    provider: LoopbackIssuer,
    value: str | list[str] | None,
    *,
    scopes: tuple[str, ...] = (),
    algorithms: tuple[str, ...] = ALL,
    rules: list[dict[str, Any]] | None = None,
    header: str = "Authorization",
) -> RestCall:
    own = {"issuer": provider.url, "audiences": [AUDIENCE], "jwksUri": f"{provider.url}/keys"}
    pool = {"issuer": POOL_ISSUER, "audiences": [CLIENT], "jwksUri": f"{POOL_ISSUER}/keys"}
    record = {
        "type": "JWT",
        "identitySource": f"method.request.header.{header}",
        "jwtConfiguration": {
            "issuers": [{**own, "additionalClaims": rules or []}, pool],
            "defaultAlgorithms": list(algorithms),
        },
    }
    method = {
        "authorizationType": "JWT",
        "authorizerId": "a1",
        "authorizationScopes": list(scopes),
        "methodIntegration": {"type": "MOCK"},
    }
    made = call(method, configuration={"authorizers": {"a1": record}})
    values = [value] if isinstance(value, str) else value or []
    made.request.headers.extend((header, one) for one in values)
    return made


def decide(made: RestCall, now: float = NOW) -> Pass | Stop[GatewayError]:
    return asyncio.run(RestJwtAuthorizer(Issuers(Pools()), clock=lambda: now)(made))


def ask(provider: LoopbackIssuer, value: str | list[str] | None, **how: Any) -> Any:
    now = how.pop("now", NOW)
    return decide(guarded(provider, value, **how), now)


def refused(outcome: Any, code: Code, status: int = 401) -> None:
    assert isinstance(outcome, Stop), outcome
    assert (outcome.code, outcome.refusal.shown_status) == (code, status), outcome
    word = "Unauthorized" if status == 401 else "Forbidden"
    assert outcome.refusal.shown_message == word


# -- what passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALL)
def test_every_algorithm_that_is_listed(algorithm: str, provider: LoopbackIssuer) -> None:
    assert isinstance(ask(provider, issued(provider, algorithm)), Pass)
    others = tuple(other for other in ALL if other != algorithm)
    refused(ask(provider, issued(provider, algorithm), algorithms=others), Code.TOKEN_ALGORITHM)


def test_good_tokens(provider: LoopbackIssuer) -> None:
    good = issued(provider)
    for value in (good, f"Bearer {good}"):
        assert isinstance(ask(provider, value), Pass)
    assert isinstance(ask(provider, good, header="X-Token"), Pass)
    assert isinstance(ask(provider, issued(provider, aud=["other", AUDIENCE])), Pass)
    assert isinstance(ask(provider, issued(provider, aud=None, client_id=AUDIENCE)), Pass)
    assert isinstance(ask(provider, pool_token()), Pass)
    assert isinstance(ask(provider, pool_token(claims(use="access"))), Pass)


@pytest.mark.parametrize(
    "granted", [{"scope": "a b"}, {"scp": "b"}, {"scp": ["b"]}, {"scope": "a", "scp": ["b"]}]
)
def test_one_scope_is_enough(granted: dict[str, Any], provider: LoopbackIssuer) -> None:
    assert isinstance(ask(provider, issued(provider, **granted), scopes=("b", "c")), Pass)
    refused(
        ask(provider, issued(provider, **granted), scopes=("c",)), Code.SCOPE_MISSING, status=403
    )


# -- what doesn't ------------------------------------------------------------------------------------


def test_no_token(provider: LoopbackIssuer) -> None:
    good = issued(provider)
    for value in (None, "", "Bearer "):
        refused(ask(provider, value), Code.TOKEN_MISSING)
    refused(ask(provider, [good, good]), Code.IDENTITY_SOURCE_TWICE)
    refused(ask(provider, f"bearer {good}"), Code.TOKEN_SCHEME)
    refused(ask(provider, f"Bearer  {good}"), Code.TOKEN_BLANKS)
    refused(ask(provider, f'"{good}"'), Code.TOKEN_QUOTES)
    refused(ask(provider, "x"), Code.TOKEN_MALFORMED)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": None}, Code.TOKEN_ISSUER),
        ({"iss": "{url}/"}, Code.TOKEN_ISSUER),
        ({"iss": ["{url}"]}, Code.TOKEN_ISSUER),
        ({"iss": POOL_ISSUER}, Code.TOKEN_ISSUER),
        ({"iss": POOL_ISSUER.replace(POOL, OTHER)}, Code.TOKEN_ISSUER),
        ({"aud": "other"}, Code.TOKEN_AUDIENCE),
        ({"aud": None}, Code.TOKEN_AUDIENCE),
        ({"aud": ["other"], "client_id": AUDIENCE}, Code.TOKEN_AUDIENCE),
        ({"aud": [], "client_id": AUDIENCE}, Code.TOKEN_AUDIENCE),
        ({"aud": {AUDIENCE: 1}}, Code.TOKEN_AUDIENCE),
        ({"aud": CLIENT}, Code.TOKEN_AUDIENCE),
        ({"exp": None}, Code.TOKEN_EXPIRED),
        ({"exp": NOW}, Code.TOKEN_EXPIRED),
        ({"exp": str(NOW + 300)}, Code.TOKEN_EXPIRED),
        ({"exp": True}, Code.TOKEN_EXPIRED),
        ({"nbf": NOW + 1}, Code.TOKEN_NOT_YET_VALID),
        ({"nbf": "0"}, Code.TOKEN_NOT_YET_VALID),
        ({"iat": NOW + 1}, Code.TOKEN_NOT_YET_VALID),
    ],
)
def test_claims_that_are_wrong(
    changes: dict[str, Any], code: Code, provider: LoopbackIssuer
) -> None:
    value = json.loads(json.dumps(changes).replace("{url}", provider.url))
    key = private_key("own", "RS256")  # PyJWT's encode refuses some of these by itself
    made = {"iss": provider.url, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300, **value}
    payload = json.dumps({k: v for k, v in made.items() if v is not None}).encode()
    head = {"kid": "own-RS256"}
    forged = jwt.PyJWS().encode(payload, key, algorithm="RS256", headers=head)
    refused(ask(provider, forged), code)


@pytest.mark.parametrize(
    ("rule", "value", "passes"),
    [
        ({"required": True}, None, False),
        ({"required": True}, "anything", True),
        ({"required": False}, None, True),
        ({}, None, True),
        ({}, "anything", True),
        ({}, ["anything"], False),
        ({}, 7, False),
        ({"expectedValues": ["access"]}, None, False),
        ({"expectedValues": ["access"]}, "access", True),
        ({"expectedValues": ["access"]}, "Access", False),
        ({"expectedValues": ["access"]}, ["access"], False),
        ({"required": True, "expectedValues": ["access"]}, "id", False),
    ],
)
def test_additional_claims(
    rule: dict[str, Any], value: Any, passes: bool, provider: LoopbackIssuer
) -> None:
    rules = [{"claimName": "token_use", "format": "SINGLE_STRING", **rule}]
    found = ask(provider, issued(provider, token_use=value), rules=rules)
    if passes:
        assert isinstance(found, Pass)
    else:
        refused(found, Code.TOKEN_CLAIM)


def test_rules_belong_to_an_issuer(provider: LoopbackIssuer) -> None:
    refused(ask(provider, issued(provider), rules=[ACCESS_ONLY]), Code.TOKEN_CLAIM)
    assert isinstance(ask(provider, pool_token(), rules=[ACCESS_ONLY]), Pass)


def test_keys_of_others(provider: LoopbackIssuer) -> None:
    """A key that isn't published, one for another algorithm, and a pool's key for what a pool never signs with."""
    refused(ask(provider, issued(provider, key="stranger")), Code.TOKEN_ISSUER)
    strange = issued(provider, key="stranger", header={"kid": "own-RS256"})
    refused(ask(provider, strange), Code.TOKEN_SIGNATURE)
    refused(
        ask(provider, issued(provider, "RS384", header={"kid": "own-RS256"})), Code.TOKEN_ISSUER
    )
    refused(
        ask(provider, issued(provider, "ES256", header={"kid": "own-RS256"})), Code.TOKEN_ISSUER
    )
    refused(ask(provider, pool_token(claims(GONE), GONE)), Code.TOKEN_ISSUER)
    refused(ask(provider, pool_token(claims(POOL), OTHER)), Code.TOKEN_ISSUER)
    other_algorithm = jwt.encode(
        claims(), private_key("own", "RS256"), "RS512", {"kid": f"kid-{POOL}"}
    )
    refused(ask(provider, other_algorithm), Code.TOKEN_ISSUER)


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"d": "AQ"},
        {"n": "AQAB"},
        {"n": 7},
    ],
)
def test_keys_that_are_not_for_this(changes: dict[str, Any]) -> None:
    with loopback_issuer() as provider:
        provider.documents["/keys"] = {"keys": [public_jwk("own", "RS256", **changes)]}
        refused(ask(provider, issued(provider)), Code.TOKEN_ISSUER)


def test_a_curve_belongs_to_its_algorithm() -> None:
    with loopback_issuer() as provider:
        made = public_jwk("own", "ES384", kid="own-ES256", alg=None)
        del made["alg"]
        provider.documents["/keys"] = {"keys": [made]}
        refused(ask(provider, issued(provider, "ES256")), Code.TOKEN_ISSUER)


def test_secrets_and_nothing_as_signatures(provider: LoopbackIssuer) -> None:
    """``none``, and an HMAC whose secret is the public key, which everybody has."""
    head, payload, _signature = issued(provider).split(".")
    public = private_key("own", "RS256").public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for algorithm in ("none", "None", "HS256", "PS256", "EdDSA"):
        head = _encoded({"alg": algorithm, "kid": "own-RS256"})
        digest = hmac.new(pem, f"{head}.{payload}".encode(), hashlib.sha256).digest()
        for signature in ("", _encoded(digest)):
            outcome = ask(provider, f"{head}.{payload}.{signature}")
            expected = Code.TOKEN_ALGORITHM if signature else Code.TOKEN_MALFORMED
            refused(outcome, expected)


def _encoded(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(st.text(max_size=40) | st.binary(max_size=60).map(_encoded), st.integers(0, 2))
def test_a_changed_token_does_not_pass(part: str, place: int) -> None:
    good = pool_token()
    parts = good.split(".")
    changed = ".".join([*parts[:place], part, *parts[place + 1 :]])
    with_provider = LoopbackIssuer("http://127.0.0.1:9")
    outcome = ask(with_provider, changed)
    assert isinstance(outcome, Pass) == (changed == good)


# -- keys ---------------------------------------------------------------------------------------------


def test_keys_are_asked_for_where_they_were_when_it_was_configured() -> None:
    with loopback_issuer(("own", "RS256")) as provider:
        provider.documents["/new"] = {"keys": [public_jwk("new", "RS256")]}
        provider.documents["/.well-known/openid-configuration"]["jwks_uri"] = f"{provider.url}/new"
        assert isinstance(ask(provider, issued(provider)), Pass)
        refused(ask(provider, issued(provider, key="new")), Code.TOKEN_ISSUER)
        assert provider.asked == ["/keys", "/keys"]


def test_a_new_key_is_found_and_a_withdrawn_one_is_gone() -> None:
    with loopback_issuer(("own", "RS256")) as provider:
        assert isinstance(ask(provider, issued(provider)), Pass)
        provider.documents["/keys"] = {"keys": [public_jwk("new", "ES256")]}
        assert isinstance(ask(provider, issued(provider, "ES256", key="new")), Pass)
        refused(ask(provider, issued(provider)), Code.TOKEN_ISSUER)


@pytest.mark.parametrize("document", [None, b"no", b"[]", {"keys": {}}, {"keys": ["x", {}]}])
def test_keys_that_cannot_be_read(document: Any) -> None:
    with loopback_issuer() as provider:
        provider.documents["/keys"] = document
        refused(ask(provider, issued(provider)), Code.TOKEN_ISSUER)
    refused(ask(provider, issued(provider)), Code.TOKEN_ISSUER)  # nobody answers any more


def test_keys_elsewhere_are_not_fetched(provider: LoopbackIssuer) -> None:
    made = guarded(provider, issued(provider))
    record = made.deployment.configuration["authorizers"]["a1"]["jwtConfiguration"]["issuers"][0]
    record["jwksUri"] = "https://issuer.example.com/keys"
    again = call(
        {"authorizationType": "JWT", "authorizerId": "a1"},
        headers={"Authorization": issued(provider)},
        configuration={"authorizers": made.deployment.configuration["authorizers"]},
    )
    outcome = decide(again)
    assert isinstance(outcome, Stop)
    assert (outcome.code, outcome.refusal.shown_status) == (Code.UNSUPPORTED, 500)


# -- the deployment -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorizers",
    [
        {},
        {"a1": {"type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.A"}},
        {"a1": {"type": "JWT", "identitySource": "method.request.header.Authorization"}},
    ],
)
def test_an_authorizer_that_is_not_there_or_trusts_nobody(
    authorizers: dict[str, Any], provider: LoopbackIssuer
) -> None:
    made = call(
        {"authorizationType": "JWT", "authorizerId": "a1"},
        headers={"Authorization": issued(provider)},
        configuration={"authorizers": authorizers},
    )
    outcome = decide(made)
    assert isinstance(outcome, Stop)
    assert outcome.refusal.shown_status == 401


# -- claims ---------------------------------------------------------------------------------------------------

DOCUMENTED = {
    "name": 'Doe, "Jane"',
    "iat": 1516239022,
    "version": "42",
    "roles": ["user", "editor"],
    "address": {"city": "Seattle"},
}
"""The guide's example."""


def test_claims_keep_their_types_for_a_function(provider: LoopbackIssuer) -> None:
    made = guarded(provider, issued(provider, **DOCUMENTED, nothing=None, yes=True))
    assert isinstance(decide(made), Pass)
    context = proxy_event(made)["requestContext"]["authorizer"]
    assert set(context) == {"claims"}
    shown = {name: context["claims"][name] for name in DOCUMENTED}
    assert shown == DOCUMENTED
    assert context["claims"]["yes"] is True


def test_templates_see_json(provider: LoopbackIssuer) -> None:
    made = guarded(provider, issued(provider, **DOCUMENTED, city="Orléans 𝄞", **{"a:b": "c"}))
    assert isinstance(decide(made), Pass)
    at = lambda name: look_up(made, f"context.authorizer.claims{name}")  # noqa: E731
    assert at(".name") == r'"Doe, \"Jane\""'
    assert (at(".iat"), at(".version"), at(".roles")) == ("1516239022", '"42"', '["user","editor"]')
    assert at(".address") == '{"city":"Seattle"}'
    assert at(".city") == r'"Orl\u00E9ans \uD834\uDD1E"'
    assert at("['a:b']") == '"c"'
    assert (at(".address.city"), at(".missing"), at("")) == (None, None, None)


def test_the_claims_of_a_refused_token_are_not_kept(provider: LoopbackIssuer) -> None:
    for value, scopes in ((issued(provider, exp=NOW), ()), (issued(provider), ("read",))):
        made = guarded(provider, value, scopes=scopes)
        assert isinstance(decide(made), Stop)
        assert (made.claims, made.typed_claims, made.authorizer_context) == (None, None, None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_the_text_of_a_claim_is_its_json(value: Any) -> None:
    shown = as_json_texts({"x": value})["x"]
    assert shown.isascii()
    assert json.loads(shown) == value


@pytest.mark.parametrize("claim", ['"x":1e999', '"x":' + "[" * 200 + "]" * 200, '"x":NaN'])
def test_claims_that_no_event_can_hold(claim: str, provider: LoopbackIssuer) -> None:
    made = {"iss": provider.url, "aud": AUDIENCE, "exp": NOW + 300}
    payload = f"{json.dumps(made)[:-1]},{claim}}}".encode()
    key, head = private_key("own", "RS256"), {"kid": "own-RS256"}
    value = jwt.PyJWS().encode(payload, key, algorithm="RS256", headers=head)
    refused(ask(provider, value), Code.TOKEN_MALFORMED)
