"""What the control planes answer: a refusal in the shape that an SDK reads, and a changed record."""

from __future__ import annotations

from labkit.local.messages import Response, without_headers


def refuse(status: int, error_type: str, message: str) -> Response:
    """A refusal.

    >>> refuse(404, "NotFoundException", "Invalid stage identifier specified").body
    b'{"message":"Invalid stage identifier specified"}'
    """
    return Response.of_json({"message": message}, status, [("x-amzn-ErrorType", error_type)])


def bad_request(message: str) -> Response:
    """The refusal of what the caller asked for."""
    return refuse(400, "BadRequestException", message)


def with_body(response: Response, data: object) -> Response:
    """The response with another body."""
    headers = without_headers(response.headers, "content-length", "content-type")
    return Response.of_json(data, response.status, headers)
