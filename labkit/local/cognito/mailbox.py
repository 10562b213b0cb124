"""The inbox that codes and invitations arrive in, instead of the Internet."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# A sign-in code has 8 digits, a sign-up or reset code 6 (cognito 3.5, 11.10). A run of digits inside a
# password or a longer number is no code.
_CODE = re.compile(r"(?<![\w+])(?:\d{8}|\d{6})(?!\w)")


@dataclass(frozen=True, slots=True)
class _Mail:
    to: str
    subject: str
    body: str
    sent_at: float

    def as_message(self) -> dict[str, str | None]:
        code = _CODE.search(self.body)
        return {
            "to": self.to,
            "subject": self.subject,
            "body": self.body,
            "code": code.group() if code else None,
            "sent_at": datetime.fromtimestamp(self.sent_at, UTC).isoformat(timespec="milliseconds"),
        }


class Mailbox:
    """Mails in memory, by address; thread-safe; the oldest ones make room for new ones.

    Args:
        per_address: how many mails an address keeps.
        addresses: how many addresses are kept; the one that has waited longest for a mail goes first.
        clock: the time of sending, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        per_address: int = 50,
        addresses: int = 500,
        clock: Callable[[], float],
    ) -> None:
        self._per_address = per_address
        self._addresses = addresses
        self._clock = clock
        self._mails: OrderedDict[str, deque[_Mail]] = OrderedDict()
        self._lock = threading.Lock()

    def deliver(self, to: str, subject: str, body: str) -> None:
        """Put a mail into the inbox of ``to``."""
        mail = _Mail(to, subject, body, self._clock())
        with self._lock:
            inbox = self._mails.setdefault(to.casefold(), deque(maxlen=self._per_address))
            inbox.appendleft(mail)
            self._mails.move_to_end(to.casefold())
            while len(self._mails) > self._addresses:
                self._mails.popitem(last=False)

    def messages(self, address: str) -> list[dict[str, str | None]]:
        """The mails of an address, newest first; upper and lower case don't matter.

        Each is ``{"to", "subject", "body", "code", "sent_at"}``: ``code`` is the 6 or 8 digits found in the body or
        None, ``sent_at`` is ISO 8601 in UTC.
        """
        with self._lock:
            mails = list(self._mails.get(address.casefold(), ()))
        return [mail.as_message() for mail in mails]
