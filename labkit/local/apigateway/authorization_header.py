"""What API Gateway says of an ``Authorization`` header that isn't Signature v4 (gateway 4.13-4.15)."""

from __future__ import annotations

import base64
import hashlib

from labkit.local.messages import Request

_PARTS = ("Credential", "Signature", "SignedHeaders")


def comes_twice(request: Request, header: str) -> bool:
    """Whether a header comes twice: the gateway, its cache and the backend could each take another one of them."""
    wanted = header.lower()
    return sum(name.lower() == wanted for name, _value in request.headers) > 1


def not_signature_v4(request: Request) -> str | None:
    """The complaint about an ``Authorization`` header that isn't Signature v4; None when there is none to make.

    The wording is the one of 2025-26, which hashes the header instead of echoing it (gateway 15.11).
    """
    header = request.header("authorization")
    if not header or header.startswith("AWS4-"):
        return None
    digest = base64.b64encode(hashlib.sha256(header.encode()).digest()).decode()
    _algorithm, _space, rest = header.partition(" ")
    pairs = [pair for pair in (rest or header).split(",") if pair.strip()]
    if not pairs or any("=" not in pair for pair in pairs):
        return (
            "Invalid key=value pair (missing equal-sign) in Authorization header "
            f"(hashed with SHA-256 and encoded with Base64): '{digest}'."
        )
    present = {pair.strip().partition("=")[0] for pair in pairs}
    complaints = [
        f"Authorization header requires '{part}' parameter."
        for part in _PARTS
        if part not in present
    ]
    if request.header("x-amz-date") is None and request.header("date") is None:
        complaints.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    return f"{' '.join(complaints)} (Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
