"""Who signed a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of an access key.

    Attributes:
        access_key_id: the key.
        secret_access_key: verifies a signature; never shown.
        session_token: what temporary credentials must come with; None for a user's key.
        arn: for example ``arn:aws:iam::123456789012:user/alice``.
        id: ``AIDA…`` or ``AROA…:session-name``.
        type: ``User``, ``AssumedRole`` or ``Root``.
        account_id: the caller's account.
        expires_at: when temporary credentials end, seconds since the epoch.
        cognito: the ``cognito*`` fields of ``requestContext.identity`` for credentials of an identity pool.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    arn: str
    id: str
    type: str
    account_id: str
    expires_at: float | None = None
    cognito: Mapping[str, str | None] = field(default_factory=dict)
