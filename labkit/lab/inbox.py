"""The inbox that sign-in codes arrive in: the local cloud's, or your own and a question."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.errors import NoMessageError

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Message:
    """A mail.

    Attributes:
        to: the address.
        subject: the subject line.
        body: the text.
        code: the 6 or 8 digits in the text; None when there are none.
        sent_at: ISO 8601, UTC.
    """

    to: str
    subject: str
    body: str
    code: str | None
    sent_at: str

    def __repr__(self) -> str:
        return f"To: {self.to}\nSubject: {self.subject}\n\n{self.body}"


class Inbox:
    """The mails that the local cloud sent.

    Args:
        fetch: address → messages as JSON data, newest first.
        clock: seconds, of any beginning.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        fetch: Callable[[str], list[dict[str, Any]]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep

    def messages(self, address: str) -> list[Message]:
        """The mails to an address, newest first."""
        return [Message(**message) for message in self._fetch(address)]

    def newest(self, address: str) -> Message:
        """The newest mail to an address.

        Raises:
            NoMessageError: there is none.
        """
        messages = self.messages(address)
        if not messages:
            raise NoMessageError(f"No mail came to {address}: start the sign-in first.", address)
        return messages[0]

    def wait_for_code(self, address: str, timeout: float = 30) -> str:
        """The newest code that was mailed to an address; waits up to ``timeout`` seconds for one.

        Raises:
            NoMessageError: none came in time.
        """
        deadline = self._clock() + timeout
        while True:
            for message in self.messages(address):
                if message.code:
                    return message.code
            if self._clock() >= deadline:
                raise NoMessageError(
                    f"No code came to {address} within {timeout:g} s: start the sign-in again and look at the address.",
                    address,
                )
            self._sleep(_POLL_SECONDS)


class AskingInbox(Inbox):
    """On a real account the mail goes to a real mailbox: the code is asked for with an input box."""

    def __init__(self) -> None:
        super().__init__(lambda _address: [])

    def newest(self, address: str) -> Message:
        """A stand-in for a mail that only its reader can see."""
        return Message(address, "(in your own mailbox)", "Open your mailbox to read it.", None, "")

    def wait_for_code(self, address: str, timeout: float = 0) -> str:
        """Ask for the code that was mailed to ``address``."""
        return input(f"The code that was mailed to {address}: ").strip()
