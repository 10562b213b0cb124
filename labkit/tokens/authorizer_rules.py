"""What the gateway's token authorizers check, as pure rules.

The local cloud's gateway applies them to requests, and :func:`labkit.tokens.verdict` to a token in the hand.
Facts: gateway 2 (REST API, ``COGNITO_USER_POOLS``), rest_jwt 16c (REST API, ``JWT``), gateway 13 (HTTP API,
``JWT``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jwt

from labkit.errors import InvalidTokenError
from labkit.tokens.signed import (
    Claims,
    check_begun,
    check_expiry,
    claims_of_issuer,
    key_id,
    refuse,
    scopes_in,
    shown,
)

EXPIRED_MESSAGE = "The incoming token has expired"
"""What a REST API tells the client of an expired token (gateway 2.5); of everything else only ``Unauthorized``."""
SEGMENTS = "token contains an invalid number of segments"
AUDIENCE = "the token does not have a valid audience"

KeyFinder = Callable[[str, str], "jwt.PyJWK | None"]
"""(user pool id, key id) → the key, or None."""
Clients = Callable[[str], "Collection[str] | None"]
"""User pool id → its app clients; None when the pool is gone."""


def issuer_of_pool(pool_id: str) -> str:
    """A user pool as an issuer (cognito 8.1).

    >>> issuer_of_pool("us-east-1_Example01")
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01'
    """
    region = pool_id.split("_", 1)[0]
    return f"https://cognito-idp.{region}.amazonaws.com/{pool_id}"


# -- REST API: COGNITO_USER_POOLS ----------------------------------------------------------------


def check_for_rest_api(
    token: str,
    authorizer: Mapping[str, Any],
    scopes: Sequence[str],
    *,
    find_key: KeyFinder,
    clients: Clients | None,
    now: float,
) -> Claims:
    """The claims of a token that a method with a Cognito authorizer takes.

    Args:
        token: the token, without ``Bearer``.
        authorizer: ``providerARNs`` and ``identityValidationExpression``, as ``get_authorizer`` answers them.
        scopes: the method's scopes; they decide which token it takes (gateway 2.1, 2.2).
        find_key: the user pools' public keys.
        clients: the user pools' app clients; None when they aren't known, then they aren't checked.
        now: seconds since the epoch.

    Raises:
        InvalidTokenError: the method doesn't take it.
    """
    claims = _signed_by_a_pool(token, authorizer, find_key)
    check_expiry(claims, now)
    _check_use(claims, scopes)
    if not scopes and clients is not None:
        _check_client(claims, clients)
    expression = authorizer.get("identityValidationExpression")
    if expression and not _matches(str(expression), claims.get("aud")):
        raise refuse(
            "validation",
            "the token's aud doesn't match the authorizer's token validation",
            **_evidence(claims, scopes),
        )
    return claims


def _signed_by_a_pool(token: str, authorizer: Mapping[str, Any], find_key: KeyFinder) -> Claims:
    """Any of the authorizer's user pools may have signed it (gateway 2.15)."""
    named = key_id(token)
    pools = [str(arn).rsplit("/", 1)[-1] for arn in authorizer.get("providerARNs") or []]
    for pool_id in pools:
        key = find_key(pool_id, named)
        if key is not None:
            return claims_of_issuer(token, key, issuer_of_pool(pool_id))
    raise refuse(
        "kid", "the token's key (kid) isn't one of the user pool's", **{"user pools": pools}
    )


def _check_use(claims: Claims, scopes: Sequence[str]) -> None:
    use, wanted = claims.get("token_use"), "access" if scopes else "id"
    if use != wanted:
        rule = f"the method has {'scopes' if scopes else 'no scopes'}, so it takes {use_in_words(wanted)}"
        reason = f"{rule}; this is {use_in_words(use)}"
        raise refuse("token_use", reason, **_evidence(claims, scopes))
    granted = str(claims.get("scope", "")).split()
    if scopes and not set(scopes) & set(granted):
        raise refuse(
            "scope",
            "the access token has none of the method's scopes",
            **_evidence(claims, scopes),
            **{"token scopes": granted},
        )


def _check_client(claims: Claims, clients: Clients) -> None:
    """An ID token must be for an app client of the pool; any client will do (gateway 2.13, 2.14)."""
    known = clients(str(claims["iss"]).rsplit("/", 1)[-1])
    if known is None or str(claims.get("aud")) not in known:
        raise refuse("client", "the token is for an app client that the user pool doesn't have")


def _matches(expression: str, audience: object) -> bool:
    """Token validation looks at ``aud``, which an access token doesn't have (gateway 2.8)."""
    try:
        return isinstance(audience, str) and re.fullmatch(expression, audience) is not None
    except re.error:
        return False


def _evidence(claims: Claims, scopes: Sequence[str]) -> dict[str, Any]:
    return {"token_use": claims.get("token_use"), "method scopes": list(scopes)}


# -- REST API: JWT -----------------------------------------------------------------------------


