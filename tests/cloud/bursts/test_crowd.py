"""labkit.retry.crowd: a client's own code, many times at once, only at the lab's own APIs, and bounded."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from labkit.errors import BurstError, ForeignHostError
from labkit.lab.session import Lab
from labkit.retry import crowd
from labkit.retry.crowd import call_together
from labkit.retry.rehearsal import Clock, Sleep
from tests.support.mock_api import MockApi, mock_api


@pytest.fixture(scope="module")
def api(lab: Lab) -> MockApi:
    return mock_api()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread for thread in threading.enumerate() if "labkit crowd" in thread.name] == []


def once(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> requests.Response:
    return http.request(verb, url)


def naive(
    http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
) -> requests.Response:
    while (response := http.request(verb, url)).status_code == 429:
        pass
    return response


def test_each_calls_once_and_the_bucket_decides(lab: Lab, api: MockApi) -> None:
    api.limit(0.001, 7)
    run = call_together(once, api.url, clients=20, lab=lab, name="once")
    assert (run.name, run.done, run.refused, run.given_up) == ("once", 7, 13, 13)
    assert sorted(run.client.tolist()) == list(range(20))
    assert (run.answered >= run.sent).all()
    assert (run.sent[1:] >= run.sent[:-1]).all()


def test_a_storm_gets_through_with_much_waste(lab: Lab, api: MockApi) -> None:
    api.limit(20, 3)
    run = call_together(naive, api.url, clients=15, lab=lab)
    assert run.done == 15
    assert run.refused > 15
    assert run.seconds > 0.5


def test_it_only_aims_at_the_labs_apis(lab: Lab) -> None:
    sent: list[int] = []

    def note(*_given: object) -> requests.Response:
        sent.append(1)
        return requests.Response()

    for url in ("https://example.com/", "https://sts.us-east-1.amazonaws.com/"):
        with pytest.raises(ForeignHostError):
            call_together(note, url, clients=2, lab=lab)
    assert sent == []


@pytest.mark.parametrize("clients", [0, 65])
def test_too_many_clients(lab: Lab, api: MockApi, clients: int) -> None:
    with pytest.raises(BurstError, match="from 1 to 64"):
        call_together(once, api.url, clients=clients, lab=lab)


def test_who_never_gives_up_is_stopped(lab: Lab, api: MockApi) -> None:
    api.limit(0.002, 1)
    with pytest.raises(BurstError, match=r"stopped after 4.* must give up after some tries"):
        call_together(naive, api.url, clients=5, lab=lab, most_requests=40)


def test_who_takes_too_long_is_stopped(lab: Lab, api: MockApi) -> None:
    api.limit(0.003, 1)

    def slowly(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        while (response := http.request(verb, url)).status_code == 429:
            sleep(0.05)
        return response

    with pytest.raises(BurstError, match="stopped after"):
        call_together(slowly, api.url, clients=3, lab=lab, most_seconds=0.3)


def test_what_a_client_raises_is_raised_and_ends_the_others(lab: Lab, api: MockApi) -> None:
    api.limit(0.004, 1)
    turn = iter([True])

    def broken(
        http: requests.Session, verb: str, url: str, sleep: Sleep, clock: Clock
    ) -> requests.Response:
        if next(turn, False):
            raise KeyError("x")
        return naive(http, verb, url, sleep, clock)

    with pytest.raises(KeyError):
        call_together(broken, api.url, clients=4, lab=lab)


def test_on_aws_each_client_has_a_way_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """A plain session's few connections aren't shared by fifty threads."""
    there = requests.Session()
    there.trust_env = False
    there.verify = str(tmp_path)
    mine = crowd._Noting(crowd._Crowd(1, 10, 60), 0, there)
    assert mine.adapters is not there.adapters
    assert (mine.trust_env, mine.verify) == (False, str(tmp_path))
    local = crowd._Noting(crowd._Crowd(1, 10, 60), 0, lab.http)
    assert local.adapters is lab.http.adapters
