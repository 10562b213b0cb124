"""The Cognito authorizer verifies a token's signature once, and everything that can change each time."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.records import freeze
from labkit.local.apigateway.rest.routing import find_route
from labkit.local.messages import Request

POOL = "us-east-1_Example01"
CLIENT = "7exampleclient"


class Pools:
    """One user pool, as the authorizer sees it."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self.key = key
        self.clients = {POOL: [CLIENT]}

    def signing_keys(self, pool_id: str) -> list[dict[str, Any]]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return [public | {"kid": "first", "alg": "RS256", "use": "sig"}]

    def client_ids(self, pool_id: str) -> list[str] | None:
        return self.clients.get(pool_id)

    def token(self, key: RSAPrivateKey | None = None) -> str:
        claims = {
            "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
            "aud": CLIENT,
            "exp": int(time.time()) + 3600,
            "token_use": "id",
        }
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "first"})


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture
def pools(key: RSAPrivateKey) -> Pools:
    return Pools(key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authorizer(pools: Pools, clock: Clock) -> CognitoAuthorizer:
    return CognitoAuthorizer(pools, clock)


def call(token: str, **method: Any) -> RestCall:
    configuration = {
        "api": {},
        "authorizers": {
            "a1": {
                "identitySource": "method.request.header.Authorization",
                "providerARNs": [f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL}"],
            }
        },
        "gateway_responses": {},
        "resources": {
            "r1": {"path": "/", "resourceMethods": {"GET": {"authorizerId": "a1", **method}}}
        },
    }
    deployment = freeze("api", "us-east-1", "d1", configuration)
    call = RestCall(
        request=Request("GET", "/dev/", headers=[("Authorization", token)]),
        deployment=deployment,
        account_id="123456789012",
        stage="dev",
        stage_variables={},
        stage_record={},
        raw_path="/",
        domain_name="api.execute-api.us-east-1.amazonaws.com",
        request_id="1",
        extended_request_id="1",
        time=0.0,
    )
    call.route = find_route(deployment, "GET", "/")
    return call


def test_a_kept_token_expires(authorizer: CognitoAuthorizer, pools: Pools, clock: Clock) -> None:
    token = pools.token()
    assert isinstance(authorizer(call(token)), Pass)
    clock.now += 3601
    refused = authorizer(call(token))
    assert isinstance(refused, Stop)
    assert refused.reason == "the token has expired"


def test_a_kept_token_ends_with_its_pool(authorizer: CognitoAuthorizer, pools: Pools) -> None:
    token = pools.token()
    assert isinstance(authorizer(call(token)), Pass)
    pools.clients.clear()
    assert isinstance(authorizer(call(token)), Stop)


def test_a_kept_token_ends_with_its_app_client(authorizer: CognitoAuthorizer, pools: Pools) -> None:
    token = pools.token()
    assert isinstance(authorizer(call(token)), Pass)
    pools.clients[POOL].clear()
    assert isinstance(authorizer(call(token)), Stop)


def test_a_kept_token_is_still_the_wrong_kind_for_a_method_with_scopes(
    authorizer: CognitoAuthorizer, pools: Pools
) -> None:
    token = pools.token()
    assert isinstance(authorizer(call(token)), Pass)
    assert isinstance(authorizer(call(token, authorizationScopes=["read"])), Stop)


def test_a_forged_token_is_refused_each_time(authorizer: CognitoAuthorizer, pools: Pools) -> None:
    forged = pools.token(generate_private_key(65537, 2048))
    assert isinstance(authorizer(call(pools.token())), Pass)
    for _ in range(2):
        refused = authorizer(call(forged))
        assert isinstance(refused, Stop)
        assert refused.reason == "the token's signature doesn't fit its content"


def test_another_pools_key_of_the_same_id_does_not_profit(key: RSAPrivateKey) -> None:
    """A kept token is kept for one key: another cloud's authorizer verifies it by itself."""
    first, second = Pools(key), Pools(generate_private_key(65537, 2048))
    token = first.token()
    assert isinstance(CognitoAuthorizer(first, time.time)(call(token)), Pass)
    assert isinstance(CognitoAuthorizer(second, time.time)(call(token)), Stop)
