"""The codes of tokens that an authorizer refuses."""

from __future__ import annotations

from labkit.errors import InvalidTokenError
from labkit.journey import Code

_CODES = {
    "format": Code.TOKEN_MALFORMED,
    "alg": Code.TOKEN_SIGNATURE,
    "kid": Code.TOKEN_ISSUER,
    "signature": Code.TOKEN_SIGNATURE,
    "iss": Code.TOKEN_ISSUER,
    "exp": Code.TOKEN_EXPIRED,
    "nbf": Code.TOKEN_NOT_YET_VALID,
    "iat": Code.TOKEN_NOT_YET_VALID,
    "client": Code.TOKEN_CLIENT,
    "validation": Code.TOKEN_VALIDATION,
    "aud": Code.TOKEN_AUDIENCE,
    "client_id": Code.TOKEN_AUDIENCE,
    "scope": Code.SCOPE_MISSING,
}


def code_of(refused: InvalidTokenError) -> Code:
    """The code of a token's refusal, by the check that it didn't pass."""
    if refused.check == "token_use":
        has_scopes = bool(refused.evidence.get("method scopes"))
        return Code.ACCESS_TOKEN_REQUIRED if has_scopes else Code.ID_TOKEN_REQUIRED
    return _CODES[refused.check]
