"""What authorizers returned, kept until it is too old (gateway 3.9, 13.11)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

MAX_CACHED_RESULTS = 1_024

T = TypeVar("T")


class ResultCache(Generic[T]):
    """Results by key; the oldest go when there are too many.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], tuple[float, T]] = OrderedDict()

    def find(self, key: tuple[str, ...]) -> T | None:
        """The result, unless its time is over."""
        found = self._kept.get(key)
        if found is None or self._clock() >= found[0]:
            self._kept.pop(key, None)
            return None
        return found[1]

    def keep(self, key: tuple[str, ...], ttl: float, result: T) -> None:
        """Keep a result for ``ttl`` seconds."""
        self._kept[key] = (self._clock() + ttl, result)
        self._kept.move_to_end(key)
        while len(self._kept) > MAX_CACHED_RESULTS:
            self._kept.popitem(last=False)

    def forget(self, *beginning: str) -> None:
        """Forget every result whose key begins so."""
        for key in [key for key in self._kept if key[: len(beginning)] == beginning]:
            del self._kept[key]
