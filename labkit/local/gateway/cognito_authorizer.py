"""The ``COGNITO_USER_POOLS`` authorizer (gateway.md, section 2).

It looks at the token alone, offline: signature, issuer, expiry, and the kind of token that the method's scopes ask
for. It authenticates; it returns no policy (2.19).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from labkit.local.gateway.call import Call, Outcome, Pass, Stop
from labkit.local.gateway.responses import UNAUTHORIZED, GatewayError
from labkit.local.gateway.signed_tokens import (
    UNREADABLE,
    Claims,
    PoolKeys,
    UserPools,
    bare_token,
    header_of,
    signed_content,
    unreadable,
)


@dataclass(frozen=True, slots=True)
class _RefusedError(Exception):
    """Why the token is refused: the reason for the journey, and what the client is told."""

    reason: str
    evidence: Mapping[str, Any]
    message: str | None = None


class CognitoAuthorizer:
    """Checks tokens of user pools.

    Args:
        user_pools: where pools and their keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, user_pools: UserPools, clock: Callable[[], float] = time.time) -> None:
        self._user_pools = user_pools
        self._clock = clock
        self._keys = PoolKeys(user_pools)

    def __call__(self, call: Call) -> Outcome:
        """Let the request on with its claims, or answer 401."""
        method = call.found.method
        authorizer = call.deployment.authorizers.get(str(method.get("authorizerId")))
        if authorizer is None:
            return _unauthorized(
                "the method names an authorizer that the deployment doesn't have", {}
            )
        header = str(authorizer.get("identitySource") or "").removeprefix("method.request.header.")
        token = bare_token(call.request.header(header))
        scopes = [str(scope) for scope in method.get("authorizationScopes") or []]
        if not token:
            return _unauthorized(
                f"there is no token in the {header} header", {"token source": header}
            )
        try:
            claims = self._verified_claims(token, authorizer)
            self._check_use(claims, scopes, authorizer)
        except _RefusedError as refused:
            return _unauthorized(refused.reason, refused.evidence, refused.message)
        call.authorizer = {"claims": as_text(claims)}
        kind = "access" if scopes else "ID"
        matched = sorted(set(scopes) & set(str(claims.get("scope", "")).split()))
        reason = f"a valid {kind} token of the user pool" + (
            f", with the scope {matched[0]}" if matched else ""
        )
        evidence = {"token_use": claims.get("token_use"), "method scopes": scopes}
        return Pass(reason, evidence)

    def _verified_claims(self, token: str, authorizer: Mapping[str, Any]) -> Claims:
        """The claims of a token that one of the authorizer's pools signed and that hasn't expired."""
        try:
            header = header_of(token)
        except UNREADABLE as error:
            raise _RefusedError(unreadable(token), {}) from error
        if header.get("alg") != "RS256":
            raise _RefusedError(
                "the token isn't signed with RS256", {"alg": str(header.get("alg"))}
            )
        key_id = header.get("kid")
        pools = [str(arn).rsplit("/", 1)[-1] for arn in authorizer.get("providerARNs") or []]
        for pool_id in pools:
            key = self._keys.find(pool_id, key_id)
            if key is not None:
                return self._claims_signed_by(token, key, pool_id)
        raise _RefusedError(
            "the token's key (kid) isn't one of the user pool's", {"user pools": pools}
        )

    def _claims_signed_by(self, token: str, key: jwt.PyJWK, pool_id: str) -> Claims:
        try:
            claims = signed_content(token, key)
        except UNREADABLE as error:
            raise _RefusedError("the token's signature doesn't fit its content", {}) from error
        region = pool_id.split("_", 1)[0]
        if claims.get("iss") != f"https://cognito-idp.{region}.amazonaws.com/{pool_id}":
            raise _RefusedError("another issuer made the token", {"iss": str(claims.get("iss"))})
        expiry = claims.get("exp")
        if not isinstance(expiry, int | float) or self._clock() >= expiry:
            raise _RefusedError(
                "the token has expired", {"exp": expiry}, "The incoming token has expired"
            )
        return claims

    def _check_use(self, claims: Claims, scopes: list[str], authorizer: Mapping[str, Any]) -> None:
        """The method's scopes decide which token it takes (2.1, 2.2)."""
        use = claims.get("token_use")
        evidence = {"token_use": use, "method scopes": scopes}
        if scopes and use != "access":
            raise _RefusedError(
                f"the method has scopes, so it takes an access token; this is {_kind(use)}",
                evidence,
            )
        if not scopes and use != "id":
            raise _RefusedError(
                f"the method has no scopes, so it takes an ID token; this is {_kind(use)}", evidence
            )
        granted = str(claims.get("scope", "")).split()
        if scopes and not set(scopes) & set(granted):
            raise _RefusedError(
                "the access token has none of the method's scopes",
                {**evidence, "token scopes": granted},
            )
        if not scopes:
            self._check_audience(claims)
        expression = authorizer.get("identityValidationExpression")
        if expression and not _matches(str(expression), claims.get("aud")):
            raise _RefusedError(
                "the token's aud doesn't match the authorizer's token validation", evidence
            )

    def _check_audience(self, claims: Claims) -> None:
        """An ID token must be for an app client of the pool; any client will do (2.13, 2.14)."""
        pool = self._user_pools.user_pool(str(claims["iss"]).rsplit("/", 1)[-1])
        if pool is None or str(claims.get("aud")) not in pool["_clients"]:
            raise _RefusedError(
                "the token is for an app client that the user pool doesn't have", {}
            )


def _unauthorized(reason: str, evidence: Mapping[str, Any], message: str | None = None) -> Stop:
    return Stop(GatewayError(UNAUTHORIZED, message), reason, evidence)


def _kind(use: object) -> str:
    return {"access": "an access token", "id": "an ID token"}.get(str(use), "neither kind")


def _matches(expression: str, audience: object) -> bool:
    try:
        return isinstance(audience, str) and re.fullmatch(expression, audience) is not None
    except re.error:
        return False


def as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as the backend sees them: every value is text (2.10), lists are joined with commas (2.11).

    >>> as_text({"exp": 1680633579, "email_verified": True, "cognito:groups": ["a", "b"], "auth_time": 7})
    {'exp': 'Tue Apr 04 18:39:39 UTC 2023', 'email_verified': 'true', 'cognito:groups': 'a,b', 'auth_time': '7'}
    """
    return {name: _claim_text(name, value) for name, value in claims.items()}


def _claim_text(name: str, value: object) -> str:
    if name in ("exp", "iat") and isinstance(value, int | float):
        return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(value))
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(item if isinstance(item, str) else json.dumps(item) for item in value)
    return json.dumps(value)
