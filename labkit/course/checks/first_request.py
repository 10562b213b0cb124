"""Start here: a request that comes as far as the authorizer."""

from __future__ import annotations

from http import HTTPStatus

from labkit.course.checks.api_call import see_route
from labkit.course.checks.missing import Look, Missing


def reaches_the_authorizer(look: Look) -> str:
    """Task 0.1: the learner's response is the authorizer's refusal of GET /demo.

    Raises:
        Missing: it isn't.
    """
    response = look.response("0.1")
    see_route(response, "Begin the URL with demo.invoke_url.", "Call the route that is deployed.")
    if response.request.headers.get("Authorization"):
        raise Missing("This request brought an Authorization header.", "Send it without a token.")
    if response.status_code != HTTPStatus.UNAUTHORIZED:
        raise Missing(
            f"The answer is {response.status_code}: the authorizer didn't refuse it.",
            "Run lab.start_task(6), which closes the API, then your cell again.",
        )
    return "Your request came as far as the authorizer. It found no token, and answered 401."
