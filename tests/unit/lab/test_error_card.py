"""The card of an error tells what was expected, what came, why, and the next step; nothing in it acts."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.errors import CheckError, JourneyUnknownError, LabkitError, UnknownQuestionError
from labkit.journey import Code, Journey, Step
from labkit.lab.error_card import card_of, html_of, short_text, text_of
from labkit.lab.session import Lab
from labkit.markup import paragraph
from tests.support.answers import answer

UNAUTHORIZED = '{"message":"Unauthorized"}'


def lab(*steps: Step) -> Lab:
    """A lab that knows the journey of every response; none without steps, as on AWS."""
    journey = Journey("id", "GET", "/dev/demo", 200, list(steps))
    failure = JourneyUnknownError("gone")
    return Lab(
        Mock(**{"journey.return_value": journey, "journey.side_effect": None if steps else failure})
    )


def failed(response: requests.Response, expected: int) -> CheckError:
    with pytest.raises(CheckError) as error:
        labkit.expect_status(response, expected)
    return error.value


def test_a_refusal_names_gate_cause_and_the_learners_own_response() -> None:
    response = answer(401, UNAUTHORIZED, "UnauthorizedException")
    stop = Step("authorizer", "stop", "there is no token", code=Code.TOKEN_MISSING)
    names = {"_": response, "mine": response}
    card = text_of(card_of(failed(response, 200), names, lab(stop)))
    assert card.splitlines() == [
        "✗ Expected status 200, got status 401.",
        "  sent   GET /dev/demo",
        "  came   401 UnauthorizedException: Unauthorized",
        "  why    The gateway decided at the gate “authorizer”: there is no token.",
        "  cause  The request has no token",
        "  next   lab.explain(mine) says why, what to try, and what to change.",
    ]


def test_without_a_journey_the_likeliest_cause_is_called_so() -> None:
    response = answer(401, UNAUTHORIZED, "UnauthorizedException")
    card = text_of(card_of(failed(response, 200), {}, lab()))
    assert "perhaps  The request has no token" in card
    assert "The gateway doesn't say why." in card
    assert "lab.explain() says why" in card


def test_a_door_that_is_open_shows_what_the_authorizer_said() -> None:
    skip = Step("authorizer", "skip", "the method is open", code=Code.AUTHORIZATION_NONE)
    card = text_of(card_of(failed(answer(200, "hello"), 401), {}, lab(skip)))
    assert "Expected status 401, got status 200." in card
    assert "The request passed every gate." in card
    assert "authorizer  the method is open" in card


def test_an_error_may_bring_its_own_card() -> None:
    error = LabkitError("Task 4.2 isn't done: deploy.")
    error.card = [paragraph("Deploy.")]  # type: ignore[attr-defined]
    assert text_of(card_of(error, {}, None)) == "Deploy."


def test_the_short_text_ends_before_the_next_step() -> None:
    for said, short in {
        "The course has no question 'x': write it so.": "The course has no question 'x'.",
        "Left over: role r. Run lab.clean_up() again.": "Left over: role r.",
        "It isn't one": "It isn't one",
    }.items():
        assert short_text(UnknownQuestionError(said), said) == f"UnknownQuestionError: {short}"


@given(st.text(), st.text())
def test_nothing_acts_and_nothing_is_markup(path: str, body: str) -> None:
    response = answer(
        403, f"<script>{body}\x1b[2J\u202e", sent={"Authorization": "Bearer secret-word"}
    )
    response.request.url = f"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev/<b>{path}"
    error = failed(response, 200)
    blocks = card_of(error, {}, lab())
    for shown in (text_of(blocks), html_of(blocks), str(error)):
        assert shown.replace("\n", "").isprintable()
        assert "secret-word" not in shown
    assert "<script" not in html_of(blocks)
    assert "<b>" not in html_of(blocks)
