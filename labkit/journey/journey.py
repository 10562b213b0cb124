"""A request's way through the gateway: which gate let it pass, which stopped it, and why.

The same object is written by the gateway, kept under the request id, and drawn in the notebook.
Design: "One model of the gateway's decision serves the requests, explains them and is what the notebooks draw."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labkit.journey.codes import Code
from labkit.journey.picture import picture
from labkit.journey.step import GATES, MARK, Step
from labkit.markup import plain


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
    def title(self) -> str:
        """The request and its answer."""
        return f"{self.method} {self.path} → {self.status}"

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
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Journey:
        """Read what :meth:`to_dict` wrote.

        >>> sent = Journey("id", "GET", "/", steps=[Step("route", "stop", "no", code=Code.ROUTE_NOT_FOUND)]).to_dict()
        >>> Journey.from_dict(sent).steps[0].code
        <Code.ROUTE_NOT_FOUND: 'route.not-found'>
        """
        steps = [
            Step(**{**step, "code": step["code"] and Code(step["code"])}) for step in data["steps"]
        ]
        return cls(**{**data, "steps": steps})

    def lines(self, *, evidence: bool = False) -> Iterator[str]:
        """The journey as text lines, in which nothing acts: a head line, then one line a gate.

        Args:
            evidence: what a gate looked at is told too, each fact on a line of its own.
        """
        yield plain(self.title)
        if self.note:
            yield f"  {plain(self.note)}"
        for step in self.steps:
            yield f"  {MARK[step.outcome]} {plain(step.gate):<22} {plain(step.reason)}"
            if evidence:
                yield from (plain(f"      {name}: {value}") for name, value in step.facts())
        if self.not_reached:
            yield f"    not reached: {', '.join(self.not_reached)}"

    def sentence(self) -> str:
        """How it ended, in one sentence: the picture's alternative text."""
        stop = self.stopped_at
        if stop is not None:
            return f"The request was stopped at the gate {stop.gate}: {stop.reason}."
        if not self.steps:
            return self.note
        return f"The request passed every gate and got {self.status}."

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The picture."""
        return picture(self.title, self.note, self.sentence(), self.steps, self.not_reached)
