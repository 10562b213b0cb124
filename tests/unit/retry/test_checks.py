"""The nine rules: a good client keeps all of them, and each typical mistake gets its own hint."""

import random
import threading
import time
from collections.abc import Callable

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from labkit.errors import CheckError
from labkit.retry import checks as retry_checks
from labkit.retry.checks import CEILINGS, RULES, kept
from labkit.retry.rehearsal import Call, Clock, Sleep

QUOTA = "LimitExceededException"
Response = requests.Response


def full_jitter(retry: int) -> float:
    return random.uniform(0, min(4, 0.25 * 2**retry))


def may_help(response: Response, verb: str) -> bool:
    if response.status_code == 429:
        return response.headers["x-amzn-ErrorType"] != QUOTA
    return response.status_code in (502, 503, 504) and verb == "GET"


def client(
    wait: Callable[[int], float] = full_jitter,
    again: Callable[[Response, str], bool] = may_help,
    tries: int = 8,
) -> Call:
    def call(http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock) -> Response:
        for retry in range(tries):
            response = http.request(verb, url)
            if not again(response, verb) or retry == tries - 1:
                break
            sleep(wait(retry))
        return response

    return call


def with_wait_first(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    sleep(0.25)
    return client()(http, verb, url, sleep, clock)


def with_wait_last(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    for retry in range(8):
        response = http.request(verb, url)
        if not may_help(response, verb):
            break
        sleep(full_jitter(retry))
    return response


def with_wait_after_success(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    response = client()(http, verb, url, sleep, clock)
    sleep(1)
    return response


def sends_twice(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    http.request(verb, url)
    return client()(http, verb, url, sleep, clock)


def naive(http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock) -> Response:
    while (response := http.request(verb, url)).status_code == 429:
        pass
    return response


def raises(http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock) -> Response:
    response = client()(http, verb, url, sleep, clock)
    response.raise_for_status()
    return response


def sends_nothing(*_given: object) -> Response:
    return Response()


def gives_nothing(http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock) -> None:
    client()(http, verb, url, sleep, clock)


def gives_the_first(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    first = http.request(verb, url)
    if may_help(first, verb):
        sleep(full_jitter(0))
        client(tries=7, wait=lambda retry: full_jitter(retry + 1))(http, verb, url, sleep, clock)
    return first


async def asynchronous(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    return http.request(verb, url)


def with_its_own_session(_http: requests.Session, verb: str, *_rest: object) -> Response:
    return requests.request(verb, "https://localhost:1/", timeout=1)


def with_its_own_adapter(http: requests.Session, verb: str, *_rest: object) -> Response:
    http.mount("https://", HTTPAdapter(max_retries=Retry(total=2)))
    return http.request(verb, "https://localhost:1/")


def with_a_library_that_raises(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> Response:
    http.get_adapter(url).max_retries = Retry(  # type: ignore[attr-defined]
        total=7, status_forcelist=[429, 504], backoff_factor=0.25
    )
    return http.request(verb, url)


def without_the_arguments(url: str) -> Response:
    return requests.get(url, timeout=1)


def any_429(response: Response, verb: str) -> bool:
    return response.status_code == 429 or may_help(response, verb)


def any_error(response: Response, verb: str) -> bool:
    return not response.ok and response.headers.get("x-amzn-ErrorType") != QUOTA


def any_verb(response: Response, _verb: str) -> bool:
    return may_help(response, "GET")


def only_429(response: Response, verb: str) -> bool:
    return response.status_code == 429 and may_help(response, verb)


MISTAKES: dict[str, tuple[Call, int, str]] = {
    "sleeps before the first try": (with_wait_first, 1, r"waited 0\.25 s before the first try"),
    "sends twice": (sends_twice, 1, "a call that passed cost 2 requests"),
    "sleeps after it has passed": (with_wait_after_success, 1, r"waited 1\.00 s after the call"),
    "no retry": (client(tries=1), 2, "gave up after 1 request, and the third"),
    "retries at once": (naive, 2, r"tried again at once.*sleep\("),
    "retries a quota": (client(again=any_429), 3, "it sent 7 more after the quota"),
    "retries a quota for ever": (naive, 3, "more after the quota was used up"),
    "retries a 400 and a 403": (client(again=any_error), 4, "8 requests to hear 400 each time"),
    "repeats a POST": (client(again=any_verb), 5, "sent a POST again after a 504"),
    "gives a 504 back": (client(again=only_429), 5, "A GET changes nothing"),
    "gives up too early": (client(tries=5), 6, "too early, after 5 requests of 8"),
    "tries too often": (client(tries=9), 6, "9 requests, and 8 is the limit"),
    "never gives up": (naive, 6, "never gives up"),
    "sleeps after the last try": (with_wait_last, 6, "after its last try, for nothing"),
    "no wait": (client(wait=lambda _: 0), 7, "never waits"),
    "no cap": (
        client(wait=lambda n: random.uniform(0, 0.25 * 2**n)),
        7,
        "wait 6 .* it needs a cap",
    ),
    "doesn't grow": (client(wait=lambda _: random.uniform(0, 0.25)), 7, "wait [23] .* don't grow"),
    "too long a begin": (client(wait=lambda _: random.uniform(0, 4)), 7, r"0\.25 is the most"),
    "no jitter": (client(wait=lambda n: min(4, 0.25 * 2**n)), 8, "no jitter: wait 1 is the same"),
    "too little jitter": (
        client(wait=lambda n: random.uniform(0.5, 1) * min(4, 0.25 * 2**n)),
        8,
        r"no wait was shorter than \d\d% of the longest",
    ),
    "a storm": (naive, 9, "a storm: 50 calls sent more than 300 requests"),
    "waves": (client(wait=lambda _: 0.5), 9, "10 of 50 clients didn't get through"),
    "raises": (raises, 3, r"raised HTTPError: 429 .*\. Give the last response back\."),
    "raises by a library": (
        with_a_library_that_raises,
        6,
        r"raised RetryError: .* …\. Give the last response back: .*raise_on_status=False",
    ),
    "sends nothing": (sends_nothing, 1, r"sent nothing .*\. Send with http\.request"),
    "has its own session": (with_its_own_session, 1, r"over the session that it got\."),
    "has its own adapter": (
        with_its_own_adapter,
        1,
        r"leave the session's adapters in their place",
    ),
    "is asynchronous": (asynchronous, 1, "it is async. Write a plain function"),  # type: ignore[dict-item]
    "takes other arguments": (
        without_the_arguments,
        9,
        "raised TypeError: without_the_arg.* given.",
    ),  # type: ignore[dict-item]
    "gives nothing back": (gives_nothing, 1, "gave back None, and not a response: return"),  # type: ignore[dict-item]
    "gives the first back": (gives_the_first, 2, "gave back 429, and the last answer was 200"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_its_hint(mistake: str) -> None:
    call, number, hint = MISTAKES[mistake]
    with pytest.raises(CheckError, match=hint) as caught:
        RULES[number - 1](call)
    assert str(caught.value).endswith(".")


def test_a_hint_belongs_to_one_mistake() -> None:
    hints = [hint for _call, _number, hint in MISTAKES.values()]
    assert len(set(hints)) == len(hints)


def test_the_good_client_keeps_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert kept(client()) == list(range(1, 10))
    assert capsys.readouterr().out == "✓ rules 1, 2, 3, 4, 5, 6, 7, 8, 9\n"


def test_chance_of_another_kind_keeps_all() -> None:
    """The checks hold for jitter that no seed decides."""
    chance = random.SystemRandom()
    assert kept(client(wait=lambda n: chance.uniform(0, min(4, 0.25 * 2**n)))) == list(range(1, 10))


def test_what_is_broken_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert kept(naive) == [1, 4]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✓ rules 1, 4"
    assert [line[:9] for line in lines[1:]] == [
        f"✗ rule {number}:"[:9] for number in (2, 3, 5, 6, 7, 8, 9)
    ]
    assert lines[-1] == "✗ rule 9: a storm: 50 calls sent more than 300 requests."


def test_one_mistake_breaks_few_rules() -> None:
    """So that a learner isn't told of seven things at once."""
    broken = {
        name: set(range(1, 10)) - set(kept(MISTAKES[name][0]))
        for name in ("retries a quota", "retries a 400 and a 403", "no cap", "gives up too early")
    }
    assert broken == {
        "retries a quota": {3},
        "retries a 400 and a 403": {4, 5},
        "no cap": {7},
        "gives up too early": {6, 9},
    }


def test_a_long_error_is_cut() -> None:
    def fails(*_given: object) -> Response:
        raise ValueError("x" * 500)

    with pytest.raises(CheckError, match=r"raised ValueError: x{50,90} …\.$"):
        retry_checks.rule_1(fails)


def test_a_hint_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert kept(sends_nothing) == []
    first, *more = capsys.readouterr().out.splitlines()
    assert first.startswith("✗ rule 1: it sent nothing")
    assert more == [f"✗ rule {number}: the same as rule 1." for number in range(2, 10)]


def test_who_runs_in_circles_is_told_and_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def circles(*_given: object) -> Response:
        while True:
            pass

    patience = retry_checks.Rehearsal.__init__.__globals__["VirtualTime"].__init__
    monkeypatch.setattr(patience, "__defaults__", (0.2,))
    assert kept(circles) == []
    [line] = capsys.readouterr().out.splitlines()
    assert "runs in circles" in line
    assert "labkit virtual time" not in {thread.name for thread in threading.enumerate()}


def test_who_waits_with_the_real_sleep_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def call(http: requests.Session, verb: str, url: str, _sleep: Sleep, _clock: Clock) -> Response:
        for _retry in range(3):
            response = http.request(verb, url)
            if not may_help(response, verb):
                break
            time.sleep(0.01)
        return response

    assert 2 not in kept(call)
    assert "✗ rule 2: it tried again at once. Call the sleep(…) that it gets" in (
        capsys.readouterr().out
    )


def test_the_longest_waits() -> None:
    assert CEILINGS.tolist() == [0.25, 0.5, 1, 2, 4, 4, 4]
