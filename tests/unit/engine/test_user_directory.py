"""The directory of users finds whom a look at all of them would find."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labkit.local.engine.user_directory import (
    UserDirectory,
    attribute_of,
    directory_of,
    find_by_name,
    find_by_sub,
    ignores_case,
)

NAMES = ("jane", "Jane", "john", "jane@example.com", "JANE@example.com", "john@example.com")
ATTRIBUTES = ("email", "phone_number", "preferred_username", "nickname", "email_verified")
names = st.sampled_from(NAMES)
attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from((*NAMES, "true", "")))
changes = st.lists(st.tuples(st.sampled_from(("put", "change", "delete")), names, attributes))
pools = st.fixed_dictionaries(
    {},
    optional={
        "UsernameAttributes": st.just(["email"]),
        "AliasAttributes": st.just(["email", "preferred_username"]),
        "UsernameConfiguration": st.fixed_dictionaries({"CaseSensitive": st.booleans()}),
    },
)


def as_list(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def look_at_all(pool: dict[str, Any], name: str) -> set[str]:
    """Usernames of those whom the name could stand for, by reading every record."""

    def same(text: str) -> bool:
        folded = ignores_case(pool) and text.casefold() == name.casefold()
        return bool(text) and (text == name or folded)

    users = pool["_users"].values()
    named = {one["Username"] for one in users if same(one["Username"])}
    named = named or {one["Username"] for one in users if attribute_of(one, "sub") == name}
    usernames = pool.get("UsernameAttributes", [])
    for alias in [*usernames, *pool.get("AliasAttributes", [])]:
        named = named or {
            one["Username"]
            for one in users
            if same(attribute_of(one, alias))
            and (
                alias in usernames
                or alias == "preferred_username"
                or attribute_of(one, f"{alias}_verified") == "true"
            )
        }
    return named


@given(pools, changes, names)
def test_it_finds_whom_a_look_at_all_finds(
    pool: dict[str, Any],
    history: list[tuple[str, str, dict[str, str]]],
    name: str,
) -> None:
    pool["_users"] = {}
    users = directory_of(pool)
    for what, username, values in history:
        record = {"Username": username, "Attributes": as_list(values | {"sub": f"sub-{username}"})}
        if what == "put":
            users[username] = record
        elif username in users and what == "change":
            users[username]["Attributes"] = record["Attributes"]
        elif username in users:
            users.pop(username)
    for wanted in (name, f"sub-{name}"):
        found = find_by_name(pool, wanted)
        expected = look_at_all(pool, wanted)
        assert (found["Username"] in expected) if found else not expected
    by_sub = find_by_sub(pool, f"sub-{name}")
    assert (by_sub is not None) == (name in users)


def test_a_deleted_user_leaves_nothing_behind() -> None:
    users = UserDirectory({})
    users["jane"] = {"Username": "jane", "Attributes": as_list({"email": "jane@example.com"})}
    del users["jane"]
    assert users._names == {}


def test_a_record_that_was_replaced_is_indexed_no_more() -> None:
    users = UserDirectory({})
    users["jane"] = {"Username": "jane", "Attributes": as_list({"email": "old@example.com"})}
    old = users["jane"]
    users["jane"] = {"Username": "jane", "Attributes": as_list({"email": "new@example.com"})}
    old["Attributes"] = as_list({"email": "older@example.com"})
    assert list(users.named("email", "older@example.com", False)) == []
    assert [one["Username"] for one in users.named("email", "new@example.com", False)] == ["jane"]
