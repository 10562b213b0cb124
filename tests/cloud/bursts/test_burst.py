"""labkit.fire(): real requests, on time, bounded, only at the lab's own APIs, and stopped cleanly."""

import _thread
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import urllib3.util.connection

import labkit
from labkit.bursts import arrivals, burst
from labkit.bursts.burst import Burst, Shot, fire
from labkit.bursts.target import MOST_AT_ONCE, Reply, Target
from labkit.errors import BurstError, CloudUnavailableError, ForeignHostError
from labkit.lab.session import Lab
from labkit.names import TAGS
from labkit.throttle import TokenBucket
from tests.support.attached_cloud import attached_cloud, eventually
from tests.support.mock_api import MockApi, mock_api
from tests.support.patience import PATIENCE


@pytest.fixture
def api(lab: Lab) -> MockApi:
    return mock_api()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [t for t in threading.enumerate() if t.name.startswith("labkit burst")] == []


# -- what comes back -------------------------------------------------------------------------------


def test_a_spike_empties_the_bucket(
    lab: Lab, api: MockApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.limit(0.001, 12)
    found = fire(api.url, arrivals.spike(30), lab=lab)
    assert found.counts == {"200": 12, "429 TooManyRequestsException": 18}
    assert str(found) == "30 requests sent: 12 accepted, 18 throttled"
    assert (repr(found), len(found), found.finished) == (f"<{found}>", 30, True)
    assert capsys.readouterr().out == f"{found}\n"
    assert found.accepted.sum() == 12
    assert found.throttled.sum() == 18
    assert sorted(found.job) == list(range(30))
    assert set(found.status) == {200, 429}
    assert (found.answered > found.sent).all()
    assert (np.diff(found.sent) >= 0).all()
    assert found.predict(TokenBucket(0.001, 12)).passed == 12


def test_the_request_arrives_as_the_lab_s_session_would_send_it(lab: Lab, api: MockApi) -> None:
    request = requests.Request("GET", api.url, headers={"X-My": "header"}, params={"a": "b c"})
    [shot] = fire(request, [0.0], lab=lab).shots
    assert shot.reply.status == 200
    response = requests.Response()
    response.headers["x-amzn-RequestId"] = shot.reply.request_id
    journey = lab.journey(response)
    assert (journey.method, journey.path, journey.status) == ("GET", "/dev/", 200)


def test_the_quota_s_429_is_told_apart(lab: Lab) -> None:
    api = mock_api(key_required=True)
    key = api.key(quota={"limit": 3, "period": "DAY"})
    request = requests.Request("GET", api.url, headers={"x-api-key": key})
    found = fire(request, arrivals.spike(5), lab=lab)
    assert found.counts == {"200": 3, "429 LimitExceededException": 2}
    assert str(found) == "5 requests sent: 3 accepted, 0 throttled, 2 over the quota"
    assert found.throttled.sum() == 0


def test_two_clients_share_a_bucket(lab: Lab) -> None:
    api = mock_api(key_required=True)
    keys = [api.key(throttle={"rateLimit": 0.001, "burstLimit": burst}) for burst in (4, 7)]
    each = [requests.Request("GET", api.url, headers={"x-api-key": key}) for key in keys]
    both = arrivals.shared(arrivals.spike(10), arrivals.spike(10))
    found = fire(each, both, lab=lab)
    passed = both.client[found.job[found.accepted]]
    assert np.bincount(passed).tolist() == [4, 7]


def test_another_answer_is_named(lab: Lab, api: MockApi) -> None:
    found = fire(f"{api.url}/nowhere", arrivals.spike(2), lab=lab)
    assert str(found) == (
        "2 requests sent: 0 accepted, 0 throttled, 2 other (403 MissingAuthenticationTokenException)"
    )


def test_an_empty_pattern_sends_nothing(lab: Lab, api: MockApi) -> None:
    assert str(fire(api.url, [], lab=lab)) == "0 requests sent: 0 accepted, 0 throttled"


# -- where it aims, and how much -------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "http://127.0.0.1:80/",
        "http://localhost/",
        "https://aaaaaaaaaa.execute-api.us-east-1.amazonaws.com.example.org/dev",
        "https://s3.us-east-1.amazonaws.com/",
        "https://aaaaaaaaaa.execute-api.us-east-1.amazonaws.com@example.org/",
        "https://dexample.cloudfront.net/",
    ],
)
def test_a_stranger_isn_t_aimed_at(lab: Lab, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with pytest.raises(ForeignHostError, match="only aims at the lab's own APIs"):
        fire(url, [0.0], lab=lab)


def test_an_api_that_isn_t_there_isn_t_aimed_at(lab: Lab) -> None:
    with pytest.raises(ForeignHostError, match="no API aaaaaaaaaa"):
        fire("https://aaaaaaaaaa.execute-api.us-east-1.amazonaws.com/dev", [0.0], lab=lab)


class OnAws:
    """A lab whose session is plain, as on AWS; boto3 still asks the local cloud."""

    http = requests.Session()


def test_on_aws_only_the_course_s_own_apis_are_aimed_at(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("nobody is there")

    aws: Any = OnAws()
    stranger, own = mock_api(), mock_api(tags=TAGS | {"more": "tags"})
    with pytest.raises(ForeignHostError, match="course's tag course=api-gateway-security"):
        fire(stranger.url, [0.0], lab=aws)
    assert fire(own.url, [], lab=aws).planned == 0
    monkeypatch.setattr(urllib3.util.connection, "create_connection", refuse)
    with pytest.raises(CloudUnavailableError, match="check the network"):
        fire(own.url, [0.0], lab=aws)


def test_on_aws_a_proxy_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer() -> None:
            with proxy.accept()[0] as connection:
                said.append(connection.recv(10_000))
                connection.sendall(b"HTTP/1.1 403 no\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://me:mine@127.0.0.1:{proxy.getsockname()[1]}"
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        url = "https://a.execute-api.us-east-1.amazonaws.com/"
        session = requests.Session()
        prepared = session.prepare_request(requests.Request("GET", url))
        assert Target(session, [prepared]).ask(0) == Reply(0, "ProxyError")
        thread.join()
    assert said[0].startswith(b"CONNECT a.execute-api.us-east-1.amazonaws.com:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6bWluZQ==" in said[0]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ([0.0] * (burst.MOST_REQUESTS + 1), "10,001 requests are more than the 10,000"),
        ([0.0, burst.MOST_SECONDS + 1], "from 0 to 300 seconds"),
        ([-1.0], "from 0 to 300 seconds"),
        (arrivals.shared([0.0], [0.0]), "2 clients and there are 1 requests"),
        ([1.0, 0.0], "in their order"),
    ],
)
def test_a_burst_is_bounded(lab: Lab, api: MockApi, pattern: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        fire(api.url, pattern, lab=lab)


def test_requests_must_be_for_one_api_and_repeatable(lab: Lab, api: MockApi) -> None:
    both = arrivals.shared([0.0], [0.0])
    with pytest.raises(BurstError, match="one host name"):
        fire([api.url, mock_api().url], both, lab=lab)
    request = requests.Request("POST", api.url, data=iter([b"once"]))
    with pytest.raises(BurstError, match="text or bytes"):
        fire(request, [0.0], lab=lab)
    twice = requests.Request("POST", api.url, data="text")
    assert len(fire(twice, [0.0, 0.0], lab=lab)) == 2


# -- time and threads ------------------------------------------------------------------------------


def test_it_keeps_the_schedule(lab: Lab, api: MockApi) -> None:
    """The strict figure is bench_fire.py's; here a loaded machine must not fail."""
    found = fire(api.url, arrivals.steady(100, 1), lab=lab)
    assert found.counts == {"200": 100}
    assert (found.late >= 0).all()
    assert np.median(found.late) < 0.02
    assert found.began_at + found.sent[-1] == pytest.approx(time.time(), abs=5)


def test_at_once_is_a_bound(lab: Lab, api: MockApi) -> None:
    found = fire(api.url, arrivals.spike(200), lab=lab)
    on_their_way = [int(((found.sent <= t) & (found.answered > t)).sum()) for t in found.sent]
    assert max(on_their_way) <= MOST_AT_ONCE


def test_the_kernel_s_interrupt_stops_it(lab: Lab, api: MockApi) -> None:
    waiting = [_thread.interrupt_main]

    def interrupt(shots: Sequence[Shot], _total: int) -> None:
        if len(shots) >= 5 and waiting:
            waiting.pop()()

    began = time.monotonic()
    found = fire(api.url, arrivals.steady(50, 60), lab=lab, progress=interrupt)
    assert time.monotonic() - began < 20
    assert not found.finished
    assert 5 <= len(found) < 1000
    assert found.planned == 3000
    assert set(found.status) == {200}
    counts = f"{len(found)} requests sent: {len(found)} accepted, 0 throttled, of 3000 planned"
    assert str(found) == f"Stopped. {counts}"


def test_a_cloud_that_is_gone_is_told_at_once(tmp_path: Path) -> None:
    with attached_cloud(tmp_path) as lab:
        url = mock_api().url
        labkit.stop()
        began = time.monotonic()
        with pytest.raises(CloudUnavailableError, match=r"run `lab = labkit.start\(\)` again"):
            fire(url, [0.0], lab=lab)
        assert time.monotonic() - began < 8  # botocore would try again for ten seconds


def test_another_thread_stops_it_and_sees_every_answer(lab: Lab, api: MockApi) -> None:
    seen: list[Shot] = []
    stop, found = threading.Event(), []

    def note(shots: Sequence[Shot], total: int) -> None:
        assert total == 3000
        seen[:] = shots

    def run() -> None:
        pattern = arrivals.steady(50, 60)
        found.append(fire(api.url, pattern, lab=lab, progress=note, stop=stop))

    thread = threading.Thread(target=run)
    thread.start()
    assert eventually(lambda: len(seen) > 5)
    stop.set()
    thread.join(20)
    [burst] = found
    assert not burst.finished
    assert 5 < len(burst) < 1000
    assert sorted(seen, key=lambda shot: shot.sent) == list(burst.shots)
    assert stop.is_set()
    assert not [one for one in threading.enumerate() if one.name.startswith("labkit burst")]


KERNEL = """
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")

def show(message, pressed=[]):
    text = message["content"].get("text", "")
    print(text, end="")
    if "of 2000" in text and not pressed:  # the bar: it is on its way
        pressed.append(manager.interrupt_kernel())

reply = client.execute_interactive(sys.argv[1], timeout=120, output_hook=show)
print(reply["content"]["status"])
client.stop_channels()
manager.shutdown_kernel(now=True)
"""
CELL = """
import labkit, threading
lab = labkit.start()
found = labkit.fire({url!r}, labkit.bursts.arrivals.steady(20, 100), lab=lab)
print("left:", [t for t in threading.enumerate() if t.name.startswith("labkit burst")])
"""


@pytest.mark.slow
def test_the_interrupt_button_of_a_real_kernel(lab: Lab, api: MockApi) -> None:
    """The kernel finds the lab's cloud through the environment of this process."""
    command = [sys.executable, "-W", "ignore", "-c", KERNEL, CELL.format(url=api.url)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    text = r"Stopped\. (\d+) requests sent: \1 accepted, 0 throttled, of 2000 planned\nleft: \[\]\nok\n"
    assert re.search(text, done.stdout), done.stdout + done.stderr


def test_a_stop_waits_for_what_is_on_its_way(lab: Lab, api: MockApi) -> None:
    stop = threading.Event()
    found = fire(
        api.url, [0.0, 60.0], lab=lab, progress=lambda _shots, _total: stop.set(), stop=stop
    )
    assert (len(found), found.finished, found.status.tolist()) == (1, False, [200])


def test_a_mistake_of_what_shows_the_progress_is_raised_and_ends_it(lab: Lab, api: MockApi) -> None:
    def fail(_shots: Sequence[Shot], _total: int) -> None:
        raise ZeroDivisionError

    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fire(api.url, [0.0, 60.0], lab=lab, progress=fail)
    assert time.monotonic() - began < 10


def test_a_request_without_an_answer_is_not_sent_twice() -> None:
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                said.append(connection.recv(10_000))

        thread = threading.Thread(target=serve)
        thread.start()
        session = requests.Session()
        session.trust_env = False
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        prepared = session.prepare_request(requests.Request("GET", url))
        assert Target(session, [prepared]).ask(0) == Reply(0, "ConnectionError")
        thread.join()
    assert len(said) == 1
    shot = Shot(0, 0, 0, 1, Reply(0, "ConnectionError"))
    assert shot.meaning == "no answer ConnectionError"
    text = "1 requests sent: 0 accepted, 0 throttled, 1 other (no answer ConnectionError)"
    assert str(Burst((shot,), 1, True, 0.0)) == text
