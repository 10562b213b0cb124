"""The ids that every answer carries (gateway 0.7): random, but no secret."""

from __future__ import annotations

import base64
import random
import re

from labkit.local.messages import Request
from labkit.local.random_ids import new_uuid

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def request_id_of(request: Request, numbers: random.Random) -> str:
    """A client may choose the request id by sending a UUID in ``x-amzn-RequestId`` (gateway 0.7)."""
    chosen = request.header("x-amzn-requestid")
    if chosen and _UUID.fullmatch(chosen):
        return chosen
    return new_uuid(numbers)


def new_extended_request_id(numbers: random.Random) -> str:
    """For ``x-amz-apigw-id``.

    >>> len(new_extended_request_id(random.Random(1)))
    16
    """
    return base64.b64encode(numbers.randbytes(11)).decode()
