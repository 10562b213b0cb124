"""Challenges that wait for their answer, each behind a ``Session`` that only its owner knows.

Facts: cognito 0.3, 3.7, 3.10-3.12, 3.15.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from labkit.local.engine import UserPoolClient
from labkit.local.json_protocol import ApiError

# AWS's are base64 of an encrypted record that begins like this; 1,543 and 1,587 characters were recorded (cognito 0.3).
_SESSION_START = "AYABe"
# Every user's is drawn from the same lengths, so that it tells nothing; base64 has none of 4n + 1.
_LENGTHS = range(1543, 1588, 4)


@dataclass(slots=True)
class Challenge:
    """One question to one user, and what its answer is measured against.

    Attributes:
        name: ``EMAIL_OTP``, ``SELECT_CHALLENGE``…
        pool_id: the user pool.
        client_id: the app client that asked.
        username: the user's ``Username``; None for a user who doesn't exist (cognito 4.1).
        typed_name: what the sign-in was started with.
        expires_at: seconds since the epoch.
        offered: the factors that ``SELECT_CHALLENGE`` lets choose from.
        code: the right answer of ``EMAIL_OTP``.
        engine_session: the session of a challenge that MiniStack asks.
        secret: the TOTP secret that ``MFA_SETUP`` hands out.
        enrolled: whether ``MFA_SETUP`` has seen a right code for it.
        used: whether it was answered.
    """

    name: str
    pool_id: str
    client_id: str
    username: str | None
    typed_name: str
    expires_at: float
    offered: tuple[str, ...] = ()
    code: str | None = None
    engine_session: str | None = None
    secret: str | None = None
    enrolled: bool = False
    used: bool = False

    def wipe(self) -> None:
        """Forget what must not be answered, or read, a second time."""
        self.code = self.engine_session = self.secret = None


class ChallengeSessions:
    """The pending challenges; thread-safe.

    A challenge stays known after it is used or too late, so that AWS's answer to that can be given, until ``limit``
    newer ones have come. Sessions are kept as digests: nobody can read one back from here.
    """

    def __init__(self, *, clock: Callable[[], float], limit: int = 4096) -> None:
        self._clock = clock
        self._limit = limit
        self._challenges: OrderedDict[bytes, Challenge] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._challenges)

    def open(self, challenge: Challenge) -> str:
        """Keep a challenge and return its ``Session``, which says nothing about it."""
        length = secrets.choice(_LENGTHS)
        session = (_SESSION_START + secrets.token_urlsafe(length))[:length]
        with self._lock:
            self._challenges[_key(session)] = challenge
            while len(self._challenges) > self._limit:
                self._challenges.popitem(last=False)
        return session

    def find(self, session: str | None, client_id: str | None, name: str) -> Challenge:
        """The pending challenge behind a session.

        Args:
            session: as the caller sent it.
            client_id: the app client that answers; None for the operations that don't name one.
            name: the challenge that is answered.

        Raises:
            ApiError: the session is missing, was used, is too late, or is no session of this client for such a
                challenge.
        """
        if session is None:
            raise ApiError("InvalidParameterException", "Missing required parameter Session")
        with self._lock:
            challenge = self._challenges.get(_key(session))
            if (
                challenge is None
                or challenge.name != name
                or client_id not in (None, challenge.client_id)
            ):
                raise ApiError("NotAuthorizedException", "Invalid session for the user.")
            self._refuse_used_or_late(challenge)
            return challenge

    def use(self, challenge: Challenge) -> None:
        """Take the challenge for the one time that it may be taken.

        Raises:
            ApiError: another answer was faster, or it is too late by now.
        """
        with self._lock:
            self._refuse_used_or_late(challenge)
            challenge.used = True
            challenge.wipe()

    def _refuse_used_or_late(self, challenge: Challenge) -> None:
        if challenge.used:
            raise ApiError(
                "NotAuthorizedException",
                "Invalid session for the user, session can only be used once.",
            )
        if self._clock() >= challenge.expires_at:
            challenge.wipe()
            raise ApiError(
                "NotAuthorizedException", "Invalid session for the user, session is expired."
            )


def session_seconds(client: UserPoolClient) -> int:
    """How long a challenge of this app client waits (cognito 3.15)."""
    return int(client.get("AuthSessionValidity") or 3) * 60


def _key(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
