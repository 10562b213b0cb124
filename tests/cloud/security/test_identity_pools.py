"""What a forger would try at an identity pool: nothing but a genuine ID token of the right client opens a role."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from botocore import UNSIGNED
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.attacker import JSON, Attacker

IDENTITY = "cognito-identity.amazonaws.com"
TARGET = "AWSCognitoIdentityService."


@dataclass
class Pool:
    """An identity pool whose role may list users: what a forger wants."""

    cloud: Attacker
    user_pool: str
    client: str
    id: str
    role_arn: str
    token: str
    identity: str

    @property
    def provider(self) -> str:
        return f"cognito-idp.us-east-1.amazonaws.com/{self.user_pool}"

    def claims(self) -> dict[str, Any]:
        return dict(jwt.decode(self.token, options={"verify_signature": False}))

    def header(self) -> dict[str, Any]:
        return dict(jwt.get_unverified_header(self.token))

    def jwks(self) -> list[dict[str, Any]]:
        path = f"/{self.user_pool}/.well-known/jwks.json"
        return list(json.loads(self.cloud.send("GET", path).body)["keys"])

    def ask(self, operation: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """An unsigned call, as from a browser."""
        headers = {**JSON, "X-Amz-Target": TARGET + operation}
        answer = self.cloud.send("POST", "/", headers, json.dumps(body).encode())
        return answer.status, json.loads(answer.body)

    def credentials(self, token: str, **more: Any) -> tuple[int, dict[str, Any]]:
        logins = {self.provider: token}
        return self.ask(
            "GetCredentialsForIdentity", IdentityId=self.identity, Logins=logins, **more
        )


@pytest.fixture(scope="module")
def pool(cloud: Attacker) -> Iterator[Pool]:
    users, pools, iam = (cloud.client(name) for name in ("cognito-idp", "cognito-identity", "iam"))
    user_pool = users.create_user_pool(PoolName="victims")["UserPool"]["Id"]
    client = users.create_user_pool_client(
        UserPoolId=user_pool,
        ClientName="app",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]["ClientId"]
    password = "aA1!" + secrets.token_urlsafe(16)
    who = {"UserPoolId": user_pool, "Username": "victim"}
    users.admin_create_user(**who, MessageAction="SUPPRESS")
    users.admin_set_user_password(**who, Password=password, Permanent=True)
    token = users.admin_initiate_auth(
        UserPoolId=user_pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "victim", "PASSWORD": password},
    )["AuthenticationResult"]["IdToken"]
    provider = f"cognito-idp.us-east-1.amazonaws.com/{user_pool}"
    pool_id = pools.create_identity_pool(
        IdentityPoolName="victims",
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": client}],
    )["IdentityPoolId"]
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": IDENTITY},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{IDENTITY}:aud": pool_id}},
    }
    role_arn = iam.create_role(
        RoleName="victims",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role_arn})
    logins = {provider: token}
    identity = pools.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]
    made = Pool(cloud, user_pool, client, pool_id, role_arn, token, identity)
    assert made.credentials(token)[0] == 200
    yield made
    pools.delete_identity_pool(IdentityPoolId=pool_id)
    users.delete_user_pool(UserPoolId=user_pool)
    iam.delete_role(RoleName="victims")


@pytest.fixture(autouse=True, scope="module")
def _nothing_was_made(cloud: Attacker, pool: Pool) -> Iterator[None]:
    """Inside the module's own pool: no attack may have made anything."""
    before = cloud.inventory()
    yield
    assert cloud.inventory() == before


