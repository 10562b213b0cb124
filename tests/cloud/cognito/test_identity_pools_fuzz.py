"""Any request to an identity pool: an answer that AWS could give, and credentials for a genuine login only."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.cognito.identity_pools import PROVIDER
from labkit.local.engine import names
from tests.cloud.cognito.test_identity_pools import IdentityPools
from tests.support.in_process_cloud import Cognito, cognito_in_use

MANY = settings(max_examples=150)
ROLE = "arn:aws:iam::123456789012:role/fuzzed"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Lab(IdentityPools):
    """A user with an identity, in a pool whose role trusts it; and a pool for guests, which has no role."""

    def __init__(self, cognito: Cognito) -> None:
        super().__init__(cognito)
        self.pool_id = self.pool()
        self.guests = self.pool(AllowUnauthenticatedIdentities=True)
        self.genuine = self.token()
        logins = {self.provider: self.genuine}
        answer = self.call("GetId", IdentityPoolId=self.pool_id, Logins=logins)
        self.identity = str(answer.body["IdentityId"])
        trusted = {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{PROVIDER}:aud": self.pool_id}},
        }
        roles = cognito.engine.ministack[names.ROLES]
        with cognito.engine.ministack.scope():
            roles["fuzzed"] = {
                "RoleName": "fuzzed",
                "RoleId": "AROAFUZZED",
                "Arn": ROLE,
                "AssumeRolePolicyDocument": json.dumps({"Statement": [trusted]}),
            }
        answer = self.call(
            "SetIdentityPoolRoles", IdentityPoolId=self.pool_id, Roles={"authenticated": ROLE}
        )
        assert answer.status == 200, answer.body


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with cognito_in_use() as cognito:
        yield Lab(cognito)


# -- requests ------------------------------------------------------------------------------------

# A name in angle brackets stands for what it names in the lab.
PLACES = {
    "<pool>": "pool_id",
    "<guests>": "guests",
    "<identity>": "identity",
    "<provider>": "provider",
    "<token>": "genuine",
}
TEXTS = st.sampled_from(
    [*PLACES, "", "*", "x", "us-east-1:00000000-0000-0000-0000-000000000000", ROLE, "\ud800", "a:b"]
) | st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FORGED = "<forged>"
LOGINS = st.dictionaries(
    st.sampled_from(["<provider>", "graph.facebook.com", PROVIDER, ""]) | TEXTS,
    st.sampled_from(["<token>", FORGED, "a.b.c"]) | TEXTS,
    max_size=2,
)
IDS = st.sampled_from(["<identity>", "<pool>", "<guests>"]) | TEXTS
POOL = {
    "IdentityPoolName": TEXTS | st.just("fuzzed"),
    "AllowUnauthenticatedIdentities": st.booleans() | SCALARS,
    "CognitoIdentityProviders": st.lists(
        st.dictionaries(
            st.sampled_from(["ProviderName", "ClientId", "ServerSideTokenCheck"]),
            TEXTS | st.booleans(),
            max_size=3,
        ),
        max_size=2,
    ),
    "SupportedLoginProviders": st.dictionaries(TEXTS, TEXTS, max_size=2),
    "OpenIdConnectProviderARNs": st.lists(TEXTS, max_size=2) | ANY_JSON,
    "DeveloperProviderName": TEXTS,
}
MAPPING = st.dictionaries(
    st.sampled_from(["Type", "AmbiguousRoleResolution", "RulesConfiguration"]),
    st.sampled_from(["Token", "Rules", "Deny", "AuthenticatedRole"]) | ANY_JSON,
    max_size=3,
)
REQUESTS = st.one_of(
    st.tuples(
        st.just("GetId"),
        st.fixed_dictionaries(
            {"IdentityPoolId": IDS}, optional={"Logins": LOGINS, "AccountId": TEXTS}
        ),
    ),
    st.tuples(
        st.just("GetCredentialsForIdentity"),
        st.fixed_dictionaries(
            {"IdentityId": IDS}, optional={"Logins": LOGINS, "CustomRoleArn": TEXTS}
        ),
    ),
    st.tuples(
        st.just("GetOpenIdToken"),
        st.fixed_dictionaries({"IdentityId": IDS}, optional={"Logins": LOGINS}),
    ),
    st.tuples(
        st.just("GetOpenIdTokenForDeveloperIdentity"),
        st.fixed_dictionaries({"IdentityPoolId": IDS, "Logins": LOGINS}),
    ),
    st.tuples(st.just("CreateIdentityPool"), st.fixed_dictionaries({}, optional=POOL)),
    st.tuples(
        st.just("UpdateIdentityPool"),
        st.fixed_dictionaries({"IdentityPoolId": IDS.filter("<pool>".__ne__)}, optional=POOL),
    ),
    st.tuples(
        st.just("SetIdentityPoolRoles"),
        st.fixed_dictionaries(
            {"IdentityPoolId": IDS.filter("<pool>".__ne__)},
            optional={
                "Roles": st.dictionaries(TEXTS | st.just("authenticated"), TEXTS, max_size=2),
                "RoleMappings": st.dictionaries(TEXTS, MAPPING | ANY_JSON, max_size=2),
            },
        ),
    ),
    st.tuples(
        st.sampled_from(
            """
            DeleteIdentities DescribeIdentity DescribeIdentityPool GetIdentityPoolRoles ListIdentities ListIdentityPools
            ListTagsForResource LookupDeveloperIdentity MergeDeveloperIdentities UnlinkIdentity x
            """.split()
        ),
        st.dictionaries(
            st.sampled_from(["IdentityPoolId", "IdentityId", "MaxResults", "ResourceArn"]),
            IDS | SCALARS,
            max_size=3,
        ),
    ),
    st.tuples(st.sampled_from(["GetId", "SetIdentityPoolRoles"]), st.dictionaries(TEXTS, ANY_JSON)),
)


def encoded(data: Any) -> str:
    raw = json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def placed(lab: Lab, value: Any) -> Any:
    if isinstance(value, dict):
        return {placed(lab, name): placed(lab, item) for name, item in value.items()}
    if isinstance(value, list):
        return [placed(lab, item) for item in value]
    if value == FORGED:
        claims = jwt.decode(lab.genuine, options={"verify_signature": False})
        header = jwt.get_unverified_header(lab.genuine)
        return jwt.encode(claims, _KEY, "RS256", headers=header)
    return getattr(lab, PLACES[value]) if isinstance(value, str) and value in PLACES else value


def genuine(body: dict[str, Any]) -> bool:
    """Whether the only login is the user's own, for her identity."""
    own = body.get("Logins") == {"<provider>": "<token>"}
    return own and body.get("IdentityId") == "<identity>"


