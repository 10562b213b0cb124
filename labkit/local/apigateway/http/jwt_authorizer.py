"""The JWT authorizer (gateway 13.1-13.8).

It looks at signature, issuer, audience, time and scopes, and not at ``token_use``: an ID token passes a route without
scopes as an access token does (gateway 13.7). Of the ``www-authenticate`` texts the ones that somebody recorded are
AWS's; a rejection whose text nobody recorded says ``invalid_token`` and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labkit.errors import InvalidTokenError
from labkit.journey import Code
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.records import HttpAuthorizer
from labkit.local.apigateway.http.responses import FORBIDDEN, HttpError, broken
from labkit.local.apigateway.http.values import look_up
from labkit.local.apigateway.issuers import ForeignIssuerError, Issuers
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.token_codes import code_of
from labkit.tokens.authorizer_rules import challenge, check_for_http_api, check_scopes
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

    async def __call__(self, call: HttpCall) -> Pass | Stop[HttpError]:
        """Let the request on with its claims, or answer 401 or 403."""
        authorizer = call.deployment.authorizers.get(call.found.authorizer_id)
        if authorizer is None or authorizer.type != "JWT":
            reason = "the route names a JWT authorizer that the deployment doesn't have"
            return broken(Code.AUTHORIZER_NOT_FOUND, reason)
        if len(authorizer.identity_sources) != 1:
            reason = "a JWT authorizer has exactly one identity source"
            return broken(Code.AUTHORIZER_SETTINGS, reason)
        [source] = authorizer.identity_sources
        scopes = list(call.found.authorization_scopes)
        token = bare_token(look_up(call, source))
        if not token:
            return _unauthorized("Bearer", Code.TOKEN_MISSING, f"there is no token in {source}", {})
        try:
            claims = await self._verified(token, authorizer)
            check_scopes(claims, scopes)
            return _passed(call, claims, scopes)
        except InvalidTokenError as refused:
            if refused.check == "scope":
                return Stop(FORBIDDEN, Code.SCOPE_MISSING, refused.reason, refused.evidence)
            header = challenge(refused, scopes)
            return _unauthorized(header, code_of(refused), refused.reason, refused.evidence)
        except ForeignIssuerError:
            return broken(
                Code.UNSUPPORTED,
                "the token's issuer isn't a user pool of this cloud nor on this machine, and nothing leaves it: AWS "
                "would fetch its keys",
            )

    async def _verified(self, token: str, authorizer: HttpAuthorizer) -> Claims:
        """The claims of a token that the issuer signed for this audience, and whose time it is."""
        issuer, audience = authorizer.issuer, list(authorizer.audience)
        key = await self._issuers.key(issuer, key_id(token))
        return check_for_http_api(token, key, issuer=issuer, audience=audience, now=self._clock())


def _passed(call: HttpCall, claims: Claims, scopes: list[str]) -> Pass:
    granted = scopes_in(claims, "scope", "scp")
    matched = [scope for scope in scopes if scope in granted]
    try:
        shown = as_text(claims)
    except RecursionError as error:
        raise refuse("format", "the token's claims are nested too deeply", parts=3) from error
    call.jwt = {"claims": shown, "scopes": granted if scopes else None}
    reason = "a valid token of the issuer for this audience"
    return Pass(
        reason + (f", with the scope {matched[0]}" if matched else ""),
        {"route scopes": scopes, "token scopes": granted},
    )


def _unauthorized(
    challenged: str, code: Code, reason: str, evidence: Mapping[str, Any]
) -> Stop[HttpError]:
    return Stop(HttpError(401, "Unauthorized", challenged), code, reason, evidence)


def as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as the backend sees them: text, lists in brackets, no nulls (gateway 13.8).

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
