"""What IAM and STS know of roles and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit.local.iam.pattern import Value


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Attributes:
        arn: its ``Arn``.
        id: its ``RoleId``, ``AROA…``: another role of the same name has another one.
        trust_policy: its ``AssumeRolePolicyDocument``, as it is stored.
    """

    arn: str
    id: str
    trust_policy: object


@dataclass(frozen=True, slots=True)
class IdentityPoolSession:
    """What a session that an identity pool began differs in.

    Attributes:
        identity_pool_id: the pool.
        identity_id: the identity.
        provider: ``cognitoAuthenticationProvider`` in events; None for a guest.
        policy: the session policy that the pool adds.
        condition_keys: what policies may ask of the session, lower case.
    """

    identity_pool_id: str
    identity_id: str
    provider: str | None
    policy: Mapping[str, Any]
    condition_keys: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """Credentials of a session.

    Attributes:
        access_key_id: ``ASIA…``.
        secret_access_key: never shown.
        session_token: must come with the signature.
        expires_at: seconds since the epoch.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: float
