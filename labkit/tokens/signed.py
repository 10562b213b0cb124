"""Reading signed tokens strictly: what verifying, the REST API's authorizer and the HTTP API's one have in common.

A decoder of tokens may overlook what it doesn't understand; here a token is three parts in its own alphabet, signed
by a key that somebody trusted published, with RS256 unless more is allowed, or it is refused.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt

from labkit.errors import InvalidTokenError
from labkit.tokens.decoding import read_json
from labkit.tokens.forms import form_of, reason_of

Claims = Mapping[str, Any]

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""Three parts in the URL-safe Base64 alphabet, without padding: a decoder may overlook what else there is."""
_KEPT_TOKENS = 128
"""A client sends the same token until it expires; to read and verify it takes longer than all other gates."""
_FEWEST_BITS = 2048
_MAX_SHOWN = 100
_UNREADABLE_PART = "the token can't be read: it was changed, or not copied whole"

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ALGORITHMS = ("RS256", "RS384", "RS512", *_CURVES)
"""Those that a signature can be verified by: none with a shared secret, and never ``none``."""
_ALGORITHMS = {name: jwt.get_algorithm_by_name(name) for name in ALGORITHMS}

UNREADABLE = (jwt.PyJWTError, ValueError, RecursionError)
"""What reading a hostile token may raise."""

_NEXT_STEP = {
    "format": "Copy it whole, from the first character to the last.",
    "alg": "Only RS256 proves that the issuer signed it.",
    "kid": "Get a new token from this issuer.",
    "signature": "It was changed, or another key signed it: get a new one.",
    "iss": "Compare the claim iss with the issuer that you trust.",
    "exp": "Get a new one with the refresh token, or sign in again.",
    "nbf": "Look at the clock of this computer.",
    "iat": "Look at the clock of this computer.",
    "token_use": "Send the other token of the same sign-in.",
    "client": "Sign in with an app client of the user pool.",
    "validation": "Sign in with the app client that the authorizer expects.",
    "aud": "Sign in with the app client that is expected.",
    "client_id": "Sign in with the app client that is expected.",
    "claim": "Get a token that says what the authorizer demands.",
    "scope": "Ask for a token with the scope that is wanted.",
}


def refuse(check: str, reason: str, **evidence: Any) -> InvalidTokenError:
    """The error for a token that fails a check."""
    return InvalidTokenError(
        reason, check=check, evidence=evidence, next_step=_NEXT_STEP.get(check, "")
    )


# -- the signature ---------------------------------------------------------------------------


def key_id(token: str) -> str:
    """The id of the key that the token says it is signed with, by RS256.

    Raises:
        InvalidTokenError: ``format``, ``alg`` or ``kid``.
    """
    return algorithm_and_key_id(token)[1]


@lru_cache(_KEPT_TOKENS)
def algorithm_and_key_id(token: str, algorithms: tuple[str, ...] = ("RS256",)) -> tuple[str, str]:
    """How the token says it is signed, and the id of its key. Nothing else in the header is believed.

    A header may name a URL with keys (``jku``, ``x5u``) or bring a key along (``jwk``): they are never looked at.

    Args:
        token: the token.
        algorithms: those that are taken.

    Raises:
        InvalidTokenError: ``format``, ``alg`` or ``kid``.
    """
    try:
        if not _TOKEN.fullmatch(token):
            raise jwt.DecodeError
        # Without the other parts: PyJWT takes as long to decode them as to verify the signature.
        header = jwt.get_unverified_header(token.partition(".")[0] + "..")
        # RFC 7515, 4.1.11: who doesn't understand an extension refuses the token.
        if "crit" in header or "b64" in header:
            raise jwt.DecodeError
    except UNREADABLE as error:
        raise _not_a_token(token) from error
    algorithm, found = header.get("alg"), header.get("kid")
    if algorithm not in algorithms:
        wanted = " or ".join(algorithms)
        raise refuse("alg", f"the token isn't signed with {wanted}", alg=shown(algorithm))
    if not isinstance(found, str):
        raise refuse("kid", "the token doesn't name its key (kid)", kid=shown(found))
    return algorithm, found


@lru_cache(_KEPT_TOKENS)
def claimed_issuer(token: str) -> object:
    """The claim ``iss`` of a token that nobody has verified yet: it only says whose key to try.

    Raises:
        InvalidTokenError: ``format``.
    """
    return _claims_in(token).get("iss")


@lru_cache(_KEPT_TOKENS)
def signed_claims(token: str, key: jwt.PyJWK, algorithm: str = "RS256") -> Claims:
    """The claims, if the signature is the key's: that never changes, while the time is checked for every request.

    A failure isn't kept. The parts are decoded here, as strictly as PyJWT does and in a tenth of its time.

    Raises:
        InvalidTokenError: ``signature`` or ``format``.
    """
    signed, _, signature = token.rpartition(".")
    try:
        if not _ALGORITHMS[algorithm].verify(signed.encode(), key.key, _decoded(signature)):
            raise refuse("signature", "the token's signature doesn't fit its content")
    except jwt.DecodeError as error:
        raise refuse("format", _UNREADABLE_PART, parts=3) from error
    return _claims_in(token)


