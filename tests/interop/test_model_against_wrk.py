"""The bucket held against a load generator of other people: wrk, on loopback, at its full speed and slowly.

`test_model_against_gateway.py` sends with the course's own `labkit.fire`; here nothing of the course takes part in
sending or counting. wrk stops after a number of requests, and after a time whatever happens.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import NoReturn

import numpy as np
import pytest

from labkit.bursts.simulation import excess, simulate
from labkit.lab.session import Lab
from labkit.local.apigateway.journeys import KEPT_JOURNEYS
from labkit.throttle import TokenBucket
from tests.support.attached_cloud import attached_cloud, cloud_settings
from tests.support.gate_times import gate_times, in_order
from tests.support.mock_api import MockApi, mock_api

SCRIPT = Path(__file__).with_name("wrk_count.lua")
MOST_SECONDS = 30
ROUNDING = 1e-4
"""Of a clock that counts the seconds since 1970 in a float, at the highest rate."""


@dataclass(frozen=True)
class Load:
    """What a run of wrk meets, and what it sends.

    Attributes:
        rate: of the stage's limit, in requests a second.
        burst: of the stage's limit.
        connections: how many are open at once.
        pause: the milliseconds between two requests of a connection; 0 is as fast as it can.
        count: all requests.
    """

    rate: float
    burst: int
    connections: int
    pause: int
    count: int

    def __str__(self) -> str:
        return f"rate-{self.rate:g}-burst-{self.burst}-{self.connections}x{self.pause}ms"


LOADS = [
    Load(rate=5, burst=10, connections=16, pause=0, count=900),
    Load(rate=2, burst=100, connections=1, pause=0, count=600),
    Load(rate=0.5, burst=1, connections=4, pause=0, count=300),
    Load(rate=100, burst=1, connections=2, pause=3, count=400),
    Load(rate=40, burst=25, connections=8, pause=25, count=500),
    Load(rate=60, burst=50, connections=16, pause=60, count=600),
    Load(rate=120, burst=5, connections=32, pause=20, count=800),
]


@dataclass(frozen=True)
class Answers:
    """What wrk says.

    Attributes:
        status: of each answer.
        request_id: of each answer.
        requests: how many wrk counted.
        refused: how many of them had a status above 399.
        failed: connections that broke, and answers that never came.
        seconds: how long it took.
    """

    status: np.ndarray
    request_id: list[str]
    requests: int
    refused: int
    failed: int
    seconds: float


@pytest.fixture(scope="module")
def wrk(lacking: Callable[[str], NoReturn]) -> str:
    """The path of the load generator."""
    path = which("wrk")
    if path is None:
        lacking("wrk is missing: on Debian 'apt-get install wrk'")
    return path


@pytest.fixture(scope="module")
def lab(wrk: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with attached_cloud(tmp_path_factory.mktemp("wrk")) as lab:
        yield lab


@pytest.fixture(scope="module")
def api(lab: Lab) -> MockApi:
    return mock_api()


def sent_by(wrk: str, load: Load, lab: Lab, api: MockApi) -> Answers:
    """Let wrk send; it is interrupted, as by Ctrl-C, when all requests have their answers."""
    endpoint = cloud_settings().endpoint
    host = api.url.removeprefix("https://").partition("/")[0]
    options = {
        "--threads": 1,
        "--connections": load.connections,
        "--duration": f"{MOST_SECONDS}s",
        "--header": f"Host: {host}",
        "--script": SCRIPT,
    }
    command = [wrk, *(str(word) for option in options.items() for word in option)]
    command += [f"{endpoint}/dev", "--", str(load.count), str(load.pause)]
    answers: list[list[str]] = []
    summary: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for kind, *words in (line.split() for line in running.stdout if line.strip()):
            if kind == "answer":
                answers.append(words)
                if len(answers) == load.count:
                    running.send_signal(signal.SIGINT)
            elif kind == "summary":
                summary = [int(word) for word in words]
    assert running.returncode == 0
    requests, refused, failed, microseconds = summary
    status, request_id = zip(*answers, strict=True)
    return Answers(
        np.array(status, dtype=int), list(request_id), requests, refused, failed, microseconds / 1e6
    )


def test_every_journey_is_kept() -> None:
    assert all(load.count < KEPT_JOURNEYS for load in LOADS)


@pytest.mark.slow
@pytest.mark.parametrize("load", LOADS, ids=str)
def test_what_wrk_counts_is_what_the_model_says(
    wrk: str, lab: Lab, api: MockApi, load: Load
) -> None:
    bucket = TokenBucket(load.rate, load.burst)
    api.limit(load.rate, load.burst)
    answers = sent_by(wrk, load, lab, api)

    # wrk's own counts. No request was on its way when it stopped, so none has taken a token unseen.
    assert answers.failed == 0
    assert set(answers.status) == {200, 429}
    accepted = answers.status == 200
    passed = int(accepted.sum())
    assert answers.requests == len(answers.status) == len(set(answers.request_id)) == load.count
    assert answers.refused == load.count - passed

    # By the gateway's clock the model is within 1 % of both counts, and in fact right about every request.
    at, let_in = gate_times(answers.request_id)
    assert let_in.tolist() == accepted.tolist()
    order = in_order(at, let_in)
    prediction = simulate(at[order], bucket)
    assert prediction.passed == pytest.approx(passed, rel=0.01)
    assert len(prediction) - prediction.passed == pytest.approx(answers.refused, rel=0.01)
    assert prediction.accepted.tolist() == accepted[order].tolist()

    # Never above burst + rate * t: in no span by the gateway's clock, nor over all by wrk's.
    assert excess(np.sort(at[accepted]), bucket) <= ROUNDING
    assert passed <= load.burst + load.rate * answers.seconds
