"""HTTP requests and responses as the local cloud's parts hand them to one another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What a header must not carry: a line break would begin another header."""

NO_SUCH_HOST = "x-labkit-no-such-host"
"""Marks an answer that AWS would never give: the host name doesn't exist there (gateway 8.5)."""

Headers = list[tuple[str, str]]
"""Header names as sent (their case is kept) and values, in order; a name may come more than once."""


def first_header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value of a header, whatever the case of its name; None when it is absent.

    >>> first_header([("Host", "a"), ("X-Api-Key", "k")], "x-api-key")
    'k'
    """
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def utf8(text: str) -> bytes:
    r"""A text as bytes; half of a surrogate pair, which JSON may hold, becomes a question mark as on AWS.

    >>> utf8("\ud800 \u00e9")
    b'? \xc3\xa9'
    """
    return text.encode(errors="replace")


def without_headers(headers: Iterable[tuple[str, str]], *names: str) -> Headers:
    """The headers except the named ones (case-insensitive)."""
    dropped = {name.lower() for name in names}
    return [(key, value) for key, value in headers if key.lower() not in dropped]


@dataclass(slots=True)
class Response:
    """An HTTP response; the body is bytes."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of_json(cls, data: object, status: int = 200, headers: Headers | None = None) -> Response:
        """A JSON response in the compact form that AWS's JSON protocols use."""
        body = utf8(json.dumps(data, separators=(",", ":"), ensure_ascii=False))
        return cls(status, [("Content-Type", "application/json"), *(headers or [])], body)

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return first_header(self.headers, name)


TLS_EXTENSION = "labkit.tls"
"""Under which extension a scope of ASGI has its :class:`TlsConnection`."""


@dataclass(frozen=True, slots=True)
class TlsConnection:
    """The connection of a request that came over TLS.

    Attributes:
        server_name: the host name that the client connected to, lower case; empty without one.
        client_certificate: the client's, DER, verified against the trust store of that name; None without one.
    """

    server_name: str
    client_certificate: bytes | None = None


@dataclass
class Request:
    """An HTTP request as it came over the wire.

    Its headers aren't changed: who wants others makes another request with ``dataclasses.replace``.

    Attributes:
        method: the verb, upper case.
        raw_path: the path as sent, still percent-encoded, without the query string.
        query_string: the query string as sent, without ``?``.
        headers: as sent.
        body: the whole body.
        source_ip: the client's address.
        body_too_large: the body was over the limit and wasn't kept.
        tls: the connection; None for a plain one.
    """

    method: str
    raw_path: str
    query_string: str = ""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    body_too_large: bool = False
    tls: TlsConnection | None = None

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded once."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters, decoded, in order; blank values are kept."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    @cached_property
    def _first_values(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), value)
        return found

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return self._first_values.get(name.lower())

    def count(self, header: str) -> int:
        """How many times a header came; its name in lower case."""
        return sum(name.lower() == header for name, _value in self.headers)

    @cached_property
    def host(self) -> str:
        """The ``Host`` header without the port, lower case; empty when absent."""
        host = (self.header("host") or "").lower()
        return host.rsplit(":", 1)[0] if ":" in host else host


def sendable(response: Response) -> Response:
    """The response without what HTTP can't carry: a request's value with a line break must not end up in a header."""
    if not 200 <= response.status <= 599:
        return Response.of_json({"message": "Internal server error"}, 500)
    response.headers = [
        (name, value.strip())
        for name, value in response.headers
        if not CONTROL_CHARACTER.search(name + value)
    ]
    if response.status in (204, 304):
        response.body = b""
    return response
