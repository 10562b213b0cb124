"""Deletes what the course made, and nothing else: a resource must carry the course's tag and one of its names."""

from __future__ import annotations

from collections.abc import Iterator
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

    def __repr__(self) -> str:
        return "Left over: nothing."


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
    for kind, identifier, name in _found(owns, failures):
        try:
            kind.delete(identifier)
            deleted.append(_shown(kind, identifier, name))
        except Exception as error:  # one failure must not keep the rest
            failures.append(error)
    unseen: list[Exception] = []
    left = [_shown(*found) for found in _found(owns, unseen)]
    if unseen:
        left.append("what can't be listed")
    if left:
        message = f"Left over: {', '.join(left)}. Run lab.clean_up() again."
        raise CleanUpError(message, left=left) from next(iter(failures + unseen), None)
    return CleanUpReport(deleted)


def _found(owns: Owns, failures: list[Exception]) -> Iterator[tuple[Kind, str, str]]:
    """What there is, kind by kind in the order of deletion; each with its id and name."""
    for kind in KINDS:
        try:
            found = list(kind.find(owns))
        except Exception as error:  # what can't be listed must not keep the rest
            failures.append(error)
        else:
            yield from ((kind, *one) for one in found)


def _shown(kind: Kind, identifier: str, name: str) -> str:
    return f"{kind.label} {name}" + ("" if identifier == name else f" ({identifier})")
