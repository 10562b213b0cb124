"""The ``JWT`` authorizer of REST APIs (rest_jwt 16.20-16.49).

It authenticates by the token alone and asks no function. That a scope is missing says 403, everything else 401: of
these answers AWS documents only the 403. Claims reach the backend with their JSON types, and templates as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labkit.errors import InvalidTokenError
from labkit.journey import Code
from labkit.local.apigateway.authorization_header import comes_twice
from labkit.local.apigateway.issuers import ForeignIssuerError, Issuers
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.jwt_configuration import JwtConfiguration
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    SCOPE_MISSING,
    UNAUTHORIZED,
    GatewayError,
)
from labkit.local.apigateway.token_codes import code_of
from labkit.tokens.authorizer_rules import check_for_rest_jwt, check_scopes
from labkit.tokens.signed import (
    Claims,
    algorithm_and_key_id,
    bare_token,
    claimed_issuer,
    refuse,
    scopes_in,
    shown,
)

_MAX_DEPTH = 100
"""Of a claim, in lists and objects: an event must be written as JSON."""


class RestJwtAuthorizer:
    """Checks tokens of the issuers that an authorizer lists.

    Args:
        issuers: where their keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, issuers: Issuers, clock: Callable[[], float]) -> None:
        self._issuers = issuers
        self._clock = clock

    async def __call__(self, call: RestCall) -> Pass | Stop[GatewayError]:
        """Let the request on with its claims, or answer 401 or 403."""
        method = call.found.method
        authorizer = call.deployment.authorizers.get(method.authorizer_id)
        if authorizer is None or authorizer.jwt is None:
            reason = "the method names a JWT authorizer that the deployment doesn't have"
            return _unauthorized(Code.AUTHORIZER_NOT_FOUND, reason, {})
        header = ",".join(authorizer.identity_sources).removeprefix("method.request.header.")
        token = bare_token(call.request.header(header))
        scopes = list(method.authorization_scopes)
        if not token:
            reason = f"there is no token in the {header} header"
            return _unauthorized(Code.TOKEN_MISSING, reason, {"token source": header})
        if comes_twice(call.request, header):
            reason = f"the {header} header comes twice"
            return _unauthorized(Code.IDENTITY_SOURCE_TWICE, reason, {"token source": header})
        try:
            claims = await self._verified(token, authorizer.jwt)
            texts = as_json_texts(claims)
            check_scopes(claims, scopes, "method")
        except InvalidTokenError as refused:
            if refused.check == "scope":
                refusal = GatewayError(SCOPE_MISSING)
                return Stop(refusal, Code.SCOPE_MISSING, refused.reason, refused.evidence)
            code = Code.TOKEN_ALGORITHM if refused.check == "alg" else code_of(refused)
            return _unauthorized(code, refused.reason, refused.evidence)
        except ForeignIssuerError:
            reason = "the issuer's keys aren't on this machine, and nothing leaves it"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.UNSUPPORTED, reason)
        call.claims, call.typed_claims = texts, claims
        granted = scopes_in(claims, "scope", "scp")
        matched = next((scope for scope in scopes if scope in granted), None)
        reason = "a valid token of an issuer for its audience"
        return Pass(
            reason + (f", with the scope {matched}" if matched else ""),
            {"issuer": claims["iss"], "method scopes": scopes, "token scopes": granted},
        )

    async def _verified(self, token: str, configuration: JwtConfiguration) -> Claims:
        """The claims of a token that one of the issuers signed for its audience, and whose time it is."""
        algorithm, key_id = algorithm_and_key_id(token, configuration.algorithms)
        named = claimed_issuer(token)
        issuer = configuration.issuer(named)
        if issuer is None:
            raise refuse("iss", "the authorizer doesn't list the token's issuer", iss=shown(named))
        key = await self._issuers.key_at(issuer.jwks_uri, issuer.name, key_id, algorithm)
        return check_for_rest_jwt(
            token,
            key,
            algorithm,
            issuer=issuer.name,
            audiences=issuer.audiences,
            additional_claims=issuer.additional_claims,
            now=self._clock(),
        )


def _unauthorized(code: Code, reason: str, evidence: Mapping[str, Any]) -> Stop[GatewayError]:
    return Stop(GatewayError(UNAUTHORIZED), code, reason, evidence)


def as_json_texts(claims: Claims) -> dict[str, str]:
    r"""The claims as templates and mappings see them: JSON with its own quotes (rest_jwt 16.46, 16.47).

    Raises:
        InvalidTokenError: ``format``: a claim can't be written as JSON.

    >>> as_json_texts({"sub": "Zoë", "iat": 1516239022, "version": "42", "roles": ["user", "editor"]})
    {'sub': '"Zo\\u00EB"', 'iat': '1516239022', 'version': '"42"', 'roles': '["user","editor"]'}
    """
    try:
        if not _is_shallow(list(claims.values()), _MAX_DEPTH):
            raise RecursionError
        return {name: _json_text(value) for name, value in claims.items()}
    except (ValueError, RecursionError) as error:
        raise refuse("format", "the token's claims can't be written as JSON", parts=3) from error


def _is_shallow(value: object, depth: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not parts or (depth > 0 and all(_is_shallow(part, depth - 1) for part in parts))


def _json_text(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return "".join(letter if letter.isascii() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))
