"""Verify a token: the signature first, then issuer and times.

A backend must also look at ``token_use`` and the app client (cognito 8.4); the authorizers' rules do.
"""

from __future__ import annotations

import time

from labkit.errors import TokenError
from labkit.tokens.decoding import DecodedToken, bare, decode
from labkit.tokens.keys import Http, keys_through
from labkit.tokens.signed import (
    check_begun,
    check_expiry,
    check_issuer,
    claims_of_issuer,
    key_id,
    refuse,
)


def verify(
    token: str,
    *,
    issuer: str,
    http: Http | None = None,
    now: float | None = None,
) -> DecodedToken:
    """Check a signed token: RS256 with a key of the issuer, then issuer and times.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html

    That a token was revoked can't be seen here, as in any library (cognito 7.12).

    Args:
        token: the token; ``Bearer `` in front of it and blanks around it are taken away.
        issuer: whose tokens are trusted; its keys are at ``<issuer>/.well-known/jwks.json``.
        http: ``lab.http``, or another ``requests.Session``; the keys that it fetched are kept.
        now: seconds since the epoch; the present if None.

    Returns:
        What the token says; its ``verified`` is true.

    Raises:
        InvalidTokenError: the token is bad; ``check`` says which check failed.
        KeysUnreachableError: nothing is known of the token, because the issuer's keys can't be fetched.

    >>> pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01"
    >>> verify("eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9.c2ln", issuer=pool)
    Traceback (most recent call last):
    ...
    labkit.errors.InvalidTokenError: The token isn't signed with RS256. Only RS256 proves that the issuer signed it.
    """
    decoded = _decoded(token)
    value = bare(token)
    named = key_id(value)
    check_issuer(decoded.claims, issuer)  # before its keys are fetched; the signature covers it
    claims = claims_of_issuer(value, keys_through(http).find(issuer, named), issuer)
    moment = time.time() if now is None else now
    check_expiry(claims, moment)
    check_begun(claims, moment, "nbf")
    return DecodedToken(decoded.header, dict(claims), verified=True)


def _decoded(token: str) -> DecodedToken:
    try:
        decoded = decode(token)
    except TokenError as error:
        raise refuse("format", str(error).rstrip(".")) from error
    if decoded.repeated:
        # RFC 7519, section 4: reject it, or take the last one. Two readers of the token might see different claims.
        raise refuse(
            "format", "a name comes twice in the token", repeated=list(map(ascii, decoded.repeated))
        )
    return decoded
