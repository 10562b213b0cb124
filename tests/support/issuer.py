"""An issuer of tokens that a test controls: its keys, its tokens, and a session that answers for it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from labkit.tokens import DecodedToken
from labkit.tokens.verdicts import Verdict, verdict, verify

NOW = 1_700_000_000
REGION = "us-east-1"
POOL = f"{REGION}_Example01"
CLIENT = "7exampleclient"
ADMIN = "aws.cognito.signin.user.admin"
ARN = f"arn:aws:cognito-idp:{REGION}:123456789012:userpool/{POOL}"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    public = json.loads(RSAAlgorithm.to_jwk(key(name).public_key()))
    public.pop("key_ops", None)
    made = {**public, "kid": f"kid-{name}", "alg": "RS256", "use": "sig", **changes}
    return {name: value for name, value in made.items() if value is not None}


class Issuer:
    """A user pool. As Cognito does, it signs ID tokens with one key and access tokens with another.

    It is also the session that reaches it: `get` answers the keys, and nothing else.
    """

    def __init__(self, pool_id: str = POOL) -> None:
        self.url = f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}"
        self.jwks: object = {"keys": [jwk("id"), jwk("access")]}
        self.status = 200
        self.body: bytes | None = None
        self.error: Exception | None = None
        self.asked: list[str] = []

    def claims(self, use: str = "id", **changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = {
            "sub": "11111111-2222-3333-4444-555555555555",
            "iss": self.url,
            "token_use": use,
            "iat": NOW - 60,
            "auth_time": NOW - 60,
            "exp": NOW + 3600,
        }
        if use == "id":
            made |= {"aud": CLIENT, "email": "jane@example.com", "email_verified": True}
        else:
            made |= {"client_id": CLIENT, "scope": ADMIN, "username": made["sub"]}
        made |= changes
        return {name: value for name, value in made.items() if value is not None}

    def token(
        self, use: str = "id", *, header: Any = None, signer: str = "", **changes: Any
    ) -> str:
        """A signed token; a change to None leaves a claim out."""
        head = {"kid": f"kid-{use}", **(header or {})}
        return jwt.encode(
            self.claims(use, **changes), key(signer or use), algorithm="RS256", headers=head
        )

    def get(self, url: str, /, *, timeout: float, allow_redirects: bool) -> requests.Response:
        assert timeout > 0
        assert not allow_redirects
        self.asked.append(url)
        if self.error is not None:
            raise self.error
        response = requests.Response()
        response.status_code = self.status
        response._content = json.dumps(self.jwks).encode() if self.body is None else self.body
        return response

    def verify(self, token: Any, now: float = NOW, **options: Any) -> DecodedToken:
        return verify(token, issuer=self.url, http=self, now=now, **options)

    def verdict(
        self, token: str | None, *scopes: str, now: float = NOW, **authorizer: Any
    ) -> Verdict:
        """A REST API's verdict."""
        made = {"type": "COGNITO_USER_POOLS", "providerARNs": [ARN], **authorizer}
        return verdict(token, authorizer=made, scopes=scopes, clients=[CLIENT], http=self, now=now)

    def http_verdict(self, token: str | None, *scopes: str, now: float = NOW) -> Verdict:
        """An HTTP API's verdict."""
        settings = {"Issuer": self.url, "Audience": [CLIENT]}
        made = {"AuthorizerType": "JWT", "JwtConfiguration": settings}
        return verdict(token, authorizer=made, scopes=scopes, http=self, now=now)
