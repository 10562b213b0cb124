"""AWS leaves out fields that are empty, where the local cloud's engine may send them empty: answers as AWS's are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import boto3


@contextmanager
def absent_fields() -> Iterator[None]:
    """While in use, ``boto3.client(...)`` gives answers without their empty fields."""
    before = boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION = _session(
        os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"]
    )
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = before


@lru_cache(maxsize=1)
def _session(_cloud: str, _key: str) -> Any:
    """One for each cloud: a new session reads all service models again."""
    session = boto3.Session()
    session.events.register("after-call", lambda parsed, **_: _strip(parsed))
    return session


def _strip(value: Any) -> None:
    """Take away None and empty lists and dictionaries, at every depth."""
    for part in list(value.values()) if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            _strip(part)
    if isinstance(value, dict):
        for key in [key for key, part in value.items() if part in (None, [], {})]:
            del value[key]
