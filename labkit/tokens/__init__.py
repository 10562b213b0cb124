"""Tokens: look inside, and ask what an authorizer would answer.

Nothing is sent anywhere but for an issuer's public keys, which :func:`verdict` fetches.
"""

from typing import TYPE_CHECKING

from labkit.tokens.decoding import DecodedToken, decode
from labkit.tokens.redaction import redact

if TYPE_CHECKING:
    from labkit.tokens.verdicts import verdict

__all__ = ["DecodedToken", "decode", "redact", "verdict"]


def __getattr__(name: str) -> object:
    """``verdict`` needs PyJWT, which takes a tenth of a second to import: who only decodes doesn't wait for it."""
    if name != "verdict":
        raise AttributeError(f"module 'labkit.tokens' has no attribute {name!r}")
    from labkit.tokens.verdicts import verdict

    return verdict


def __dir__() -> list[str]:
    return __all__
