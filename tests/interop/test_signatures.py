"""What labkit and botocore sign, our gateway accepts; what labkit signs, MiniStack's own verification accepts too."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.credentials import Credentials

from labkit import sigv4
from tests.interop.guarded_api import REGION, REQUESTS, Answer, GuardedApi, Request, guarded_api
from tests.support.patience import PATIENCE

WHO = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
each_request = pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r.method} {r.target}")
each_key = pytest.mark.parametrize("whose", ["user", "temporary"])


def wrong(key: Credentials) -> Credentials:
    return Credentials(key.access_key, key.secret_key + "x", key.token)


def accepted(answer: Answer) -> None:
    assert (answer.status, answer.body) == (200, '"in"')


# -- the local cloud -------------------------------------------------------------------------


@each_key
@each_request
def test_our_gateway_takes_them(api: GuardedApi, request_: Request, whose: str) -> None:
    key: Credentials = getattr(api, whose)
    accepted(api.by_labkit(request_, key))
    accepted(api.by_botocore(request_, key))
    assert api.by_labkit(request_, wrong(key)).status == 403
    assert api.by_botocore(request_, wrong(key)).status == 403


@each_key
@pytest.mark.parametrize("target", [r.target for r in REQUESTS if r.method == "GET"])
def test_our_gateway_takes_presigned_urls(api: GuardedApi, target: str, whose: str) -> None:
    key: Credentials = getattr(api, whose)
    accepted(api.presigned_by_labkit(target, key))
    if target.count("x=") < 2:  # botocore keeps only the first of a repeated parameter
        accepted(api.presigned_by_botocore(target, key))
    assert api.presigned_by_labkit(target, wrong(key)).status == 403


def test_the_refusal_says_what_differs(api: GuardedApi) -> None:
    made = sigv4.sign("GET", f"https://{api.host}/dev/a?b=1", credentials=api.user, region=REGION)
    assert sigv4.diff(api.send("GET", "/dev/a?b=2", made.headers).body, made).part == "query"
    assert sigv4.diff(api.send("POST", "/dev/a?b=1", made.headers).body, made).part == "verb"
    assert sigv4.diff(api.send("GET", "/dev/b?b=1", made.headers).body, made).part == "path"
    post = sigv4.sign(
        "POST", f"https://{api.host}/dev/a", body="a", credentials=api.user, region=REGION
    )
    for body, hint in (("b", "exactly the bytes"), ("", "not sent")):
        found = sigv4.diff(api.send("POST", "/dev/a", post.headers, body).body, post)
        assert found.part == "payload hash"
        assert hint in found.hint
    later = {**made.headers, "X-Amz-Date": made.headers["X-Amz-Date"][:-3] + "99Z"}
    assert "ISO-8601" in api.send("GET", "/dev/a?b=1", later).body
    other = sigv4.sign(
        "GET", f"https://{api.host}/dev/a?b=1", credentials=wrong(api.user), region=REGION
    )
    assert sigv4.diff(api.send("GET", "/dev/a?b=1", other.headers).body, other).part == "secret key"
    s3 = sigv4.sign(
        "GET", f"https://{api.host}/dev/a%20b", credentials=api.user, region=REGION, service="s3"
    )
    scoped = s3.headers["Authorization"].replace("/s3/", "/execute-api/")
    found = sigv4.diff(
        api.send("GET", "/dev/a%20b", {**s3.headers, "Authorization": scoped}).body, s3
    )
    assert (found.part, "encoded once" in found.hint) == ("path", True)


@each_key
def test_our_gateway_takes_what_requests_sends(api: GuardedApi, whose: str) -> None:
    auth = sigv4.SigV4Auth(getattr(api, whose), REGION)
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Host"] = api.host
        for options in (
            {"params": {"a b": ["+", "*", ""], "ü": "@:="}},
            {"json": {"name": "Jürgen"}},
            {"data": "text", "headers": {"Content-Type": "text/plain"}},
        ):
            answer = session.post(f"{api.endpoint}/dev/ü b", auth=auth, timeout=PATIENCE, **options)  # type: ignore[arg-type]
            accepted(Answer(answer.status_code, answer.text))
        session.headers["Host"] = "other." + api.host.partition(".")[2]
        assert session.get(f"{api.endpoint}/dev/a", auth=auth, timeout=PATIENCE).status_code != 200


# -- MiniStack as it comes from PyPI ------------------------------------------------------------


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """`python -m ministack`, unmodified, with its verification of signatures switched on."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
    environment |= {
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }
    environment |= {"HOME": str(directory), "TMPDIR": str(directory)}
    command = [sys.executable, "-m", "ministack"]
    with (
        (directory / "log").open("w") as log,
        subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, cwd=directory
        ) as process,
        requests.Session() as session,
    ):
        session.trust_env = False
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    session.get(f"{endpoint}/_ministack/health", timeout=2)
                    break
                except requests.ConnectionError:
                    assert process.poll() is None, (directory / "log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield endpoint
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedApi]:
    with ministack(tmp_path_factory.mktemp("ministack")) as endpoint:

        def client(service: str) -> Any:
            with pytest.MonkeyPatch.context() as patch:
                for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
                    patch.delenv(name)
                return boto3.client(
                    service,
                    endpoint_url=endpoint,
                    region_name=REGION,
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                )

        yield guarded_api(client, endpoint, "execute-api.localhost")


@each_key
@each_request
def test_ministack_takes_them(plain: GuardedApi, request_: Request, whose: str) -> None:
    key: Credentials = getattr(plain, whose)
    assert plain.by_labkit(request_, key).status == 200
    assert plain.by_labkit(request_, wrong(key)).status == 403


@each_key
def test_ministack_knows_who_signed(plain: GuardedApi, whose: str) -> None:
    key: Credentials = getattr(plain, whose)
    url = f"{plain.endpoint}/"
    host = urlsplit(url).netloc

    def ask(signer: Credentials) -> Answer:
        made = sigv4.sign(
            "POST", url, headers=FORM, body=WHO, credentials=signer, region=REGION, service="sts"
        )
        assert made.headers["Host"] == host
        return sts.send("POST", "/", made.headers, WHO)

    def ask_by_url(signer: Credentials) -> Answer:
        made = sigv4.presign(
            "GET", f"{url}?{WHO}", expires=60, credentials=signer, region=REGION, service="sts"
        )
        return sts.send("GET", made.url.removeprefix(plain.endpoint), made.headers)

    sts = GuardedApi(plain.endpoint, host, plain.user, plain.temporary)
    for way in (ask, ask_by_url):
        good, bad = way(key), way(wrong(key))
        assert good.status == 200
        assert "user/caller" in good.body or "assumed-role/caller/interop" in good.body
        assert bad.status == 403
        assert "SignatureDoesNotMatch" in bad.body
