"""What a gate says of a request: let it on, nothing to check, turned away; and what the integration answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from labkit import journey
from labkit.journey import Code
from labkit.local.messages import Response

R = TypeVar("R")
"""How a door refuses: a REST API's gateway error, or an HTTP API's status and message."""

# They aren't frozen, which takes three times as long: every gate of every request makes one.


@dataclass(slots=True)
class Pass:
    """The gate lets the request on."""

    outcome: ClassVar[journey.Outcome] = "pass"
    code: ClassVar[Code | None] = None

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Skip:
    """The gate has nothing configured to check."""

    outcome: ClassVar[journey.Outcome] = "skip"

    reason: str
    code: Code | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Stop(Generic[R]):
    """The gate turns the request away.

    Attributes:
        refusal: what the client sees, in the door's own words.
        code: why, for programs.
        reason: why, for people.
        evidence: what the gate looked at, without secrets.
    """

    outcome: ClassVar[journey.Outcome] = "stop"

    refusal: R
    code: Code
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """The integration answered."""

    outcome: ClassVar[journey.Outcome] = "pass"
    code: ClassVar[Code | None] = None

    response: Response
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Outcome = Pass | Skip | Stop[R] | Answer
OUTCOMES = (Pass, Skip, Stop, Answer)
