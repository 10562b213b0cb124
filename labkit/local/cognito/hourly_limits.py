"""How many calls of an operation a user has in an hour: for codes, and for guesses at them.

Facts: cognito 11.9, 17.3.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from labkit.local.json_protocol import ApiError

_HOUR = 3600.0
_CALLS = {
    "ChangePassword": 5,
    "ConfirmForgotPassword": 5,
    "ConfirmSignUp": 15,
    "ForgotPassword": 5,
    "GetUserAttributeVerificationCode": 5,
    "ResendConfirmationCode": 5,
    "VerifyUserAttribute": 15,
}


class HourlyLimits:
    """Counts calls by operation and user, also for a name that nobody has; thread-safe.

    Args:
        clock: seconds since the epoch.
        limit: how many pairs of operation and user are remembered; the one that has rested longest goes first.
    """

    def __init__(self, *, clock: Callable[[], float], limit: int = 20_000) -> None:
        self._clock = clock
        self._limit = limit
        self._calls: OrderedDict[tuple[str, str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, operation: str, pool_id: str, username: str) -> None:
        """Count a call.

        Raises:
            ApiError: the user has none left in this hour; the call isn't counted.
        """
        now, key = self._clock(), (operation, pool_id, username.casefold())
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            self._calls.move_to_end(key)
            while len(self._calls) > self._limit:
                self._calls.popitem(last=False)
            while calls and now >= calls[0] + _HOUR:
                calls.popleft()
            if len(calls) >= _CALLS[operation]:
                raise ApiError(
                    "LimitExceededException", "Attempt limit exceeded, please try after some time."
                )
            calls.append(now)
