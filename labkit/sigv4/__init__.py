"""AWS Signature Version 4, step by step.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

Each step is a function with AWS's own name; :func:`sign` and :func:`presign` take all of them, :class:`SigV4Auth` does
it for ``requests``, and :func:`diff` finds the line that breaks a signature.
"""

from typing import TYPE_CHECKING

from labkit.sigv4.mismatch import diff
from labkit.sigv4.signing import Credentials, presign, sign
from labkit.sigv4.steps import (
    ALGORITHM,
    EMPTY_SHA256,
    TERMINATOR,
    CredentialScope,
    canonical_request,
    canonical_uri,
    signature,
    signing_key,
    string_to_sign,
)

if TYPE_CHECKING:
    from labkit.sigv4.requests_auth import SigV4Auth

__all__ = [
    "ALGORITHM",
    "EMPTY_SHA256",
    "TERMINATOR",
    "CredentialScope",
    "Credentials",
    "SigV4Auth",
    "canonical_request",
    "canonical_uri",
    "diff",
    "presign",
    "sign",
    "signature",
    "signing_key",
    "string_to_sign",
]


def __getattr__(name: str) -> object:
    """``SigV4Auth`` needs requests, which the local cloud's process never imports."""
    if name != "SigV4Auth":
        raise AttributeError(f"module 'labkit.sigv4' has no attribute {name!r}")
    from labkit.sigv4.requests_auth import SigV4Auth

    return SigV4Auth


def __dir__() -> list[str]:
    return sorted(__all__)
