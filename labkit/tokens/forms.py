"""What stands where a token is wanted and isn't one: another word in front, quotes, blanks, a refresh token."""

from __future__ import annotations

import re
from enum import StrEnum

_WORD = r"(?!eyJ)[A-Za-z][A-Za-z0-9_-]{0,19}"
_PART = r"[A-Za-z0-9_-]+"
_TOKEN = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_SCHEME = re.compile(rf"(?P<word>{_WORD}):? +{_TOKEN.pattern}")
_ENCRYPTED = re.compile(r"eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){4}")
_QUOTES = "\"'`“”„\u2018’«»"


class Form(StrEnum):
    """How a header differs from a token, or from ``Bearer`` and a token; each is mended differently.

    Attributes:
        reason: what is there, for a sentence.
        next_step: what to change.
    """

    reason: str
    next_step: str

    def __new__(cls, value: str, reason: str, next_step: str) -> Form:
        """A member; to look one up, its value is enough."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.reason, member.next_step = reason, next_step
        return member

    SPELLING = (
        "spelling",
        "in front of the token stands “{word}”, and only “Bearer” with a capital B is known to be taken",
        'Write "Bearer " with a capital B, or send the token alone.',
    )
    NO_BLANK = (
        "no-blank",
        "there is no space between “Bearer” and the token",
        'Write "Bearer " with a space behind it, or send the token alone.',
    )
    SCHEME = (
        "scheme",
        "in front of the token stands another word than “Bearer”",
        'Write "Bearer " in front of the token, or send the token alone.',
    )
    QUOTES = ("quotes", "there are quotes around the token", "Take the quotes away.")
    BLANKS = (
        "blanks",
        "there are blanks or line breaks in the token or beside it",
        "Take them away: token.strip().",
    )
    ENCRYPTED = (
        "encrypted",
        "the token is encrypted, as a refresh token is, and only Cognito reads it",
        "Send the access token or the ID token of the same sign-in.",
    )


def form_of(value: str) -> Form | None:
    """How a header's value differs from a token or from ``Bearer`` and a token; None when it is one, or no such thing.

    >>> form_of("Bearer a.b.c"), form_of("a.b.c"), form_of("hello"), form_of("bearer a.b.c").value
    (None, None, None, 'spelling')
    """
    value = value.removeprefix("Bearer ")
    if _TOKEN.fullmatch(value):
        # “Bearer” belongs to the same alphabet as the token that it touches.
        return Form.NO_BLANK if re.match(r"(?i)bearer\w", value) else None
    if _ENCRYPTED.fullmatch(value.strip().strip(_QUOTES)):
        return Form.ENCRYPTED
    if value and (value[0] in _QUOTES or value[-1] in _QUOTES):
        return Form.QUOTES if _has_token(value.strip(_QUOTES)) else None
    found = _SCHEME.fullmatch(value)
    if found:
        return Form.SPELLING if found["word"].lower() == "bearer" else Form.SCHEME
    return Form.BLANKS if _TOKEN.fullmatch("".join(value.split())) else None


def reason_of(form: Form, value: str) -> str:
    """The form's reason, with Bearer as it is spelt. Another word may be a secret."""
    return form.reason.format(word=value.partition(" ")[0].rstrip(":"))


def _has_token(text: str) -> bool:
    return bool(_TOKEN.fullmatch(text.removeprefix("Bearer ").strip().strip(_QUOTES)))
