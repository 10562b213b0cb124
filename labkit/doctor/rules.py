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
        decisive: whether the facts leave no other cause, of an exception too.
    """

    cause: str
    facts: Sequence[str]
    success: bool = False
    code: str = ""
    decisive: bool = False


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All of it.

    Attributes:
        causes: name → cause.
        rules: in the order in which they are tried.
        overlays: in order.
        facts: name → what the learner reads.
    """

    causes: Mapping[str, Cause]
    rules: Sequence[Rule]
    overlays: Sequence[Overlay]
    facts: Mapping[str, str]


def rank(causes: Iterable[Cause], facts: frozenset[str]) -> list[Cause]:
    """The causes by how many facts speak for them; without those that facts rule out, if any are left."""
    known = list(causes)
    possible = [cause for cause in known if _is_possible(cause, facts)]
    return sorted(possible or known, key=lambda cause: -len(facts.intersection(cause.likely_if)))


def _is_possible(cause: Cause, facts: frozenset[str]) -> bool:
    needed = not cause.needs or bool(facts.intersection((*cause.needs, "no_request")))
    return needed and not facts.intersection(cause.excluded_if)


@cache
def knowledge() -> Knowledge:
    """Read the two files."""
    causes, rules = _read("causes.toml"), _read("rules.toml")
    notebooks = {name: Notebook(**entry) for name, entry in causes["notebook"].items()}
    return Knowledge(
        {
            name: Cause(
                **{
                    **entry,
                    "id": name,
                    "notebook": notebooks[entry["notebook"]] if "notebook" in entry else None,
                }
            )
            for name, entry in causes["cause"].items()
        },
        [
            Rule(**{**entry, "when": [Condition(**each) for each in entry["when"]]})
            for entry in rules["rule"]
        ],
        [Overlay(**entry) for entry in rules["overlay"]],
        causes["fact"],
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
