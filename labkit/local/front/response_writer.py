"""Writes a response to an ASGI server, with the headers that every answer of AWS has."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from labkit.local.messages import Response
from labkit.local.random_ids import new_uuid

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ResponseWriter:
    """Writes responses.

    Args:
        clock: seconds since the epoch, for ``Date``.
        numbers: for the ids of requests that have none yet.
    """

    def __init__(self, clock: Callable[[], float], numbers: random.Random) -> None:
        self._clock = clock
        self._numbers = numbers

    async def write(self, response: Response, send: Send, *, head: bool) -> None:
        """Send the response; without its body for a HEAD."""
        names = {name.lower() for name, _value in response.headers}
        headers = list(response.headers)
        if "content-length" not in names:
            headers.append(("Content-Length", str(len(response.body))))
        if "date" not in names:
            headers.append(("Date", _http_date(int(self._clock()))))
        if "x-amzn-requestid" not in names and "apigw-requestid" not in names:
            headers.append(("x-amzn-RequestId", new_uuid(self._numbers)))
        encoded = [
            (k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if head else response.body})


@lru_cache(1)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
