"""Exchanging, rotating and revoking refresh tokens.

Facts: cognito 7.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.cognito.client_secrets import ClientSecrets
from labkit.local.cognito.issued_tokens import IssuedTokens, claims_of
from labkit.local.cognito.sealed_tokens import RefreshToken, TokenSeal
from labkit.local.engine import Operation, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response
from labkit.local.random_ids import new_uuid

JsonObject = dict[str, Any]

FLOWS = frozenset({"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})
"""The values of ``AuthFlow`` that exchange a refresh token; the second is an alias (cognito 7.1)."""


class Refresh:
    """What a refresh token is good for.

    Args:
        user_pools: know the app clients.
        seal: opens refresh tokens.
        issued: completes the new tokens.
        secrets: of the app clients.
        clock: seconds since the epoch.
        numbers: for the ids of tokens.
        limit: how many replaced tokens are remembered.
    """

    def __init__(
        self,
        user_pools: UserPools,
        seal: TokenSeal,
        issued: IssuedTokens,
        secrets: ClientSecrets,
        *,
        clock: Callable[[], float],
        numbers: random.Random,
        limit: int = 20_000,
    ) -> None:
        self._user_pools = user_pools
        self._seal = seal
        self._issued = issued
        self._secrets = secrets
        self._clock = clock
        self._numbers = numbers
        self._limit = limit
        self._replaced_at: OrderedDict[str, float] = OrderedDict()

    async def initiate_auth(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        """``InitiateAuth`` and ``AdminInitiateAuth`` with ``REFRESH_TOKEN_AUTH`` (cognito 7.1, 7.3, 7.5)."""
        found = self._user_pools.find_client(body["ClientId"])
        if found is None:
            return await proceed(operation, body)
        pool, client = found
        flows = client["ExplicitAuthFlows"]
        left_out = (
            any(flow.startswith("ALLOW_") for flow in flows)
            and "ALLOW_REFRESH_TOKEN_AUTH" not in flows
        )
        if left_out or rotates(client):
            raise ApiError(
                "InvalidParameterException",
                "REFRESH_TOKEN_AUTH flow not enabled for this client",
            )
        parameters = body.get("AuthParameters") or {}
        token = self._opened(parameters.get("REFRESH_TOKEN"), client, "REFRESH_TOKEN")
        self._check_hash(pool, client, token, parameters.get("SECRET_HASH"))
        parameters = {**parameters, "REFRESH_TOKEN": token.jwt}
        response = await proceed(operation, {**body, "AuthParameters": parameters})
        if response.status != 200:
            return response
        result = response.json()["AuthenticationResult"]
        return json_response(
            {
                "AuthenticationResult": self._issued.complete(pool["Id"], result, token),
                "ChallengeParameters": {},
            }
        )

    async def get_tokens(self, body: JsonObject, proceed: Operation) -> Response:
        """``GetTokensFromRefreshToken`` (cognito 7.2, 7.4, 7.6)."""
        operation = "GetTokensFromRefreshToken"
        found = self._user_pools.find_client(body["ClientId"])
        if found is None:
            return await proceed(operation, body)
        pool, client = found
        self._secrets.check_secret(client, body.get("ClientSecret"))
        token = self._opened(body["RefreshToken"], client, "RefreshToken")
        token_id = str(claims_of(token.jwt).get("jti"))
        first_use = rotates(client) and self._replaced_at.get(token_id) is None
        if first_use:
            # Before the first wait: of two simultaneous calls only one is the first.
            self._remember_replaced(token_id)
        response = await proceed(operation, {**body, "RefreshToken": token.jwt})
        if response.status != 200:
            if first_use:
                del self._replaced_at[token_id]
            return response
        result = self._issued.complete(pool["Id"], response.json()["AuthenticationResult"], token)
        if rotates(client):
            result["RefreshToken"] = self._seal.seal(self._successor(pool["Id"], token))
        return json_response({"AuthenticationResult": result})

    async def revoke(self, body: JsonObject, proceed: Operation) -> Response:
        """``RevokeToken`` (cognito 7.10)."""
        operation = "RevokeToken"
        found = self._user_pools.find_client(body["ClientId"])
        if found is None:
            return await proceed(operation, body)
        _pool, client = found
        self._secrets.check_secret(client, body.get("ClientSecret"))
        if not client.get("EnableTokenRevocation", True):
            raise ApiError(
                "UnsupportedOperationException", "Token revocation is not enabled for this client."
            )
        if claims_of(body["Token"]).get("token_use") in ("access", "id"):
            raise ApiError("UnsupportedTokenTypeException", "Unsupported token type")
        token = self._seal.open(body["Token"])
        if token is None or claims_of(token.jwt).get("client_id") != client["ClientId"]:
            raise ApiError("InvalidParameterException", "Invalid Refresh Token")
        return await proceed(operation, {**body, "Token": token.jwt})

    def _check_hash(
        self, pool: UserPool, client: UserPoolClient, token: RefreshToken, given: object
    ) -> None:
        """The hash of a refresh is over the username, not over the alias of the sign-in (cognito 2.16)."""
        user = self._user_pools.find_user(pool["Id"], str(claims_of(token.jwt).get("sub")))
        name = None if user is None else user.username
        self._secrets.check_hash(client, name, given, takes_needless=True)

    def _opened(self, text: str | None, client: UserPoolClient, parameter: str) -> RefreshToken:
        if not text:
            raise ApiError("InvalidParameterException", f"Missing required parameter {parameter}")
        token = self._seal.open(text)
        if token is None:
            raise ApiError("NotAuthorizedException", "Invalid Refresh Token")
        claims = claims_of(token.jwt)
        expires_at = claims.get("exp")
        own = claims.get("client_id") == client["ClientId"]
        if own and isinstance(expires_at, int | float) and self._clock() >= expires_at:
            raise ApiError("NotAuthorizedException", "Refresh Token has expired")
        replaced_at = self._replaced_at.get(str(claims.get("jti")))
        grace = (client.get("RefreshTokenRotation") or {}).get("RetryGracePeriodSeconds", 0)
        if own and replaced_at is not None and self._clock() >= replaced_at + grace:
            raise ApiError("RefreshTokenReuseException", "Refresh token has been reused.")
        return token

    def _successor(self, pool_id: str, token: RefreshToken) -> RefreshToken:
        # It ends when the first one would have ended (cognito 7.4).
        claims = {**claims_of(token.jwt), "jti": new_uuid(self._numbers), "iat": int(self._clock())}
        jwt = self._user_pools.sign_token(pool_id, "access", claims)
        return RefreshToken(jwt, token.event_id, token.auth_time)

    def _remember_replaced(self, token_id: str) -> None:
        self._replaced_at[token_id] = self._clock()
        while len(self._replaced_at) > self._limit:
            self._replaced_at.popitem(last=False)


def rotates(client: Mapping[str, Any]) -> bool:
    """Whether an app client has refresh token rotation on (cognito 7.4)."""
    return bool((client.get("RefreshTokenRotation") or {}).get("Feature") == "ENABLED")
