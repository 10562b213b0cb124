"""The APIs of the rows about JWT authorizers, and the tokens that they get."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.fidelity.authorization_situations import here, patch, set_policy
from tests.fidelity.limits_situations import KEYED, make_key, make_plan
from tests.support.gateway import TOKENS, Gateway
from tests.support.loopback_issuer import DISCOVERY, public_jwk
from tests.support.rest_api import Api, situation

HEADER = "method.request.header.Authorization"
AUDIENCE = "app"
OWN, ROTATED, MOVED = "own", "rotated", "moved"
"""The issuers; the last two change after their authorizers were made."""
EXAMPLE = {
    "name": 'Doe, "Jane"',
    "iat": 1516239022,
    "version": "42",
    "roles": ["user", "editor"],
    "address": {"city": "Seattle"},
}
"""The guide's token (rest_jwt 16.45)."""
RULES = [
    {
        "claimName": "tier",
        "format": "SINGLE_STRING",
        "required": True,
        "expectedValues": ["gold"],
    },
    {"claimName": "team", "format": "SINGLE_STRING"},
    {"claimName": "region", "format": "SINGLE_STRING", "expectedValues": ["north"]},
]


def issuer_url(gateway: Gateway, name: str = OWN) -> str:
    return str(gateway.issuer(name).url)  # type: ignore[attr-defined]


def pool_issuer(gateway: Gateway) -> str:
    return f"https://cognito-idp.{gateway.cloud.region}.amazonaws.com/{gateway.pool.id}"


def trust(issuer: str, *audiences: str, **more: Any) -> dict[str, Any]:
    return {"issuer": issuer, "audiences": list(audiences), **more}


def jwt_authorizer(
    api: Api,
    *issuers: dict[str, Any],
    algorithms: tuple[str, ...] = ("RS256", "ES256"),
    **more: Any,
) -> dict[str, Any]:
    """The settings of a method that a JWT authorizer guards."""
    made = api.aws.create_authorizer(
        restApiId=api.id,
        **{
            "name": f"jwt-{len(api.aws.get_authorizers(restApiId=api.id).get('items', []))}",
            "type": "JWT",
            "identitySource": HEADER,
            "jwtConfiguration": {"issuers": list(issuers), "defaultAlgorithms": list(algorithms)},
            **more,
        },
    )
    return {"authorizationType": "JWT", "authorizerId": made["id"]}


