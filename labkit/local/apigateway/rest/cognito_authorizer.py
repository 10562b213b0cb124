"""The ``COGNITO_USER_POOLS`` authorizer (gateway 2).

It looks at the token alone, offline: signature, issuer, expiry, and the kind of token that the method's scopes ask
for. It authenticates; it returns no policy (gateway 2.19).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from labkit.errors import InvalidTokenError
from labkit.journey import Code
from labkit.local.apigateway.authorization_header import comes_twice
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.responses import UNAUTHORIZED, GatewayError
from labkit.local.apigateway.token_codes import code_of
from labkit.local.cognito.pool_keys import PoolDirectory, PoolKeys
from labkit.tokens.authorizer_rules import EXPIRED_MESSAGE, check_for_rest_api
from labkit.tokens.signed import bare_token, scopes_in


class CognitoAuthorizer:
    """Checks tokens of user pools.

    Args:
        user_pools: where pools and their keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, user_pools: PoolDirectory, clock: Callable[[], float]) -> None:
        self._user_pools = user_pools
        self._clock = clock
        self._keys = PoolKeys(user_pools)

    def __call__(self, call: RestCall) -> Pass | Stop[GatewayError]:
        """Let the request on with its claims, or answer 401."""
        method = call.found.method
        authorizer = call.deployment.authorizers.get(method.authorizer_id)
        if authorizer is None:
            reason = "the method names an authorizer that the deployment doesn't have"
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
            claims = check_for_rest_api(
                token,
                {
                    "providerARNs": list(authorizer.provider_arns),
                    "identityValidationExpression": authorizer.validation,
                },
                scopes,
                find_key=self._keys.find,
                clients=self._user_pools.client_ids,
                now=self._clock(),
            )
        except InvalidTokenError as refused:
            message = EXPIRED_MESSAGE if refused.check == "exp" else None
            return _unauthorized(code_of(refused), refused.reason, refused.evidence, message)
        call.claims = as_text(claims)
        kind = "access" if scopes else "ID"
        matched = sorted(set(scopes) & set(scopes_in(claims)))
        reason = f"a valid {kind} token of the user pool" + (
            f", with the scope {matched[0]}" if matched else ""
        )
        evidence = {"token_use": claims.get("token_use"), "method scopes": scopes}
        return Pass(reason, evidence)


def _unauthorized(
    code: Code, reason: str, evidence: Mapping[str, Any], message: str | None = None
) -> Stop[GatewayError]:
    return Stop(GatewayError(UNAUTHORIZED, message), code, reason, evidence)


def as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as the backend sees them: text (gateway 2.10), lists joined with commas (gateway 2.11).

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
