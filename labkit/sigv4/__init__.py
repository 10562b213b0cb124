"""AWS Signature Version 4, step by step.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

Each step is a function with AWS's own name; :func:`sign` and :func:`presign` take all of them, :class:`SigV4Auth` does
it for ``requests``, and :func:`diff` finds the line that breaks a signature.
"""

from labkit.sigv4.mismatch import diff
from labkit.sigv4.requests_auth import SigV4Auth
from labkit.sigv4.signing import Credentials, presign, sign
from labkit.sigv4.steps import (
    EMPTY_SHA256,
    CredentialScope,
    canonical_request,
    signature,
    signing_key,
    string_to_sign,
)

__all__ = [
    "EMPTY_SHA256",
    "CredentialScope",
    "Credentials",
    "SigV4Auth",
    "canonical_request",
    "diff",
    "presign",
    "sign",
    "signature",
    "signing_key",
    "string_to_sign",
]
