"""Takes tokens, keys and signatures out of a text before anybody sees it.

AWS itself repeats them: older answers echo the ``Authorization`` header (gateway.md 4.13), and the canonical request
of a signature mismatch has the session token in it (4.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "…"

_SECRET_HEADER = re.compile(
    r"(?i)(?!www-authenticate$|proxy-authenticate$|x-amzn?-errortype$).*"
    r"(auth|token|secret|password|session|cookie|api-?key|credential|signature)"
)
_SHORTEST = 6
"""A shorter value would blot out ordinary words."""
_SCHEMES = frozenset({"bearer", "basic", "aws4-hmac-sha256", "digest", "negotiate"})

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)*"), f"eyJ{HIDDEN}"),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic) [^\s'\"]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"'[^']*' not a valid key"), f"'{HIDDEN}' not a valid key"),
    (re.compile(r"(?s)(in Authorization header: )'.*'"), rf"\1'{HIDDEN}'"),
    (re.compile(r"(?s)\b(Authorization=).+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(x-amz-(?:security-token|credential|signature)=)[^&\s']*"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(signature=)\w+"), rf"\1{HIDDEN}"),
)


class Redactor:
    """Hides secrets in texts.

    Args:
        secrets: values that must not be seen; those that are shorter than an ordinary word are left alone.

    >>> Redactor(["hunter22"])("Bearer abc and hunter22 and eyJhbGciOi.eyJzdWIi.c2ln")
    'Bearer … and … and eyJ…'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for shape, shown in _SHAPES:
            text = shape.sub(shown, text)
        return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    """A line of a canonical request, ``name:value``, without the value of a secret header."""
    name, colon, value = line.partition(":")
    if colon and value and not value.startswith(" ") and re.fullmatch(r"'?[a-z0-9-]+", name):
        return f"{name}:{HIDDEN}" if _SECRET_HEADER.match(name) else line
    return line


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
