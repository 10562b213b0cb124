"""The error doctor's knowledge, read from ``causes.toml`` and ``rules.toml``, and how it is matched."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.doctor.evidence import Evidence
from labkit.doctor.explanation import Cause, Notebook


@dataclass(frozen=True, slots=True)
class KnownCause:
    """An entry of ``causes.toml``.

    Attributes:
        card: what the learner reads; its texts may hold ``{placeholders}``.
        codes: the codes of a journey's stop that it explains.
        likely_if: facts that speak for it.
        excluded_if: facts that rule it out.
        needs: one of these facts must hold, where the request is known.
    """

    card: Cause
    codes: Sequence[str] = ()
    likely_if: Sequence[str] = ()
    excluded_if: Sequence[str] = ()
    needs: Sequence[str] = ()

    def is_possible(self, facts: frozenset[str]) -> bool:
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
        null: whether the message is ``null``.
        html: whether it is a page.
        header: name → a regular expression somewhere in that header.
    """

    status: Sequence[int] = ()
    type: str = ""
    typed: bool | None = None
    text: str = ""
    null: bool | None = None
    html: bool | None = None
    header: Mapping[str, str] = field(default_factory=dict)

    def match(self, e: Evidence) -> dict[str, str] | None:
        """The named groups of ``text``, or None when it doesn't match."""
        if not (
            (not self.status or e.status in self.status)
            and (not self.type or re.fullmatch(self.type, e.error_type))
            and self.typed in (None, bool(e.error_type))
            and self.null in (None, e.null_message)
            and self.html in (None, e.is_html)
            and all(
                name in e.headers and re.search(pattern, e.headers[name])
                for name, pattern in self.header.items()
            )
        ):
            return None
        found = re.search(self.text, e.text, re.DOTALL)
        return None if found is None else found.groupdict()


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of ``rules.toml``: an answer that is known.

    Attributes:
        id: its name.
        means: what the answer says, in plain words.
        causes: the names of its possible causes, the most frequent first.
        sources: the rows and facts that have the texts of ``when``.
        when: it matches if one of these does.
        decisive: whether the text itself leaves no other cause than the first.
    """

    id: str
    means: str
    causes: Sequence[str]
    sources: Sequence[str]
    when: Sequence[Condition]
    decisive: bool = False

    def match(self, e: Evidence) -> dict[str, str] | None:
        """The named groups of the first condition that matches, or None."""
        found = (condition.match(e) for condition in self.when)
        return next((groups for groups in found if groups is not None), None)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A cause that any answer may have, when the facts say so; in a success, a warning.

    Attributes:
        cause: the cause's name.
        facts: all must hold.
        success: whether it is for answers that refuse nothing.
        code: a step of the journey must have it, if it is set.
    """

    cause: str
    facts: Sequence[str]
    success: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All of it.

    Attributes:
        causes: name → cause.
        rules: in the order in which they are tried.
        overlays: in order.
    """

    causes: Mapping[str, KnownCause]
    rules: Sequence[Rule]
    overlays: Sequence[Overlay]

    def rank(self, causes: Iterable[KnownCause], facts: frozenset[str]) -> list[KnownCause]:
        """The causes by what speaks for them; without those that facts rule out, if any are left."""
        known = list(causes)
        possible = [cause for cause in known if cause.is_possible(facts)]
        return sorted(possible or known, key=lambda cause: -cause.score(facts))


@cache
def knowledge() -> Knowledge:
    """Read the two files."""
    causes, rules = _read("causes.toml"), _read("rules.toml")
    notebooks = {name: Notebook(**entry) for name, entry in causes["notebook"].items()}
    return Knowledge(
        {name: _cause(name, entry, notebooks) for name, entry in causes["cause"].items()},
        [
            Rule(**{**entry, "when": [Condition(**each) for each in entry["when"]]})
            for entry in rules["rule"]
        ],
        [Overlay(**entry) for entry in rules["overlay"]],
    )


def _cause(name: str, entry: dict[str, Any], notebooks: Mapping[str, Notebook]) -> KnownCause:
    lists = ("codes", "likely_if", "excluded_if", "needs")
    matching = {key: entry.pop(key) for key in lists if key in entry}
    taught = notebooks[entry.pop("notebook")] if "notebook" in entry else None
    return KnownCause(Cause(id=name, notebook=taught, **entry), **matching)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
