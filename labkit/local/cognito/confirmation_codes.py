"""The codes of six digits that Cognito mails: for a sign-up, a password and an attribute.

Facts: cognito 11.9, 11.10, 17.4.
"""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from labkit.local.engine import User, UserPool
from labkit.local.json_protocol import ApiError

Purpose = Literal["sign-up", "password", "attribute"]

_DIGITS = 6
_DAY = 86_400.0
_LIFETIMES: dict[Purpose, float] = {"sign-up": _DAY, "password": 3600.0, "attribute": _DAY}


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code that waits for its user.

    Attributes:
        code: the digits.
        address: where it was sent; an attribute that waits for it takes this value.
        expires_at: seconds since the epoch.
    """

    code: str = field(repr=False)
    address: str = field(repr=False)
    expires_at: float


class ConfirmationCodes:
    """The newest code of each user and purpose; thread-safe.

    Args:
        clock: seconds since the epoch.
        draw_digits: that many random digits.
        limit: how many codes wait; the oldest goes first.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        draw_digits: Callable[[int], str],
        limit: int = 20_000,
    ) -> None:
        self._clock = clock
        self._draw_digits = draw_digits
        self._limit = limit
        self._codes: OrderedDict[tuple[str, str, Purpose], IssuedCode] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, pool: UserPool, user: User, purpose: Purpose, address: str) -> str:
        """A new code, which takes the place of an earlier one."""
        code = self._draw_digits(_DIGITS)
        key = _key(pool, user, purpose)
        with self._lock:
            self._codes.pop(key, None)
            expires_at = self._clock() + _LIFETIMES[purpose]
            self._codes[key] = IssuedCode(code, address, expires_at)
            while len(self._codes) > self._limit:
                self._codes.popitem(last=False)
        return code

    def check(self, pool: UserPool, user: User, purpose: Purpose, given: str) -> IssuedCode:
        """The code that was given, which stays valid until it is :meth:`used <forget>`.

        Raises:
            ApiError: there is none, it is too late, or it is another.
        """
        with self._lock:
            issued = self._codes.get(_key(pool, user, purpose))
        if issued is None or self._clock() >= issued.expires_at:
            raise ApiError(
                "ExpiredCodeException", "Invalid code provided, please request a code again."
            )
        if not hmac.compare_digest(issued.code.encode(), given.encode()):
            raise wrong_code()
        return issued

    def pending_address(self, pool: UserPool, user: User) -> str | None:
        """Where the code of a changed attribute was sent; None when none waits."""
        with self._lock:
            issued = self._codes.get(_key(pool, user, "attribute"))
        return None if issued is None or self._clock() >= issued.expires_at else issued.address

    def forget(self, pool: UserPool, user: User, purpose: Purpose) -> None:
        """Forget a code that was used."""
        with self._lock:
            self._codes.pop(_key(pool, user, purpose), None)


def wrong_code() -> ApiError:
    """The refusal of a code that isn't the one that was sent (cognito 11.10)."""
    return ApiError(
        "CodeMismatchException", "Invalid verification code provided, please try again."
    )


def _key(pool: UserPool, user: User, purpose: Purpose) -> tuple[str, str, Purpose]:
    # By sub: a later user of the same name inherits no code.
    return pool["Id"], user.attributes.get("sub", user.username), purpose