@MANY
@given(REQUESTS)
@example(
    ("GetCredentialsForIdentity", {"IdentityId": "<identity>", "Logins": {"<provider>": FORGED}})
)
@example(
    ("GetCredentialsForIdentity", {"IdentityId": "<identity>", "Logins": {"<provider>": "<token>"}})
)
def test_any_request(lab: Lab, request_of: tuple[str, dict[str, Any]]) -> None:
    operation, body = request_of
    answer = lab.call(operation, **{str(k): v for k, v in placed(lab, body).items()})
    assert answer.status in (200, 400), answer.body
    if answer.status == 400:
        assert answer.error[0], answer.body
    if "Credentials" in answer.body:
        assert operation == "GetCredentialsForIdentity"
        assert genuine(body)
    elif operation == "GetCredentialsForIdentity":
        assert answer.status == 400
        assert not genuine(body) or body.get("CustomRoleArn") is not None
    if FORGED in str(body.get("Logins")):
        assert answer.status == 400
    assert "Token" not in answer.body


HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jku"]),
    st.sampled_from(["RS256", "none", "HS256", "<kid>", "", None, 7, ["RS256"]]),
    max_size=4,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["iss", "aud", "sub", "exp", "token_use", "cognito:roles"]),
    st.sampled_from(["<iss>", "<client>", "id", 10**400, 9e300, float("nan"), None, [], {}, ""]),
    max_size=6,
)


@MANY
@given(HEADERS, CLAIMS, st.text(max_size=12) | st.sampled_from(["eA", "<signature>"]))
def test_any_token(
    lab: Lab, header: dict[str, Any], claims: dict[str, Any], signature: str
) -> None:
    """Whatever it says, it isn't the user pool's."""
    names = {
        "<kid>": jwt.get_unverified_header(lab.genuine)["kid"],
        "<iss>": f"https://{lab.provider}",
        "<client>": lab.client,
    }

    def real(value: Any) -> Any:
        return names.get(value, value) if isinstance(value, str) else value

    parts = [encoded({k: real(v) for k, v in part.items()}) for part in (header, claims)]
    signed = lab.genuine.rpartition(".")[2] if signature == "<signature>" else signature
    logins = {lab.provider: ".".join([*parts, signed])}
    for operation, where in (
        ("GetId", {"IdentityPoolId": lab.pool_id}),
        ("GetCredentialsForIdentity", {"IdentityId": lab.identity}),
    ):
        answer = lab.call(operation, **where, Logins=logins)
        assert answer.status == 400, answer.body
        assert answer.error[0] in ("NotAuthorizedException", "SerializationException"), answer.body