def encoded(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def own_key(pool: Pool, **header: Any) -> str:
    return jwt.encode(pool.claims(), _KEY, "RS256", headers={**pool.header(), **header})


def hmac_with_the_public_key(pool: Pool) -> str:
    start = f"{encoded({**pool.header(), 'alg': 'HS256'})}.{encoded(pool.claims())}"
    secret = json.dumps(pool.jwks()[0]).encode()
    return f"{start}.{encoded(hmac.new(secret, start.encode(), hashlib.sha256).digest())}"


def other_claims(pool: Pool, **changes: Any) -> str:
    head, _claims, signature = pool.token.split(".")
    return f"{head}.{encoded(pool.claims() | changes)}.{signature}"


def own_jwk(pool: Pool) -> str:
    from jwt.algorithms import RSAAlgorithm

    public = RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
    return own_key(pool, jwk={**public, "kid": pool.header()["kid"]})


FORGERIES: dict[str, Callable[[Pool], str]] = {
    "no signature": lambda pool: pool.token.rpartition(".")[0] + ".",
    "alg none": lambda pool: f"{encoded({'alg': 'none'})}.{encoded(pool.claims())}.",
    "alg nOnE": lambda pool: f"{encoded({'alg': 'nOnE'})}.{encoded(pool.claims())}.x",
    "HS256 with the public key": hmac_with_the_public_key,
    "my own key": own_key,
    "my own key, another kid": lambda pool: own_key(pool, kid="mine"),
    "my own key in the header": own_jwk,
    "my own key at a URL": lambda pool: own_key(pool, jku="https://mallory.example.com/jwks.json"),
    "a kid that is a path": lambda pool: own_key(pool, kid="../../../../dev/null"),
    "somebody else's sub": lambda pool: other_claims(
        pool, sub="00000000-0000-0000-0000-000000000000"
    ),
    "more roles": lambda pool: other_claims(pool, **{"cognito:preferred_role": pool.role_arn}),
    "no end": lambda pool: other_claims(pool, exp=time.time() + 1e9),
    "not a token": lambda _pool: "hello",
    "three dots": lambda _pool: "...",
    "deep JSON": lambda _pool: (
        f"{encoded({'alg': 'RS256', 'kid': 'k'})}.{encoded(b'[' * 30_000)}.eA"
    ),
    "deep header": lambda _pool: f"{encoded(b'[' * 30_000)}.{encoded({'a': 1})}.eA",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forged_token_opens_anything(pool: Pool, name: str) -> None:
    token = FORGERIES[name](pool)
    logins = {pool.provider: token}
    answers = [
        pool.ask("GetId", IdentityPoolId=pool.id, Logins=logins),
        pool.credentials(token),
        pool.ask("GetOpenIdToken", IdentityId=pool.identity, Logins=logins),
    ]
    for status, body in answers:
        assert status == 400, body
        assert "Credentials" not in body
        assert "IdentityId" not in body


@pytest.mark.parametrize(
    "provider",
    [
        "cognito-identity.amazonaws.com",
        "accounts.google.com",
        "graph.facebook.com",
        "cognito-idp.us-east-1.amazonaws.com",
        "cognito-idp.us-east-1.amazonaws.com/",
        "COGNITO-IDP.us-east-1.amazonaws.com/{pool}",
        "cognito-idp.us-east-1.amazonaws.com/{pool}/",
        "cognito-idp.us-east-1.amazonaws.com/{pool}:{client}",
        "cognito-idp.eu-west-1.amazonaws.com/{pool}",
    ],
)
def test_a_good_token_under_another_name_opens_nothing(pool: Pool, provider: str) -> None:
    name = provider.replace("{pool}", pool.user_pool).replace("{client}", pool.client)
    for logins in ({name: pool.token}, {pool.provider: pool.token, name: "x"}):
        status, body = pool.ask("GetId", IdentityPoolId=pool.id, Logins=logins)
        assert (status, body["__type"]) == (400, "NotAuthorizedException")


def test_a_pool_that_nobody_made_names_no_issuer(pool: Pool) -> None:
    """A provider in somebody's identity pool may name a user pool that isn't there, or is written as a path."""
    pools = pool.cloud.client("cognito-identity")
    names = ["us-east-1_doesntexi", "..", pool.user_pool + "x"]
    mine = pools.create_identity_pool(
        IdentityPoolName="forger",
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[
            {"ProviderName": f"cognito-idp.us-east-1.amazonaws.com/{name}", "ClientId": pool.client}
            for name in names
        ],
    )["IdentityPoolId"]
    for name in names:
        provider = f"cognito-idp.us-east-1.amazonaws.com/{name}"
        claims = pool.claims() | {"iss": f"https://{provider}"}
        token = jwt.encode(claims, _KEY, "RS256", headers=pool.header())
        status, body = pool.ask("GetId", IdentityPoolId=mine, Logins={provider: token})
        assert (status, body["__type"]) == (400, "NotAuthorizedException")
    pools.delete_identity_pool(IdentityPoolId=mine)


def test_nobody_chooses_a_role(pool: Pool) -> None:
    for role_arn in (pool.role_arn, "arn:aws:iam::123456789012:role/admin", "*"):
        status, body = pool.credentials(pool.token, CustomRoleArn=role_arn)
        assert status == 400, body
        assert "Credentials" not in body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"IdentityId": "us-east-1:00000000-0000-0000-0000-000000000000"},
        {"IdentityId": "us-east-1:00000000-0000-0000-0000-000000000000", "Logins": {}},
        {"IdentityId": None, "Logins": None},
        {"IdentityId": ["x"]},
        {"IdentityId": "us-east-1:1", "Logins": "x"},
        {"IdentityId": "us-east-1:1", "Logins": {"a": {"b": "c"}}},
    ],
)
def test_bad_input_gets_one_clear_refusal(pool: Pool, body: dict[str, Any]) -> None:
    status, answer = pool.ask("GetCredentialsForIdentity", **body)
    assert status == 400
    assert answer["__type"] in {
        "ResourceNotFoundException",
        "SerializationException",
        "ValidationException",
    }


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
@pytest.mark.parametrize("issuer", [IDENTITY, "the user pool", "accounts.google.com"])
def test_sts_believes_no_token(pool: Pool, algorithm: str, issuer: str) -> None:
    claims = {
        "iss": f"https://{pool.provider if issuer == 'the user pool' else issuer}",
        "aud": pool.id,
        "sub": pool.identity,
        "amr": ["authenticated"],
        "exp": time.time() + 600,
    }
    key: Any = {"none": None, "HS256": "a secret of the forger that is long", "RS256": _KEY}[
        algorithm
    ]
    token = jwt.encode(claims, key, algorithm)
    request = {
        "RoleArn": pool.role_arn,
        "RoleSessionName": "forger",
        "WebIdentityToken": token,
    }
    unsigned = pool.cloud.client("sts")
    unsigned.meta.config.signature_version = UNSIGNED
    for client in (unsigned, pool.cloud.client("sts")):
        with pytest.raises(ClientError) as refused:
            client.assume_role_with_web_identity(**request)
        assert refused.value.response["Error"]["Code"] == "InvalidIdentityToken"


