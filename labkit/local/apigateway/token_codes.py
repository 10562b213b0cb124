"""The codes of tokens that an authorizer refuses."""

from __future__ import annotations

from labkit.errors import InvalidTokenError
from labkit.journey import Code
from labkit.tokens.forms import Form

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
    "claim": Code.TOKEN_CLAIM,
    "scope": Code.SCOPE_MISSING,
}

_FORMS: dict[str, Code] = {
    Form.SPELLING: Code.TOKEN_SCHEME,
    Form.NO_BLANK: Code.TOKEN_SCHEME,
    Form.SCHEME: Code.TOKEN_SCHEME,
    Form.QUOTES: Code.TOKEN_QUOTES,
    Form.BLANKS: Code.TOKEN_BLANKS,
    Form.ENCRYPTED: Code.TOKEN_ENCRYPTED,
}


def code_of(refused: InvalidTokenError) -> Code:
    """The code of a token's refusal, by the check that it didn't pass."""
    if refused.check == "token_use":
        has_scopes = bool(refused.evidence.get("method scopes"))
        return Code.ACCESS_TOKEN_REQUIRED if has_scopes else Code.ID_TOKEN_REQUIRED
    return _FORMS.get(refused.evidence.get("form", "")) or _CODES[refused.check]
