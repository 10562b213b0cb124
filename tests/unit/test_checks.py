"""A check proves or raises; it never lets a wrong answer pass."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.errors import CheckError, LabkitError


@dataclass
class Answer:
    status_code: int
    text: str = ""


@given(st.integers(100, 599), st.integers(100, 599), st.text())
def test_only_the_expected_status_passes(actual: int, expected: int, text: str) -> None:
    answer = Answer(actual, text)
    if actual == expected:
        assert labkit.expect_status(answer, expected) is answer
    else:
        with pytest.raises(CheckError) as failed:
            labkit.expect_status(answer, expected)
        assert (failed.value.expected, failed.value.actual) == (expected, actual)


def test_the_body_counts_when_it_is_given() -> None:
    answer = Answer(401, '{"message":"Unauthorized"}')
    labkit.expect_status(answer, 401, '{"message":"Unauthorized"}')
    for body in ("", '{"message":"unauthorized"}', '{"message": "Unauthorized"}'):
        with pytest.raises(CheckError, match="expected the body"):
            labkit.expect_status(answer, 401, body)


def test_a_failure_is_an_assertion_and_an_error_of_labkit() -> None:
    with pytest.raises(AssertionError):
        labkit.expect_status(Answer(200), 403)
    with pytest.raises(LabkitError, match="expected status 403, got 200: granted"):
        labkit.expect_status(Answer(200, "granted"), 403)


def test_a_long_body_is_cut() -> None:
    with pytest.raises(CheckError) as failed:
        labkit.expect_status(Answer(500, "x" * 100_000), 200)
    assert len(str(failed.value)) < 300


@pytest.mark.parametrize(("expected", "body"), [(401, None), (200, "{}")])
def test_no_token_gets_into_a_message(expected: int, body: str | None) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    answer = Answer(200, f'{{"AuthenticationResult":{{"AccessToken":"{token}"}}}}')
    with pytest.raises(CheckError) as failed:
        labkit.expect_status(answer, expected, body)
    assert "eyJ" not in str(failed.value)
    assert "AccessToken" in str(failed.value)
