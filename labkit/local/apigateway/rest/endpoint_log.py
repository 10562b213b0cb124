"""The execution log's lines about a backend (gateway 12.3)."""

from __future__ import annotations

import time

from labkit.local.apigateway.rest.call import RestCall
from labkit.local.messages import Headers

_SHOWN = 900


def log_request(call: RestCall, uri: str, headers: str, body: str) -> None:
    """What is sent; a long body is cut."""
    if call.log is None:
        return
    cut = f"{body[:_SHOWN]} [TRUNCATED]" if len(body) > _SHOWN else body
    call.write(f"Endpoint request URI: {uri}")
    call.write(f"Endpoint request headers: {headers}")
    call.write(f"Endpoint request body after transformations: {cut}")
    call.write(f"Sending request to {uri}")


def log_answer(call: RestCall, status: int, headers: str, body: str, started: float) -> None:
    """What came back; `started` is of ``time.perf_counter``."""
    if call.log is None:
        return
    milliseconds = int((time.perf_counter() - started) * 1000)
    call.write(f"Received response. Status: {status}, Integration latency: {milliseconds} ms")
    call.write(f"Endpoint response headers: {headers}")
    call.write(f"Endpoint response body before transformations: {body}")


def show_headers(headers: Headers) -> str:
    """Headers as the log shows them.

    >>> show_headers([("Accept", "a"), ("X", "b")])
    '{Accept=a, X=b}'
    """
    return "{" + ", ".join(f"{name}={value}" for name, value in headers) + "}"
