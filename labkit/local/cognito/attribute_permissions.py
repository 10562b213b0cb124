"""Which attributes of a user an app client may write and read: ``WriteAttributes`` and ``ReadAttributes``.

AWS: ``CreateUserPoolClient`` in the API reference; aws-sdk-js#1084 and #3603 have the refusal's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.cognito.attribute_schema import is_verified_flag
from labkit.local.json_protocol import ApiError

_ALWAYS_ASKED = ("custom:", "dev:")


def check_writable(client: Mapping[str, Any], names: Iterable[str]) -> None:
    """Check what a user writes through an app client.

    Without ``WriteAttributes`` a client may write the standard attributes, and no other. No user writes that an
    address is verified.

    Args:
        client: the app client's record.
        names: of the attributes.

    Raises:
        ApiError: ``NotAuthorizedException``.

    >>> check_writable({"WriteAttributes": ["email"]}, ["email"])
    >>> check_writable({}, ["custom:team"])
    Traceback (most recent call last):
    ...
    labkit.local.json_protocol.ApiError: A client attempted to write unauthorized attribute
    """
    writable = client.get("WriteAttributes") or []
    for name in names:
        unlisted = name not in writable and (writable or name.startswith(_ALWAYS_ASKED))
        if unlisted or is_verified_flag(name) or name == "sub":
            raise ApiError(
                "NotAuthorizedException", "A client attempted to write unauthorized attribute"
            )


def check_lists(pool: Mapping[str, Any], client: Mapping[str, Any], doing: str) -> None:
    """Check what an app client is to read and write (cognito 16.12).

    Args:
        pool: the user pool's record.
        client: with ``ReadAttributes`` and ``WriteAttributes``.
        doing: ``creating`` or ``updating``.

    Raises:
        ApiError: ``InvalidParameterException``: the schema doesn't have it, or nobody may write it.
    """
    known = {one["Name"] for one in pool["SchemaAttributes"]}
    for name in client.get("ReadAttributes") or ():
        if name not in known:
            raise _invalid("read", doing)
    for name in client.get("WriteAttributes") or ():
        if name not in known or is_verified_flag(name) or name == "sub":
            raise _invalid("write", doing)


def _invalid(what: str, doing: str) -> ApiError:
    words = f"Invalid {what} attributes specified while {doing} a client"
    return ApiError("InvalidParameterException", words)


def is_readable(client: Mapping[str, Any], name: str) -> bool:
    """Whether an app client may read an attribute; without ``ReadAttributes`` the standard ones (cognito 16.5).

    >>> is_readable({}, "email"), is_readable({}, "custom:team"), is_readable({"ReadAttributes": ["name"]}, "sub")
    (True, False, True)
    """
    readable = client.get("ReadAttributes") or []
    if name in ("sub", "identities"):
        return True
    return name in readable if readable else not name.startswith(_ALWAYS_ASKED)
