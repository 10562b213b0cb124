"""Identity pools in this process: the second in which a token ends, linked logins, trust policies, what isn't offered.

What AWS answers case by case is in the ledger, what a forger tries in tests/security.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labkit.local.cognito.identity_pools import (
    PROVIDER,
    TARGET_PREFIX,
    IdentityPoolService,
    trust_policy_problem,
)
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.engine import Role, names
from labkit.local.messages import Request, Response
from tests.support.in_process_cloud import Answer, Cognito

UNSIGNED = {"GetCredentialsForIdentity", "GetId", "GetOpenIdToken", "UnlinkIdentity"}


class IdentityPools:
    """The service beside user pools, and how a client calls it."""

    def __init__(self, cognito: Cognito) -> None:
        self.cognito = cognito
        self.service = IdentityPoolService(
            cognito.engine, clock=cognito.clock, numbers=random.Random()
        )
        self.user_pool = cognito.pool("PASSWORD", "EMAIL_OTP")
        cognito.user(self.user_pool)
        self.client = cognito.client(self.user_pool)

    @property
    def provider(self) -> str:
        return f"cognito-idp.us-east-1.amazonaws.com/{self.user_pool}"

    def call(self, operation: str, **body: Any) -> Answer:
        sent = self.request(operation, **body)
        return Answer(self.cognito.loop.run(self.service.handle(sent)))

    def request(self, operation: str, **body: Any) -> Request:
        raw = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Host": "127.0.0.1:4566",
            "X-Amz-Target": TARGET_PREFIX + operation,
        }
        if operation not in UNSIGNED:
            settings = self.cognito.settings
            request = AWSRequest("POST", "http://127.0.0.1:4566/", headers=headers, data=raw)
            key = Credentials(settings.access_key_id, settings.secret_access_key)
            SigV4Auth(key, "cognito-identity", settings.region).add_auth(request)
            headers = dict(request.headers.items())
        return Request("POST", "/", "", list(headers.items()), raw)

    def pool(self, **settings: Any) -> str:
        answer = self.call(
            "CreateIdentityPool",
            **{
                "IdentityPoolName": "lab",
                "AllowUnauthenticatedIdentities": False,
                "CognitoIdentityProviders": [
                    {"ProviderName": self.provider, "ClientId": self.client}
                ],
                **settings,
            },
        )
        assert answer.status == 200, answer.body
        return str(answer.body["IdentityPoolId"])

    def token(self) -> str:
        return str(self.cognito.sign_in(self.client)["IdToken"])


@pytest.fixture
def pools(cognito: Cognito) -> IdentityPools:
    return IdentityPools(cognito)


def test_a_token_is_good_to_its_last_second(pools: IdentityPools) -> None:
    token = pools.token()
    pool_id, logins, expiry = pools.pool(), {pools.provider: token}, claims_of(token)["exp"]
    pools.cognito.clock.now = expiry - 1
    assert pools.call("GetId", IdentityPoolId=pool_id, Logins=logins).status == 200
    pools.cognito.clock.now = expiry
    refused = pools.call("GetId", IdentityPoolId=pool_id, Logins=logins)
    assert refused.status == 400
    assert str(refused.body["message"]).startswith("Invalid login token. Token expired: ")


def test_two_logins_are_one_identity(pools: IdentityPools) -> None:
    """Who brings two logins at once links them: each alone then gives the same identity."""
    other = IdentityPools(pools.cognito)
    both = [{"ProviderName": one.provider, "ClientId": one.client} for one in (pools, other)]
    pool_id = pools.pool(CognitoIdentityProviders=both)
    logins = {pools.provider: pools.token(), other.provider: other.token()}
    first = pools.call("GetId", IdentityPoolId=pool_id, Logins=logins).body["IdentityId"]
    for provider, token in logins.items():
        answer = pools.call("GetId", IdentityPoolId=pool_id, Logins={provider: token})
        assert answer.body["IdentityId"] == first


def test_fifty_logins_at_once_are_one_identity(pools: IdentityPools) -> None:
    """MiniStack answers in threads: here each takes a while between its look and its note."""
    ministack = pools.cognito.engine.ministack
    link = ministack[names.LINK_LOGINS]

    def slowly(*arguments: Any) -> Any:
        found = link(*arguments)
        time.sleep(0.005)
        return found

    pool_id, logins = pools.pool(), {pools.provider: pools.token()}
    requests = [
        pools.request("GetId", IdentityPoolId=pool_id, Logins=logins, AccountId=str(number))
        for number in range(50)
    ]

    async def all_at_once() -> list[Response]:
        return list(await asyncio.gather(*(pools.service.handle(one) for one in requests)))

    ministack.replace([(names.LINK_LOGINS, slowly)])
    try:
        answers = pools.cognito.loop.run(all_at_once())
    finally:
        ministack.replace([(names.LINK_LOGINS, link)])
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["IdentityId"] for answer in answers}) == 1


def test_a_provider_without_a_client_is_nobodys(pools: IdentityPools) -> None:
    half = {"ProviderName": pools.provider, "ServerSideTokenCheck": True}
    whole = {"ProviderName": pools.provider, "ClientId": pools.client}
    logins = {pools.provider: pools.token()}
    for listed, status in (([half], 400), ([half, whole], 200)):
        pool_id = pools.pool(CognitoIdentityProviders=listed)
        answer = pools.call("GetId", IdentityPoolId=pool_id, Logins=logins)
        assert answer.status == status
    identity = answer.body["IdentityId"]
    refused = pools.call("GetCredentialsForIdentity", IdentityId=identity, Logins=logins)
    assert refused.error[0] == "InvalidIdentityPoolConfigurationException"  # it has no role


def test_one_bad_login_beside_a_good_one_refuses_both(pools: IdentityPools) -> None:
    logins = {pools.provider: pools.token(), "graph.facebook.com": "x"}
    answer = pools.call("GetId", IdentityPoolId=pools.pool(), Logins=logins)
    assert answer.error[0] == "NotAuthorizedException"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetOpenIdToken", {"IdentityId": "us-east-1:1"}),
        ("UnlinkIdentity", {"IdentityId": "us-east-1:1", "Logins": {}, "LoginsToRemove": []}),
        (
            "SetPrincipalTagAttributeMap",
            {"IdentityPoolId": "us-east-1:1", "IdentityProviderName": "x"},
        ),
        ("DeleteIdentities", {"IdentityIdsToDelete": ["us-east-1:1"]}),
    ],
)
def test_what_isnt_offered_says_so(
    pools: IdentityPools, operation: str, body: dict[str, Any]
) -> None:
    assert pools.call(operation, **body).error == (
        "UnsupportedOperationException",
        f"The local cloud doesn't offer {operation}.",
    )


def test_an_unknown_operation(pools: IdentityPools) -> None:
    assert pools.call("GetEverything").error[0] == "UnknownOperationException"


def test_trouble_inside_says_nothing_of_the_inside(
    pools: IdentityPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(pools.cognito.engine.identity_pools.operations, "_own", fail)
    answer = pools.call("ListIdentityPools", MaxResults=1)
    assert (answer.status, answer.error[0]) == (500, "InternalErrorException")
    assert "inside" not in str(answer.error[1])


# -- trust policies ----------------------------------------------------------------------------


def trust(condition: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        **({} if condition is None else {"Condition": condition}),
        **changes,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


AUD = {f"{PROVIDER}:aud": "us-east-1:1"}


@pytest.mark.parametrize(
    "document",
    [
        trust({"StringEquals": AUD}),
        trust({"StringLike": AUD}),
        trust({"ForAnyValue:StringEquals": AUD}),
        trust({"stringequals": {f"{PROVIDER.title()}:AUD": "us-east-1:1"}}),
        trust(None, Effect="Deny"),
        trust(None, Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole"),
        trust(None, Principal={"AWS": "123456789012"}, Action="sts:AssumeRole"),
        "not JSON",
        {},
    ],
)
def test_trust_policies_that_may_be_saved(document: Any) -> None:
    assert trust_policy_problem(document) is None


@pytest.mark.parametrize(
    "document",
    [
        trust(None),
        trust({"StringEquals": {f"{PROVIDER}:amr": "authenticated"}}),
        trust({"StringEqualsIfExists": AUD}),
        trust({"ForAllValues:StringEquals": AUD}),
        trust({"StringNotEquals": AUD}),
        trust({"Null": {f"{PROVIDER}:aud": "false"}}),
        trust(None, Principal={"Federated": ["accounts.google.com", PROVIDER]}),
        json.dumps(trust(None)),
    ],
)
def test_trust_policies_for_everybodys_identity_pools(document: Any) -> None:
    assert "needs a condition" in str(trust_policy_problem(document))


# -- whom a trust policy lets in ----------------------------------------------------------------

KEYS = {
    f"{PROVIDER}:aud": "us-east-1:1",
    f"{PROVIDER}:sub": "us-east-1:2",
    f"{PROVIDER}:amr": ["authenticated"],
}
TRUSTED = trust({"StringEquals": AUD})["Statement"]


def trusts(cognito: Cognito, *statements: dict[str, Any]) -> bool:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    role = Role("arn:aws:iam::123456789012:role/x", "AROAEXAMPLE", document)
    return cognito.engine.iam.trusts_web_identity(role, PROVIDER, dict(KEYS), "us-east-1")


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["1" * 12, "*"]}])
def test_everybody_is_denied_but_not_let_in(cognito: Cognito, principal: Any) -> None:
    (allowed,) = TRUSTED
    assert trusts(cognito, allowed)
    assert not trusts(cognito, {**allowed, "Principal": principal})
    deny = {**allowed, "Effect": "Deny", "Principal": principal}
    assert not trusts(cognito, allowed, deny)
    assert not trusts(cognito, deny, allowed)


@pytest.mark.parametrize(
    "principal",
    [
        {"Federated": "*"},
        {"Federated": "cognito-identity.*"},
        {"Federated": PROVIDER.upper()},
        {"AWS": "123456789012"},
        {"Service": PROVIDER},
    ],
)
def test_no_other_principal_is_the_provider(cognito: Cognito, principal: Any) -> None:
    assert not trusts(cognito, {**TRUSTED[0], "Principal": principal})


def test_who_isnt_meant(cognito: Cognito) -> None:
    (allowed,) = TRUSTED
    without = {name: value for name, value in allowed.items() if name != "Principal"}
    assert not trusts(cognito, {**without, "NotPrincipal": {"AWS": "123456789012"}})
    assert not trusts(cognito, allowed, {**without, "Effect": "Deny", "NotPrincipal": "*"})


def test_variables_of_a_trust_policy(cognito: Cognito) -> None:
    (allowed,) = TRUSTED
    me = {f"{PROVIDER}:sub": f"${{{PROVIDER}:sub}}"}
    assert trusts(cognito, {**allowed, "Condition": {"StringEquals": me}})
    assert not trusts(cognito, {**allowed, "Condition": {"StringNotEquals": me}})
    deny = {**allowed, "Effect": "Deny", "Condition": {"StringEquals": me}}
    assert not trusts(cognito, allowed, deny)
    nobody = {f"{PROVIDER}:sub": "${aws:username}"}
    assert not trusts(cognito, {**allowed, "Condition": {"StringNotEquals": nobody}})
