"""Takes tokens, keys and signatures out of a text before anybody sees it.

AWS itself repeats them: older answers echo the ``Authorization`` header (gateway 4.13), and the canonical request
of a signature mismatch has the session token in it (gateway 4.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from labkit.tokens import redact

HIDDEN = "…"

_SECRET_HEADER = re.compile(
    r"(?i)(?!www-authenticate$|proxy-authenticate$|x-amzn?-errortype$).*"
    r"(auth|token|secret|password|session|cookie|api-?key|credential|signature)"
)
_ECHOED = re.compile(
    r"(?s)'[^']*'(?= not a valid key)|(?<=in Authorization header: )'.*'|(?<=\bAuthorization=).+"
)
_KEY_ID = re.compile(r"\b(A[KS]IA)[A-Z0-9]{12,}")
_SHORTEST = 6
"""A shorter value would blot out ordinary words."""
_SCHEMES = frozenset({"bearer", "basic", "aws4-hmac-sha256", "digest", "negotiate"})


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without secrets: the given ones, and what looks like one.

    >>> hide("AKIAIOSFODNN7EXAMPLE isn't active")
    "AKIA… isn't active"
    >>> hide("Bearer abc and hunter22 and eyJhbGciOi.eyJzdWIi.c2ln", ["hunter22"])
    'Bearer [text, about 3 characters] and … and [text, about 20 characters]'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return redact(_KEY_ID.sub(rf"\1{HIDDEN}", _ECHOED.sub(f"'{HIDDEN}'", text)))


def secrets_of(headers: Mapping[str, str]) -> set[str]:
    """The values in headers that nobody may see: whole, and word by word.

    >>> sorted(secrets_of({"Authorization": "Bearer secret-word", "Accept": "text/html"}))
    ['Bearer secret-word', 'secret-word']
    """
    found: set[str] = set()
    for name, value in headers.items():
        if _SECRET_HEADER.match(name):
            stripped = value.strip()
            words = re.split(r"[\s,;]+", stripped)
            if stripped.startswith("AWS4-"):  # its other parts are names, which a comparison needs
                words = re.findall(r"(?:Signature=|Credential=)([^,/\s]+)", stripped)
            found |= {stripped, *(word for word in words if word.lower() not in _SCHEMES)}
            found |= {word.partition("=")[2] for word in words}
    return found - {""}
