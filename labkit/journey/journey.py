"""A request's way through the gateway: which gate let it pass, which stopped it, and why.

The same object is written by the gateway, kept under the request id, and drawn in the notebook.
Design: "One model of the gateway's decision serves the requests, explains them and is what the notebooks draw."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labkit.journey.codes import Code
from labkit.journey.comparison import Comparison
from labkit.journey.picture import picture
from labkit.journey.step import GATES, MARK, Step
from labkit.markup import Markup, plain


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
    def heading(self) -> str:
        """The request, its answer, and who gave it."""
        return f"{self.title}, answered by {self.answered_by}" if self.steps else self.title

    @property
    def stopped_at(self) -> Step | None:
        """The step that turned the request away, or None when it reached the end.

        >>> Journey("id", "GET", "/dev/demo", 401, [Step("authorizer", "stop", "no token")]).stopped_at.gate
        'authorizer'
        """
        return next((step for step in self.steps if step.outcome == "stop"), None)

    @property
    def answered_by(self) -> str:
        """Who gave the answer: the gateway, the backend behind it, or CloudFront before it.

        >>> Journey("id", "GET", "/", 403, [Step("integration", "pass", "orders answered 403")]).answered_by
        'the integration'
        """
        stop = self.stopped_at
        if stop is not None:
            return "CloudFront" if stop.code is Code.GET_WITH_BODY else "the gateway"
        evidence = self.steps[-1].evidence if self.steps else {}
        return str(evidence.get("answered by", "the integration"))

    @property
    def not_reached(self) -> list[str]:
        """The gates behind the one that stopped the request."""
        if self.stopped_at is None:
            return []
        reached = {step.gate for step in self.steps}
        behind = max((GATES.index(gate) for gate in reached if gate in GATES), default=-1)
        return [gate for gate in GATES[behind + 1 :] if gate not in reached]

    def beside(self, after: Journey) -> Comparison:
        """This journey and a later one side by side, with their first difference marked."""
        return Comparison(self, after)

    def to_dict(self) -> dict[str, Any]:
        """The journey as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Journey:
        """Read what :meth:`to_dict` wrote; nothing acts in a reason, which may quote what a function said.

        >>> sent = Journey("id", "GET", "/", steps=[Step("route", "stop", "no", code=Code.ROUTE_NOT_FOUND)]).to_dict()
        >>> Journey.from_dict(sent).steps[0].code
        <Code.ROUTE_NOT_FOUND: 'route.not-found'>
        """
        steps = [
            Step(
                **{
                    **step,
                    "code": step["code"] and Code(step["code"]),
                    "reason": plain(step["reason"]),
                }
            )
            for step in data["steps"]
        ]
        return cls(**{**data, "steps": steps})

    def folded(self, different: Step | None = None) -> tuple[list[Step], list[Step]]:
        """The steps that are told, and those at which there was nothing to check.

        Args:
            different: a step that is told in any case.
        """
        idle = [step for step in self.steps if step.is_idle and step is not different]
        return [step for step in self.steps if all(step is not one for one in idle)], idle

    def lines(self, *, evidence: bool = False, different: Step | None = None) -> Iterator[str]:
        """The journey as text lines, in which nothing acts: a heading, then one line a gate.

        Args:
            evidence: every gate is told, and what it looked at, each fact on a line of its own.
            different: the step to mark: it differs from another journey's.
        """
        yield plain(self.heading)
        if self.note:
            yield f"  {plain(self.note)}"
        told, idle = (self.steps, []) if evidence else self.folded(different)
        for step in told:
            mark = f"{'≠' if step is different else ' '} {MARK[step.look]}"
            yield f"{mark} {plain(step.gate):<22} {plain(step.reason)}"
            if evidence:
                yield from (plain(f"      {name}: {value}") for name, value in step.facts())
        if self.not_reached:
            yield f"    not reached: {', '.join(self.not_reached)}"
        if gates := [step.gate for step in idle]:
            yield plain(f"    nothing to check at: {', '.join(gates)}")

    def sentence(self) -> str:
        """Who answered and how it ended: the picture's alternative text."""
        if not self.steps:
            return self.note
        who, stop = self.answered_by, self.stopped_at
        end = "The request passed every gate."
        if stop is not None:
            end = f"The request was stopped at the gate {stop.gate}: {stop.reason}."
        return f"{who[0].upper()}{who[1:]} answered {self.status}. {end}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def picture(self, different: Step | None = None) -> Markup:
        """The journey as HTML.

        Args:
            different: the step to mark.
        """
        told, idle = self.folded(different)
        texts = (self.heading, self.note, self.sentence())
        return picture(texts, told, self.not_reached, idle, status=self.status, different=different)

    def _repr_html_(self) -> str:
        """The picture."""
        return self.picture()
