"""What many clients cost that called an API at the same moment: requests refused, and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from labkit.bursts.simulation import BoolArray, FloatArray, IntArray

LATENCY = 0.02
"""Seconds from a request to its answer, where nothing is sent for real."""
_COLUMNS = np.dtype([("client", "i8"), ("sent", "f8"), ("answered", "f8"), ("accepted", "?")])


class Attempt(NamedTuple):
    """One request that a client sent.

    Attributes:
        client: its number, from 0.
        sent: when, in seconds since the begin.
        answered: when its answer came.
        accepted: whether it passed.
    """

    client: int
    sent: float
    answered: float
    accepted: bool


@dataclass(frozen=True, slots=True, eq=False)
class RetryRun:
    """All requests of all clients, in the order in which they were sent. The first client began at second 0.

    Attributes:
        name: of the way in which they retry.
        clients: how many there are.
        client: the number of the client that sent each request, from 0.
        sent: when it was sent, in seconds.
        answered: when its answer came.
        accepted: whether it passed.
    """

    name: str
    clients: int
    client: IntArray
    sent: FloatArray
    answered: FloatArray
    accepted: BoolArray

    @property
    def done(self) -> int:
        """Clients that got through."""
        return len(np.unique(self.client[self.accepted]))

    @property
    def given_up(self) -> int:
        """Clients that didn't."""
        return self.clients - self.done

    @property
    def refused(self) -> int:
        """Requests that didn't pass: wasted."""
        return int(np.count_nonzero(~self.accepted))

    @property
    def seconds(self) -> float:
        """Until the last answer."""
        return float(self.answered.max()) if len(self.answered) else 0.0

    @property
    def places(self) -> IntArray:
        """Each client's place in the order in which they got through, from 0; who didn't get through comes last."""
        when = np.full(self.clients, np.inf)
        np.minimum.at(when, self.client[self.accepted], self.answered[self.accepted])
        places: IntArray = np.argsort(np.argsort(when, kind="stable"))
        return places


def run_of(attempts: Sequence[Attempt], clients: int, name: str) -> RetryRun:
    """What so many clients sent, in whatever order it was noted."""
    rows = np.array(sorted(attempts, key=lambda attempt: attempt.sent), _COLUMNS)
    return RetryRun(name, clients, *(rows[column] for column in Attempt._fields))


def goodput(run: RetryRun, runs: Sequence[RetryRun]) -> float:
    """Clients that got through, a second: over at least the time in which the best of the runs was through.

    Who gives up at once is done at once, and shall not look fast for it.
    """
    most = max(each.done for each in runs)
    least = min(each.seconds for each in runs if each.done == most)
    seconds = max(run.seconds, least)
    return run.done / seconds if seconds else 0.0


def table(runs: Sequence[RetryRun]) -> str:
    """The runs in numbers, a line for each."""
    lines = ["client           got through  gave up  refused requests  seconds  goodput/s"]
    lines += [
        f"{run.name:<16} {run.done:>11} {run.given_up:>8} {run.refused:>17} {run.seconds:>8.1f}"
        f" {goodput(run, runs):>10.1f}"
        for run in runs
    ]
    return "\n".join(lines)
