"""Checks that raise: an expected answer is proved, not printed.

``expect_status`` is how a notebook proves a denial: the cell fails when access is granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import CheckError
from labkit.markup import plain

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
        CheckError: with the actual status and body in the message, and the response.
    """
    if response.status_code != expected:
        raise CheckError(
            f"expected status {expected}, got {response.status_code}: {_shown(response)}",
            expected=expected,
            actual=response.status_code,
            response=response,
        )
    if body is not None and response.text != body:
        raise CheckError(
            f"expected the body {body!r}, got '{_shown(response)}'",
            expected=body,
            actual=response.text,
            response=response,
        )
    return response


def _shown(response: requests.Response) -> str:
    """The body without tokens, since a traceback ends up in a saved notebook, and without what acts."""
    from labkit.tokens import redact

    return plain(redact(response.text)[:_LONGEST_BODY])
