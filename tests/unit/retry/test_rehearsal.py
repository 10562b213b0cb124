"""An API in virtual time: AWS's bytes, the real requests and urllib3, and the bucket's counts."""

import heapq
import random
from dataclasses import astuple

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import Retry

from labkit.local.apigateway.rest import responses
from labkit.retry import rehearsal
from labkit.retry.rehearsal import (
    LATENCY,
    OK,
    OVER_QUOTA,
    THROTTLED,
    Answer,
    Clock,
    Rehearsal,
    Sleep,
    rehearse,
)
from labkit.throttle import TokenBucket


def once(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> requests.Response:
    return http.request(verb, url)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (rehearsal.THROTTLED, responses.THROTTLED),
        (rehearsal.OVER_QUOTA, responses.QUOTA_EXCEEDED),
        (rehearsal.BAD_REQUEST, responses.BAD_REQUEST_BODY),
        (rehearsal.UNAUTHORIZED, responses.UNAUTHORIZED),
        (rehearsal.FORBIDDEN, responses.INVALID_API_KEY),
        (rehearsal.TIMED_OUT, responses.INTEGRATION_TIMEOUT),
    ],
)
def test_its_answers_are_those_of_the_local_gateway(
    answer: Answer, kind: responses.ResponseType
) -> None:
    space = " " if kind.spaced else ""
    body = f'{{"{kind.key}":{space}"{kind.message}"}}'
    assert astuple(answer) == (kind.status, kind.error_type, body)


def test_a_client_sees_a_response_of_requests() -> None:
    [outcome] = Rehearsal(lambda _now: OVER_QUOTA).run(once)
    response = outcome.result
    assert isinstance(response, requests.Response)
    assert (response.status_code, response.text) == (429, '{"message":"Limit Exceeded"}')
    assert response.headers["x-amzn-ErrorType"] == "LimitExceededException"
    assert "Retry-After" not in response.headers
    assert response.json() == {"message": "Limit Exceeded"}
    [outcome] = Rehearsal(lambda _now: OK).run(once)
    assert "x-amzn-ErrorType" not in outcome.result.headers
    assert outcome.result.ok


def test_attempts_are_noted_with_their_times() -> None:
    def twice(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        http.request(verb, url)
        sleep(3)
        return http.post(url, json={"a": 1})

    api = Rehearsal(lambda now: OK if now > 1 else THROTTLED)
    [outcome] = api.run(twice, "GET")
    first, second = api.attempts
    assert first == (0, 0, LATENCY, False)
    assert second == (0, pytest.approx(3.02), pytest.approx(3.04), True)
    assert outcome.at == pytest.approx(3.04)


def test_what_urllib3_tries_again_by_itself_is_seen() -> None:
    def library(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        http.get_adapter(url).max_retries = Retry(  # type: ignore[attr-defined]
            total=3, status_forcelist=[429], backoff_factor=1, raise_on_status=False
        )
        return http.request(verb, url)

    api = Rehearsal(lambda _now: THROTTLED)
    [outcome] = api.run(library)
    assert outcome.result.status_code == 429
    assert [round(attempt.sent) for attempt in api.attempts] == [0, 0, 2, 6]


@pytest.mark.parametrize("waits", [[], [0.5] * 7, [0.0] * 29, [0.25, 0.5, 1, 2, 4, 4, 4]])
@pytest.mark.parametrize("bucket", [TokenBucket(40, 5), TokenBucket(7, 3)])
def test_a_crowd_of_real_code_does_what_a_queue_of_events_says(
    waits: list[float], bucket: TokenBucket
) -> None:
    """The threads in virtual time, and a calculation that knows nothing of threads."""

    def call(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        for wait in waits:
            if (response := http.request(verb, url)).ok:
                return response
            sleep(wait)
        return http.request(verb, url)

    fresh = TokenBucket(bucket.rate, bucket.burst)
    queue, expected = [(0.0, client, 0) for client in range(20)], []
    while queue:
        now, client, tries = heapq.heappop(queue)
        expected.append((now, fresh.take(now)))
        if not expected[-1][1] and tries < len(waits):
            heapq.heappush(queue, (now + LATENCY + waits[tries], client, tries + 1))
    run = rehearse(call, bucket, clients=20)
    assert run.sent.tolist() == pytest.approx([now for now, _passed in expected])
    assert run.done == sum(passed for _now, passed in expected)
    assert run.seconds == pytest.approx(expected[-1][0] + LATENCY)


@settings(max_examples=20)
@given(st.integers(1, 12), st.floats(0.5, 50), st.integers(1, 8))
def test_a_bucket_lets_its_burst_through(clients: int, rate: float, burst: int) -> None:
    bucket = TokenBucket(rate, burst)
    run = rehearse(once, bucket, clients=clients)
    assert run.done == min(clients, burst)
    assert bucket.level(0) == burst, "the bucket that was given is as it was"


def test_chance_is_the_same_on_every_run_and_the_learners_goes_on() -> None:
    def jitter(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        sleep(random.random())
        return http.request(verb, url)

    random.seed(1)
    expected = [random.random() for _ in range(2)]
    random.seed(1)
    assert random.random() == expected[0]
    first = rehearse(jitter, TokenBucket(5, 2), clients=6)
    second = rehearse(jitter, TokenBucket(5, 2), clients=6)
    assert random.random() == expected[1]
    assert first.sent.tolist() == second.sent.tolist()


def test_who_never_ends_is_stopped() -> None:
    def endless(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        while True:
            http.request(verb, url)

    api = Rehearsal(lambda _now: THROTTLED, most=10)
    [outcome] = api.run(endless)
    assert (api.stopped, outcome.finished, len(api.attempts)) == (True, False, 10)


def test_what_a_client_raises_is_raised() -> None:
    def broken(*_given: object) -> requests.Response:
        raise KeyError("x")

    with pytest.raises(KeyError):
        rehearse(broken, TokenBucket(1, 1), clients=2)
