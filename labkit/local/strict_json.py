"""JSON as RFC 8259 has it, for what comes from outside: two readers must not see two things in one text."""

from __future__ import annotations

from typing import Any

from labkit.tokens.decoding import read_json


def read_strict_json(text: bytes | str) -> Any:
    """JSON in UTF-8: no ``NaN``, no byte order mark, and no name twice in an object.

    Raises:
        ValueError: it isn't.
        RecursionError: it is nested too deeply.

    >>> read_strict_json('{"a": [1, null]}')
    {'a': [1, None]}
    >>> read_strict_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: a comes twice
    """
    repeated: list[str] = []
    data = read_json(text.encode() if isinstance(text, str) else text, repeated)
    if repeated:
        raise ValueError(f"{repeated[0]} comes twice")
    return data
