"""What a policy is asked: who wants to do what, and the condition keys of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from labkit.local.iam.pattern import Value

PrincipalKind = Literal["AWS", "CanonicalUser", "Federated", "Service"]
Name = tuple[PrincipalKind, str]
"""How an element ``Principal`` names somebody: ``("AWS", "123456789012")`` is a whole account."""

UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,}")
"""Of a user (``AIDA…``) or a role (``AROA…``): https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):")


# Neither of the two records is frozen, which takes three times as long: most requests make them.


@dataclass(slots=True)
class Principal:
    """Who asks.

    Attributes:
        type: ``aws:PrincipalType``: ``User``, ``AssumedRole``, ``Account`` (root) or ``Anonymous``; empty without one.
        arn: of the user, the root user, or the role's session; None for a service and for an anonymous caller.
        account_id: empty for an anonymous caller.
        role_arn: of a session's role.
        keys: the condition keys that describe it (``aws:username``, ``aws:PrincipalTag/…``), lower case.
        has_boundary: it has a permissions boundary.
        stands_for: the service that calls for itself, or the provider that vouches for somebody.
    """

    type: str = "Anonymous"
    arn: str | None = None
    account_id: str = ""
    role_arn: str | None = None
    keys: Mapping[str, Value] = field(default_factory=dict)
    has_boundary: bool = False
    stands_for: Name | None = None

    @property
    def own_name(self) -> Name | None:
        """How a policy names this very user, session or service; None for an anonymous caller."""
        if self.arn is None:
            return self.stands_for
        return "AWS", self.account_id if self.type == "Account" else self.arn

    @property
    def role_names(self) -> Iterator[Name]:
        """How a policy names a session's role, and the unique id of a user or a role."""
        if self.role_arn is not None:
            yield "AWS", self.role_arn
        unique_id = UNIQUE_ID.match(str(self.keys.get("aws:userid")))
        if unique_id:
            yield "AWS", unique_id[0]


ANONYMOUS = Principal()
"""A caller who didn't sign."""


@lru_cache(64)
def service_principal(name: str) -> Principal:
    """An AWS service that calls for itself; its name is in lower case."""
    return Principal(type="", stands_for=("Service", name))


def federated_principal(provider: str) -> Principal:
    """Somebody whom an identity provider vouches for."""
    return Principal(type="", stands_for=("Federated", provider))


@dataclass(slots=True)
class PolicyQuestion:
    """One question to a policy.

    Attributes:
        action: for example ``execute-api:Invoke``.
        resource: the ARN, or ``*`` for a call that is about no resource.
        region: of the request.
        time: of the request, seconds since the epoch.
        principal: who asks.
        source_ip: the client's address; None when it came through a VPC endpoint (gateway 5.12) or from a service.
        is_encrypted: it came over TLS.
        keys: further condition keys, lower case.
        spellings: other ARNs that name the same resource; what denies one of them denies the call.
    """

    action: str
    resource: str
    region: str
    time: float
    principal: Principal = field(default_factory=Principal)
    source_ip: str | None = None
    is_encrypted: bool = True
    keys: Mapping[str, Value] = field(default_factory=dict)
    spellings: Sequence[str] = ()

    def value_of(self, key: str) -> Value | None:
        """The value of a condition key, in any case; None when the request has none."""
        name = key.lower()
        if name in _GLOBAL:
            return _GLOBAL[name](self)
        found = self.principal.keys.get(name)
        return self.keys.get(name) if found is None else found


def _resource_account(question: PolicyQuestion) -> str | None:
    match = _ACCOUNT.match(question.resource)
    return match[1] if match else question.principal.account_id or None


_GLOBAL: Mapping[str, Callable[[PolicyQuestion], str | None]] = {
    "aws:currenttime": lambda asked: dt.datetime.fromtimestamp(asked.time, dt.UTC).isoformat(),
    "aws:epochtime": lambda asked: str(int(asked.time)),
    "aws:principalaccount": lambda asked: asked.principal.account_id or None,
    "aws:principalarn": lambda asked: asked.principal.role_arn or asked.principal.arn,
    "aws:principaltype": lambda asked: asked.principal.type or None,
    "aws:requestedregion": lambda asked: asked.region,
    "aws:resourceaccount": _resource_account,
    "aws:securetransport": lambda asked: "true" if asked.is_encrypted else "false",
    "aws:sourceip": lambda asked: asked.source_ip,
    "s3:resourceaccount": _resource_account,
}
