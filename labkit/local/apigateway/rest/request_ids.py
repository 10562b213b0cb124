"""The ids that every answer carries (0.7): random, but no secret, so no system call makes them."""

from __future__ import annotations

import base64
import random
import re
import uuid

from labkit.local.messages import Request

_RANDOM = random.Random()  # noqa: S311 - they name requests; a system call each would take 20 µs
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def request_id_of(request: Request) -> str:
    """A client may choose the request id by sending a UUID in ``x-amzn-RequestId`` (0.7).

    >>> uuid.UUID(request_id_of(Request("GET", "/"))).version
    4
    """
    chosen = request.header("x-amzn-requestid")
    if chosen and _UUID.fullmatch(chosen):
        return chosen
    return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4))


def new_extended_request_id() -> str:
    """For ``x-amz-apigw-id``.

    >>> len(new_extended_request_id())
    16
    """
    return base64.b64encode(_RANDOM.randbytes(11)).decode()
