"""Many clients that call a real API at the same moment, each with the code that is handed in.

``labkit.fire`` sends each request of a pattern once; here the client's own code decides what is sent, and when. It only
aims at the lab's own APIs, and how much is sent is bounded.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import requests

from labkit.bursts.target import Target, follow
from labkit.errors import BurstError
from labkit.lab.session import Lab
from labkit.retry.rehearsal import Call
from labkit.retry.runs import Attempt, RetryRun, run_of

MOST_CLIENTS = 64
MOST_REQUESTS = 10_000
"""Of all clients of one call: 3.5 US cents on AWS (REST API, us-east-1)."""
MOST_SECONDS = 60.0


def call_together(
    call: Call,
    url: str,
    *,
    clients: int,
    lab: Lab,
    name: str = "yours",
    most_requests: int = MOST_REQUESTS,
    most_seconds: float = MOST_SECONDS,
) -> RetryRun:
    """Let many clients call a URL at the same moment, and keep what each sent.

    What an adapter of ``requests`` tries again by itself is counted as one request.

    Args:
        call: the client; its last answer isn't looked at.
        url: of an API of the lab.
        clients: how many.
        lab: whose API it is.
        name: what pictures and tables call it.
        most_requests: after so many of all clients they are stopped.
        most_seconds: after so long, too.

    Raises:
        ForeignHostError: it isn't aimed at an API of the lab; on AWS, at one that carries the course's tag.
        BurstError: there are too many clients; or they sent too much or took too long, and were stopped.
        Exception: what a client raised.
    """
    if not 1 <= clients <= MOST_CLIENTS:
        raise BurstError(f"clients goes from 1 to {MOST_CLIENTS}.")
    Target.of(lab, [url])
    crowd = _Crowd(clients, most_requests, most_seconds)

    def one(number: int) -> None:
        session = _Noting(crowd, number, lab.http)
        crowd.start.wait()
        call(session, "GET", url, time.sleep, time.monotonic)

    with ThreadPoolExecutor(clients, "labkit crowd") as pool:
        futures = [pool.submit(one, number) for number in range(clients)]
        try:
            ended, _running = wait(futures, return_when=FIRST_EXCEPTION)
        finally:  # after an error or the kernel's interrupt the others send nothing more
            crowd.stopped.set()
    for future in ended:
        future.result()
    return run_of(crowd.attempts, clients, name)


class _Crowd:
    """What the clients of one call have in common: the begin, the end, and all requests."""

    def __init__(self, clients: int, most_requests: int, most_seconds: float) -> None:
        self._most_requests, self._most_seconds = most_requests, most_seconds
        self.start = threading.Barrier(clients, self._begin)
        self.stopped = threading.Event()
        self.attempts: list[Attempt] = []
        self._began = 0.0

    def _begin(self) -> None:
        self._began = time.perf_counter()

    def now(self) -> float:
        """Seconds since the begin."""
        return time.perf_counter() - self._began

    def check(self) -> None:
        """Whether one more request may be sent.

        Raises:
            BurstError: it may not.
        """
        sent, seconds = len(self.attempts), self.now()
        too_much = sent >= self._most_requests or seconds > self._most_seconds
        if self.stopped.is_set() or too_much:
            raise BurstError(
                f"The clients were stopped after {sent:,} requests and {seconds:.0f} s. "
                "A client must give up after some tries."
            )


class _Noting(requests.Session):
    """One client's session: it sends as the lab's does, and notes each request."""

    def __init__(self, crowd: _Crowd, number: int, lab_session: requests.Session) -> None:
        super().__init__()
        self._crowd, self._number = crowd, number
        follow(self, lab_session)

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """Send one request.

        Raises:
            BurstError: it's one too many.
        """
        self._crowd.check()
        sent = self._crowd.now()
        response = super().send(request, **settings)
        answered, accepted = self._crowd.now(), response.status_code // 100 == 2
        self._crowd.attempts.append(Attempt(self._number, sent, answered, accepted))
        return response
