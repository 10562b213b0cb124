"""Programs from npm: jose and aws-jwt-verify verify our tokens, our gateway takes what aws4 and aws4fetch sign."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.credentials import Credentials

from labkit import tokens
from labkit.tokens.verdicts import verify
from tests.interop.guarded_api import REGION, REQUESTS, RESERVED, GuardedApi
from tests.support.patience import PATIENCE
from tests.support.running_cloud import LabCloud

Node = Callable[[str, object], Any]
SIGNED = [*REQUESTS, *RESERVED]


# -- tokens --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signed_in(cloud: LabCloud) -> dict[str, str]:
    """What Cognito's answer to a sign-in with a code has."""
    cognito, client_id, email = (
        cloud.client("cognito-idp"),
        cloud.lab["client_id"],
        cloud.lab["email"],
    )
    asked = cognito.initiate_auth(
        AuthFlow="USER_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    answered = cognito.respond_to_auth_challenge(
        ClientId=client_id,
        ChallengeName="EMAIL_OTP",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": email, "EMAIL_OTP_CODE": cloud.newest_code()},
    )
    result: dict[str, str] = answered["AuthenticationResult"]
    return result


class Reach:
    """Reaches the local cloud under AWS's host names, as lab.http does."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def get(self, url: str, /, *, timeout: float, allow_redirects: bool) -> requests.Response:
        host, _slash, path = url.removeprefix("https://").partition("/")
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                f"{self._endpoint}/{path}",
                headers={"Host": host},
                timeout=timeout,
                allow_redirects=allow_redirects,
            )


@pytest.fixture(scope="module")
def issuer(cloud: LabCloud) -> str:
    return f"https://cognito-idp.{REGION}.amazonaws.com/{cloud.lab['user_pool_id']}"


def test_jose_verifies_the_tokens_as_labkit_does(
    node: Node, cloud: LabCloud, signed_in: dict[str, str], issuer: str
) -> None:
    http = Reach(cloud.endpoint)
    jwks = http.get(
        f"{issuer}/.well-known/jwks.json", timeout=PATIENCE, allow_redirects=False
    ).json()
    client_id = cloud.lab["client_id"]
    identity, access = signed_in["IdToken"], signed_in["AccessToken"]
    for use, token in (("id", identity), ("access", access)):
        assert verify(token, issuer=issuer, http=http)["token_use"] == use
    rules = {"issuer": issuer, "algorithms": ["RS256"]}
    head, payload, signature = access.split(".")
    id_payload = identity.split(".")[1]
    asked = [
        (identity, {**rules, "audience": client_id}),
        (access, {**rules, "requiredClaims": ["client_id", "scope", "username"]}),
        # what jose must refuse
        (access, {**rules, "audience": client_id}),  # an access token has no aud
        (identity, {**rules, "audience": "another"}),
        (identity, {**rules, "issuer": f"{issuer}x"}),
        (identity, {**rules, "algorithms": ["HS256"]}),
        (f"{head}.{id_payload}.{signature}", rules),
        (f"{head}.{payload}.{signature[:-4]}AAAA", rules),
        (identity, {**rules, "currentDate": "2099-01-01T00:00:00Z"}),
    ]
    one, two, *refused = node(
        "verify_tokens.mjs",
        [{"token": token, "jwks": jwks, "options": options} for token, options in asked],
    )
    for result, token in ((one, identity), (two, access)):
        assert result["payload"] == tokens.decode(token).claims
        assert result["header"] == tokens.decode(token).header
    assert [result["error"] for result in refused] == [
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "ERR_JOSE_ALG_NOT_ALLOWED",
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "ERR_JWT_EXPIRED",
    ]


def test_aws_jwt_verify_verifies_them_too(
    node: Node, cloud: LabCloud, signed_in: dict[str, str], issuer: str
) -> None:
    client_id = cloud.lab["client_id"]
    identity, access = signed_in["IdToken"], signed_in["AccessToken"]
    head, payload, signature = access.split(".")
    id_payload = identity.split(".")[1]
    for_identity = {"tokenUse": "id", "clientId": client_id}
    for_access = {"tokenUse": "access", "clientId": client_id}
    scope = tokens.decode(access).claims["scope"]
    asked = [
        (identity, for_identity, None),
        (access, {**for_access, "scope": scope}, None),
        (identity, for_access, "CognitoJwtInvalidTokenUseError"),
        (access, for_identity, "CognitoJwtInvalidTokenUseError"),
        (identity, {**for_identity, "clientId": "another"}, "CognitoJwtInvalidClientIdError"),
        (access, {**for_access, "clientId": "another"}, "CognitoJwtInvalidClientIdError"),
        (access, {**for_access, "scope": "orders/read"}, "JwtInvalidScopeError"),
        (access, {**for_access, "groups": "admins"}, "CognitoJwtInvalidGroupError"),
        (f"{head}.{id_payload}.{signature}", for_identity, "JwtInvalidSignatureError"),
        (f"{head}.{payload}.{signature[:-4]}AAAA", for_access, "JwtInvalidSignatureError"),
        (f"{identity.split('.')[0]}.{payload}.{signature}", for_access, "JwtInvalidSignatureError"),
    ]
    questions = [
        {"token": token, "options": options, "daysAhead": 0} for token, options, _error in asked
    ]
    questions += [{**question, "daysAhead": 2} for question in questions[:2]]
    pool_id = cloud.lab["user_pool_id"]
    told = {"endpoint": cloud.endpoint, "userPoolId": pool_id, "asked": questions}
    found = node("verify_cognito_tokens.mjs", told)
    assert found["uris"] == [f"{issuer}/.well-known/jwks.json"]
    one, two, *refused = found["results"]
    assert one["payload"] == tokens.decode(identity).claims
    assert two["payload"] == tokens.decode(access).claims
    assert [result.get("error") for result in refused] == [
        *(error for _token, _options, error in asked if error),
        "JwtExpiredError",
        "JwtExpiredError",
    ]


# -- requests ------------------------------------------------------------------------------------


each_program = pytest.mark.parametrize("program", ["aws4", "aws4fetch"])


def by_npm(
    node: Node, api: GuardedApi, key: Credentials, program: str, in_query: bool = False
) -> Any:
    """The requests, signed by one of the programs."""
    credentials = {
        "accessKeyId": key.access_key,
        "secretAccessKey": key.secret_key,
        **({"sessionToken": key.token} if key.token else {}),
    }
    made = []
    for request in SIGNED:
        target = request.target
        if in_query:  # aws4 adds it for S3 only
            target += ("&" if "?" in target else "?") + "X-Amz-Expires=60"
        asked = {
            "host": api.host,
            "method": request.method,
            "path": target,
            "headers": dict(request.headers),
            "service": "execute-api",
            "region": REGION,
            "signQuery": in_query,
        }
        if request.body:
            asked["body"] = request.body
        made.append({"program": program, "request": asked, "credentials": credentials})
    return node("sign_requests.mjs", made)


@each_program
@pytest.mark.parametrize("whose", ["user", "temporary"])
def test_our_gateway_takes_what_they_sign(
    node: Node, api: GuardedApi, whose: str, program: str
) -> None:
    key: Credentials = getattr(api, whose)
    for request, signed in zip(SIGNED, by_npm(node, api, key, program), strict=True):
        answer = api.send(request.method, signed["path"], signed["headers"], request.body)
        assert (answer.status, answer.body) == (200, '"in"'), (request, json.dumps(signed))
    wrong = Credentials(key.access_key, key.secret_key[::-1], key.token)
    for request, signed in zip(SIGNED, by_npm(node, api, wrong, program), strict=True):
        answer = api.send(request.method, signed["path"], signed["headers"], request.body)
        assert answer.status == 403


@each_program
@pytest.mark.parametrize("whose", ["user", "temporary"])
def test_our_gateway_takes_what_they_presign(
    node: Node, api: GuardedApi, whose: str, program: str
) -> None:
    key: Credentials = getattr(api, whose)
    presigned = by_npm(node, api, key, program, in_query=True)
    for request, signed in zip(SIGNED, presigned, strict=True):
        if request.method != "GET" or request.headers:
            continue
        assert "X-Amz-Signature=" in signed["path"]
        answer = api.send("GET", signed["path"], signed["headers"])
        assert (answer.status, answer.body) == (200, '"in"'), (request, json.dumps(signed))
