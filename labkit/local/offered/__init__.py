"""What the local cloud offers of each service: its operations, and what becomes of each setting that they take.

A setting is enforced, kept, closed or refused; refused is what no list names. Each service has a file of data here:

``reads``
    operations that take no settings: what they send only names what they are about.
``[[settings]]``
    a table for the operations in ``of``. Its tables are ``enforced`` (member = ids of the ledger's rows that show
    it), ``kept`` (why no caller could notice that nothing comes of it), ``closed`` (what waits for it, and which row
    or test turns away whatever depends on it), ``only`` (the values that a member of the other three may have) and
    ``refused`` (why a path that AWS's patch operations may have isn't offered).

A member is written as in AWS's service model, with dots: ``Policies.PasswordPolicy.MinimumLength``. Lists are
transparent, ``*`` is any key of a map, and what a member holds shares its fate. A member that begins with a slash is
the path of a patch operation; one that no list names isn't on AWS either, and whoever takes patch operations says so
in AWS's words.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

VERDICTS = {
    "enforced": "what it sets happens, and rows of the ledger show it",
    "kept": "it is shown again, and no caller could notice that nothing else comes of it",
    "closed": "it is stored for a later part of the course, and what depends on it is turned away",
    "refused": "it is turned away before anything is stored",
}
"""What may become of a setting."""

PATCHES = "patchOperations"
"""The member that holds a list of patch operations."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What becomes of a member that is offered.

    Attributes:
        verdict: one of :data:`VERDICTS`; ``refused`` only of the path of a patch operation.
        why: ids of the ledger's rows, or one sentence.
        only: the values that it may have; None for all.
    """

    verdict: str
    why: tuple[str, ...]
    only: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered of one service.

    Attributes:
        reads: operations without settings.
        settings: of each other operation, its members.
        parents: of each, the members above them.
    """

    reads: frozenset[str]
    settings: Mapping[str, Mapping[str, Setting]]
    parents: Mapping[str, frozenset[str]]


@cache
def services() -> frozenset[str]:
    """The services that have a list, by botocore's names."""
    return frozenset(file.name[:-5] for file in files(__package__).iterdir() if _is_data(file.name))


@cache
def offer_of(service: str) -> Offer:
    """What is offered of a service.

    Raises:
        FileNotFoundError: it has no list.
        ValueError: a member of an operation has two verdicts, or only values and no verdict.
    """
    data = tomllib.loads((files(__package__) / f"{service}.toml").read_text(encoding="utf-8"))
    settings: dict[str, dict[str, Setting]] = {}
    for table in data.get("settings", ()):
        for operation in _words(table["of"]):
            known = settings.setdefault(operation, {})
            for member, setting in _settings_of(table):
                if member in known:
                    raise ValueError(f"{service}: {operation} has {member} twice")
                known[member] = setting
    parents = {name: frozenset(_parents_of(known)) for name, known in settings.items()}
    return Offer(frozenset(_words(data["reads"])), settings, parents)


def refusal_of(service: str, operation: str, params: Mapping[str, Any]) -> str | None:
    """Why a call can't be offered, in one sentence, or None.

    Args:
        service: by botocore's name.
        operation: as the service's model names it.
        params: its parameters under the model's names; one that is None wasn't sent.
    """
    offer = offer_of(service)
    if operation in offer.reads:
        return None
    known = offer.settings.get(operation)
    if known is None:
        return not_offered(operation)
    look = _Look(known, offer.parents[operation])
    for name, value in params.items():
        if refusal := look.at_patches(value) if name == PATCHES else look.at(name, value):
            return refusal
    return None


def not_offered(what: str) -> str:
    """The sentence for a service, an operation or a member.

    >>> not_offered("Layers")
    "The local cloud doesn't offer Layers."
    """
    return f"The local cloud doesn't offer {what[:200]}."


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at the parameters of one operation."""

    known: Mapping[str, Setting]
    parents: frozenset[str]

    def at(self, member: str, value: Any) -> str | None:
        """The refusal of a member, or of the first in it that isn't offered."""
        if value is None:
            return None
        setting = self.known.get(member)
        if setting is not None:
            return _value_refusal(member, setting, value)
        if member not in self.parents:
            return not_offered(member)
        for part in value if isinstance(value, list) else [value]:
            for name, inner in part.items() if isinstance(part, dict) else ():
                if refusal := self.at(self._below(member, name), inner):
                    return refusal
        return None

    def at_patches(self, operations: Any) -> str | None:
        """The refusal of the first patch operation whose path or value isn't offered."""
        for one in operations if isinstance(operations, list) else ():
            path = str(one.get("path")) if isinstance(one, dict) else ""
            member = next((known for known in self.known if fits(known, path)), None)
            if member is None:
                continue
            if self.known[member].verdict == "refused":
                return not_offered(path)
            if refusal := _value_refusal(path, self.known[member], one.get("value")):
                return refusal
        return None

    def _below(self, member: str, name: str) -> str:
        named, any_key = f"{member}.{name}", f"{member}.*"
        if named in self.known or named in self.parents:
            return named
        return any_key if any_key in self.known or any_key in self.parents else named


def _words(given: str | list[str]) -> list[str]:
    return given.split() if isinstance(given, str) else given


def _settings_of(table: Mapping[str, Any]) -> Iterator[tuple[str, Setting]]:
    only = dict(_flat(table.get("only", {})))
    for verdict in VERDICTS:
        for member, why in _flat(table.get(verdict, {})):
            reasons = (why,) if isinstance(why, str) else tuple(why)
            values = only.pop(member, None)
            yield member, Setting(verdict, reasons, None if values is None else tuple(values))
    if only:
        raise ValueError(f"{', '.join(only)}: values without a verdict")


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a table by their dotted names."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _parents_of(members: Mapping[str, Setting]) -> Iterator[str]:
    for member in members:
        parts = [] if member.startswith("/") else member.split(".")
        for length in range(1, len(parts)):
            yield ".".join(parts[:length])


def _value_refusal(member: str, setting: Setting, value: Any) -> str | None:
    if setting.only is None or value is None or value in ("", [], {}):
        return None
    for one in value if isinstance(value, list) else [value]:
        if not any(one == offered and type(one) is type(offered) for offered in setting.only):
            values = ", ".join(str(offered) for offered in setting.only)
            return not_offered(f"this value of {member}" if values else member) + (
                f" It offers {values}." if values else ""
            )
    return None


def fits(pattern: str, path: str) -> bool:
    """Whether the path of a patch operation is one of a pattern.

    >>> fits("/variables/*", "/variables/colour")
    True
    >>> fits("/variables/*", "/variables/a/b")
    False
    """
    wanted, found = pattern.split("/"), path.split("/")
    return (
        pattern.startswith("/")
        and len(wanted) == len(found)
        and all(want in ("*", part) for want, part in zip(wanted, found, strict=True))
    )


def _is_data(name: str) -> bool:
    return name.endswith(".toml")
