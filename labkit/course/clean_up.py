"""Deletes what the course made, and nothing else: a resource must carry the course's tag and one of its names."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.course.resources import KINDS, Kind, Owns
from labkit.errors import CleanUpError
from labkit.names import is_of_the_course


@dataclass(frozen=True, slots=True)
class CleanUpReport:
    """What a clean-up did.

    Attributes:
        deleted: what it deleted, in order.
        left: what is left; always empty, since :func:`clean_up` raises otherwise.
    """

    deleted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "Left over: nothing." if not self.left else "Left over: " + ", ".join(self.left)

    def __repr__(self) -> str:
        return str(self)


def clean_up(owns: Owns = is_of_the_course) -> CleanUpReport:
    """Delete all that the course made; runs twice, and goes on when one deletion fails.

    Args:
        owns: which names to look for, of those that carry the course's tag; all of the course's by default.

    Returns:
        What was deleted.

    Raises:
        CleanUpError: something is left, with the first failure as its cause.
    """
    deleted: list[str] = []
    failures: list[Exception] = []
    for kind in KINDS:
        for identifier, name in _found(kind, owns, failures):
            try:
                kind.delete(identifier)
                deleted.append(_shown(kind, identifier, name))
            except Exception as error:  # one failure must not keep the rest
                failures.append(error)
    unseen: list[Exception] = []
    left = [_shown(kind, *found) for kind in KINDS for found in _found(kind, owns, unseen)]
    failures += unseen
    if unseen:
        left.append("what can't be listed")
    if left:
        message = f"Left over: {', '.join(left)}. Run lab.clean_up() again."
        raise CleanUpError(message, left=left) from (failures[0] if failures else None)
    return CleanUpReport(deleted)


def _found(kind: Kind, owns: Owns, failures: list[Exception]) -> list[tuple[str, str]]:
    try:
        return list(kind.find(owns))
    except Exception as error:  # what can't be listed must not keep the rest
        failures.append(error)
        return []


def _shown(kind: Kind, identifier: str, name: str) -> str:
    return f"{kind.label} {name}" + ("" if identifier == name else f" ({identifier})")


def leftovers() -> list[str]:
    """What of the course still exists: an empty list after a clean-up."""
    return [_shown(kind, *found) for kind in KINDS for found in kind.find(is_of_the_course)]