def test_who_configures_pools_gets_no_role_by_it(pool: Pool) -> None:
    key = pool.cloud.user("configurator", "cognito-identity:*")
    pools = pool.cloud.client("cognito-identity", key)
    rule = {"Claim": "sub", "MatchType": "NotEqual", "Value": "x", "RoleARN": pool.role_arn}
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": [rule]},
    }
    for roles, mappings in (
        ({"authenticated": pool.role_arn}, {}),
        ({}, {f"{pool.provider}:{pool.client}": mapping}),
        ({"authenticated": "arn:aws:iam::999999999999:role/victims"}, {}),
    ):
        with pytest.raises(ClientError, match="is forbidden"):
            pools.set_identity_pool_roles(
                IdentityPoolId=pool.id, Roles=roles, RoleMappings=mappings
            )
    before = pool.cloud.client("cognito-identity").get_identity_pool_roles(IdentityPoolId=pool.id)
    assert before["Roles"] == {"authenticated": pool.role_arn}
    _delete_user(pool.cloud, "configurator", key)


def test_who_makes_groups_gets_no_role_by_it(pool: Pool) -> None:
    """A group's role is a member's, where the identity pool takes roles from tokens."""
    key = pool.cloud.user("group-maker", "cognito-idp:*")
    users = pool.cloud.client("cognito-idp", key)
    with pytest.raises(ClientError, match="is forbidden"):
        users.create_group(UserPoolId=pool.user_pool, GroupName="mine", RoleArn=pool.role_arn)
    assert users.list_groups(UserPoolId=pool.user_pool)["Groups"] == []
    users.create_group(UserPoolId=pool.user_pool, GroupName="mine")
    users.delete_group(UserPoolId=pool.user_pool, GroupName="mine")
    _delete_user(pool.cloud, "group-maker", key)


