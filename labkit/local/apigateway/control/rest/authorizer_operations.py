"""What AWS refuses of ``CreateAuthorizer`` and ``UpdateAuthorizer``, and how it shows the time to live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MAX_TTL_SECONDS = 3_600
NO_SOURCE = "Invalid identity source specified"


def refusal_of(asked: Mapping[str, Any]) -> str | None:
    """Why an authorizer can't be made, or None.

    >>> refusal_of({"type": "TOKEN"})
    'Invalid identity source specified'
    """
    source = asked.get("identitySource")
    if asked.get("type") in ("COGNITO_USER_POOLS", "TOKEN") and not source:
        return NO_SOURCE
    if any(
        part.strip().startswith("method.request.path.") for part in str(source or "").split(",")
    ):
        return NO_SOURCE  # path parameters identify nobody (gateway 3.3)
    ttl = asked.get("authorizerResultTtlInSeconds")
    if ttl is not None and not (str(ttl).isdigit() and int(ttl) <= MAX_TTL_SECONDS):
        return f"authorizerResultTtlInSeconds must be between 0 and {MAX_TTL_SECONDS}"
    return None


def refusal_of_patch(operations: Iterable[Mapping[str, Any]]) -> str | None:
    """Why an authorizer can't be changed so, or None."""
    return refusal_of({str(op.get("path"))[1:]: op.get("value") for op in operations})


def with_number(authorizer: dict[str, Any]) -> dict[str, Any]:
    """The authorizer, its time to live no longer text.

    >>> with_number({"authorizerResultTtlInSeconds": "60"})
    {'authorizerResultTtlInSeconds': 60}
    """
    ttl = authorizer.get("authorizerResultTtlInSeconds")
    if isinstance(ttl, str) and ttl.isdigit():
        authorizer["authorizerResultTtlInSeconds"] = int(ttl)
    return authorizer
