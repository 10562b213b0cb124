"""Tasks 6.1 and 6.2: two requests to Cognito sign the lab's user in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.resources import client, email_in_use
from labkit.tokens import decode

_SERVICE = "AWSCognitoIdentityProviderService"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_OTP = "EMAIL_OTP"
_ASK_AGAIN = "Start the sign-in again with the cell of task 6.1, then answer with the newest code."


def code_is_sent(look: Look) -> str:
    """Task 6.1: Cognito has answered the learner's InitiateAuth with a challenge, and mailed a code.

    Raises:
        Missing: it hasn't.
    """
    sent, answer = _exchange(look, "6.1", "InitiateAuth")
    parameters = _mapping(sent.get("AuthParameters"))
    if "__type" in answer:
        _explain_flow(sent, parameters)
        raise _refused(answer)
    challenge = answer.get("ChallengeName")
    offered = ", ".join(answer.get("AvailableChallenges") or [])
    if challenge != _OTP and parameters.get("PREFERRED_CHALLENGE") == _OTP:
        raise Missing(
            f"Cognito offers this user {offered}, and no code by mail.",
            "The user isn't as task 5 left it: run lab.start_task(6).",
        )
    _see_preference(parameters)
    if challenge != _OTP:
        raise Missing(
            f"The challenge is {challenge}: nobody said that a code is wanted, so none is sent.",
            f"Name {_OTP} as the preferred challenge.",
        )
    _see_whose(sent, parameters)
    return (
        "Cognito has mailed a code, and waits for it. The Session joins this request to the next."
    )


def _explain_flow(sent: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Say what of a refused InitiateAuth is the reason, if that can be seen."""
    flow, given = sent.get("AuthFlow"), sent.get("ClientId")
    if sent and given != found.app_client(found.user_pool())["ClientId"]:
        raise Missing(
            f"The ClientId is {given or 'missing'}, not that of {names.APP_CLIENT}.",
            "Set ClientId to demo.client_id.",
        )
    if sent and flow != "USER_AUTH":
        raise Missing(
            f"The AuthFlow is {flow}: a code by mail belongs to the choice-based flow.",
            "Set AuthFlow to USER_AUTH.",
        )
    if sent and not parameters.get("USERNAME"):
        raise Missing("AuthParameters has no USERNAME: who signs in?", "Add the user's address.")
    _see_preference(parameters)


def _see_preference(parameters: dict[str, Any]) -> None:
    preferred = parameters.get("PREFERRED_CHALLENGE", _OTP)
    if preferred != _OTP:
        raise Missing(
            f"The preferred challenge is {preferred}, so no code is sent.", f"Prefer {_OTP}."
        )


def _see_whose(sent: dict[str, Any], parameters: dict[str, Any]) -> None:
    """See that it is the lab's app client and the lab's user, where the request is known."""
    if not sent:
        return
    pool = found.user_pool()
    if sent.get("ClientId") != found.app_client(pool)["ClientId"]:
        raise Missing(
            f"The code is of another app client, not of {names.APP_CLIENT}.",
            "Set ClientId to demo.client_id.",
        )
    own, address, users = email_in_use(), str(parameters.get("USERNAME")), found.users(pool)
    named = [u for u in users if address.casefold() in (u["email"], u["username"])]
    if not named:
        raise Missing(
            f"The pool has no user {address}: Cognito only pretends, and no mail is sent.",
            f"Set USERNAME to {own}.",
        )
    if not any(user["own"] for user in named):
        raise Missing(f"The code went to {address}, not to {own}.", f"Set USERNAME to {own}.")


def is_signed_in(look: Look) -> str:
    """Task 6.2: Cognito has answered the learner's code with tokens of the lab's user.

    Raises:
        Missing: it hasn't.
    """
    sent, answer = _exchange(look, "6.2", "RespondToAuthChallenge")
    if "__type" in answer:
        _explain_answer(sent)
        if _type(answer) == "CodeMismatchException":
            raise Missing(
                "The code is wrong.",
                "Answer once more, with the newest code: lab.inbox.wait_for_code(demo.email).",
            )
        if _type(answer) == "NotAuthorizedException":
            raise Missing(f"Cognito refuses the session: {answer.get('message')}", _ASK_AGAIN)
        raise _refused(answer)
    token = _mapping(answer.get("AuthenticationResult")).get("AccessToken")
    if not token:
        raise Missing(
            f"There are no tokens yet: Cognito answers with the challenge {answer.get('ChallengeName')}.",
            "Answer the challenge EMAIL_OTP with the code from the mail.",
        )
    address = owner_of(token)
    own = email_in_use()
    if address.casefold() != own.casefold():
        raise Missing(f"These are the tokens of {address}.", f"Sign in as {own}: begin with 6.1.")
    return f"Cognito says that the access token is {own}'s."


