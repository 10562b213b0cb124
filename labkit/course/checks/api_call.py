"""Task 6.3: a call of GET /demo with the right token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from labkit import names
from labkit.course import build
from labkit.course.checks import authorizer, found
from labkit.course.checks.missing import Look, Missing
from labkit.course.checks.sign_in import owner_of
from labkit.errors import TokenError
from labkit.tokens import decode
from labkit.tokens.forms import Form, form_of, reason_of

_PUT = "Put tokens['AccessToken'] into the header Authorization."


def comes_in(look: Look) -> str:
    """Task 6.3: the learner's call brought a good access token, and the deployed method takes that and no stranger.

    Raises:
        Missing: it isn't so.
    """
    text, status = look.given, 0
    if not isinstance(text, str):
        response = look.response("6.3")
        see_route(response, "Call the URL in url.", "Send a GET to the URL in url.")
        brought: Any = response.request.headers.get("Authorization")
        text = str(brought, "latin-1") if isinstance(brought, bytes) else brought
        status = response.status_code
    if not text:
        raise Missing("This request brought no Authorization header.", _PUT)
    owner, url = _owner(text, status), _url()
    if look.get(url).status_code == HTTPStatus.OK:
        raise Missing(
            "The deployed API is open: a call without a token gets 200 too, so yours proves nothing.",
            "Close it as in task 4, or run lab.start_task(6).",
        )
    answer = look.get(url, Authorization=text)
    if answer.status_code != HTTPStatus.OK:
        authorizer.is_deployed(look)
        raise Missing(
            f"The token is good, and the deployed API answers {answer.status_code}: the copy is older than your edit.",
            f"Deploy once more to the stage {names.STAGE}.",
            late=True,
        )
    return f"With the access token of {owner} the API answers 200, and without a token it doesn't."


def see_route(response: requests.Response, host_step: str, route_step: str) -> None:
    """See that a request went to the deployed ``GET /demo``.

    Args:
        response: its answer.
        host_step: the next step for one that went to another host.
        route_step: the next step for one that went to another route.

    Raises:
        Missing: it went elsewhere.
    """
    sent, right = urlsplit(response.request.url or ""), urlsplit(_url())
    if sent.netloc != right.netloc:
        raise Missing(
            f"This request went to {sent.netloc or 'no host'}, not to your API.", host_step
        )
    if response.request.method != "GET" or sent.path != right.path:
        raise Missing(
            f"You called {response.request.method} {sent.path}: no such route is deployed, so no authorizer was asked.",
            route_step,
        )


def _url() -> str:
    return f"{build.invoke_url(found.rest_api()['id'])}/{names.RESOURCE}"


def _owner(text: str, status: int) -> str:
    """Whose access token it is.

    Args:
        text: the header's value.
        status: what it brought; 0 when that isn't known.

    Raises:
        Missing: it is no good access token.
    """
    form = form_of(text)
    if form is Form.ENCRYPTED:
        raise Missing(
            "This is the refresh token: it is for Cognito alone, and no API takes it.", _PUT
        )
    if form is not None:
        reason = reason_of(form, text)
        raise Missing(f"{reason[0].upper()}{reason[1:]}.", form.next_step)
    token = text.removeprefix("Bearer ")
    try:
        claims = decode(token).claims
    except TokenError as error:
        raise Missing(f"The header holds no token. {error}", _PUT) from None
    if claims.get("token_use") == "id" and status == HTTPStatus.OK:
        raise Missing(
            f"An ID token came in: the deployed copy doesn't want the scope {names.SCOPE}.",
            "Add the scope as in task 4.2, and deploy.",
        )
    if claims.get("token_use") == "id":
        raise Missing(
            "This is the ID token: it has no scope, and the method wants one.",
            "Send the other one: tokens['AccessToken'].",
        )
    return owner_of(token)