def own_and_pool(api: Api, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    gateway = api.gateway
    pool = trust(pool_issuer(gateway), gateway.pool.clients["app"])
    return trust(issuer_url(gateway), AUDIENCE, **more), pool


def name_issuers(api: Api) -> None:
    api.extra["issuer"] = issuer_url(api.gateway)
    api.extra["pool_issuer"] = pool_issuer(api.gateway)


@situation
def jwt_authorizers(api: Api) -> None:
    name_issuers(api)
    both = jwt_authorizer(api, *own_and_pool(api))
    api.extra["both"] = both["authorizerId"]
    api.function("GET", "/any", **both)
    api.mock("GET", "/read", **both, authorizationScopes=["orders:read", "orders/read"])
    api.mock("GET", "/rules", **jwt_authorizer(api, *own_and_pool(api, additionalClaims=RULES)))
    api.mock("GET", "/rs256", **jwt_authorizer(api, *own_and_pool(api), algorithms=("RS256",)))
    source = "method.request.header.X-Token"
    api.mock("GET", "/x-token", **jwt_authorizer(api, *own_and_pool(api), identitySource=source))
    claims = "$context.authorizer.claims"
    lines = [f"{name}: {claims}.{name}" for name in EXAMPLE]
    api.mock("GET", "/template", "\n".join(lines), **both)
    api.mock("GET", "/template/inside", f"{claims}.address.city", **both)
    api.mock("GET", "/template/city", f"{claims}.city", **both)
    api.mock("GET", "/template/quoted", f'{{"version": "{claims}.version"}}', **both)
    api.mock("GET", "/template/colon", f"{claims}['cognito:username']", **both)
    where = api.method("GET", "/mapped", **both)
    api.aws.put_integration(
        **where,
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=f"{api.gateway.backend.url}/mapped",  # type: ignore[attr-defined]
        requestParameters={"integration.request.header.X-User": "context.authorizer.claims.sub"},
    )
    api.deploy()


@situation
def jwt_configurations(api: Api) -> None:
    """For the control plane: a JWT authorizer and a Cognito one; nothing is deployed."""
    name_issuers(api)
    made = jwt_authorizer(api, *own_and_pool(api, additionalClaims=RULES))
    api.extra["jwt"] = made["authorizerId"]
    api.extra["cognito"] = api.authorizer(api.gateway.pool)["authorizerId"]
    api.extra["pool_arn"] = api.gateway.pool.arn
    api.method("GET", "/guarded", **made)


@situation
def a_jwt_authorizer_and_a_resource_policy(api: Api) -> None:
    set_policy(
        api,
        {"Effect": "Allow", **here("/allowed")},
        {"Effect": "Deny", **here("/denied")},
    )
    guarded = jwt_authorizer(api, *own_and_pool(api))
    for path in ("/allowed", "/silent", "/denied"):
        api.mock("GET", path, **guarded)
    api.deploy()


@situation
def a_jwt_authorizer_and_api_keys(api: Api) -> None:
    api.mock("GET", "/x", **jwt_authorizer(api, *own_and_pool(api)), **KEYED)
    api.deploy()
    make_plan(api, make_key(api, "key"))


@situation
def a_jwt_authorizer_that_should_name_the_key(api: Api) -> None:
    patch(api, "/apiKeySource", "AUTHORIZER")
    a_jwt_authorizer_and_api_keys(api)


def _changed(api: Api, name: str, change: Callable[[Any], None]) -> None:
    issuer = api.gateway.issuer(name)  # type: ignore[attr-defined]
    api.mock("GET", "/any", **jwt_authorizer(api, trust(issuer.url, AUDIENCE)))
    api.deploy()
    change(issuer.documents)


@situation
def an_issuer_with_a_new_key(api: Api) -> None:
    """The old key is withdrawn, too."""
    new = {"keys": [public_jwk("new", "RS256")]}
    _changed(api, ROTATED, lambda documents: documents.update({"/keys": new}))


@situation
def an_issuer_whose_keys_moved(api: Api) -> None:
    """The old address answers as before."""

    def move(documents: Any) -> None:
        documents["/elsewhere"] = {"keys": [public_jwk("new", "RS256")]}
        documents[DISCOVERY]["jwks_uri"] = documents[DISCOVERY]["jwks_uri"].replace(
            "/keys", "/elsewhere"
        )

    _changed(api, MOVED, move)


@situation
def a_jwt_authorizer_changed_after_the_deployment(api: Api) -> None:
    guarded = jwt_authorizer(api, *own_and_pool(api))
    api.mock("GET", "/any", **guarded)
    api.deploy()
    only_pool = {"issuers": [own_and_pool(api)[1]], "defaultAlgorithms": ["RS256"]}
    operation = {"op": "replace", "path": "/jwtConfiguration", "value": json.dumps(only_pool)}
    api.aws.update_authorizer(
        restApiId=api.id, authorizerId=guarded["authorizerId"], patchOperations=[operation]
    )


@situation
def a_jwt_authorizer_and_custom_words(api: Api) -> None:
    """The gateway responses that one customizes."""
    api.mock("GET", "/any", **jwt_authorizer(api, *own_and_pool(api)), authorizationScopes=["a"])
    for kind in ("UNAUTHORIZED", "ACCESS_DENIED"):
        api.respond(kind, responseTemplates={"application/json": f"own words of {kind}"})
    api.deploy()


# -- tokens ---------------------------------------------------------------------------------------


def _token(
    algorithm: str = "RS256", issuer: str = OWN, *, key: str = "", header: Any = None, **claims: Any
) -> Callable[[Gateway], str]:
    """What makes a token; numbers of ``exp``, ``nbf`` and ``iat`` below a million count from now."""

    def make(gateway: Gateway) -> str:
        now = int(gateway.now().timestamp())  # type: ignore[attr-defined]
        made = {"aud": AUDIENCE, "sub": "jane", "iat": -60, "exp": 300, **claims}
        for name in ("iat", "exp", "nbf"):
            value = made.get(name)
            if isinstance(value, int) and abs(value) < 1_000_000:
                made[name] = now + value
        provider = gateway.issuer(issuer)  # type: ignore[attr-defined]
        if made.get("iss") == "slash":
            made["iss"] = f"{provider.url}/"
        return str(provider.token(algorithm, key or issuer, header, **made))

    return make


def _with_other_claims(gateway: Gateway) -> str:
    head, payload, signature = gateway.token("jwt").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = json.dumps({**claims, "sub": "root"}).encode()
    return f"{head}.{base64.urlsafe_b64encode(changed).rstrip(b'=').decode()}.{signature}"


TOKENS |= {
    "jwt": _token(),
    "jwt ES256": _token("ES256"),
    "jwt changed": _with_other_claims,
    "jwt of another key": _token(key="stranger", header={"kid": "own-RS256"}),
    "jwt of an unknown key": _token(key="stranger"),
    "jwt of another issuer": _token(iss="https://issuer.example.com"),
    "jwt with a slash behind iss": _token(iss="slash"),
    "jwt for another app": _token(aud="other"),
    "jwt for several apps": _token(aud=["other", AUDIENCE]),
    "jwt with client_id": _token(aud=None, client_id=AUDIENCE),
    "jwt with aud and client_id": _token(aud="other", client_id=AUDIENCE),
    "jwt without an audience": _token(aud=None),
    "jwt expired": _token(exp=-1),
    "jwt without exp": _token(exp=None),
    "jwt for later": _token(nbf=60),
    "jwt from the future": _token(iat=60),
    "jwt with scope": _token(scope="other orders:read"),
    "jwt with scp": _token(scp=["orders/read"]),
    "jwt with another scope": _token(scope="orders:readonly"),
    "jwt gold": _token(tier="gold", region="north"),
    "jwt silver": _token(tier="silver", region="north"),
    "jwt Gold": _token(tier="Gold", region="north"),
    "jwt gold in a list": _token(tier=["gold"], region="north"),
    "jwt without a tier": _token(region="north"),
    "jwt gold of no region": _token(tier="gold"),
    "jwt gold of teams": _token(tier="gold", region="north", team=["a", "b"]),
    "jwt example": _token(**EXAMPLE),
    "jwt with an accent": _token(city="Orléans"),
    "jwt of a new key": _token(issuer=ROTATED, key="new"),
    "jwt of a withdrawn key": _token(issuer=ROTATED),
    "jwt of a moved key": _token(issuer=MOVED, key="new"),
    "jwt of the key before": _token(issuer=MOVED),
}