def _claims_in(token: str) -> Claims:
    try:
        claims = read_json(_decoded(token.split(".")[1]), [])
        if not isinstance(claims, dict):
            raise ValueError("no JSON object")
    except jwt.DecodeError as error:
        raise refuse("format", _UNREADABLE_PART, parts=3) from error
    except UNREADABLE as error:
        raise refuse("format", "the token's content isn't a JSON object", parts=3) from error
    return claims


def _decoded(part: str) -> bytes:
    """A part of a token; each has one spelling only, so that no letter of it can be changed unseen (RFC 4648, 3.5)."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise jwt.DecodeError from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise jwt.DecodeError
    return raw


def claims_of_issuer(
    token: str, key: jwt.PyJWK | None, issuer: str, algorithm: str = "RS256"
) -> Claims:
    """The claims, if the signature is by the issuer's key of this ``kid`` and the issuer made the token.

    Raises:
        InvalidTokenError: ``kid``, ``signature``, ``format`` or ``iss``.
    """
    if key is None:
        raise refuse("kid", "the token's key (kid) isn't one of the issuer's", issuer=issuer)
    claims = signed_claims(token, key, algorithm)
    check_issuer(claims, issuer)
    return claims


def rs256_key(entry: Mapping[str, Any]) -> jwt.PyJWK | None:
    """The key of an entry of a JWKS, if it is a public one for RS256 signatures."""
    return public_key(entry, "RS256")


def public_key(entry: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """The key of an entry of a JWKS, if it is a public one for signatures by this algorithm.

    Everybody can sign with a private key that is published, and somebody may have broken an RSA key of less than
    2,048 bits (RFC 7518, 3.3). Each ES algorithm has a curve of its own (RFC 7518, 3.4).

    Args:
        entry: a JWK.
        algorithm: one of :data:`ALGORITHMS`.
    """
    curve = _CURVES.get(algorithm)
    wanted = ("EC", curve, "sig", algorithm) if curve else ("RSA", None, "sig", algorithm)
    kind = entry.get("kty")
    purpose = entry.get("use", "sig"), entry.get("alg", algorithm)
    if (kind, entry.get("crv") if kind == "EC" else None, *purpose) != wanted or "d" in entry:
        return None
    try:
        key = jwt.PyJWK(dict(entry), algorithm=algorithm)
    except (*UNREADABLE, TypeError, OverflowError):
        return None
    return key if curve or key.key.key_size >= _FEWEST_BITS else None


# -- the claims ------------------------------------------------------------------------------


def check_issuer(claims: Claims, issuer: str) -> None:
    """The claim ``iss`` is the issuer, character by character (cognito 8.1)."""
    if claims.get("iss") != issuer:
        raise refuse("iss", "another issuer made the token", iss=shown(claims.get("iss")))


def check_expiry(claims: Claims, now: float) -> None:
    """The claim ``exp`` is a time, and ahead.

    >>> check_expiry({"exp": float("nan")}, now=0)
    Traceback (most recent call last):
    ...
    labkit.errors.InvalidTokenError: The token has expired. Get a new one with the refresh token, or sign in again.
    """
    expiry = _number(claims.get("exp"))
    if expiry is None or now >= expiry:
        raise refuse("exp", "the token has expired", exp=shown(claims.get("exp")))


def check_begun(claims: Claims, now: float, *names: str) -> None:
    """The times ``nbf`` and ``iat``, if they are there, are over."""
    for name in names:
        begin = _number(claims.get(name))
        if name in claims and (begin is None or begin > now):
            what = "isn't valid yet" if name == "nbf" else "is from the future"
            raise refuse(name, f"the token {what} ({name})", **{name: shown(claims[name])})


def scopes_in(claims: Claims, *names: str) -> list[str]:
    """The scopes that a token grants: text separated by blanks, or a list.

    >>> scopes_in({"scope": "a b", "scp": ["c"]}, "scope", "scp")
    ['a', 'b', 'c']
    """
    found: list[str] = []
    for name in names or ("scope",):
        value = claims.get(name)
        entries = value if isinstance(value, list) else str(value or "").split()
        found += [entry for entry in entries if isinstance(entry, str)]
    return found


# -- in words ----------------------------------------------------------------------------------


def _not_a_token(value: str) -> InvalidTokenError:
    """Why something can't be read as a token, in the words of somebody who looks at it."""
    parts, form = value.count(".") + 1, form_of(value)
    if form is not None:
        evidence = {"parts": parts, "form": form.value}
        return InvalidTokenError(
            reason_of(form, value), check="format", evidence=evidence, next_step=form.next_step
        )
    if parts != 3:
        return refuse("format", "the token isn't a JWT: it doesn't have three parts", parts=parts)
    return refuse("format", _UNREADABLE_PART, parts=parts)


def bare_token(value: str | None) -> str:
    """The token in a header's value, as the gateway reads it: raw or after ``Bearer `` (gateway 2.6, 13.1).

    >>> bare_token("Bearer abc"), bare_token(None)
    ('abc', '')
    """
    return (value or "").removeprefix("Bearer ")


def shown(value: object) -> str:
    """A value of a hostile token, short enough for evidence."""
    try:
        text = str(value)
    except (RecursionError, ValueError):  # ValueError: a number with thousands of digits
        return f"({type(value).__name__})"
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _number(value: object) -> int | float | None:
    """A claim that is a number; JSON's readers also know infinity and NaN, which are no times."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