class AdditionalClaim(NamedTuple):
    """What an authorizer demands of a claim.

    Attributes:
        name: the claim's.
        required: whether it must be there.
        expected: the values of which it is one; none takes any text.
    """

    name: str
    required: bool
    expected: tuple[str, ...]


def check_for_rest_jwt(
    token: str,
    key: jwt.PyJWK | None,
    algorithm: str,
    *,
    issuer: str,
    audiences: Sequence[str],
    additional_claims: Iterable[AdditionalClaim],
    now: float,
) -> Claims:
    """The claims of a token that a method with a JWT authorizer takes, before its scopes (rest_jwt 16.20-16.32).

    Args:
        token: the token, without ``Bearer``; :func:`labkit.tokens.signed.algorithm_and_key_id` has read it.
        key: the issuer's key of the token's ``kid``, for this algorithm, or None.
        algorithm: the token's; the authorizer lists it.
        issuer: the one of the authorizer's that the token names.
        audiences: the issuer's; ``client_id`` counts only if there is no ``aud``.
        additional_claims: the issuer's.
        now: seconds since the epoch.

    Raises:
        InvalidTokenError: the method doesn't take it.
    """
    claims = claims_of_issuer(token, key, issuer, algorithm)
    name = "aud" if "aud" in claims else "client_id"
    reason = f"the token's {name} isn't one of the issuer's audiences"
    check_audience(claims, name, list(audiences), reason)
    check_expiry(claims, now)
    check_begun(claims, now, "nbf", "iat")
    for wanted in additional_claims:
        _check_additional_claim(claims, wanted)
    return claims


def _check_additional_claim(claims: Claims, wanted: AdditionalClaim) -> None:
    """Whether a value is demanded of a claim that may be absent isn't clear: it is (rest_jwt 16.26)."""
    name, expected = wanted.name, wanted.expected
    if name not in claims:
        if wanted.required or expected:
            raise refuse("claim", f"the token has no claim {name}", claim=name)
    elif not isinstance(claims[name], str):
        raise refuse("claim", f"the token's {name} isn't a text", claim=name)
    elif expected and claims[name] not in expected:
        reason = f"the token's {name} isn't what the authorizer expects"
        evidence = {"expected": list(expected), "found": shown(claims[name])}
        raise refuse("claim", reason, claim=name, **evidence)


# -- HTTP API: JWT -----------------------------------------------------------------------------


def check_for_http_api(
    token: str, key: jwt.PyJWK | None, *, issuer: str, audience: list[str], now: float
) -> Claims:
    """The claims of a token that a route with a JWT authorizer takes, before its scopes (gateway 13.1).

    It doesn't look at ``token_use``: an ID token passes as an access token does (gateway 13.7).

    Args:
        token: the token, without ``Bearer``; :func:`labkit.tokens.signed.key_id` has read it.
        key: the issuer's key of the token's ``kid``, or None.
        issuer: the authorizer's.
        audience: the authorizer's; ``client_id`` counts only if there is no ``aud``.
        now: seconds since the epoch.

    Raises:
        InvalidTokenError: the route doesn't take it.
    """
    claims = claims_of_issuer(token, key, issuer)
    name = "aud" if "aud" in claims else "client_id"
    check_audience(claims, name, audience, f"the token's {name} isn't in the authorizer's audience")
    check_expiry(claims, now)
    check_begun(claims, now, "nbf", "iat")
    return claims


def check_audience(claims: Claims, name: str, wanted: list[str], reason: str) -> None:
    """The claim ``aud`` or ``client_id`` names one of those that are wanted."""
    held = claims.get(name)
    values = held if isinstance(held, list) else [held]
    if not any(isinstance(value, str) and value in wanted for value in values):
        raise refuse(name, reason, audience=wanted, **{name: shown(held)})


def use_in_words(use: object) -> str:
    """A ``token_use``."""
    return {"access": "an access token", "id": "an ID token"}.get(str(use), "neither kind")


def check_scopes(claims: Claims, scopes: Sequence[str], of: str = "route") -> None:
    """One scope of the route or method is enough (gateway 13.6, rest_jwt 16.31)."""
    granted = scopes_in(claims, "scope", "scp")
    if scopes and not set(scopes) & set(granted):
        evidence = {f"{of} scopes": list(scopes), "token scopes": granted}
        raise refuse("scope", f"the token has none of the {of}'s scopes", **evidence)


def challenge(error: InvalidTokenError, scopes: Sequence[str]) -> str:
    """The ``www-authenticate`` header of a refused token (gateway 13.3, 13.4).

    A rejection whose text nobody recorded says ``invalid_token`` and no more.
    """
    description = AUDIENCE if error.check in ("aud", "client_id") else ""
    if error.check == "format" and error.evidence.get("parts") != 3:
        description = SEGMENTS
    text = f'Bearer scope="{" ".join(scopes)}" error="invalid_token"'
    return text + (f' error_description="{description}"' if description else "")
