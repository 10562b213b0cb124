"""Which attributes of a user an app client may write: ``WriteAttributes``, which MiniStack only stores.

AWS: ``CreateUserPoolClient`` in the API reference; aws-sdk-js#1084 has the refusal's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.json_protocol import ApiError

_ALWAYS_ASKED = ("custom:", "dev:")


def check_writable(client: Mapping[str, Any], attributes: Iterable[Mapping[str, str]]) -> None:
    """Check what a user writes through an app client.

    Without ``WriteAttributes`` a client may write the standard attributes, and no other.

    Args:
        client: the app client's record.
        attributes: ``Name`` and ``Value`` of each.

    Raises:
        ApiError: ``NotAuthorizedException``.

    >>> check_writable({"WriteAttributes": ["email"]}, [{"Name": "email", "Value": "a@example.com"}])
    >>> check_writable({}, [{"Name": "custom:team", "Value": "admins"}])
    Traceback (most recent call last):
    ...
    labkit.local.json_protocol.ApiError: A client attempted to write unauthorized attribute
    """
    writable = client.get("WriteAttributes") or []
    for attribute in attributes:
        name = attribute["Name"]
        if name not in writable and (writable or name.startswith(_ALWAYS_ASKED)):
            raise ApiError(
                "NotAuthorizedException", "A client attempted to write unauthorized attribute"
            )
