"""The users of a pool as a dictionary that finds them by alias too, in the same time however many there are."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

JsonObject = dict[str, Any]

_INDEXED = ("sub", "email", "phone_number", "preferred_username")
"""The attributes under which somebody may look for a user."""
_VERIFIED = ("email", "phone_number")
"""Which are an alias only when they are verified."""

_making = threading.Lock()


class UserRecord(dict[str, Any]):
    """A user; the directory hears of its new attributes.

    Args:
        record: as MiniStack makes it.
        directory: where the user is.
    """

    def __init__(self, record: Mapping[str, Any], directory: UserDirectory) -> None:
        super().__init__(record)
        self._directory = directory

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "Attributes":
            self._directory.move(self, value)
        super().__setitem__(name, value)


class UserDirectory(dict[str, Any]):
    """Users by username, and an index over what else names them. Only ``[]``, ``del`` and ``pop`` change it."""

    def __init__(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._names: dict[tuple[str, str], dict[str, None]] = {}
        for username, record in users.items():
            self[username] = record

    def __setitem__(self, username: str, record: Mapping[str, Any]) -> None:
        if username in self:
            del self[username]
        indexed = UserRecord(record, self)
        super().__setitem__(username, indexed)
        self._note(username, record["Attributes"])

    def __delitem__(self, username: str) -> None:
        record = self[username]
        super().__delitem__(username)
        self._forget(username, record["Attributes"])

    def pop(self, username: str, *default: Any) -> Any:
        """As a dictionary's."""
        if username not in self:
            return super().pop(username, *default)
        record = self[username]
        del self[username]
        return record

    def move(self, record: UserRecord, attributes: list[JsonObject]) -> None:
        """Index a user, whose attributes are about to change, under the new ones."""
        username = record["Username"]
        if self.get(username) is record:
            self._forget(username, record["Attributes"])
            self._note(username, attributes)

    def named(self, attribute: str, value: str, ignore_case: bool) -> Iterator[UserRecord]:
        """The users who have an attribute with this value; ``Username`` is one too."""
        with self._lock:
            usernames = list(self._names.get((attribute, value.casefold()), ()))
        for username in usernames:
            record: UserRecord | None = self.get(username)
            if record is None:
                continue
            found = username if attribute == "Username" else attribute_of(record, attribute)
            if found == value or ignore_case:
                yield record

    def _note(self, username: str, attributes: list[JsonObject]) -> None:
        with self._lock:
            for key in _keys(username, attributes):
                self._names.setdefault(key, {})[username] = None

    def _forget(self, username: str, attributes: list[JsonObject]) -> None:
        with self._lock:
            for key in _keys(username, attributes):
                usernames = self._names.get(key, {})
                usernames.pop(username, None)
                if not usernames:
                    self._names.pop(key, None)


def directory_of(pool: JsonObject) -> UserDirectory:
    """A user pool's users; the first call makes the directory of MiniStack's plain dictionary."""
    users = pool["_users"]
    if isinstance(users, UserDirectory):
        return users
    with _making:
        users = pool["_users"]
        if not isinstance(users, UserDirectory):
            users = pool["_users"] = UserDirectory(users)
    return users


def find_by_sub(pool: JsonObject, sub: str) -> UserRecord | None:
    """The user with this ``sub``, or None."""
    return next(directory_of(pool).named("sub", sub, False), None)


def find_by_name(pool: JsonObject, name: str) -> UserRecord | None:
    """A user by username, ``sub`` or alias, as the pool compares names; None when unknown.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
    """
    users = directory_of(pool)
    ignore_case = ignores_case(pool)
    username: Iterable[UserRecord] = users.named("Username", name, ignore_case)
    for record in username:
        return record
    by_sub = find_by_sub(pool, name)
    return by_sub or alias_holder(pool, name)


def alias_holder(pool: JsonObject, name: str) -> UserRecord | None:
    """The user who has a name as an alias, or as the attribute that is the pool's username; None when nobody has."""
    usernames = pool.get("UsernameAttributes") or []
    aliases = pool.get("AliasAttributes") or []
    for attribute in {**dict.fromkeys(usernames), **dict.fromkeys(aliases)}:
        for record in directory_of(pool).named(attribute, name, ignores_case(pool)):
            is_verified = attribute_of(record, f"{attribute}_verified").lower() == "true"
            if attribute in usernames or attribute not in _VERIFIED or is_verified:
                return record
    return None


def ignores_case(pool: JsonObject) -> bool:
    """Whether a pool takes names in any case; the default does not (cognito 16.10)."""
    return (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") is False


def attribute_of(record: Mapping[str, Any], name: str) -> str:
    """An attribute's value; blank when there is none."""
    return next(
        (str(one.get("Value", "")) for one in record["Attributes"] if one["Name"] == name), ""
    )


def _keys(username: str, attributes: list[JsonObject]) -> Iterator[tuple[str, str]]:
    yield "Username", username.casefold()
    for one in attributes:
        if one["Name"] in _INDEXED and one.get("Value"):
            yield one["Name"], str(one["Value"]).casefold()
