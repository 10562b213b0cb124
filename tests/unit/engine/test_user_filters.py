"""``Filter`` of ``ListUsers`` finds whom it names, and nobody else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.engine.user_filters import filter_users
from labkit.local.json_protocol import ApiError

USERS: list[dict[str, Any]] = [
    {
        "Username": "Jane",
        "UserStatus": "CONFIRMED",
        "Enabled": True,
        "Attributes": [{"Name": "email", "Value": "jane@example.com"}],
    },
    {
        "Username": "kim",
        "UserStatus": "FORCE_CHANGE_PASSWORD",
        "Enabled": False,
        "Attributes": [
            {"Name": "email", "Value": "kim@example.com"},
            {"Name": "name", "Value": 'Kim "K" Lee'},
        ],
    },
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('email = "JANE@example.com"', ["Jane"]),
        ('"email"="jane@example.com"', ["Jane"]),
        ('email ^= ""', ["Jane", "kim"]),
        ('username = "jane"', []),
        ('username ^= "J"', ["Jane"]),
        ('cognito:user_status = "confirmed"', ["Jane"]),
        ('status = "Disabled"', ["kim"]),
        ('status = "disabled"', []),
        (r'name = "Kim \"K\" Lee"', ["kim"]),
        ('family_name = ""', []),
    ],
)
def test_a_filter_finds_whom_it_names(text: str, found: list[str]) -> None:
    assert [user["Username"] for user in filter_users([*USERS], text)] == found


@pytest.mark.parametrize(
    "text", ["", "email", "email = kim", "email = 'kim'", 'email="a" or email="b"', '"email = "a"']
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Error while parsing filter"):
        filter_users([*USERS], text)


@given(st.text() | st.from_regex(r'"?[\w:]*"? ?\^?= ?".*"', fullmatch=True))
def test_every_text_is_a_filter_or_refused(text: str) -> None:
    with suppress(ApiError):
        assert all(user in USERS for user in filter_users([*USERS], text))
