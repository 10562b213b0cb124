"""The JWT authorizer (gateway.md 13.1-13.8).

It looks at signature, issuer, audience, time and scopes, and not at ``token_use``: an ID token passes a route without
scopes as an access token does (13.7). Of the ``www-authenticate`` texts the ones that somebody recorded are AWS's; a
rejection whose text nobody recorded says ``invalid_token`` and no more.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from labkit.local.gateway.call import Pass
from labkit.local.gateway.signed_tokens import (
    UNREADABLE,
    Claims,
    bare_token,
    header_of,
    signed_content,
    unreadable,
)
from labkit.local.http_api.call import FORBIDDEN, UNAUTHORIZED, HttpCall, Outcome, Stop, broken
from labkit.local.http_api.deployment import Record
from labkit.local.http_api.issuers import ForeignIssuerError, Issuers
from labkit.local.http_api.values import look_up

SEGMENTS = "token contains an invalid number of segments"
AUDIENCE = "the token does not have a valid audience"
MAX_SHOWN = 100


class _RefusedError(Exception):
    """Why a token is refused: the reason for the journey, and the client's description if it is known."""

    def __init__(self, reason: str, description: str = "", **evidence: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = description
        self.evidence = evidence


class JwtAuthorizer:
    """Checks the tokens of an issuer.

    Args:
        issuers: where the keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, issuers: Issuers, clock: Callable[[], float] = time.time) -> None:
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
            return _with_scopes(call, claims, scopes)
        except _RefusedError as refused:
            headers = [("www-authenticate", challenge(scopes, refused.description))]
            return Stop(UNAUTHORIZED, refused.reason, refused.evidence, headers)
        except RecursionError:
            headers = [("www-authenticate", challenge(scopes, ""))]
            return Stop(UNAUTHORIZED, "the token's claims are nested too deeply", {}, headers)
        except ForeignIssuerError:
            return broken(
                "the token's issuer isn't a user pool of this cloud nor on this machine, and nothing leaves it: AWS "
                "would fetch its keys"
            )

    async def _verified(self, token: str, settings: Record) -> Claims:
        """The claims of a token that the issuer signed for this audience, and whose time it is."""
        issuer = str(settings.get("issuer") or "")
        if token.count(".") != 2:
            raise _RefusedError(unreadable(token), SEGMENTS)
        try:
            header = header_of(token)
        except UNREADABLE as error:
            raise _RefusedError(unreadable(token)) from error
        if header.get("alg") != "RS256":
            shown = str(header.get("alg"))[:MAX_SHOWN]
            raise _RefusedError("the token isn't signed with RS256", alg=shown)
        key = await self._issuers.key(issuer, header.get("kid"))
        if key is None:
            raise _RefusedError("the token's key (kid) isn't one of the issuer's", issuer=issuer)
        try:
            claims = signed_content(token, key)
        except UNREADABLE as error:
            raise _RefusedError("the token's signature doesn't fit its content") from error
        if claims.get("iss") != issuer:
            raise _RefusedError("another issuer made the token", iss=_shown(claims.get("iss")))
        self._check_audience(claims, settings)
        self._check_time(claims)
        return claims

    def _check_audience(self, claims: Claims, settings: Record) -> None:
        """``aud``, and ``client_id`` only if there is no ``aud`` (13.1)."""
        name = "aud" if "aud" in claims else "client_id"
        held = claims.get(name)
        values = held if isinstance(held, list) else [held]
        wanted = [str(entry) for entry in settings.get("audience") or []]
        if not any(isinstance(value, str) and value in wanted for value in values):
            raise _RefusedError(
                f"the token's {name} isn't in the authorizer's audience",
                AUDIENCE,
                audience=wanted,
                **{name: _shown(held)},
            )

    def _check_time(self, claims: Claims) -> None:
        """``exp`` must be there and ahead; ``nbf`` and ``iat``, if there, must be over."""
        now = self._clock()
        expiry = claims.get("exp")
        if not (_is_number(expiry) and now < expiry):
            raise _RefusedError("the token has expired", exp=_shown(expiry))
        for name, what in (("nbf", "isn't valid yet"), ("iat", "is from the future")):
            if name in claims and not (_is_number(claims[name]) and claims[name] <= now):
                raise _RefusedError(f"the token {what} ({name})", **{name: _shown(claims[name])})


def _with_scopes(call: HttpCall, claims: Claims, scopes: list[str]) -> Outcome:
    """One scope of the route is enough; none of them is 403 (13.6)."""
    granted = granted_scopes(claims)
    matched = [scope for scope in scopes if scope in granted]
    evidence = {"route scopes": scopes, "token scopes": granted}
    if scopes and not matched:
        return Stop(FORBIDDEN, "the token has none of the route's scopes", evidence)
    call.authorizer = {
        "jwt": {"claims": as_text(claims), "scopes": granted if scopes else None},
    }
    reason = "a valid token of the issuer for this audience"
    return Pass(reason + (f", with the scope {matched[0]}" if matched else ""), evidence)


def granted_scopes(claims: Claims) -> list[str]:
    """The token's scopes, from ``scope`` and ``scp``: text separated by blanks, or a list.

    >>> granted_scopes({"scope": "a b", "scp": ["c"]})
    ['a', 'b', 'c']
    """
    found: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        entries = value if isinstance(value, list) else str(value or "").split()
        found += [entry for entry in entries if isinstance(entry, str)]
    return found


def challenge(scopes: list[str], description: str) -> str:
    """The ``www-authenticate`` header of a refused token (13.3, 13.4).

    >>> challenge([], "the token does not have a valid audience")
    'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    """
    text = f'Bearer scope="{" ".join(scopes)}" error="invalid_token"'
    return text + (f' error_description="{description}"' if description else "")


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


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return str(value)[:MAX_SHOWN]
