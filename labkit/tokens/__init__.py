"""Tokens: look inside, verify, and ask what an authorizer would answer.

Nothing is sent anywhere but for an issuer's public keys, which :func:`verify` and :func:`verdict` fetch.
"""

from typing import TYPE_CHECKING

from labkit.tokens.decoding import DecodedToken, decode
from labkit.tokens.redaction import redact

if TYPE_CHECKING:
    from labkit.tokens.verdicts import verdict, verify

__all__ = ["DecodedToken", "decode", "redact", "verdict", "verify"]


def __getattr__(name: str) -> object:
    """Two need PyJWT, which takes a tenth of a second to import: who only decodes doesn't wait for it."""
    if name not in ("verdict", "verify"):
        raise AttributeError(f"module 'labkit.tokens' has no attribute {name!r}")
    from labkit.tokens import verdicts

    return getattr(verdicts, name)


def __dir__() -> list[str]:
    return __all__
