"""Verify a token as a backend must (cognito 8.4): the signature first, then each claim that matters."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from labkit.errors import TokenError
from labkit.tokens.decoding import DecodedToken, bare, decode
from labkit.tokens.keys import Http, keys_through
from labkit.tokens.signed import (
    Claims,
    check_audience,
    check_begun,
    check_expiry,
    check_issuer,
    key_id,
    refuse,
    scopes_in,
    signed_claims,
    use_in_words,
)


def verify(
    token: str,
    *,
    issuer: str,
    use: Literal["access", "id"] | None = None,
    client_id: str | None = None,
    scopes: Iterable[str] = (),
    http: Http | None = None,
    now: float | None = None,
) -> DecodedToken:
    """Check a signed token: RS256 with a key of the issuer, then its claims.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html

    That a token was revoked can't be seen here, as in any library (cognito 7.12).

    Args:
        token: the token; ``Bearer `` in front of it and blanks around it are taken away.
        issuer: whose tokens are trusted; its keys are at ``<issuer>/.well-known/jwks.json``.
        use: what ``token_use`` must be; None takes any.
        client_id: the app client that the token must be for: the claim ``aud`` of an ID token, ``client_id`` of an
            access token. None takes any.
        scopes: one of them must be in the token; none takes any.
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
    key = keys_through(http).find(issuer, named)
    if key is None:
        raise refuse("kid", "the token's key (kid) isn't one of the issuer's", issuer=issuer)
    claims = signed_claims(value, key)
    check_issuer(claims, issuer)
    moment = time.time() if now is None else now
    check_expiry(claims, moment)
    check_begun(claims, moment, "nbf")
    _check_use(claims, use)
    if client_id is not None:
        _check_client(claims, client_id)
    _check_scopes(claims, list(scopes))
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


def _check_use(claims: Claims, use: str | None) -> None:
    found = claims.get("token_use")
    if use is not None and found != use:
        reason = f"{use_in_words(use)} is wanted; this is {use_in_words(found)}"
        raise refuse("token_use", reason, token_use=found)


def _check_client(claims: Claims, client_id: str) -> None:
    """Cognito's access tokens have ``client_id``, its ID tokens and most other tokens ``aud`` (cognito 6.4)."""
    is_access = claims.get("token_use") == "access" or "aud" not in claims
    name = "client_id" if is_access else "aud"
    check_audience(claims, name, [client_id], f"the token is for another app client ({name})")


def _check_scopes(claims: Claims, scopes: list[str]) -> None:
    granted = scopes_in(claims)
    if scopes and not set(scopes) & set(granted):
        reason = "the token has none of the scopes"
        raise refuse("scope", reason, scopes=scopes, **{"token scopes": granted})
