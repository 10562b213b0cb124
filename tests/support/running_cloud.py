"""A local cloud in a process of its own, and clients that reach it as any other program would."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from labkit.lab.cloud_process import clean_environment
from tests.support.patience import PATIENCE
from tests.support.start import at_real_time

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cloud:
    """A running local cloud, as it announced itself.

    Attributes:
        pid: its process.
        log: where its errors go.
    """

    endpoint: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    admin_token: str
    pid: int
    log: Path

    @cached_property
    def http(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    @cache  # noqa: B019 - one cloud a session
    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    @cached_property
    def assumer(self) -> Any:
        """STS for a user who may assume roles: root may not."""
        iam, name = self.client("iam"), f"assumer-{secrets.token_hex(4)}"
        iam.create_user(UserName=name)
        may = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            "sts",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def send(
        self,
        api_id: str,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
    ) -> requests.Response:
        """A request to an API, by its genuine host name."""
        host = f"{api_id}.execute-api.{self.region}.amazonaws.com"
        return self.http.request(
            method,
            self.endpoint + path,
            headers={"Host": host, **(headers or {})},
            data=data,
            allow_redirects=False,
            timeout=PATIENCE,
        )

    def labkit(self, path: str) -> requests.Response:
        headers = {"x-labkit-token": self.admin_token}
        return self.http.get(f"{self.endpoint}/_labkit/{path}", headers=headers, timeout=PATIENCE)

    def journey(self, response: requests.Response) -> dict[str, Any]:
        """The journey of a response's request."""
        found = self.labkit(f"journeys/{response.headers['x-amzn-RequestId']}")
        assert found.status_code == 200, found.text
        return dict(found.json())

    def memory(self) -> int:
        """The resident memory of its process in bytes; 0 where ``/proc`` isn't."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running_cloud(
    directory: Path, ahead: float, module: str = "tests.support.start"
) -> Iterator[Cloud]:
    """Start a cloud with this interpreter and read the line that it prints; stop it in the end.

    Args:
        directory: where it keeps its files.
        ahead: how far its clock is ahead of the computer's, in seconds.
        module: the program.
    """
    command = [sys.executable, "-m", module, "--ahead", str(ahead), "--port", "0"]
    environment = clean_environment() | {"TMPDIR": str(directory)}
    log = directory / "stderr"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        cloud = Cloud(**json.loads(line), pid=process.pid, log=log)
        yield cloud
        cloud.http.close()
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(timeout=PATIENCE)


# -- with the lab in it ------------------------------------------------------------

_TASK_6 = (
    "import dataclasses, json; from labkit.course.tasks import start_task;"
    "print(json.dumps(dataclasses.asdict(start_task(6))))"
)


@dataclass(frozen=True)
class LabCloud:
    """A cloud with the lab as task 6 finds it.

    Attributes:
        cloud: where it is.
        lab: labkit.course.tasks.Demo as a dictionary.
    """

    cloud: Cloud
    lab: dict[str, str]

    @property
    def endpoint(self) -> str:
        return self.cloud.endpoint

    @property
    def admin_token(self) -> str:
        return self.cloud.admin_token

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    @property
    def invoke_url_by_path(self) -> str:
        """The stage `dev`, for a client that can't reach the genuine host name."""
        return f"{self.endpoint}/_aws/execute-api/{self.lab['rest_api_id']}/dev"

    def newest_code(self) -> str:
        """The code of the newest mail to the lab's user."""
        messages: list[dict[str, Any]] = self.cloud.labkit(f"inbox/{self.lab['email']}").json()
        return str(messages[0]["code"])


@contextmanager
def lab_cloud(directory: Path) -> Iterator[LabCloud]:
    """Start a cloud for programs that read the environment, without a proxy, which they would send loopback through.

    It is at the computer's time, as are the programs that call it, whatever `--start` says.
    """
    with (
        at_real_time(),
        pytest.MonkeyPatch.context() as patch,
        running_cloud(directory, 0) as cloud,
    ):
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        aws = {
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_DEFAULT_REGION": cloud.region,
            "AWS_ACCESS_KEY_ID": cloud.access_key_id,
            "AWS_SECRET_ACCESS_KEY": cloud.secret_access_key,
        }
        command = [sys.executable, "-c", _TASK_6]
        made = subprocess.run(
            command,
            env=os.environ | aws,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        yield LabCloud(cloud, json.loads(made.stdout))
