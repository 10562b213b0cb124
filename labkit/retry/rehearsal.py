"""An API that exists only in virtual time: a client is rehearsed with it before it meets the gateway.

The client's code is the real one, and so is the ``requests.Session`` that it sends with, urllib3's retries included.
Only the connection isn't: its answers come from a script, or from the token bucket with which the gateway throttles.
"""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from labkit.retry.runs import LATENCY, Attempt, RetryRun, run_of
from labkit.retry.virtual_time import Task, VirtualTime
from labkit.throttle import TokenBucket

URL = "https://rehearsal.execute-api.us-east-1.amazonaws.com/dev/items"
_SEED = 429

Sleep = Callable[[float], None]
Clock = Callable[[], float]
Call = Callable[[requests.Session, str, str, Sleep, Clock], requests.Response]
"""A client: from a session, a verb, a URL, what it waits with and what tells the time to the last answer.

At the gateway the last two are ``time.sleep`` and ``time.monotonic``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What API Gateway answers, as far as a client looks at it (gateway 1b).

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


class Rehearsal:
    """One API in virtual time.

    Args:
        answer: what the API answers to a request that comes at a time, in seconds.
        most: after so many requests everything is ended.
    """

    def __init__(self, answer: Callable[[float], Answer], most: int = 10_000) -> None:
        self._answer, self._most = answer, most
        self.virtual = VirtualTime()
        self.attempts: list[Attempt] = []
        self.stopped = False
        """Whether there were more requests than may be."""

    def run(self, call: Call, verb: str = "GET", *, clients: int = 1) -> list[Task]:
        """Let the clients call at the same moment, each with a session of its own; how each ended.

        Chance is the same on every run, as far as it is Python's ``random``.
        """

        def work(number: int) -> requests.Response:
            session = requests.Session()
            session.trust_env = False  # the machine's proxy and netrc file have no part in it
            session.mount("https://", _Adapter(self, number))
            return call(session, verb, URL, self.virtual.sleep, self.virtual.clock)

        before = random.getstate()
        random.seed(_SEED)
        try:
            return self.virtual.run([partial(work, number) for number in range(clients)])
        finally:
            random.setstate(before)

    def exchange(self, client: int) -> Answer:
        """Take one request and answer it."""
        if len(self.attempts) >= self._most:
            self.stopped = True
            self.virtual.end()
        sent = self.virtual.clock()
        answer = self._answer(sent)
        self.virtual.sleep(LATENCY)
        accepted = answer.status // 100 == 2
        self.attempts.append(Attempt(client, sent, self.virtual.clock(), accepted))
        return answer


def rehearse(call: Call, bucket: TokenBucket, *, clients: int, name: str = "yours") -> RetryRun:
    """Let many clients call an API with one throttle, all at the same moment.

    Args:
        call: the client.
        bucket: the throttle: its rate and burst; it is full at the begin.
        clients: how many.
        name: what pictures and tables call it.

    Raises:
        Exception: what a client raised.

    >>> once = lambda http, verb, url, sleep, clock: http.request(verb, url)
    >>> run = rehearse(once, TokenBucket(20, 5), clients=8)
    >>> run.done, run.refused
    (5, 3)
    """
    fresh = TokenBucket(bucket.rate, bucket.burst)
    rehearsal = Rehearsal(lambda now: OK if fresh.take(now) else THROTTLED)
    for task in rehearsal.run(call, clients=clients):
        if task.error is not None:
            raise task.error
    return run_of(rehearsal.attempts, clients, name)


class _Connection(HTTPConnection):
    """A connection without a network."""

    def __init__(self, rehearsal: Rehearsal, client: int) -> None:
        super().__init__("rehearsal.invalid")
        self._rehearsal, self._client, self._verb = rehearsal, client, ""

    def request(self, method: str, *_args: Any, **_settings: Any) -> None:
        self._verb = method

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as in urllib3
        answer = self._rehearsal.exchange(self._client)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body))}
        if answer.error_type:
            headers["x-amzn-ErrorType"] = answer.error_type
        body = io.BytesIO(answer.body.encode())
        return urllib3.HTTPResponse(
            body, headers, answer.status, preload_content=False, request_method=self._verb
        )


class _Adapter(HTTPAdapter):
    """Sends as ``requests`` does, over connections without a network."""

    def __init__(self, rehearsal: Rehearsal, client: int) -> None:
        self._sleep = rehearsal.virtual.sleep
        self._pool = urllib3.HTTPConnectionPool("rehearsal.invalid")
        self._pool.ConnectionCls = lambda **_settings: _Connection(rehearsal, client)  # type: ignore[assignment]
        super().__init__()

    @property
    def max_retries(self) -> urllib3.Retry:
        """urllib3's retries, which wait in virtual time."""
        return self._retries

    @max_retries.setter
    def max_retries(self, retries: urllib3.Retry) -> None:
        def sleep(retry: urllib3.Retry, _response: object = None) -> None:
            self._sleep(retry.get_backoff_time())

        self._retries = copy.copy(retries)
        self._retries.__class__ = type("VirtualRetry", (type(retries),), {"sleep": sleep})

    def get_connection_with_tls_context(
        self, *_args: Any, **_settings: Any
    ) -> urllib3.HTTPConnectionPool:
        return self._pool
