"""The codes and the mail of user pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack

MailCarrier = Callable[[str, str, str], None]
"""Takes a mail: (to, subject, body)."""


class CognitoMail:
    """What Cognito sends: codes and invitations.

    Args:
        ministack: holds the users.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self._carrier: MailCarrier | None = None
        self._draw: Callable[[], str] | None = None

    def deliver_with(self, carrier: MailCarrier) -> None:
        """Give every mail to ``carrier``."""
        self._carrier = carrier

    def draw_codes_with(self, draw: Callable[[], str]) -> None:
        """Make sign-up and password reset codes unguessable: MiniStack's are always the same."""
        self._draw = draw

    def send_fresh_code(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's mail with a code."""

        def send(
            pool: JsonObject,
            username: str,
            attr_dict: JsonObject,
            code: str,
            attribute_name: str = "email",
        ) -> Any:
            if self._draw is not None:
                code = self._draw()
            user, _error = self._ministack[names.RESOLVE_USER](pool, username)
            if user is not None:
                is_reset = attribute_name == "password"
                user["_reset_code" if is_reset else "_confirmation_code"] = code
            return own(pool, username, attr_dict, code, attribute_name)

        return send

    def deliver(
        self,
        pool: JsonObject,
        to_email: str,
        subject: str,
        body: str,
        type_name: str,
        extra: object = None,
    ) -> None:
        """What comes in the place of MiniStack's delivery, which would go to SES."""
        if to_email and self._carrier is not None:
            self._carrier(to_email, subject, body)
