"""Requests as bytes, for what no HTTP client would send."""

from __future__ import annotations

import contextlib
import re
import socket
from urllib.parse import urlsplit

from tests.support.gateway import STAGE
from tests.support.patience import PATIENCE
from tests.support.running_cloud import Cloud


def get(api_id: str, path: bytes, *headers: bytes) -> bytes:
    """A GET below the stage, after which the connection closes."""
    lines = [
        b"GET /" + STAGE.encode() + path + b" HTTP/1.1",
        b"Host: " + f"{api_id}.execute-api.us-east-1.amazonaws.com".encode(),
        b"Connection: close",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def exchange(cloud: Cloud, request: bytes) -> bytes:
    """Everything that the cloud answers until it closes the connection."""
    port = urlsplit(cloud.endpoint).port
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):  # it may have answered and closed already
            connection.sendall(request)
        with contextlib.suppress(ConnectionError):
            while received := connection.recv(65_536):
                answer += received
    return answer


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 when the cloud closed the connection without one."""
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert match or not answer, answer[:200]
    return int(match[1]) if match else 0
