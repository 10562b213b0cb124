"""Throttling as API Gateway does it: a token bucket, one token a request.

The one model of it: the local gateway decides with it, ``labkit.bursts.simulation`` predicts with it and the notebooks
draw it. Nothing here is heavy, for the gateway imports it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WHOLE_TOKEN = 1 - 1e-9
"""A level that misses a whole token only by the rounding of floating point counts as whole."""


@dataclass(slots=True)
class TokenBucket:
    """A bucket of ``burst`` tokens that refills with ``rate`` tokens a second; it starts full.

    In any span of t seconds it lets no more than ``burst + rate * t`` requests pass.

    Attributes:
        rate: tokens a second.
        burst: the bucket's size in tokens.

    >>> bucket = TokenBucket(rate=2, burst=3)
    >>> [bucket.take(0.0) for _ in range(4)]
    [True, True, True, False]
    >>> bucket.take(0.5)
    True
    """

    rate: float
    burst: float
    _level: float = field(default=-1.0, repr=False)
    _at: float = field(default=float("-inf"), repr=False)

    def __post_init__(self) -> None:
        if self.rate < 0 or self.burst < 0:
            raise ValueError("A bucket's rate and burst can't be negative.")
        self._level = float(self.burst)

    def level(self, now: float) -> float:
        """The tokens in the bucket at a time, in seconds; time never runs backwards here."""
        if now > self._at:
            if self._at != float("-inf"):
                self._level = min(float(self.burst), self._level + (now - self._at) * self.rate)
            self._at = now
        return self._level

    def has_token(self, now: float) -> bool:
        """Whether there is a whole token at a time."""
        return self.level(now) >= WHOLE_TOKEN

    def take(self, now: float) -> bool:
        """Take a token, if there is a whole one.

        Args:
            now: the time of the request in seconds.

        Returns:
            Whether the request may pass.
        """
        if not self.has_token(now):
            return False
        self._level = max(0.0, self._level - 1)
        return True


def take_from_all(buckets: Mapping[str, TokenBucket], now: float) -> str | None:
    """Take one token from each bucket, or none from any.

    Args:
        buckets: the layer's name → its bucket, in the order in which the layers apply.
        now: the time of the request in seconds.

    Returns:
        The name of the first layer without a token, or None when the request may pass.
    """
    empty = [name for name, bucket in buckets.items() if not bucket.has_token(now)]
    if empty:
        return empty[0]
    for bucket in buckets.values():
        bucket.take(now)
    return None
