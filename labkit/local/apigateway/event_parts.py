"""What both doors tell a backend: the request's headers, and parts of a function's event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.loopback import HOP_BY_HOP
from labkit.local.iam.caller import Caller
from labkit.local.messages import Headers, Request

_SET_BY_THE_GATEWAY = ("host", "x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto")
DROPPED = frozenset((*_SET_BY_THE_GATEWAY, *HOP_BY_HOP))
"""What no backend gets as the client sent it; lower case."""


def request_time(seconds: float) -> str:
    """``$context.requestTime``, in Common Log Format.

    >>> request_time(0)
    '01/Jan/1970:00:00:00 +0000'
    """
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def forwarded_headers(call: GatewayCall, dropped: frozenset[str] = DROPPED) -> Headers:
    """The request's headers as a backend gets them, names as they were sent (gateway 10.3).

    A signature is dropped (gateway 4.24). The client's address comes behind whatever chain the client
    sent: only the last is true (edge E2.17).
    """
    request = call.request
    if has_signature(request):
        dropped = dropped | {"authorization"}
    chain: list[str] = []
    kept: Headers = []
    for name, value in request.headers:
        lower = name.lower()
        if lower == "x-forwarded-for":
            chain.append(value)
        elif lower not in dropped:
            kept.append((name, value))
    return [
        *kept,
        ("Host", call.domain_name),
        ("X-Amzn-Trace-Id", call.trace_id),
        ("X-Forwarded-For", ", ".join([*chain, request.source_ip])),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def has_signature(request: Request) -> bool:
    """Whether ``Authorization`` holds a Signature v4."""
    return (request.header("authorization") or "").startswith("AWS4-")


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
