"""A local cloud of a test's own, started the way a stranger starts it: `python -m labkit.local --port 0`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from tests.support.patience import PATIENCE
from tests.support.start import at_real_time

_TASK_6 = (
    "import dataclasses, json; from labkit.course.tasks import start_task;"
    "print(json.dumps(dataclasses.asdict(start_task(6, lambda: None))))"
)


@dataclass(frozen=True)
class OwnCloud:
    """What the cloud printed when it was ready, and the ids of the lab in it.

    Attributes:
        announced: endpoint, region, account_id, access_key_id, secret_access_key, admin_token.
        lab: labkit.course.tasks.Demo as a dictionary.
    """

    announced: dict[str, str]
    lab: dict[str, str]

    @property
    def endpoint(self) -> str:
        return self.announced["endpoint"]

    @property
    def invoke_url_by_path(self) -> str:
        """The stage `dev`, for a client that can't reach the genuine host name."""
        return f"{self.endpoint}/_aws/execute-api/{self.lab['rest_api_id']}/dev"

    def client(self, service: str) -> Any:
        """A boto3 client that has all it needs from its arguments."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.announced["region"],
            aws_access_key_id=self.announced["access_key_id"],
            aws_secret_access_key=self.announced["secret_access_key"],
        )

    def newest_code(self) -> str:
        """The code of the newest mail to the lab's user."""
        messages: list[dict[str, Any]] = requests.get(
            f"{self.endpoint}/_labkit/inbox/{self.lab['email']}",
            headers={"x-labkit-token": self.announced["admin_token"]},
            timeout=PATIENCE,
        ).json()
        return str(messages[0]["code"])


@contextmanager
def _without_proxy() -> Iterator[None]:
    """boto3, requests and urllib would send even loopback requests through the machine's proxy."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@contextmanager
def own_cloud(directory: Path) -> Iterator[OwnCloud]:
    """A cloud with the lab as task 6 finds it; it keeps its files in `directory`.

    It is at the computer's time, as are the programs that call it, whatever `--start` says.
    """
    command = [sys.executable, "-m", "labkit.local", "--port", "0"]
    environment = os.environ | {"TMPDIR": str(directory)}
    with (
        at_real_time(),
        _without_proxy(),
        (directory / "cloud.log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process,
    ):
        try:
            assert process.stdout is not None
            announced = json.loads(process.stdout.readline())
            aws = {
                "AWS_ENDPOINT_URL": announced["endpoint"],
                "AWS_DEFAULT_REGION": announced["region"],
                "AWS_ACCESS_KEY_ID": announced["access_key_id"],
                "AWS_SECRET_ACCESS_KEY": announced["secret_access_key"],
            }
            made = subprocess.run(
                [sys.executable, "-c", _TASK_6],
                env=os.environ | aws,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                timeout=PATIENCE,
            )
            yield OwnCloud(announced, json.loads(made.stdout))
        finally:
            process.terminate()
