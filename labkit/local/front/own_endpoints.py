"""``/_labkit/*``: the inbox, the journeys, the clock, health and shutdown, for who holds the cloud's token."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import unquote

from labkit.local.apigateway.journeys import Journeys
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.front.clock import CloudClock
from labkit.local.front.origin import LOOPBACK_HOSTS, forbid
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings

PREFIX = "/_labkit/"
TOKEN_HEADER = "x-labkit-token"  # noqa: S105 - a header's name
LAST_JOURNEYS = 20


class OwnEndpoints:
    """Labkit's own endpoints, which AWS doesn't have.

    Args:
        settings: the token that opens them, and the account.
        mailbox: the messages.
        journeys: of the last requests.
        clock: to read and to move.
        shut_down: called when ``POST /_labkit/shutdown`` asks for the end.
    """

    def __init__(
        self,
        settings: CloudSettings,
        *,
        mailbox: Mailbox,
        journeys: Journeys,
        clock: CloudClock,
        shut_down: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._mailbox = mailbox
        self._journeys = journeys
        self._clock = clock
        self._shut_down = shut_down

    def answer(self, request: Request) -> Response:
        """Answer one request below :data:`PREFIX`; 403 without the token."""
        if not holds_token(request, self._settings.admin_token):
            return forbid(f"Send the cloud's token in {TOKEN_HEADER}.")
        what, _slash, rest = request.raw_path.removeprefix(PREFIX).partition("/")
        if request.method == "GET" and what == "inbox" and rest:
            return Response.of_json(self._mailbox.messages(unquote(rest)))
        if request.method == "GET" and what == "journeys" and not rest:
            last = self._journeys.last(LAST_JOURNEYS)
            return Response.of_json([journey.to_dict() for journey in last])
        if request.method == "GET" and what == "journeys":
            journey = self._journeys.find(unquote(rest))
            if journey is not None:
                return Response.of_json(journey.to_dict())
            return Response.of_json({"message": "No journey is kept under this request id."}, 404)
        if request.method == "GET" and what == "health":
            return Response.of_json({"status": "ready", "account_id": self._settings.account_id})
        if request.method in ("GET", "POST") and what == "clock":
            return self._clock.answer(request)
        if request.method == "POST" and what == "shutdown":
            self._shut_down()
            return Response.of_json({"status": "stopping"})
        return Response.of_json({"message": "Not Found"}, 404)


def holds_token(request: Request, token: str) -> bool:
    """Whether a loopback request brings labkit's own token, once."""
    sent = request.header(TOKEN_HEADER) or ""
    return (
        request.host in LOOPBACK_HOSTS
        and request.count(TOKEN_HEADER) == 1
        and hmac.compare_digest(sent.encode(), token.encode())
    )
