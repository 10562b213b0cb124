"""What a function's event has in common on REST APIs and, in payload format 1.0, on HTTP APIs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.iam.caller import Caller


def request_time(seconds: float) -> str:
    """``$context.requestTime``, in Common Log Format.

    >>> request_time(0)
    '01/Jan/1970:00:00:00 +0000'
    """
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def identity_of(caller: Caller | None, source_ip: str, user_agent: str | None) -> dict[str, Any]:
    """``requestContext.identity``: every field is there, null when it doesn't apply (gateway 4.22, 4.23)."""
    return {
        "accessKey": caller.access_key_id if caller else None,
        "accountId": caller.account_id if caller else None,
        "caller": caller.id if caller else None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": source_ip,
        "user": caller.id if caller else None,
        "userAgent": user_agent,
        "userArn": caller.arn if caller else None,
        **(caller.cognito if caller else {}),
    }


def listed(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Name → its values in order, as in ``multiValueHeaders``.

    >>> listed([("a", "1"), ("b", "2"), ("a", "3")])
    {'a': ['1', '3'], 'b': ['2']}
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def last_of(values: Mapping[str, list[str]]) -> dict[str, str]:
    """Name → its last value, as in ``headers``.

    >>> last_of({"a": ["1", "3"], "b": ["2"]})
    {'a': '3', 'b': '2'}
    """
    return {name: found[-1] for name, found in values.items()}
