"""An API that exists only in virtual time: a client is rehearsed with it before it meets the gateway.

The client's code is the real one, and so is the ``requests.Session`` that it sends with, urllib3's retries included.
Only the connection isn't: its answers come from a script, or from the token bucket with which the gateway throttles.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from labkit.retry.runs import RetryRun
from labkit.retry.virtual_time import Outcome, VirtualTime
from labkit.throttle import TokenBucket

URL = "https://rehearsal.execute-api.us-east-1.amazonaws.com/dev/items"
LATENCY = 0.02
"""Virtual seconds from a request to its answer."""
_SEED = 429

Call = Callable[[requests.Session, str, str], requests.Response]
"""A client: it gets a session, a verb and a URL, and gives back the last answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What API Gateway answers, as far as a client looks at it (gateway.md, table 1b).

    Attributes:
        status: the HTTP status.
        error_type: ``x-amzn-ErrorType``; empty when the gateway let the request through.
        body: the text.
    """

    status: int
    error_type: str = ""
    body: str = '{"ok": true}'


OK = Answer(200)
THROTTLED = Answer(429, "TooManyRequestsException", '{"message":"Too Many Requests"}')
OVER_QUOTA = Answer(429, "LimitExceededException", '{"message":"Limit Exceeded"}')
BAD_REQUEST = Answer(400, "BadRequestException", '{"message": "Invalid request body"}')
UNAUTHORIZED = Answer(401, "UnauthorizedException", '{"message":"Unauthorized"}')
FORBIDDEN = Answer(403, "ForbiddenException", '{"message":"Forbidden"}')
TIMED_OUT = Answer(504, "InternalServerErrorException", '{"message": "Endpoint request timed out"}')


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that a client sent.

    Attributes:
        client: its number, from 0.
        verb: the HTTP verb.
        sent: when, in seconds of virtual time.
        answered: when its answer came.
        status: the answer's.
    """

    client: int
    verb: str
    sent: float
    answered: float
    status: int


class Rehearsal:
    """One API in virtual time.

    Args:
        answer: what the API answers to a request that comes at a time, in seconds.
        most: after so many requests everything is ended.
    """

    def __init__(self, answer: Callable[[float], Answer], most: int = 10_000) -> None:
        self._answer, self._most = answer, most
        self._virtual = VirtualTime()
        self.attempts: list[Attempt] = []
        self.stopped = False
        """Whether there were more requests than may be."""

    def run(self, call: Call, verb: str = "GET", *, clients: int = 1) -> list[Outcome]:
        """Let the clients call at the same moment, each with a session of its own; how each ended.

        Chance is the same on every run, as far as it is Python's ``random``.
        """

        def work(session: requests.Session) -> Callable[[], requests.Response]:
            return lambda: call(session, verb, URL)

        with _chance_of(_SEED):
            return self._virtual.run([work(self._session(number)) for number in range(clients)])

    def exchange(self, client: int, verb: str) -> Answer:
        """Take one request and answer it."""
        if len(self.attempts) >= self._most:
            self.stopped = True
            self._virtual.end()
        sent = self._virtual.now
        answer = self._answer(sent)
        self._virtual.sleep(LATENCY)
        self.attempts.append(Attempt(client, verb, sent, self._virtual.now, answer.status))
        return answer

    def _session(self, client: int) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # the machine's proxy and netrc file have no part in it
        session.mount("https://", _Adapter(self, client))
        return session


def rehearse(call: Call, bucket: TokenBucket, *, clients: int, name: str = "yours") -> RetryRun:
    """Let many clients call an API with one throttle, all at the same moment.

    Args:
        call: the client.
        bucket: the throttle: its rate and burst; it is full at the begin.
        clients: how many.
        name: what pictures and tables call it.

    Raises:
        Exception: what a client raised.

    >>> run = rehearse(lambda http, verb, url: http.request(verb, url), TokenBucket(20, 5), clients=8)
    >>> run.done, run.refused
    (5, 3)
    """
    fresh = TokenBucket(bucket.rate, bucket.burst)
    rehearsal = Rehearsal(lambda now: OK if fresh.take(now) else THROTTLED)
    for outcome in rehearsal.run(call, clients=clients):
        if outcome.error is not None:
            raise outcome.error
    return run_of(rehearsal.attempts, clients, name)


def run_of(attempts: Sequence[Attempt], clients: int, name: str) -> RetryRun:
    """What happened."""
    ordered = sorted(attempts, key=lambda attempt: attempt.sent)
    return RetryRun(
        name,
        clients,
        np.array([attempt.client for attempt in ordered], dtype=np.int64),
        np.array([attempt.sent for attempt in ordered], dtype=np.float64),
        np.array([attempt.answered for attempt in ordered], dtype=np.float64),
        np.array([attempt.status // 100 == 2 for attempt in ordered], dtype=np.bool_),
    )


class _Connection(HTTPConnection):
    """A connection without a network."""

    rehearsal: Rehearsal
    client: int
    _verb = ""

    def connect(self) -> None:
        """There is nothing to connect to."""

    def request(self, method: str, *_args: Any, **_settings: Any) -> None:
        self._verb = method

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as in urllib3
        answer = self.rehearsal.exchange(self.client, self._verb)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body))}
        if answer.error_type:
            headers["x-amzn-ErrorType"] = answer.error_type
        return urllib3.HTTPResponse(
            io.BytesIO(answer.body.encode()),
            headers,
            answer.status,
            preload_content=False,
            request_method=self._verb,
        )


class _Adapter(HTTPAdapter):
    """Sends as ``requests`` does, over connections without a network."""

    def __init__(self, rehearsal: Rehearsal, client: int) -> None:
        super().__init__()
        connection = type(
            "_ConnectionOfOne", (_Connection,), {"rehearsal": rehearsal, "client": client}
        )
        self._pool = urllib3.HTTPConnectionPool("rehearsal.invalid")
        self._pool.ConnectionCls = connection

    def get_connection_with_tls_context(
        self, *_args: Any, **_settings: Any
    ) -> urllib3.HTTPConnectionPool:
        return self._pool


@contextmanager
def _chance_of(seed: int) -> Iterator[None]:
    """Python's ``random`` begins at a seed, and afterwards goes on as if nothing had been."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
