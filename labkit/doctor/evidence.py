"""What there is to go by: an answer, and the request that it answers, read without trusting either."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from labkit.doctor.redaction import secrets_of

_MESSAGE_KEYS = ("message", "Message", "errorMessage")
_LONGEST_TEXT = 100_000


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
    def signed_headers(self) -> list[str]:
        """The names that a Signature v4 covers; empty without one."""
        found = re.search(r"SignedHeaders=([^,\s]+)", self.headers.get("authorization", ""))
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
        request: what was sent.
    """

    status: int | None
    headers: Mapping[str, str]
    body: str
    data: Any = None
    error_type: str = ""
    message: str | None = None
    null_message: bool = False
    redirected: bool = False
    request: SentRequest = SentRequest()

    @property
    def is_html(self) -> bool:
        """Whether it is a page, such as CloudFront's own."""
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[
            :9
        ].lower().startswith(("<!doctype", "<html"))

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
    if isinstance(answer, str):
        return _of_text(answer)
    if isinstance(answer, Mapping):
        return _of_aws_result(answer)
    carried = _get(answer, "response")
    if isinstance(answer, BaseException) and isinstance(carried, Mapping):
        return _of_aws_result(carried)
    if isinstance(answer, BaseException) and carried is not None and _get(carried, "status_code"):
        return _of_response(carried)  # requests' HTTPError
    if isinstance(answer, BaseException):
        return Evidence(
            None, {}, str(answer), error_type=type(answer).__name__, message=str(answer)
        )
    return _of_response(answer)


def _of_text(text: str) -> Evidence:
    """A text that somebody copied: a body, or a line of a log or of a browser's console."""
    data = _json(text)
    if not isinstance(data, dict):
        return Evidence(None, {}, text, message=text)
    return _of_body(None, {}, text, data)


def _of_aws_result(result: Mapping[str, Any]) -> Evidence:
    """A boto3 result, or what a ``ClientError`` carries."""
    metadata = _mapping(result.get("ResponseMetadata"))
    error = _mapping(result.get("Error"))
    message = error.get("Message")
    return Evidence(
        status=_status(metadata.get("HTTPStatusCode")),
        headers=_headers(metadata.get("HTTPHeaders")),
        body="",
        data=dict(result),
        error_type=_bare_type(str(error.get("Code") or "")),
        message=None if message is None else str(message),
    )


def _of_response(response: object) -> Evidence:
    text = _get(response, "text")
    body = text[:_LONGEST_TEXT] if isinstance(text, str) else ""
    status = _status(_get(response, "status_code"))
    headers = _headers(_get(response, "headers"))
    request = _request(_get(response, "request"))
    redirected = bool(_get(response, "history"))
    return _of_body(status, headers, body, _json(body), request=request, redirected=redirected)


def _of_body(
    status: int | None, headers: Mapping[str, str], body: str, data: Any, **rest: Any
) -> Evidence:
    fields = data if isinstance(data, dict) else {}
    key = next((key for key in _MESSAGE_KEYS if key in fields), "")
    value = fields.get(key)
    error_type = headers.get("x-amzn-errortype") or fields.get("__type") or ""
    return Evidence(
        status=status,
        headers=headers,
        body=body,
        data=data,
        error_type=_bare_type(str(error_type)),
        message=None if value is None else str(value),
        null_message=bool(key) and value is None,
        **rest,
    )


def _request(sent: object) -> SentRequest:
    if sent is None:
        return SentRequest()
    headers = _headers(_get(sent, "headers"))
    try:
        parts = urlsplit(str(_get(sent, "url") or ""))
        host, path, query = parts.hostname or "", parts.path, parts.query
    except ValueError:
        host = path = query = ""
    body = _get(sent, "body")
    named = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    return SentRequest(
        known=True,
        method=str(_get(sent, "method") or "").upper(),
        host=(named or host).lower(),
        path=path,
        query=query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"",
    )


def _get(thing: object, name: str) -> Any:
    """An attribute of something that may not have it, or may fail to make it."""
    return _quietly(lambda: getattr(thing, name, None))


def _json(text: str) -> Any:
    return _quietly(lambda: json.loads(text)) if text.lstrip()[:1] in ("{", "[") else None


def _quietly(read_it: Callable[[], Any]) -> Any:
    try:
        return read_it()
    except (ValueError, TypeError, RuntimeError, LookupError, AttributeError, OSError):
        return None


def _status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _headers(headers: object) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        return {}
    return {_plain(name).lower(): _plain(value) for name, value in headers.items()}


def _plain(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _bare_type(text: str) -> str:
    """``com.amazonaws…#ForbiddenException:http://…`` → ``ForbiddenException``."""
    return text.rpartition("#")[2].partition(":")[0].strip()
