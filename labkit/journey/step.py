"""What one gate said of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from labkit.journey.codes import Code

Outcome = Literal["pass", "stop", "skip"]

GATES = (
    "stage",
    "waf",
    "route",
    "resource policy",
    "authorizer",
    "api key and usage plan",
    "throttle",
    "validation",
    "integration",
)
"""The gates in the order in which a REST API applies them (gateway 9).

At ``stage`` the API and its stage are found; that is told only when they aren't.
"""

MARK = {"pass": "✓", "stop": "✗", "skip": "·", "answer": "←"}
"""The mark of each look, for those who don't see colours."""


@dataclass(slots=True)  # not frozen, which takes three times as long: every request makes eight
class Step:
    """What one gate said.

    Attributes:
        gate: one of :data:`GATES`.
        outcome: ``pass``, ``stop`` or ``skip`` (the gate has nothing configured).
        reason: why, in plain words.
        evidence: the facts the gate looked at, redacted (no token, no secret).
        code: the reason for programs; every stop has one.
    """

    gate: str
    outcome: Outcome
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    code: Code | None = None

    @property
    def look(self) -> str:
        """How it is drawn: its outcome, or ``answer`` where a backend answered."""
        return "answer" if (self.gate, self.outcome) == ("integration", "pass") else self.outcome

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to check, nothing looked at, and nothing else to expect."""
        return self.outcome == "skip" and self.code is None and not self.evidence

    def facts(self) -> Iterator[tuple[str, str]]:
        """The evidence in words: a text as it is, everything else as JSON.

        Not the moment at which a gate decided: it is for those who compute the decision again.

        >>> dict(Step("throttle", "pass", "within the limit", {"rate": 5, "time": 1.5}).facts())
        {'rate': '5'}
        """
        for name, value in self.evidence.items():
            if name != "time":
                is_text = isinstance(value, str)
                yield name, value if is_text else json.dumps(value, ensure_ascii=False, default=str)
