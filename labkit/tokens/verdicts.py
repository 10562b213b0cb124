"""What becomes of a token, and why: when a backend verifies it, and at an authorizer of API Gateway."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import requests

from labkit.errors import InvalidTokenError, TokenError
from labkit.markup import Markup, lines, tag
from labkit.tokens.authorizer_rules import (
    EXPIRED_MESSAGE,
    challenge,
    check_audience,
    check_for_http_api,
    check_for_rest_api,
    check_scopes,
    issuer_of_pool,
    use_in_words,
)
from labkit.tokens.decoding import DecodedToken, bare, decode
from labkit.tokens.keys import keys_through
from labkit.tokens.signed import (
    bare_token,
    check_begun,
    check_expiry,
    check_issuer,
    claims_of_issuer,
    key_id,
    refuse,
    scopes_in,
    shown,
)

_UNAUTHORIZED = '{"message":"Unauthorized"}'
_FORBIDDEN = '{"message":"Forbidden"}'
_EXPIRED = f'{{"message":"{EXPIRED_MESSAGE}"}}'


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an authorizer answers.

    Attributes:
        status: the status; 200 stands for "the request goes on to the integration".
        body: the body of a refusal.
        reason: why, in plain words. The client isn't told.
        check: the check that failed; empty when none did.
        evidence: what the check saw.
        label: how it is known of AWS: ``recorded``, ``documented``, ``measured`` or ``inferred``.
        www_authenticate: the header of that name, which only HTTP APIs send.
    """

    status: int
    body: str
    reason: str
    check: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    label: str = "documented"
    www_authenticate: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request goes on."""
        return not self.check

    def lines(self) -> list[str]:
        """The verdict, line by line."""
        if self.allowed:
            return [f"passes: {self.reason}"]
        lines = [f"{self.status} {self.body}"]
        if self.www_authenticate is not None:
            lines.append(f"www-authenticate: {self.www_authenticate}")
        lines.append(f"because {self.reason}")
        if self.label == "inferred":
            lines.append("(not confirmed on AWS)")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same words."""
        first, *rest = self.lines()
        return tag(
            "p", tag("b", first), Markup("<br>" * bool(rest)), lines("\n".join(rest), "<br>")
        )


def verdict(
    token: str | None,
    *,
    authorizer: Mapping[str, Any],
    scopes: Iterable[str] = (),
    clients: Collection[str] | None = None,
    http: requests.Session | None = None,
    now: float | None = None,
) -> Verdict:
    """What would this authorizer answer to a request with this token, and why?

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html

    The rules are the ones that the local cloud's gateway serves requests by.

    Args:
        token: what stands in the authorizer's identity source: the token, with or without ``Bearer ``.
        authorizer: as ``apigateway.get_authorizer`` answers it (``type`` is ``COGNITO_USER_POOLS``), or
            ``apigatewayv2.get_authorizer`` (``AuthorizerType`` is ``JWT``).
        scopes: the scopes of the method or route.
        clients: the ids of the user pool's app clients, if you know them: a REST API takes ID tokens of these only.
        http: ``lab.http``, or another ``requests.Session``, to fetch public keys with.
        now: seconds since the epoch; the present if None.

    Raises:
        KeysUnreachableError: the issuer's keys can't be fetched, so nothing can be said.
        ValueError: it isn't one of these two kinds of authorizer.

    >>> verdict("Bearer x", authorizer={"AuthorizerType": "JWT"}).www_authenticate
    'Bearer scope="" error="invalid_token" error_description="token contains an invalid number of segments"'
    >>> verdict(None, authorizer={"type": "COGNITO_USER_POOLS", "providerARNs": []})
    401 {"message":"Unauthorized"}
    because there is no token
    """
    kind = authorizer.get("type") or authorizer.get("AuthorizerType")
    if authorizer.get("type") == "JWT":
        raise ValueError("verdict() doesn't know the JWT authorizers of REST APIs: send the token.")
    if kind not in ("COGNITO_USER_POOLS", "JWT"):
        raise ValueError(f"{kind!r} isn't an authorizer of tokens: COGNITO_USER_POOLS or JWT is.")
    value, wanted, is_rest = bare_token(token), list(scopes), kind == "COGNITO_USER_POOLS"
    keys, moment = keys_through(http), time.time() if now is None else now
    try:
        if not value:
            raise InvalidTokenError("there is no token", check="token", evidence={})
        if is_rest:
            check_for_rest_api(
                value,
                authorizer,
                wanted,
                find_key=lambda pool_id, named: keys.find(issuer_of_pool(pool_id), named),
                clients=None if clients is None else lambda _pool: clients,
                now=moment,
            )
        else:
            settings = authorizer.get("JwtConfiguration") or {}
            issuer, audience = settings.get("Issuer") or "", list(settings.get("Audience") or [])
            key = keys.find(issuer, key_id(value))
            claims = check_for_http_api(value, key, issuer=issuer, audience=audience, now=moment)
            check_scopes(claims, wanted)
    except InvalidTokenError as error:
        return _refused_by_rest_api(error) if is_rest else _refused_by_http_api(error, wanted)
    if not is_rest:
        return Verdict(200, "", "it is a valid token of the issuer for this audience")
    taken = "an access token with one of the method's scopes" if wanted else "an ID token"
    return Verdict(200, "", f"it is {taken}, valid, from the user pool")


def _refused_by_rest_api(error: InvalidTokenError) -> Verdict:
    expired = error.check == "exp"
    body, label = (_EXPIRED, "recorded") if expired else (_UNAUTHORIZED, "documented")
    return Verdict(401, body, error.reason, error.check, error.evidence, label)


def _refused_by_http_api(error: InvalidTokenError, scopes: list[str]) -> Verdict:
    why = error.reason, error.check, error.evidence
    if error.check == "scope":
        return Verdict(403, _FORBIDDEN, *why, "measured")
    header, label = "Bearer", "recorded"
    if error.check != "token":
        header = challenge(error, scopes)
        known = "error_description" in header
        label = "inferred" if not known else "recorded" if error.check == "format" else "documented"
    return Verdict(401, _UNAUTHORIZED, *why, label, header)


# -- verification -------------------------------------------------------------------------------


def verify(
    token: str,
    *,
    issuer: str,
    use: Literal["access", "id"] | None = None,
    client_id: str | None = None,
    scopes: Iterable[str] = (),
    http: requests.Session | None = None,
    now: float | None = None,
) -> DecodedToken:
    """Check a signed token as a backend must (cognito 8.4): RS256 with a key of the issuer, then its claims.

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
    claims = claims_of_issuer(value, keys_through(http).find(issuer, named), issuer)
    moment = time.time() if now is None else now
    check_expiry(claims, moment)
    check_begun(claims, moment, "nbf")
    found, wanted = claims.get("token_use"), set(scopes)
    if use is not None and found != use:
        reason = f"{use_in_words(use)} is wanted; this is {use_in_words(found)}"
        raise refuse("token_use", reason, token_use=shown(found))
    if client_id is not None:
        name = "client_id" if found == "access" or "aud" not in claims else "aud"
        reason = f"the token is for another app client ({name})"
        check_audience(claims, name, [client_id], reason)
    if wanted and not wanted.intersection(scopes_in(claims)):
        raise refuse("scope", "the token has none of the scopes", scopes=sorted(wanted))
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
