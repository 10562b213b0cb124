"""What an HTTP API says when a gate turns a request away (gateway 0.4, 13.2)."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Stop
from labkit.local.messages import Response


@dataclass(frozen=True, slots=True)
class HttpError:
    """A rejection.

    Attributes:
        status: the status.
        message: the body's ``message``.
        challenge: the header ``www-authenticate``; empty when there is none.
    """

    status: int
    message: str
    challenge: str = ""

    def response(self) -> Response:
        """What the client sees: no ``x-amzn-ErrorType``, no space after the colon."""
        headers = [("www-authenticate", self.challenge)] if self.challenge else []
        return Response.of_json({"message": self.message}, self.status, headers)


UNAUTHORIZED = HttpError(401, "Unauthorized")
FORBIDDEN = HttpError(403, "Forbidden")
NOT_FOUND = HttpError(404, "Not Found")
TOO_LARGE = HttpError(413, "Request Entity Too Large")
THROTTLED = HttpError(429, "Too Many Requests")
SERVER_ERROR = HttpError(500, "Internal Server Error")
UNAVAILABLE = HttpError(503, "Service Unavailable")


def broken(code: Code, reason: str, **evidence: str | list[str]) -> Stop[HttpError]:
    """A 500: the API is configured in a way that nobody gets through."""
    return Stop(SERVER_ERROR, code, reason, evidence)
