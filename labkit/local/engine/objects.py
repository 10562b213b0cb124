"""The objects of S3."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack


class Objects:
    """What is in the account's buckets.

    Args:
        ministack: holds them.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def read(self, bucket: str, key: str, version: str = "") -> bytes | None:
        """An object, or a version of it; None without one."""
        if not self._ministack.is_imported(names.OBJECT_DATA):
            return None
        with self._ministack.scope():
            found: bytes | None = self._ministack[names.OBJECT_DATA](bucket, key, version or None)
        return found
