"""Look inside a token without sending it anywhere."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from labkit.errors import TokenError

_TIME_CLAIMS = ("auth_time", "exp", "iat", "nbf")
_BEARER = re.compile(r"^Bearer\s+", re.IGNORECASE | re.ASCII)
_JWE_PARTS, _JWS_PARTS = 5, 3


@dataclass(frozen=True)
class DecodedToken:
    """What a signed token says. Nothing here is verified: anybody can write a token.

    Attributes:
        header: the JOSE header, such as ``{"kid": …, "alg": "RS256"}``.
        claims: the payload.
    """

    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def use(self) -> str:
        """``access`` or ``id`` for a token of Cognito; empty for another."""
        return str(self.claims.get("token_use", ""))

    def __getitem__(self, claim: str) -> Any:
        return self.claims[claim]

    def __str__(self) -> str:
        kind = {"access": "access token", "id": "ID token"}.get(self.use, "token")
        lines = [
            f"{kind}, decoded but not verified",
            *_lines(self.header, "header"),
            *_lines(self.claims, "claims"),
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def _lines(values: dict[str, Any], title: str) -> list[str]:
    shown = [f"  {_shown('', name):<16} {_shown(name, values[name])}" for name in sorted(values)]
    return [title, *shown]


def _shown(name: str, value: object) -> str:
    if name in _TIME_CLAIMS and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value))
        except (OverflowError, ValueError, OSError):
            return str(value)
    if isinstance(value, str) and value.isprintable():
        return value
    try:
        return json.dumps(value)
    except RecursionError:
        return "(too deeply nested to show)"


def decode(token: str) -> DecodedToken:
    """Read a signed token (a JWS, such as Cognito's ID and access tokens).

    Args:
        token: the token; ``Bearer `` in front of it and blanks around it are taken away.

    Raises:
        TokenError: it isn't a signed token; the message says what it looks like.

    >>> decode("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln").claims
    {'sub': 'me'}
    >>> decode("hello")
    Traceback (most recent call last):
    ...
    labkit.errors.TokenError: This isn't a JWT: it has 1 part instead of 3, separated by dots.
    """
    if not isinstance(token, str):
        raise TokenError(f"A token is text, not {type(token).__name__}.")
    parts = _BEARER.sub("", token.strip()).split(".")
    if len(parts) == _JWE_PARTS:
        raise TokenError(
            "This token is encrypted (a JWE, such as Cognito's refresh token): only Cognito can read it."
        )
    if len(parts) != _JWS_PARTS:
        count = f"{len(parts)} part" + ("s" if len(parts) != 1 else "")
        raise TokenError(f"This isn't a JWT: it has {count} instead of 3, separated by dots.")
    return DecodedToken(_part(parts[0], "header"), _part(parts[1], "payload"))


def _part(text: str, name: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        data = json.loads(raw.decode(), parse_constant=_no_constant)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenError(f"The token's {name} can't be read: was it copied whole?") from error
    if not isinstance(data, dict):
        raise TokenError(f"The token's {name} isn't a JSON object.")
    return data


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
