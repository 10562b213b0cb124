"""A request's way through the gateway: which gate let it pass, which stopped it, and why.

The same object is written by the gateway, kept under the request id, and drawn in the notebook.
Design: "One model of the gateway's decision serves the requests, explains them and is what the notebooks draw."
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from labkit.journey_picture import MARK, picture

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
"""The gates in the order in which a REST API applies them (facts/gateway.md, section 9)."""


@dataclass(slots=True)  # not frozen, which takes three times as long: every request makes eight
class Step:
    """What one gate said.

    Attributes:
        gate: one of :data:`GATES`.
        outcome: ``pass``, ``stop`` or ``skip`` (the gate has nothing configured).
        reason: why, in plain words.
        evidence: the facts the gate looked at, redacted (no token, no secret).
    """

    gate: str
    outcome: Outcome
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

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

    def to_dict(self) -> dict[str, Any]:
        """The step as plain JSON data: ``{"gate", "outcome", "reason", "evidence"}``."""
        return {
            "gate": self.gate,
            "outcome": self.outcome,
            "reason": self.reason,
            "evidence": dict(self.evidence),
        }


@dataclass(slots=True)
class Journey:
    """The list of steps of one request, and what the client saw.

    Attributes:
        request_id: the ``x-amzn-RequestId`` of the response.
        method: the HTTP verb.
        path: the path as sent, with the stage.
        status: the status that the client saw.
        steps: one :class:`Step` a gate, in order, up to the one that stopped the request.
        note: what there is to say instead of steps: AWS itself doesn't tell them.
    """

    request_id: str
    method: str
    path: str
    status: int = 0
    steps: list[Step] = field(default_factory=list)
    note: str = ""

    @property
    def stopped_at(self) -> Step | None:
        """The step that turned the request away, or None when it reached the end.

        >>> Journey("id", "GET", "/dev/demo", 401, [Step("authorizer", "stop", "no token")]).stopped_at.gate
        'authorizer'
        """
        return next((step for step in self.steps if step.outcome == "stop"), None)

    @property
    def not_reached(self) -> list[str]:
        """The gates behind the one that stopped the request."""
        reached = {step.gate for step in self.steps}
        return [] if self.stopped_at is None else [gate for gate in GATES if gate not in reached]

    def to_dict(self) -> dict[str, Any]:
        """The journey as plain JSON data."""
        return {
            "request_id": self.request_id,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "steps": [step.to_dict() for step in self.steps],
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Journey:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            data["request_id"],
            data["method"],
            data["path"],
            data["status"],
            [Step(**step) for step in data["steps"]],
            data.get("note", ""),
        )

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def lines(self, *, evidence: bool = False) -> Iterable[str]:
        """The journey as text lines: a head line, then one line a gate.

        Args:
            evidence: what a gate looked at is told too, each fact on a line of its own.
        """
        yield f"{self.method} {self.path} → {self.status}"
        if self.note:
            yield f"  {self.note}"
        for step in self.steps:
            yield f"  {MARK[step.outcome]} {step.gate:<22} {step.reason}"
            if evidence:
                yield from (f"      {name}: {value}" for name, value in step.facts())
        if self.not_reached:
            yield f"    not reached: {', '.join(self.not_reached)}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The picture."""
        return picture(self)
