"""The inbox that sign-in codes arrive in: the local cloud's, or your own and a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.errors import NoMessageError


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
    """

    def __init__(self, fetch: Callable[[str], list[dict[str, Any]]]) -> None:
        self._fetch = fetch

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
            raise NoMessageError(f"No mail came to {address}: start the sign-in first.")
        return messages[0]

    def wait_for_code(self, address: str) -> str:
        """The newest code that was mailed to an address; the local cloud's mails are there at once.

        Raises:
            NoMessageError: there is none.
        """
        for message in self.messages(address):
            if message.code:
                return message.code
        raise NoMessageError(
            f"No code came to {address}: start the sign-in again and look at the address."
        )


class AskingInbox(Inbox):
    """On a real account the mail goes to a real mailbox: the code is asked for with an input box."""

    def __init__(self) -> None:
        super().__init__(lambda _address: [])

    def newest(self, address: str) -> Message:
        """A stand-in for a mail that only its reader can see."""
        return Message(address, "(in your own mailbox)", "Open your mailbox to read it.", None, "")

    def wait_for_code(self, address: str) -> str:
        """Ask for the code that was mailed to ``address``."""
        return input(f"The code that was mailed to {address}: ").strip()