def test_a_deleted_roles_credentials_arent_the_next_roles(pool: Pool) -> None:
    """Whoever was let into the old role isn't let into the new one, whatever its name."""
    cloud, iam = pool.cloud, pool.cloud.client("iam")
    pools = cloud.client("cognito-identity")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trusted = _trust_of(iam, "victims")
    trusted["Statement"].append(anybody)

    def make() -> str:
        made = iam.create_role(RoleName="phoenix", AssumeRolePolicyDocument=json.dumps(trusted))
        document = json.dumps({"Version": "2012-10-17", "Statement": everything})
        iam.put_role_policy(RoleName="phoenix", PolicyName="all", PolicyDocument=document)
        return str(made["Role"]["Arn"])

    def delete() -> None:
        iam.delete_role_policy(RoleName="phoenix", PolicyName="all")
        iam.delete_role(RoleName="phoenix")

    arn = make()
    pools.set_identity_pool_roles(IdentityPoolId=pool.id, Roles={"authenticated": arn})
    one = pool.credentials(pool.token)[1]["Credentials"]
    user = cloud.user("assumer", "sts:AssumeRole")
    two = cloud.client("sts", user).assume_role(RoleArn=arn, RoleSessionName="old")["Credentials"]
    old = [
        Credentials(one["AccessKeyId"], one["SecretKey"], one["SessionToken"]),
        Credentials(two["AccessKeyId"], two["SecretAccessKey"], two["SessionToken"]),
    ]
    for key in old:
        assert cloud.client("iam", key).list_users()["Users"]
    delete()

    def check_refused() -> None:
        for key in old:
            for service, operation in (("iam", "list_users"), ("sts", "get_caller_identity")):
                with pytest.raises(ClientError) as refused:
                    getattr(cloud.client(service, key), operation)()
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    check_refused()
    make()
    check_refused()
    delete()
    pools.set_identity_pool_roles(IdentityPoolId=pool.id, Roles={"authenticated": pool.role_arn})
    _delete_user(cloud, "assumer", user)


def test_a_role_must_trust_the_identity_that_gets_its_credentials(pool: Pool) -> None:
    """Not the one that was named: a login brings its own identity along."""
    cloud, iam = pool.cloud, pool.cloud.client("iam")
    pools = cloud.client("cognito-identity")
    provider = {"ProviderName": pool.provider, "ClientId": pool.client}
    mine = pools.create_identity_pool(
        IdentityPoolName="hoppers",
        AllowUnauthenticatedIdentities=True,
        CognitoIdentityProviders=[provider],
    )["IdentityPoolId"]
    guest = pool.ask("GetId", IdentityPoolId=mine)[1]["IdentityId"]
    logins = {pool.provider: pool.token}
    own = pool.ask("GetId", IdentityPoolId=mine, Logins=logins)[1]["IdentityId"]
    assert guest != own
    condition = {"StringEquals": {f"{IDENTITY}:aud": mine, f"{IDENTITY}:sub": guest}}
    statement = {**_trust_of(iam, "victims")["Statement"][0], "Condition": condition}
    arn = iam.create_role(
        RoleName="one-guest", AssumeRolePolicyDocument=json.dumps({"Statement": [statement]})
    )["Role"]["Arn"]
    roles = {"authenticated": arn, "unauthenticated": arn}
    pools.set_identity_pool_roles(IdentityPoolId=mine, Roles=roles)
    assert pool.ask("GetCredentialsForIdentity", IdentityId=guest)[0] == 200
    for identity in (guest, own):
        status, body = pool.ask("GetCredentialsForIdentity", IdentityId=identity, Logins=logins)
        assert (status, body["__type"]) == (400, "InvalidIdentityPoolConfigurationException")
    pools.delete_identity_pool(IdentityPoolId=mine)
    iam.delete_role(RoleName="one-guest")


def _trust_of(iam: Any, role: str) -> dict[str, Any]:
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return dict(json.loads(document) if isinstance(document, str) else document)


def test_a_session_stays_in_its_scope(pool: Pool) -> None:
    """The role may do nothing, so its session may do nothing, not even with another's session token."""
    made = pool.credentials(pool.token)[1]["Credentials"]
    mine = Credentials(made["AccessKeyId"], made["SecretKey"], made["SessionToken"])
    other = pool.credentials(pool.token)[1]["Credentials"]
    swapped = Credentials(made["AccessKeyId"], made["SecretKey"], other["SessionToken"])
    without = Credentials(made["AccessKeyId"], made["SecretKey"])
    for key in (mine, swapped, without):
        for service, operation in (("iam", "list_users"), ("lambda", "list_functions")):
            with pytest.raises(ClientError):
                getattr(pool.cloud.client(service, key), operation)()
    assert len(made["SessionToken"]) > 64
    assert made["SecretKey"] != other["SecretKey"]


def _delete_user(cloud: Attacker, name: str, key: Credentials) -> None:
    iam = cloud.client("iam")
    iam.delete_access_key(UserName=name, AccessKeyId=key.access_key)
    iam.delete_user_policy(UserName=name, PolicyName="given")
    iam.delete_user(UserName=name)
