"""One call may never stop the others: a hopeless request gets an answer, and so does everybody else."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.attached_cloud import eventually
from tests.support.gateway import STAGE, Gateway
from tests.support.rest_api import Api
from tests.support.running_cloud import Cloud, running_cloud

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no timer of computing time"
)
HOPELESS = {"bar": "a" * 64 + "!"}


@pytest.fixture
def cloud(tmp_path: Path, start: float) -> Iterator[Cloud]:
    with running_cloud(tmp_path, start) as started:
        yield started


@pytest.fixture
def api(cloud: Cloud) -> Api:
    """``POST /`` checks the body against a pattern that backtracks for ever."""
    api = Api(Gateway(cloud))
    model = {"properties": {"bar": {"type": "string", "pattern": "^(a+)+$"}}}
    validator = api.aws.create_request_validator(
        restApiId=api.id, name="body", validateRequestBody=True
    )
    api.aws.create_model(
        restApiId=api.id, name="Bar", contentType="application/json", schema=json.dumps(model)
    )
    api.mock(
        "POST",
        "/x",
        requestValidatorId=validator["id"],
        requestModels={"application/json": "Bar"},
    )
    api.deploy()
    return api


def ask(api: Api, body: dict[str, str]) -> requests.Response:
    return api.gateway.cloud.send(
        api.id,
        f"/{STAGE}/x",
        "POST",
        {"Content-Type": "application/json"},
        json.dumps(body).encode(),
    )


def test_everybody_else_gets_an_answer(api: Api) -> None:
    cloud = api.gateway.cloud
    assert ask(api, {"bar": "aaa"}).status_code == 200
    with ThreadPoolExecutor(2) as pool:
        hopeless = pool.submit(ask, api, HOPELESS)
        health = pool.submit(cloud.labkit, "health")
        assert health.result().status_code == 200
        assert hopeless.result().status_code == 500
    assert ask(api, {"bar": "aaa"}).status_code == 200


def test_sigterm_ends_a_busy_cloud(api: Api) -> None:
    cloud = api.gateway.cloud
    process = psutil.Process(cloud.pid)
    before = process.cpu_times().user
    with ThreadPoolExecutor(1) as pool:
        hopeless = pool.submit(ask, api, HOPELESS)
        assert eventually(lambda: process.cpu_times().user > before + 0.5)
        os.kill(cloud.pid, signal.SIGTERM)
        assert eventually(lambda: process.status() == psutil.STATUS_ZOMBIE)
        assert hopeless.exception() or hopeless.result().status_code == 500
