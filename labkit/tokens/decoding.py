"""Look inside a token without sending it anywhere."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.errors import TokenError

Claims = dict[str, Any]

_TIME_CLAIMS = ("auth_time", "exp", "iat", "nbf")
_BEARER = re.compile(r"^Bearer\s+", re.IGNORECASE | re.ASCII)
_JWE_PARTS, _JWS_PARTS = 5, 3
_MAX_CHARACTERS, _MAX_TEXT = 1_000, 50_000
_KINDS = {"access": "access token", "id": "ID token"}


@dataclass(frozen=True)
class DecodedToken:
    """What a signed token says. Unless :func:`labkit.tokens.verify` returned it, anybody may have written it.

    Attributes:
        header: the JOSE header, such as ``{"kid": …, "alg": "RS256"}``.
        claims: the payload.
        repeated: names that come twice in one object of the token; the last value counts, as in most libraries.
        verified: whether :func:`labkit.tokens.verify` checked it.
    """

    header: Claims
    claims: Claims
    repeated: tuple[str, ...] = ()
    verified: bool = False

    @property
    def kind(self) -> str:
        """The token's kind in words."""
        return _KINDS.get(str(self.claims.get("token_use")), "token")

    def __getitem__(self, claim: str) -> Any:
        return self.claims[claim]

    def __str__(self) -> str:
        lines = [
            f"{self.kind}, {'verified' if self.verified else 'decoded but not verified'}",
            *_lines(self.header, "header"),
            *_lines(self.claims, "claims"),
        ]
        if self.repeated:
            names = ", ".join(printable(name) for name in self.repeated)
            lines.append(f"comes twice, the last one counts: {shorten(names)}")
        return shorten("\n".join(lines), _MAX_TEXT)

    __repr__ = __str__


def _lines(values: Claims, title: str) -> Iterator[str]:
    yield title
    for name in sorted(values):
        yield f"  {shorten(printable(name)):<16} {shorten(shown_value(name, values[name]))}"


def shown_value(name: str, value: object) -> str:
    """A claim's value in one printable line.

    >>> shown_value("exp", 1795291200), shown_value("sub", "me"), shown_value("email_verified", True)
    ('2026-11-21T20:00:00Z', 'me', 'true')
    """
    if name in _TIME_CLAIMS and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value))
        except (OverflowError, ValueError, OSError):
            pass
    try:
        return printable(value)
    except (RecursionError, ValueError):  # ValueError: a number with thousands of digits
        return "(too deeply nested to show)"


def printable(value: object) -> str:
    """A text as it is if it can be printed; everything else as JSON."""
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value)


def shorten(text: str, limit: int = _MAX_CHARACTERS) -> str:
    """The beginning of a text that is too long to show.

    >>> shorten("abcdefgh", 3)
    'abc… (8 characters)'
    """
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def bare(token: str) -> str:
    """The token alone: ``Bearer `` in front of it and blanks around it are taken away."""
    return _BEARER.sub("", token.strip())


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
    parts = bare(token).split(".")
    if len(parts) == _JWE_PARTS:
        raise TokenError(
            "This token is encrypted (a JWE, such as Cognito's refresh token): only Cognito can read it."
        )
    if len(parts) != _JWS_PARTS:
        count = f"{len(parts)} part" + ("s" if len(parts) != 1 else "")
        raise TokenError(f"This isn't a JWT: it has {count} instead of 3, separated by dots.")
    repeated: list[str] = []
    header = _part(parts[0], "header", repeated)
    return DecodedToken(header, _part(parts[1], "payload", repeated), tuple(repeated))


def _part(text: str, name: str, repeated: list[str]) -> Claims:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        data = read_json(raw, repeated)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenError(f"The token's {name} can't be read: was it copied whole?") from error
    if not isinstance(data, dict):
        raise TokenError(f"The token's {name} isn't a JSON object.")
    return data


def read_json(raw: bytes, repeated: list[str]) -> Any:
    """JSON as the RFCs have it: UTF-8, without NaN. Names that come twice in an object go to ``repeated``.

    Raises:
        ValueError: it isn't.
        RecursionError: it is nested too deeply.
    """

    def an_object(pairs: list[tuple[str, Any]]) -> Claims:
        found = dict(pairs)
        if len(found) < len(pairs):
            counted = Counter(name for name, _value in pairs)
            repeated.extend(name for name, count in counted.items() if count > 1)
        return found

    return json.loads(raw.decode(), parse_constant=_no_constant, object_pairs_hook=an_object)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
