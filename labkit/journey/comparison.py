"""Two journeys side by side: the same request before a change and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from labkit.journey.step import Step
from labkit.markup import Markup, plain, sentence, tag

_COLUMN = (
    "display:inline-block;vertical-align:top;box-sizing:border-box;"
    "width:49%;min-width:24em;max-width:100%;padding-right:1em;"
)


class Shown(Protocol):
    """What is compared: a :class:`labkit.journey.Journey`."""

    @property
    def steps(self) -> Sequence[Step]:
        """One a gate."""

    def lines(self, *, evidence: bool = False, different: Step | None = None) -> Iterator[str]:
        """As text."""

    def picture(self, different: Step | None = None) -> Markup:
        """As HTML."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two journeys, and the first gate that decided otherwise.

    Attributes:
        before: one.
        after: the other.
    """

    before: Shown
    after: Shown

    @property
    def first_difference(self) -> tuple[Step | None, Step | None]:
        """The first steps that differ: in gate, outcome and code; or, where none does, in the reason.

        Two times None: every gate said the same. One None: that journey has no such step.
        """
        for look in (_decision, _reason):
            for one, other in zip_longest(self.before.steps, self.after.steps):
                if one is None or other is None or look(one) != look(other):
                    return one, other
        return None, None

    def sentence(self) -> str:
        """Where they part, in one sentence."""
        gates = list(dict.fromkeys(step.gate for step in self.first_difference if step))
        if not gates:
            return "Every gate said the same both times."
        return f"First difference (≠): the gate {' and the gate '.join(gates)}."

    def lines(self, *, evidence: bool = False) -> Iterator[str]:
        """Both as text lines, one below the other, and where they part.

        Args:
            evidence: what each gate looked at is told too.
        """
        one, other = self.first_difference
        yield "before:"
        yield from self.before.lines(evidence=evidence, different=one)
        yield "after:"
        yield from self.after.lines(evidence=evidence, different=other)
        yield plain(self.sentence())

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def _repr_html_(self) -> Markup:
        """Both pictures, beside one another where there is room."""
        one, other = self.first_difference
        return tag(
            "div",
            tag("div", sentence("before"), self.before.picture(one), style=_COLUMN),
            tag("div", sentence("after"), self.after.picture(other), style=_COLUMN),
            sentence(self.sentence()),
        )


def _decision(step: Step) -> tuple[str, str, str | None]:
    return step.gate, step.outcome, step.code


def _reason(step: Step) -> str:
    return step.reason