def owner_of(token: str) -> str:
    """The address of the user whose access token it is: Cognito says so.

    Raises:
        Missing: it isn't of the lab's pool, or Cognito doesn't take it.
    """
    pool = found.user_pool()
    pool_id = str(decode(token).claims.get("iss", "")).rpartition("/")[2]
    if pool_id != pool["Id"]:
        raise Missing(
            f"This token is of another user pool, not of {names.USER_POOL}.",
            "Sign in with demo.client_id: run the cells of 6.1 and 6.2 again.",
        )
    cognito = client("cognito-idp")
    try:
        user = cognito.get_user(AccessToken=token)
    except (
        cognito.exceptions.NotAuthorizedException,
        cognito.exceptions.UserNotFoundException,
    ) as error:
        said = error.response["Error"]["Message"].rstrip(".")
        raise Missing(f"Cognito doesn't take this access token: {said}.", _ASK_AGAIN) from None
    attributes = {each["Name"]: each.get("Value", "") for each in user.get("UserAttributes") or []}
    return attributes.get("email") or str(user["Username"])


def _explain_answer(sent: dict[str, Any]) -> None:
    """Say what of a refused RespondToAuthChallenge is the reason, if that can be seen."""
    if not sent:
        return
    responses = _mapping(sent.get("ChallengeResponses"))
    lacking = [name for name in ("ClientId", "ChallengeName", "Session") if not sent.get(name)]
    lacking += [name for name in ("USERNAME", "EMAIL_OTP_CODE") if not responses.get(name)]
    if lacking:
        raise Missing(
            f"The body has no {' and no '.join(lacking)}.",
            "Compare it with the answer of 6.1: who you are, which challenge, the session, the code.",
        )
    if sent["ChallengeName"] != _OTP:
        raise Missing(
            f"The ChallengeName is {sent['ChallengeName']}: Cognito asked for another one.",
            "Take the name from the answer of 6.1.",
        )


# -- what was sent, and what came ---------------------------------------------------------------


def _exchange(look: Look, task: str, operation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body that was sent, empty when only the answer is known, and Cognito's answer.

    Raises:
        Missing: it isn't an answer to this operation.
    """
    by_boto3 = look.given
    if (
        isinstance(by_boto3, Mapping)
        and {"ChallengeName", "AuthenticationResult"} & by_boto3.keys()
    ):
        return {}, dict(by_boto3)
    response = look.response(task)
    request = response.request
    target = request.headers.get("X-Amz-Target") or ""
    host = urlsplit(request.url or "").netloc
    if not target and not host.startswith("cognito-idp."):
        raise Missing(f"This request went to {host}, not to Cognito.", "The URL is cognito_url.")
    if request.method != "POST":
        raise Missing(f"You sent a {request.method}: Cognito takes a POST.", "Use http.post.")
    service, _, name = target.rpartition(".")
    if service == _SERVICE and name != operation:
        raise Missing(
            f"This is the answer of {name}, not of {operation}.",
            f"X-Amz-Target ends with the operation: {operation}.",
        )
    if target != f"{_SERVICE}.{operation}":
        raise Missing(
            f"X-Amz-Target is {target or 'missing'}: Cognito can't tell which operation you mean.",
            f"It is {_SERVICE}, a dot, and the operation.",
        )
    content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip()
    if content_type != _CONTENT_TYPE:
        raise Missing(
            f"The Content-Type is {content_type or 'missing'}: Cognito speaks another protocol.",
            f"Set it to {_CONTENT_TYPE}.",
        )
    answer = _dictionary(response.text)
    if response.status_code != HTTPStatus.OK:
        answer.setdefault("__type", str(response.status_code))
    return _dictionary(request.body), answer


def _dictionary(text: str | bytes | None) -> dict[str, Any]:
    """What JSON says; empty when it isn't an object."""
    with suppress(ValueError, TypeError):
        return _mapping(json.loads(text or ""))
    return {}


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _type(answer: dict[str, Any]) -> str:
    return str(answer["__type"]).rpartition("#")[2]


def _refused(answer: dict[str, Any]) -> Missing:
    said = str(answer.get("message", "")).rstrip(".")
    return Missing(
        f"Cognito answers {_type(answer)}: {said}.",
        "lab.explain(response) says what such an answer means.",
    )
