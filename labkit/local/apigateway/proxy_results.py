"""What a function behind a proxy integration returned, as an HTTP response (gateway 1.13)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from labkit.local.messages import CONTROL_CHARACTER, Headers, Response

FORMAT_1_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
"""Of payload format 1.0."""
_REMAPPED = frozenset(
    """
    authorization connection content-length content-md5 date expect host max-forwards
    proxy-authenticate server te trailer upgrade user-agent via warn www-authenticate
    x-amzn-requestid
    """.split()
)
"""Headers that API Gateway renames in an answer (Developer Guide, "important notes"; recorded 18.25)."""
_REMAPPED_WHEN_MAPPED = _REMAPPED - {"te", "via", "warn"}
_STATUS = re.compile(r"[2-5][0-9]{2}(\.0+)?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class MalformedProxyResultError(Exception):
    """The function's result isn't a proxy response."""


def read_proxy_result(
    result: Mapping[str, Any], *, keys: Collection[str], content_type: str, decode: bool
) -> Response:
    """The response that a function's result describes.

    Args:
        result: the function's.
        keys: those that it may have.
        content_type: unless it names one.
        decode: whether a body that says so is decoded from Base64.

    Raises:
        MalformedProxyResultError: it isn't a proxy response.
    """
    if unknown := sorted(set(result) - set(keys)):
        raise MalformedProxyResultError(f"it has the unknown key {unknown[0]!r}")
    headers = _headers_in(result)
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Response(
        _status_of(result.get("statusCode", 200)), headers, _body_in(result, decode=decode)
    )


def remap_headers(headers: Headers) -> Headers:
    """The headers of a backend's answer as the client gets them: some are renamed."""
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, value)
        for name, value in headers
        if name.lower() != "transfer-encoding"
    ]


def remap_mapped_headers(headers: Headers) -> Headers:
    """The headers that an integration response maps, as the client gets them (recorded 18.19)."""
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED_WHEN_MAPPED else name, value)
        for name, value in headers
        if name.lower() != "transfer-encoding"
    ]


def header_value(value: object) -> str:
    """A header's value in a function's result.

    Raises:
        MalformedProxyResultError: it can't be one.
    """
    if isinstance(value, dict | list):
        raise MalformedProxyResultError("a header's value isn't text")
    text = value if isinstance(value, str) else json.dumps(value)
    if CONTROL_CHARACTER.search(text):
        raise MalformedProxyResultError(
            "a header's value has a line break or another control character"
        )
    return text


def _status_of(status: object) -> int:
    if isinstance(status, bool) or not isinstance(status, int | float | str):
        raise MalformedProxyResultError("its statusCode isn't a number")
    # Before str(): it may have any number of digits.
    out_of_range = isinstance(status, int) and not 200 <= status <= 599
    if out_of_range or not _STATUS.fullmatch(str(status)):
        raise MalformedProxyResultError("its statusCode isn't an HTTP status")
    return int(str(status)[:3])


def _headers_in(result: Mapping[str, Any]) -> Headers:
    found: Headers = []
    single, multi = result.get("headers"), result.get("multiValueHeaders")
    if multi is not None:
        if not isinstance(multi, dict) or not all(
            isinstance(values, list) for values in multi.values()
        ):
            raise MalformedProxyResultError("its multiValueHeaders isn't an object of lists")
        found += [(name, header_value(value)) for name, values in multi.items() for value in values]
    if single is not None:
        if not isinstance(single, dict):
            raise MalformedProxyResultError("its headers isn't an object")
        already = {name.lower() for name, _value in found}
        found += [(k, header_value(v)) for k, v in single.items() if k.lower() not in already]
    if unfit := [name for name, _value in found if not _HEADER_NAME.fullmatch(name)]:
        raise MalformedProxyResultError(f"{unfit[0]!r} isn't a header's name")
    return remap_headers(found)


def _body_in(result: Mapping[str, Any], *, decode: bool) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedProxyResultError("its body isn't text")
    if not decode or result.get("isBase64Encoded") is not True:
        return body.encode("utf-8", errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedProxyResultError("its body isn't Base64") from error
