"""Every row of the ledger of Cognito user pools, run against the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.local.ledger import Row, rows
from tests.fidelity import cognito_account_situations  # noqa: F401 - registers its situations
from tests.fidelity.cognito_situations import EMAIL, OTHER_EMAIL, SETUPS, Situation, claims_of
from tests.support.in_process_cloud import Answer, Cognito, cognito_in_use

ROWS = (*rows("cognito.toml"), *rows("cognito_accounts.toml"))


@pytest.fixture
def cognito(start: float) -> Iterator[Cognito]:
    with cognito_in_use() as cognito:
        yield cognito


# -- the run ------------------------------------------------------------------------------------


def filled(value: Any, here: Situation) -> Any:
    """The value with its {placeholders} replaced."""
    if isinstance(value, str):
        for name, text in here.items():
            value = value.replace(f"{{{name}}}", text)
        assert not value.startswith("{"), f"no {value} in this situation"
        return value
    if isinstance(value, dict):
        return {name: filled(item, here) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, here) for item in value]
    return value


_ABSENT = object()


def at(body: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(body, dict) or name not in body:
            return _ABSENT
        body = body[name]
    return body


KNOWN_CHECKS = {
    "absent",
    "attributes",
    "claims",
    "claims_kept",
    "claims_new",
    "error_type",
    "keys",
    "mail",
    "mails",
    "message",
    "result_keys",
    "status",
    "values",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(cognito: Cognito, row: Row) -> None:
    run_row(cognito, row)


def run_row(cognito: Cognito, row: Row) -> None:
    here = SETUPS[row.setup](cognito)
    request = dict(filled(dict(row.request), here))
    expected = dict(filled(dict(row.expect), here))
    assert set(expected) <= KNOWN_CHECKS
    before = mails(cognito)

    signed = False if request.pop("unsigned", False) else None
    operation = request.pop("operation")
    answer = cognito.send(cognito.request(operation, json.dumps(request).encode(), signed=signed))

    assert answer.status == expected["status"], answer.body
    assert answer.response.header("content-type") == "application/x-amz-json-1.1"
    assert answer.response.header("x-amzn-requestid")
    compact = json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False).encode()
    assert answer.response.body == compact
    assert answer.response.header("content-length") in (None, str(len(compact)))
    if answer.status != 200:
        text = " ".join(answer.body.get("message", "").split())
        assert (answer.response.header("x-amzn-errormessage") or "") == text
        assert answer.body["__type"] == expected["error_type"], answer.body
        assert answer.response.header("x-amzn-errortype") == f"{expected['error_type']}:"
    if "message" in expected:
        assert answer.body["message"] == expected["message"]
    if "keys" in expected:
        assert sorted(answer.body) == expected["keys"]
    if "result_keys" in expected:
        assert sorted(answer.body["AuthenticationResult"]) == expected["result_keys"]
    for path, value in expected.get("values", {}).items():
        assert at(answer.body, path) == value, path
    if "attributes" in expected:
        shown = [one["Name"] for one in answer.body["UserAttributes"]]
        assert sorted(shown) == expected["attributes"]
    for path in expected.get("absent", ()):
        assert at(answer.body, path) is _ABSENT, path
    if "mails" in expected:
        assert mails(cognito) - before == expected["mails"]
    if "mail" in expected:
        assert cognito.mailbox.messages(EMAIL)[0]["body"] == expected["mail"]
    check_claims(answer, expected.get("claims", {}))
    if "claims_kept" in expected:
        before_it = claims_of(here["access_token"])
        after = claims_of(answer.body["AuthenticationResult"]["AccessToken"])
        for name in expected["claims_kept"]:
            assert after[name] == before_it[name], name
        for name in expected["claims_new"]:
            assert after[name] != before_it[name], name


def check_claims(answer: Answer, expected: dict[str, Any]) -> None:
    for kind, name in (("access", "AccessToken"), ("id", "IdToken")):
        if kind not in expected and f"{kind}_keys" not in expected:
            continue
        claims = claims_of(answer.body["AuthenticationResult"][name])
        assert {key: claims.get(key) for key in expected.get(kind, {})} == expected.get(kind, {})
        if f"{kind}_keys" in expected:
            assert sorted(claims) == expected[f"{kind}_keys"]


def mails(cognito: Cognito) -> int:
    addresses = (EMAIL, OTHER_EMAIL, "new@example.com", "nobody@gmail.com")
    return sum(len(cognito.mailbox.messages(address)) for address in addresses)


def test_every_setup_is_used() -> None:
    assert set(SETUPS) == {row.setup for row in ROWS}


def test_a_row_whose_answer_is_unknown_says_inferred() -> None:
    # Two kinds of "unknown": AWS's answer, and the user nobody knows.
    about_answers = ("AWS's answer", "AWS's words", "Whether AWS", "What AWS", "is unknown at AWS")
    for row in ROWS:
        if any(start in row.case for start in about_answers):
            assert row.label == "inferred" or "(name of the error)" in row.source, row.id
