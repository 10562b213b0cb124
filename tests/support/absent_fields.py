"""AWS leaves out fields that are empty, where the local cloud's engine may send them empty: answers as AWS's are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3


@contextmanager
def absent_fields() -> Iterator[None]:
    """While in use, ``boto3.client(...)`` gives answers without their empty fields."""
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("after-call", lambda parsed, **_: _strip(parsed))
    try:
        yield
    finally:
        boto3.setup_default_session()


def _strip(value: Any) -> None:
    """Take away None and empty lists and dictionaries, at every depth."""
    for part in list(value.values()) if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            _strip(part)
    if isinstance(value, dict):
        for key in [key for key, part in value.items() if part in (None, [], {})]:
            del value[key]
