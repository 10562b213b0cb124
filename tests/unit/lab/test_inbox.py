"""Waiting for a code ends with the newest code, or in time with a sentence."""

from typing import Any

import pytest

from labkit.errors import NoMessageError
from labkit.lab.inbox import AskingInbox, Inbox

ADDRESS = "learner@example.com"


def mail(code: str | None, body: str = "Hello") -> dict[str, Any]:
    return {"to": ADDRESS, "subject": "Code", "body": body, "code": code, "sent_at": "2026-11-21"}


class World:
    """A clock that only sleeping moves, and mails that come at a time."""

    def __init__(self, *mails: tuple[float, dict[str, Any]]) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self._mails = mails
        self.inbox = Inbox(self._fetch, clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def _fetch(self, address: str) -> list[dict[str, Any]]:
        self.asked.append(address)
        come = [mail for at, mail in self._mails if at <= self.now - 1000]
        return come[::-1]


def test_a_code_that_is_there_needs_no_wait() -> None:
    world = World((0, mail("11111111")), (0, mail("22222222")))
    assert world.inbox.wait_for_code(ADDRESS) == "22222222"
    assert (world.now, world.asked) == (1000.0, [ADDRESS])


def test_a_code_that_comes_later_is_waited_for() -> None:
    world = World((0, mail(None)), (12.3, mail("12345678")))
    assert world.inbox.wait_for_code(ADDRESS) == "12345678"
    assert world.now == pytest.approx(1012.3, abs=0.1)


def test_a_mail_without_a_code_is_passed_over() -> None:
    assert World((0, mail("123456")), (0, mail(None))).inbox.wait_for_code(ADDRESS) == "123456"


@pytest.mark.parametrize("timeout", [30, 0.5, 0, -1])
def test_in_vain_it_ends_in_time(timeout: float) -> None:
    world = World((31, mail("123456")))
    with pytest.raises(NoMessageError, match=f"No code came to {ADDRESS} within") as failed:
        world.inbox.wait_for_code(ADDRESS, timeout=timeout)
    assert failed.value.address == ADDRESS
    assert world.now - 1000 == pytest.approx(max(timeout, 0), abs=0.1)
    assert world.asked  # once even without any time


def test_a_code_in_the_last_moment_counts() -> None:
    assert World((30, mail("123456"))).inbox.wait_for_code(ADDRESS, timeout=30) == "123456"


def test_the_newest_mail_or_a_sentence() -> None:
    world = World((0, mail("1", "old")), (0, mail("2", "new")))
    assert world.inbox.newest(ADDRESS).body == "new"
    assert str(world.inbox.newest(ADDRESS)) == f"To: {ADDRESS}\nSubject: Code\n\nnew"
    with pytest.raises(NoMessageError, match="No mail came"):
        World().inbox.newest(ADDRESS)


def test_on_aws_the_reader_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return " 12345678 \n"

    monkeypatch.setattr("builtins.input", answer)
    inbox = AskingInbox()
    assert inbox.wait_for_code(ADDRESS) == "12345678"
    assert asked == [f"The code that was mailed to {ADDRESS}: "]
    assert inbox.messages(ADDRESS) == []
    assert inbox.newest(ADDRESS).to == ADDRESS
