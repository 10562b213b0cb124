"""Take secrets out of something before it is shown: what is left says what was there, not what it was.

A learner still sees that a token was a JWT of about 1,000 characters and that a code had 8 digits; nobody can use it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from labkit.errors import TokenError
from labkit.tokens.decoding import decode

_SECRET_NAME = re.compile(
    r"""(?ix)
    (access|id|refresh|session|security|bearer|auth|csrf|xsrf)[ _-]?token$ | ^token$ | ^session$ | secret |
    password$ | passwd$ | api[_-]?key$ | signature$ | ^authorization$ | cookie$ | private_?key$ | code_?verifier$ |
    (^|[_-]|otp|mfa|confirmation|verification|user)code$
    """
)
"""A name whose value nobody may see: Cognito's and STS's fields, OAuth's parameters, header names."""
_NOT_SECRET = re.compile(r"(?i)(status|error|response|reason|country|zip|region|exit)[ _-]?code$")
_ERROR_NAME = re.compile(r"[A-Za-z.]+")
"""AWS's errors have their name in a field ``Code``."""

_HIDDEN = re.compile(r"\[(?:\d+[ ]digits|(?:JWT|JWE|text),[ ]about[ ][\d,]+[ ]characters)\]")
_SCHEME = r"(?i:bearer|basic|aws4-hmac-sha256)\b"
_BEARER = re.compile(r"(?i)^(bearer|basic) +")
_VALUE = rf"""(?: {_HIDDEN.pattern} | \[[^\[\]]*\] | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s"'&,;}}\]]+ )"""
_SHAPES = re.compile(
    rf"""(?x)
    (?P<hidden> {_HIDDEN.pattern} ) |
    (?P<jose> \b eyJ[\w-]{{5,}} (?:\.[\w-]*)* ) |
    (?P<header> \b(?i:authorization)["']?\s*[:=]\s*["']?(?={_SCHEME}) ) |
    (?P<scheme> \b(?i:bearer|basic)[ ]+ ) (?P<credentials> [^\s'",;\[]+ ) |
    (?P<name> \b[A-Za-z][\w-]* ) (?P<sep> ["']?\s*[:=]\s* ) (?P<value> {_VALUE} ) |
    (?P<code_word> (?i:\bcode\b)[^\d\n\[]{{0,30}} ) (?P<code> \d{{4,10}}\b )
    """
)


def redact(text: str) -> str:
    """Hide tokens, secrets, sessions and codes, and keep their shape.

    Args:
        text: JSON, a header, a URL, prose.

    >>> redact(f'{{"Session": "{"AYABe" * 200}", "ChallengeName": "EMAIL_OTP"}}')
    '{"Session": "[text, about 1,000 characters]", "ChallengeName": "EMAIL_OTP"}'
    >>> redact("Your code is 12345678.")
    'Your code is [8 digits].'
    >>> redact("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln")
    'Authorization: Bearer [JWT, about 40 characters]'
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            data = json.loads(text)
            hidden = _in_field("", data)
            indent = 2 if "\n" in text.strip() else None
            # AWS's answers differ by a blank: without a secret the text stays as it is.
            return text if hidden == data else json.dumps(hidden, ensure_ascii=False, indent=indent)
        except (ValueError, RecursionError):
            pass
    return "".join(_pieces(text))


def _is_secret(name: str, value: str = "") -> bool:
    if not _SECRET_NAME.search(name) or _NOT_SECRET.search(name):
        return False
    return name.lower() != "code" or not _ERROR_NAME.fullmatch(value)


def _in_field(name: str, value: Any) -> Any:
    """A value that belongs to a name; what is in a list or an object belongs to its name too."""
    if isinstance(value, dict):
        secret = _is_secret(name)
        return {k: _in_field(name if secret else k, entry) for k, entry in value.items()}
    if isinstance(value, list):
        return [_in_field(name, entry) for entry in value]
    if isinstance(value, str):
        return _hide(value) if _is_secret(name, value) else redact(value)
    if value is None or isinstance(value, bool) or not _is_secret(name):
        return value
    return _hide(str(value))


def _pieces(text: str) -> Iterator[str]:
    position = 0
    while match := _SHAPES.search(text, position):
        yield text[position : match.start()]
        position = match.end()
        if match["jose"]:
            yield _hide(match["jose"])
        elif match["credentials"]:
            yield match["scheme"] + _hide(match["credentials"])
        elif match["code"]:
            yield match["code_word"] + _hide(match["code"])
        elif match["value"] and _is_secret(match["name"], match["value"].strip("\"'")):
            quote = match["value"][0] if match["value"][0] in "\"'" else ""
            inner = match["value"][1:-1] if quote else match["value"]
            yield f"{match['name']}{match['sep']}{quote}{_hide(inner)}{quote}"
        elif match["value"]:  # the name says nothing; the value may begin with another one
            position = match.start("value") + (match["value"][0] in "\"'")
            yield text[match.start() : position]
        else:
            yield match[0]
    yield text[position:]


def _hide(value: str) -> str:
    """What there was, without it."""
    scheme = _BEARER.match(value)
    if scheme:
        return scheme[0] + _hide(value[scheme.end() :])
    if not value or _HIDDEN.fullmatch(value):
        return value
    if value.isdigit() and len(value) <= 10:
        return f"[{len(value)} digits]"
    return f"[{_shape(value)}, about {_about(len(value)):,} characters]"


def _shape(value: str) -> str:
    if value.startswith("eyJ") and value.count(".") == 4:
        return "JWE"
    try:
        decode(value)
    except TokenError:
        return "text"
    return "JWT"


def _about(length: int) -> int:
    """A length to one significant digit: the next token of the same kind says the same.

    >>> _about(1_067), _about(40), _about(7)
    (1000, 40, 7)
    """
    return round(length, 1 - len(str(length)))
