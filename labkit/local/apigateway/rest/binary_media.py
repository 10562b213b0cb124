"""Whether a body is binary: by the API's ``binaryMediaTypes`` (recorded 15.9-15.13)."""

from __future__ import annotations

from collections.abc import Collection


def media_type_matches(header: str | None, binary_types: Collection[str]) -> bool:
    """Whether the first media type of a ``Content-Type`` or ``Accept`` is binary; ``*/*`` makes all so.

    >>> media_type_matches("image/png, */*", ["image/png"]), media_type_matches("image/*", ["image/png"])
    (True, False)
    """
    if "*/*" in binary_types:
        return True
    first = (header or "").split(",")[0].split(";")[0].strip().lower()
    return bool(first) and first in binary_types
