"""The JWT authorizer (gateway.md 13.1-13.8).

It looks at signature, issuer, audience, time and scopes, and not at ``token_use``: an ID token passes a route without
scopes as an access token does (13.7). Of the ``www-authenticate`` texts the ones that somebody recorded are AWS's; a
rejection whose text nobody recorded says ``invalid_token`` and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labkit.errors import InvalidTokenError
from labkit.local.apigateway.http.call import (
    FORBIDDEN,
    UNAUTHORIZED,
    HttpCall,
    Outcome,
    Stop,
    broken,
)
from labkit.local.apigateway.http.deployment import Record
from labkit.local.apigateway.http.issuers import ForeignIssuerError, Issuers
from labkit.local.apigateway.http.values import look_up
from labkit.local.apigateway.rest.call import Pass
from labkit.tokens.authorizer_rules import challenge, check_for_http_api, check_route_scopes
from labkit.tokens.signed import Claims, bare_token, key_id, refuse, scopes_in


class JwtAuthorizer:
    """Checks the tokens of an issuer.

    Args:
        issuers: where the keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, issuers: Issuers, clock: Callable[[], float]) -> None:
        self._issuers = issuers
        self._clock = clock

    async def __call__(self, call: HttpCall) -> Outcome:
        """Let the request on with its claims, or answer 401 or 403."""
        record = call.found.record
        authorizer = call.deployment.authorizers.get(str(record.get("authorizerId")))
        if authorizer is None or authorizer.get("authorizerType") != "JWT":
            return broken("the route names a JWT authorizer that the deployment doesn't have")
        sources = authorizer.get("identitySource")
        if not isinstance(sources, list) or len(sources) != 1:
            return broken("a JWT authorizer has exactly one identity source")
        scopes = [str(scope) for scope in record.get("authorizationScopes") or []]
        token = bare_token(look_up(call, str(sources[0])))
        if not token:
            reason = f"there is no token in {sources[0]}"
            return Stop(UNAUTHORIZED, reason, {}, [("www-authenticate", "Bearer")])
        try:
            claims = await self._verified(token, authorizer.get("jwtConfiguration") or {})
            check_route_scopes(claims, scopes)
            return _passed(call, claims, scopes)
        except InvalidTokenError as refused:
            if refused.check == "scope":
                return Stop(FORBIDDEN, refused.reason, refused.evidence)
            headers = [("www-authenticate", challenge(refused, scopes))]
            return Stop(UNAUTHORIZED, refused.reason, refused.evidence, headers)
        except ForeignIssuerError:
            return broken(
                "the token's issuer isn't a user pool of this cloud nor on this machine, and nothing leaves it: AWS "
                "would fetch its keys"
            )

    async def _verified(self, token: str, settings: Record) -> Claims:
        """The claims of a token that the issuer signed for this audience, and whose time it is."""
        issuer = str(settings.get("issuer") or "")
        audience = [str(entry) for entry in settings.get("audience") or []]
        key = await self._issuers.key(issuer, key_id(token))
        return check_for_http_api(token, key, issuer=issuer, audience=audience, now=self._clock())


def _passed(call: HttpCall, claims: Claims, scopes: list[str]) -> Pass:
    granted = scopes_in(claims, "scope", "scp")
    matched = [scope for scope in scopes if scope in granted]
    try:
        shown = as_text(claims)
    except RecursionError as error:
        raise refuse("format", "the token's claims are nested too deeply", parts=3) from error
    call.authorizer = {"jwt": {"claims": shown, "scopes": granted if scopes else None}}
    reason = "a valid token of the issuer for this audience"
    return Pass(
        reason + (f", with the scope {matched[0]}" if matched else ""),
        {"route scopes": scopes, "token scopes": granted},
    )


def as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as the backend sees them: text, lists in brackets, no nulls (13.8).

    >>> as_text({"exp": 1680633579, "email_verified": True, "cognito:groups": ["a", "b"], "nickname": None})
    {'exp': '1680633579', 'email_verified': 'true', 'cognito:groups': '[a b]'}
    """
    return {name: _claim_text(value) for name, value in claims.items() if value is not None}


def _claim_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(_claim_text(item) for item in value)}]"
    return json.dumps(value)
