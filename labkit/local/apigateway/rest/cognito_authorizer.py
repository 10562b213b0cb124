"""The ``COGNITO_USER_POOLS`` authorizer (gateway.md, section 2).

It looks at the token alone, offline: signature, issuer, expiry, and the kind of token that the method's scopes ask
for. It authenticates; it returns no policy (2.19).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from labkit.errors import InvalidTokenError
from labkit.local.apigateway.authorization_header import comes_twice
from labkit.local.apigateway.rest.call import Call, Outcome, Pass, Stop
from labkit.local.apigateway.rest.responses import UNAUTHORIZED, GatewayError
from labkit.local.cognito.pool_keys import PoolKeys, UserPools
from labkit.tokens.authorizer_rules import EXPIRED_MESSAGE, check_for_rest_api
from labkit.tokens.signed import bare_token, scopes_in


class CognitoAuthorizer:
    """Checks tokens of user pools.

    Args:
        user_pools: where pools and their keys are.
        clock: seconds since the epoch.
    """

    def __init__(self, user_pools: UserPools, clock: Callable[[], float]) -> None:
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
        if comes_twice(call.request, header):
            return _unauthorized(f"the {header} header comes twice", {"token source": header})
        try:
            claims = check_for_rest_api(
                token,
                authorizer,
                scopes,
                find_key=self._keys.find,
                clients=self._clients,
                now=self._clock(),
            )
        except InvalidTokenError as refused:
            message = EXPIRED_MESSAGE if refused.check == "exp" else None
            return _unauthorized(refused.reason, refused.evidence, message)
        call.authorizer = {"claims": as_text(claims)}
        kind = "access" if scopes else "ID"
        matched = sorted(set(scopes) & set(scopes_in(claims)))
        reason = f"a valid {kind} token of the user pool" + (
            f", with the scope {matched[0]}" if matched else ""
        )
        evidence = {"token_use": claims.get("token_use"), "method scopes": scopes}
        return Pass(reason, evidence)

    def _clients(self, pool_id: str) -> Collection[str] | None:
        pool = self._user_pools.user_pool(pool_id)
        return None if pool is None else pool["_clients"]


def _unauthorized(reason: str, evidence: Mapping[str, Any], message: str | None = None) -> Stop:
    return Stop(GatewayError(UNAUTHORIZED, message), reason, evidence)


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
