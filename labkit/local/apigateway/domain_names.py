"""Custom domain names: which hosts can be one. The cloud's own can't, nor those of AWS's services."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

from labkit.local.apigateway.answers import bad_request
from labkit.local.messages import Request, Response

PATHS = ("/domainnames", "/v2/domainnames")
"""Where the operations of ``apigateway`` and ``apigatewayv2`` begin."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+(?!\d+$|0x[0-9a-f]*$){_LABEL}")
"""A name with a dot, in lower case; what ends in a number is an IP address, however it is written."""
_TAKEN = re.compile(
    r"(?:.*\.)?(?:localhost|localdomain|amazonaws\.com(?:\.cn)?|cloudfront\.net|amazoncognito\.com"
    r"|api\.aws|on\.aws)"
)
_NOT_COVERED = "The domain name to be created is not covered by the provided certificate."


def can_be_custom_domain(name: str) -> bool:
    """Whether somebody could own this host name.

    >>> [can_be_custom_domain(name) for name in ("api.example.com", "*.example.com")]
    [True, True]
    >>> [can_be_custom_domain(name) for name in ("localhost", "a.localhost", "127.1", "[::1]")]
    [False, False, False, False]
    >>> can_be_custom_domain("apigateway.us-east-1.amazonaws.com")
    False
    """
    return len(name) <= 253 and _NAME.fullmatch(name) is not None and _TAKEN.fullmatch(name) is None


async def answer_domain_name_operation(
    request: Request, forward: Callable[[Request], Awaitable[Response]]
) -> Response:
    """A call below :data:`PATHS`; a name that nobody can own is refused.

    AWS takes a name only with a certificate that covers it, and nobody gets one for these (edge E9.31).
    """
    if request.method == "POST" and request.raw_path in PATHS:
        name = _name(request.body)
        if name and not can_be_custom_domain(name):
            return bad_request(_NOT_COVERED)
    return await forward(request)


def _name(body: bytes) -> str:
    """The name that is asked for; the engine refuses a call without one."""
    try:
        name = json.loads(body)["domainName"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else repr(name)
