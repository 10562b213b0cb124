"""Checks that raise: an expected answer is proved, not printed.

``expect_status`` is how a notebook proves a denial: the cell fails when access is granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import CheckError

if TYPE_CHECKING:
    import requests

_LONGEST_BODY = 200


def expect_status(
    response: requests.Response, expected: int, body: str | None = None
) -> requests.Response:
    """Return the response when it has the expected status (and body); raise otherwise.

    Args:
        response: what ``requests`` or ``lab.http`` returned.
        expected: the HTTP status, for example 401.
        body: the exact body text, when it matters.

    Raises:
        CheckError: with the actual status and body in the message.

    >>> class Answer:
    ...     status_code, text = 401, '{"message":"Unauthorized"}'
    >>> expect_status(Answer(), 401).status_code
    401
    >>> expect_status(Answer(), 200)
    Traceback (most recent call last):
    ...
    labkit.errors.CheckError: expected status 200, got 401: {"message":"Unauthorized"}
    """
    if response.status_code != expected:
        raise CheckError(
            f"expected status {expected}, got {response.status_code}: {_shown(response)}",
            expected=expected,
            actual=response.status_code,
        )
    if body is not None and response.text != body:
        raise CheckError(
            f"expected the body {body!r}, got {_shown(response)!r}",
            expected=body,
            actual=response.text,
        )
    return response


def _shown(response: requests.Response) -> str:
    """The body without tokens: a traceback ends up in a saved notebook."""
    from labkit.tokens import redact

    return redact(response.text)[:_LONGEST_BODY]
