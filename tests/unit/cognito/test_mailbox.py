"""The inbox."""

from __future__ import annotations

import threading
import time

import pytest

from labkit.local.cognito.mailbox import Mailbox


def test_the_newest_mail_comes_first_and_case_does_not_matter() -> None:
    times = iter([0.0, 1.5])
    mailbox = Mailbox(clock=lambda: next(times))
    mailbox.deliver("Jane@Example.com", "one", "Your code is 12345678.")
    mailbox.deliver("jane@example.com", "two", "Hello.")

    assert mailbox.messages("JANE@example.COM") == [
        {
            "to": "jane@example.com",
            "subject": "two",
            "body": "Hello.",
            "code": None,
            "sent_at": "1970-01-01T00:00:01.500+00:00",
        },
        {
            "to": "Jane@Example.com",
            "subject": "one",
            "body": "Your code is 12345678.",
            "code": "12345678",
            "sent_at": "1970-01-01T00:00:00.000+00:00",
        },
    ]
    assert mailbox.messages("john@example.com") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Your sign-in code is 01234567.", "01234567"),
        ("Your verification code is 012345.", "012345"),
        ("<b>012345</b>", "012345"),
        ("Your username is x and temporary password is aB!x123456y.", None),
        ("Call +12345678 or 1234567 or 123456789.", None),
        ("", None),
    ],
)
def test_a_code_has_six_or_eight_digits_of_its_own(body: str, code: str | None) -> None:
    mailbox = Mailbox(clock=time.time)
    mailbox.deliver("a@example.com", "s", body)
    assert mailbox.messages("a@example.com")[0]["code"] == code


def test_it_stays_bounded() -> None:
    mailbox = Mailbox(clock=time.time, per_address=2, addresses=3)
    for number in range(5):
        mailbox.deliver("a@example.com", str(number), "")
    assert [mail["subject"] for mail in mailbox.messages("a@example.com")] == ["4", "3"]

    mailbox.deliver("b@example.com", "", "")
    mailbox.deliver("c@example.com", "", "")
    mailbox.deliver("a@example.com", "again", "")
    mailbox.deliver("d@example.com", "", "")
    assert mailbox.messages("b@example.com") == []
    assert [len(mailbox.messages(f"{name}@example.com")) for name in "acd"] == [2, 1, 1]


def test_many_threads_lose_no_mail() -> None:
    mailbox = Mailbox(clock=time.time, per_address=1000)

    def deliver() -> None:
        for _ in range(100):
            mailbox.deliver("a@example.com", "s", "b")

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox.messages("a@example.com")) == 800
