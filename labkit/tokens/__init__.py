"""Tokens: look inside, verify, and ask what an authorizer would answer.

Nothing is sent anywhere but for an issuer's public keys, which :func:`verify` and :func:`verdict` fetch.
"""

from typing import TYPE_CHECKING

from labkit.tokens.decoding import DecodedToken, decode
from labkit.tokens.redaction import redact

if TYPE_CHECKING:
    from labkit.tokens.verdicts import Verdict, verdict
    from labkit.tokens.verification import verify

__all__ = [
    "DecodedToken",
    "Verdict",
    "decode",
    "redact",
    "verdict",
    "verify",
]

_LATER = {
    "Verdict": "labkit.tokens.verdicts",
    "verdict": "labkit.tokens.verdicts",
    "verify": "labkit.tokens.verification",
}
"""What needs PyJWT, which takes a tenth of a second to import: who only decodes doesn't wait for it."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'labkit.tokens' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
