"""The error doctor's knowledge, read from ``causes.toml`` and ``rules.toml``, and how it is matched."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.doctor.evidence import Evidence
from labkit.doctor.explanation import Notebook


@dataclass(frozen=True, slots=True)
class KnownCause:
    """An entry of ``causes.toml``.

    Attributes:
        id: its name.
        title: see :class:`labkit.doctor.explanation.Cause`, also for the next ones.
        why: how it leads to the answer; may hold ``{placeholders}``.
        probe: what to try; may hold ``{placeholders}``.
        fix: what to change.
        notebook: the notebook's name.
        label: how it is known.
        sources: the facts that it stands on.
        symptom: the symptom's number.
        likely_if: facts that speak for it.
        excluded_if: facts that rule it out.
        needs: one of these facts must hold, where the request is known.
        gate: the gate of a journey that stops a request for it.
        reason: a regular expression for the gate's reason.
    """

    id: str
    title: str
    why: str
    probe: str
    fix: str
    notebook: str
    label: str
    sources: tuple[str, ...]
    symptom: int | None = None
    likely_if: tuple[str, ...] = ()
    excluded_if: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    gate: str = ""
    reason: str = ""

    def stopped(self, gate: str, reason: str) -> bool:
        """Whether a gate's stop is due to this cause."""
        return bool(self.gate) and self.gate == gate and re.search(self.reason, reason) is not None

    def possible(self, facts: frozenset[str]) -> bool:
        """Whether no fact rules it out."""
        needed = not self.needs or bool(facts.intersection((*self.needs, "no_request")))
        return needed and not facts.intersection(self.excluded_if)

    def score(self, facts: frozenset[str]) -> int:
        """How many facts speak for it."""
        return len(facts.intersection(self.likely_if))


@dataclass(frozen=True, slots=True)
class Condition:
    """What an answer must look like; whatever isn't set doesn't matter.

    Attributes:
        status: the statuses.
        type: a regular expression for the whole error type.
        typed: whether there is an error type at all.
        text: a regular expression somewhere in the message, or in the body when it has no message.
        key: how the message's key is spelled.
        spaced: whether a space follows the colon.
        null: whether the message is ``null``.
        html: whether it is a page.
        header: name → a regular expression somewhere in that header.
        facts: facts that must hold.
    """

    status: tuple[int, ...] = ()
    type: str = ""
    typed: bool | None = None
    text: str = ""
    key: str = ""
    spaced: bool | None = None
    null: bool | None = None
    html: bool | None = None
    header: Mapping[str, str] | None = None
    facts: tuple[str, ...] = ()

    def match(self, e: Evidence, facts: frozenset[str]) -> dict[str, str] | None:
        """The named groups of ``text``, or None when it doesn't match."""
        plain = (
            (not self.status or e.status in self.status)
            and (not self.type or re.fullmatch(self.type, e.error_type) is not None)
            and self.typed in (None, bool(e.error_type))
            and (not self.key or self.key == e.key)
            and self.spaced in (None, e.spaced)
            and self.null in (None, e.null_message)
            and self.html in (None, e.is_html)
            and facts.issuperset(self.facts)
            and all(
                name in e.headers and re.search(pattern, e.headers[name])
                for name, pattern in (self.header or {}).items()
            )
        )
        if not plain:
            return None
        found = re.search(self.text, e.text, re.DOTALL)
        return None if found is None else {k: v or "" for k, v in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of ``rules.toml``: an answer that is known.

    Attributes:
        id: its name.
        means: what the answer says, in plain words.
        causes: the names of its possible causes, the most frequent first.
        when: it matches if one of these does.
        decisive: whether the text itself leaves no other cause than the first.
    """

    id: str
    means: str
    causes: tuple[str, ...]
    when: tuple[Condition, ...]
    decisive: bool = False

    def match(self, e: Evidence, facts: frozenset[str]) -> dict[str, str] | None:
        """The named groups of the first condition that matches, or None."""
        found = (condition.match(e, facts) for condition in self.when)
        return next((groups for groups in found if groups is not None), None)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A cause that any answer may have, when the facts say so; in a success, a warning.

    Attributes:
        cause: the cause's name.
        facts: all must hold.
        success: whether it is for answers that refuse nothing.
        gate: a gate of the journey, which must have had the next two.
        outcome: the gate's outcome.
        reason: a regular expression for its reason.
    """

    cause: str
    facts: tuple[str, ...]
    success: bool = False
    gate: str = ""
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All of it.

    Attributes:
        notebooks: name → notebook.
        causes: name → cause.
        rules: in the order in which they are tried.
        overlays: in order.
    """

    notebooks: Mapping[str, Notebook]
    causes: Mapping[str, KnownCause]
    rules: tuple[Rule, ...]
    overlays: tuple[Overlay, ...]

    def rank(self, names: Iterable[str], facts: frozenset[str]) -> list[KnownCause]:
        """The causes by what speaks for them; without those that the facts rule out, if others are left."""
        causes = [self.causes[name] for name in names]
        possible = [cause for cause in causes if cause.possible(facts)]
        return sorted(possible or causes, key=lambda cause: -cause.score(facts))


@cache
def knowledge() -> Knowledge:
    """Read the two files."""
    causes = _read("causes.toml")
    rules = _read("rules.toml")
    return Knowledge(
        {
            name: Notebook(entry["title"], tuple(entry["files"]))
            for name, entry in causes["notebook"].items()
        },
        {name: KnownCause(id=name, **entry) for name, entry in causes["cause"].items()},
        tuple(
            Rule(**{**entry, "when": tuple(Condition(**each) for each in entry["when"])})
            for entry in rules["rule"]
        ),
        tuple(Overlay(**entry) for entry in rules["overlay"]),
    )


def _read(name: str) -> dict[str, Any]:
    found = tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
    return {key: _frozen(value) for key, value in found.items()}


def _frozen(value: Any) -> Any:
    """Lists as tuples, and the multi-line texts without the line breaks at their ends."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return value.strip("\n") if isinstance(value, str) else value
