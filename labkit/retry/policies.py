"""What a client does when it is throttled: whether it tries again, and when.

Full jitter and why: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
What the AWS SDKs do: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Pacer(Protocol):
    """Holds requests back before they are sent."""

    def hold(self, now: float) -> float:
        """Reserve a place; the seconds until the request may be sent."""


class RetryPolicy(Protocol):
    """What a client does."""

    @property
    def name(self) -> str:
        """How tables and pictures call it."""

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """The seconds to wait after so many failures of a request; None gives up."""

    def pacer(self) -> Pacer | None:
        """What holds the requests of one run back; None sends them at once."""


class _SendsAtOnce:
    def pacer(self) -> Pacer | None:
        """Requests are sent at once."""
        return None


@dataclass(frozen=True, slots=True)
class NoRetry(_SendsAtOnce):
    """One try."""

    name: str = "none"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """Give up."""
        return None


@dataclass(frozen=True, slots=True)
class Fixed(_SendsAtOnce):
    """Always the same wait: clients that failed together come again together."""

    seconds: float = 0.5
    attempts: int = 8
    name: str = "fixed"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """The same seconds every time."""
        return self.seconds if failures < self.attempts else None


@dataclass(frozen=True, slots=True)
class Exponential(_SendsAtOnce):
    """Twice the wait after each failure, up to ``cap``: fewer tries, but still all at the same moment.

    >>> policy = Exponential(base=0.1, cap=0.5)
    >>> [policy.wait(failures, None) for failures in (1, 2, 3, 4)]
    [0.1, 0.2, 0.4, 0.5]
    """

    base: float = 0.25
    cap: float = 20.0
    attempts: int = 8
    name: str = "exponential"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """``min(cap, base * 2 ** (failures - 1))``."""
        return self.ceiling(failures) if failures < self.attempts else None

    def ceiling(self, failures: int) -> float:
        """The wait without jitter."""
        return float(min(self.cap, self.base * 2 ** min(failures - 1, 60)))


@dataclass(frozen=True, slots=True)
class FullJitter(Exponential):
    """Any wait from 0 to the exponential one, by chance: the clients spread out."""

    name: str = "full jitter"

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """``random(0, min(cap, base * 2 ** (failures - 1)))``."""
        if failures >= self.attempts:
            return None
        return float(random.uniform(0.0, Exponential.ceiling(self, failures)))


@dataclass(frozen=True, slots=True)
class ClientBucket:
    """A token bucket in the client: it doesn't send what the gateway would refuse.

    Attributes:
        rate: requests a second.
        burst: how many at once.
        then: what to do when the gateway refuses nevertheless.
    """

    rate: float
    burst: float
    then: RetryPolicy = field(default_factory=FullJitter)
    name: str = "client's bucket"

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.burst >= 1):
            raise ValueError("A client's bucket needs a rate above 0 and a burst of at least 1.")

    def wait(self, failures: int, random: np.random.Generator) -> float | None:
        """As the other policy does; the retry then waits for a token too."""
        return self.then.wait(failures, random)

    def pacer(self) -> Pacer:
        """A full bucket."""
        return _Reservations(self.rate, self.burst)


class _Reservations:
    """A token bucket that hands out tokens of the future, first come, first served.

    It keeps the time at which the bucket would be full again if nobody came, the "theoretical arrival time" of the
    generic cell rate algorithm: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._interval = 1 / rate
        self._ahead = (burst - 1) / rate
        self._full_at = float("-inf")

    def hold(self, now: float) -> float:
        full_at = max(self._full_at, now)
        self._full_at = full_at + self._interval
        return max(0.0, full_at - self._ahead - now)
