"""Custom domain names: which hosts can be one. The cloud's own can't, nor those of AWS's services."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+(?!\d+$|0x[0-9a-f]*$){_LABEL}")
"""A name with a dot, in lower case; what ends in a number is an IP address, however it is written."""
_TAKEN = re.compile(
    r"(?:.*\.)?(?:localhost|localdomain|amazonaws\.com(?:\.cn)?|cloudfront\.net|amazoncognito\.com"
    r"|api\.aws|on\.aws)"
)


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
