"""Start here: a request that comes as far as the authorizer."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from labkit import names
from labkit.course import build
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing

_PATH = f"/{names.STAGE}/{names.RESOURCE}"


def reaches_the_authorizer(look: Look) -> str:
    """Task 0.1: the learner's response is the authorizer's refusal of GET /demo.

    Raises:
        Missing: it isn't.
    """
    response = look.given
    if not isinstance(response, requests.Response):
        raise Missing(
            f"You handed over {type(response).__name__}, not the answer of a request.",
            'Run your cell, then lab.check("0.1", response).',
        )
    host = urlsplit(build.invoke_url(found.rest_api()["id"])).netloc
    url = urlsplit(response.request.url or "")
    if url.netloc != host:
        raise Missing(
            f"This request went to {url.netloc or 'no host'}, not to your API.",
            "Begin the URL with demo.invoke_url.",
        )
    if response.request.headers.get("Authorization"):
        raise Missing("This request brought an Authorization header.", "Send it without a token.")
    method = response.request.method
    if method != "GET" or url.path != _PATH:
        raise Missing(
            f"You called {method} {url.path}: no such route is deployed, so no authorizer was asked.",
            "Call the route that is deployed.",
        )
    if response.status_code != HTTPStatus.UNAUTHORIZED:
        raise Missing(
            f"The answer is {response.status_code}: the authorizer didn't refuse it.",
            "Run lab.start_task(6), which closes the API, then your cell again.",
        )
    return "Your request came as far as the authorizer. It found no token, and answered 401."
