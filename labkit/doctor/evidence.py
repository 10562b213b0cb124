"""What there is to go by: an answer, and the request that it answers, read without trusting either."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from labkit.doctor.redaction import secrets_of
from labkit.names import is_local_cloud_chosen

_MESSAGE_KEYS = ("message", "Message", "errorMessage")
_LONGEST_TEXT = 100_000
_EXECUTE_API_HOST = re.compile(
    r"(?P<api_id>[a-z0-9]+)(?:-vpce-\w+)?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The request, as far as it is known.

    Attributes:
        known: whether anything is known of it.
        method: the verb, upper case.
        host: without the port, lower case.
        path: as sent.
        query: as sent, without ``?``.
        headers: names in lower case.
        body: what was sent.
    """

    known: bool = False
    method: str = ""
    host: str = ""
    path: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def api(self) -> dict[str, str]:
        """``api_id`` and ``region``, if the host is an API's own; else empty."""
        found = _EXECUTE_API_HOST.fullmatch(self.host)
        return found.groupdict() if found else {}

    @property
    def authorization(self) -> str:
        """The ``Authorization`` header; empty without one."""
        return self.headers.get("authorization", "")

    @property
    def is_signed(self) -> bool:
        """Whether it has a Signature v4."""
        in_query = "X-Amz-Signature=" in self.query
        return self.authorization.startswith("AWS4-") or in_query

    @property
    def signed_headers(self) -> list[str]:
        """The names that a Signature v4 covers; empty without one."""
        found = re.search(r"SignedHeaders=([^,\s]+)", self.authorization)
        return found[1].lower().split(";") if found else []


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answer, taken apart.

    Attributes:
        status: the HTTP status; None for a text or an exception without one.
        headers: names in lower case.
        body: the text.
        data: the body as JSON; None when it isn't.
        error_type: ``x-amzn-ErrorType``, ``__type`` or boto3's error code, without its ornaments.
        message: the message; None when there is none.
        null_message: whether the message is ``null``.
        redirected: whether the client followed a redirect.
        left_the_lab: whether it was sent to AWS although the lab's cloud is on this machine.
        request: what was sent.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    data: Any = None
    error_type: str = ""
    message: str | None = None
    null_message: bool = False
    redirected: bool = False
    left_the_lab: bool = False
    request: SentRequest = SentRequest()

    @property
    def is_html(self) -> bool:
        """Whether it is a page, such as CloudFront's own."""
        begin = self.body.lstrip()[:9].lower()
        typed = "html" in self.headers.get("content-type", "").lower()
        return typed or begin.startswith(("<!doctype", "<html"))

    @property
    def refused(self) -> bool:
        """Whether it is anything but a success."""
        return self.status is None or not 200 <= self.status < 400

    @property
    def text(self) -> str:
        """The message, or the body when it has none."""
        return self.body if self.message is None else self.message

    def secrets(self) -> set[str]:
        """What must not be shown."""
        return secrets_of(self.request.headers) | secrets_of(self.headers)


def read(answer: object) -> Evidence:
    """Take an answer apart.

    Args:
        answer: a ``requests.Response``, a boto3 ``ClientError`` or result, another exception, or a text.

    >>> read('{"Message":"User: anonymous is not authorized"}').message
    'User: anonymous is not authorized'
    >>> read("Signature expired").message
    'Signature expired'
    """
    # boto3's ClientError carries a result, requests' HTTPError a response.
    carried = getattr(answer, "response", None) if isinstance(answer, BaseException) else answer
    if isinstance(carried, requests.Response):
        return _of_response(carried)
    if isinstance(carried, Mapping):
        return _of_aws_result(carried)
    if isinstance(answer, BaseException):
        return _of_exception(answer)
    text = str(answer)
    evidence = _of_body(text)
    return evidence if isinstance(evidence.data, dict) else Evidence(body=text, message=text)


def _of_exception(error: BaseException) -> Evidence:
    """An exception without an answer; a client that reached nobody may still have its request."""
    found = getattr(error, "request", None)
    sent = found if isinstance(found, requests.PreparedRequest) else None
    # requests wraps what urllib3 says of a connection; who stays in the lab makes none.
    tried = any(isinstance(cause, HTTPError) for cause in error.args)
    return Evidence(
        error_type=type(error).__name__,
        message=str(error),
        left_the_lab=tried and _is_outside(sent),
        request=_request(sent),
    )


def _is_outside(sent: requests.PreparedRequest | None) -> bool:
    """Whether a request to this address leaves the lab, unless the lab itself sends it."""
    host = urlsplit((sent and sent.url) or "").hostname or ""
    return is_local_cloud_chosen() and host.endswith((".amazonaws.com", ".cloudfront.net"))


def _of_aws_result(result: Mapping[str, Any]) -> Evidence:
    """A boto3 result, or what a ``ClientError`` carries."""
    metadata, error = (_mapping(result.get(name)) for name in ("ResponseMetadata", "Error"))
    status, message = metadata.get("HTTPStatusCode"), error.get("Message")
    return Evidence(
        status=status if isinstance(status, int) else None,
        headers=_headers(_mapping(metadata.get("HTTPHeaders"))),
        data=dict(result),
        error_type=_bare_type(error.get("Code")),
        message=None if message is None else str(message),
    )


def _of_response(response: requests.Response) -> Evidence:
    try:
        body = response.text[:_LONGEST_TEXT]
    except (RuntimeError, OSError):  # it was streamed, or broke off
        body = ""
    adapter = getattr(response, "connection", None)  # which requests notes, if somebody sent it
    stays = adapter is None or getattr(adapter, "stays_in_the_lab", False)
    return _of_body(
        body,
        status=response.status_code,
        headers=_headers(response.headers),
        request=_request(response.request),
        redirected=bool(response.history),
        left_the_lab=not stays and _is_outside(response.request),
    )


def _of_body(body: str, headers: Mapping[str, str] | None = None, **rest: Any) -> Evidence:
    data = None
    if body.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            data = json.loads(body)
    fields = _mapping(data)
    key = next((key for key in _MESSAGE_KEYS if key in fields), "")
    value = fields.get(key)
    headers = headers or {}
    return Evidence(
        headers=headers,
        body=body,
        data=data,
        error_type=_bare_type(headers.get("x-amzn-errortype") or fields.get("__type")),
        message=None if value is None else str(value),
        null_message=bool(key) and value is None,
        **rest,
    )


def _request(sent: requests.PreparedRequest | None) -> SentRequest:
    if sent is None:
        return SentRequest()
    headers, url, body = _headers(sent.headers or {}), urlsplit(sent.url or ""), sent.body
    named = headers.get("host", "").partition(":")[0]
    return SentRequest(
        known=True,
        method=(sent.method or "").upper(),
        host=(named or url.hostname or "").lower(),
        path=url.path,
        query=url.query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"",
    )


def _headers(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in headers.items()
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _bare_type(text: object) -> str:
    """``com.amazonaws…#ForbiddenException:http://…`` → ``ForbiddenException``."""
    return str(text or "").rpartition("#")[2].partition(":")[0].strip()
