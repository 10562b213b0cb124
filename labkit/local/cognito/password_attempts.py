"""How often a password may be guessed: after five wrong ones each further one locks for twice as long.

Facts: cognito 11.1.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from labkit.local.json_protocol import ApiError

_FREE_ATTEMPTS = 5
_LONGEST_LOCKOUT = 900.0
_FORGIVEN_AFTER = 900.0


@dataclass(slots=True)
class _Attempts:
    wrong: int
    locked_until: float
    last_at: float


class PasswordAttempts:
    """Counts wrong passwords, also those for a name that nobody has; thread-safe.

    Args:
        clock: seconds since the epoch.
        limit: how many names are remembered; the one that has rested longest goes first.
    """

    def __init__(self, *, clock: Callable[[], float], limit: int = 20_000) -> None:
        self._clock = clock
        self._limit = limit
        self._attempts: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, pool_id: str, name: str) -> None:
        """Refuse an attempt during a lockout; it doesn't make the lockout longer.

        Raises:
            ApiError: the name is locked.
        """
        with self._lock:
            attempts = self._attempts.get((pool_id, name))
            if attempts is not None and self._clock() < attempts.locked_until:
                raise ApiError("NotAuthorizedException", "Password attempts exceeded")

    def count_wrong(self, pool_id: str, name: str) -> None:
        """Note a wrong password."""
        now, key = self._clock(), (pool_id, name)
        with self._lock:
            attempts = self._attempts.get(key)
            if attempts is None or now >= attempts.last_at + _FORGIVEN_AFTER:
                attempts = self._attempts[key] = _Attempts(0, 0.0, now)
            attempts.wrong += 1
            attempts.last_at = now
            if attempts.wrong >= _FREE_ATTEMPTS:
                seconds = 2.0 ** min(attempts.wrong - _FREE_ATTEMPTS, 10)
                attempts.locked_until = now + min(seconds, _LONGEST_LOCKOUT)
            self._attempts.move_to_end(key)
            while len(self._attempts) > self._limit:
                self._attempts.popitem(last=False)

    def forget(self, pool_id: str, name: str) -> None:
        """Begin anew after a right password."""
        with self._lock:
            self._attempts.pop((pool_id, name), None)
