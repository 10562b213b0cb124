"""Whether something holds: yes, no, or nobody can say (Kleene's logic)."""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None
"""None: nobody can say, for example because a variable has no value. Then an Allow doesn't allow, and a Deny denies."""


def any_of(truths: Iterable[Truth]) -> Truth:
    """Whether one of them holds.

    >>> any_of([False, None, True]), any_of([False, None]), any_of([])
    (True, None, False)
    """
    known = True
    for truth in truths:
        if truth:
            return True
        known = known and truth is not None
    return False if known else None


def all_of(truths: Iterable[Truth]) -> Truth:
    """Whether all of them hold.

    >>> all_of([True, None, False]), all_of([True, None]), all_of([])
    (False, None, True)
    """
    known = True
    for truth in truths:
        if truth is False:
            return False
        known = known and truth is not None
    return True if known else None


def opposite(truth: Truth) -> Truth:
    """Whether it doesn't hold.

    >>> opposite(True), opposite(False), opposite(None)
    (False, True, None)
    """
    return None if truth is None else not truth
