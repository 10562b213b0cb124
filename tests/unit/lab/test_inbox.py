"""Asking for a code gives the newest one, or a sentence."""

from typing import Any

import pytest

from labkit.errors import NoMessageError
from labkit.lab.inbox import AskingInbox, Inbox

ADDRESS = "learner@example.com"


def mail(code: str | None, body: str = "Hello") -> dict[str, Any]:
    return {"to": ADDRESS, "subject": "Code", "body": body, "code": code, "sent_at": "2026-11-21"}


def inbox(*mails: dict[str, Any]) -> Inbox:
    """With these mails, the newest last."""

    def fetch(address: str) -> list[dict[str, Any]]:
        assert address == ADDRESS
        return list(mails[::-1])

    return Inbox(fetch)


def test_the_newest_code_is_given() -> None:
    assert inbox(mail("11111111"), mail("22222222")).wait_for_code(ADDRESS) == "22222222"


def test_a_mail_without_a_code_is_passed_over() -> None:
    assert inbox(mail("123456"), mail(None)).wait_for_code(ADDRESS) == "123456"


@pytest.mark.parametrize("mails", [[], [mail(None)]], ids=["no mail", "no code"])
def test_in_vain_there_is_a_sentence(mails: list[dict[str, Any]]) -> None:
    with pytest.raises(NoMessageError, match=f"No code came to {ADDRESS}: start the sign-in again"):
        inbox(*mails).wait_for_code(ADDRESS)


def test_the_newest_mail_or_a_sentence() -> None:
    both = inbox(mail("1", "old"), mail("2", "new"))
    assert both.newest(ADDRESS).body == "new"
    assert str(both.newest(ADDRESS)) == f"To: {ADDRESS}\nSubject: Code\n\nnew"
    with pytest.raises(NoMessageError, match="No mail came"):
        inbox().newest(ADDRESS)


def test_on_aws_the_reader_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return " 12345678 \n"

    monkeypatch.setattr("builtins.input", answer)
    asking = AskingInbox()
    assert asking.wait_for_code(ADDRESS) == "12345678"
    assert asked == [f"The code that was mailed to {ADDRESS}: "]
    assert asking.messages(ADDRESS) == []
    assert asking.newest(ADDRESS).to == ADDRESS
