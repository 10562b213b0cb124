"""Calls to servers on this machine: nothing leaves it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from labkit.local.messages import Headers

if TYPE_CHECKING:
    import httpx

MAX_RESPONSE_BYTES = 10_485_760
_PATH_PARAMETER = re.compile(r"\{(\w+)\+?\}")
HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
)
"""Headers of one connection or message, which are never passed on."""


class LateAnswerError(Exception):
    """The server didn't answer in time."""


class UnreachableServerError(Exception):
    """The URL can't be used, nobody answers there, or the answer isn't one that can be passed on; says which."""


class LoopbackClient:
    """An HTTP client without proxies and redirects: API Gateway follows none.

    The caller looks at the URL first, with :func:`is_loopback`.
    """

    def __init__(self) -> None:
        # Opened with the first call: most lessons need none, and httpx takes a tenth of the cloud's start to import.
        self._client: httpx.AsyncClient | None = None

    async def send(
        self,
        verb: str,
        url: str,
        headers: Headers,
        body: bytes,
        timeout: float,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer.

        Raises:
            LateAnswerError: the server is late.
            UnreachableServerError: it can't be reached, isn't on this machine, or its answer is too large.
        """
        import httpx

        if not is_loopback(url):
            raise UnreachableServerError("the local cloud only calls servers on this machine")
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
            for name in (
                "accept",
                "accept-encoding",
                "user-agent",
            ):  # httpx's own, which no server gets from AWS
                del self._client.headers[name]
        try:
            request = self._client.build_request(
                verb, url, headers=headers, content=body, timeout=timeout
            )
            return await _answer(await self._client.send(request, stream=True), max_bytes)
        except httpx.TimeoutException as error:
            raise LateAnswerError from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise UnreachableServerError(type(error).__name__) from error


async def _answer(response: httpx.Response, max_bytes: int) -> tuple[int, Headers, bytes]:
    try:
        chunks, size = [], 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > max_bytes:
                raise ValueError(f"the answer is larger than {max_bytes} bytes")
            chunks.append(chunk)
    finally:
        await response.aclose()
    return response.status_code, response.headers.multi_items(), b"".join(chunks)


def is_loopback(url: str) -> bool:
    """Whether a URL names a server on this machine by address or as ``localhost``.

    >>> is_loopback("http://127.0.0.1:8000/x"), is_loopback("https://example.com/")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def with_path_parameters(uri: str, value_of: Callable[[str], str | None]) -> str:
    """A URI with the encoded path parameters that it names; a value's dots don't lead out of its place.

    >>> with_path_parameters("http://localhost/{a}/{proxy+}", {"a": "a%2Fb", "proxy": "../c"}.get)
    'http://localhost/a%2Fb/%2E%2E/c'
    """
    return _PATH_PARAMETER.sub(lambda match: _without_dots(value_of(match[1]) or ""), uri)


def encode_path_parameter(value: str) -> str:
    """A decoded value as it goes into a path; its slashes stay.

    >>> encode_path_parameter("a b/c?d")
    'a%20b/c%3Fd'
    """
    return quote(value, safe="/:@!$&'()*+,;=")


def _without_dots(value: str) -> str:
    segments = value.split("/")
    return "/".join(s.replace(".", "%2E") if s in (".", "..") else s for s in segments)
