"""What one gate said of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from labkit.journey.codes import Code

Outcome = Literal["pass", "stop", "skip"]

GATES = (
    "waf",
    "route",
    "resource policy",
    "authorizer",
    "api key and usage plan",
    "throttle",
    "validation",
    "integration",
)
"""The gates in the order in which a REST API applies them (gateway 9)."""


MARK = {"pass": "✓", "stop": "✗", "skip": "·"}
"""The mark of each outcome, for those who don't see colours."""


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
