"""A cloud of the tests' own, and Node.js with the packages that .ci/run installs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.interop.guarded_api import GuardedApi, guarded_api
from tests.support.patience import PATIENCE
from tests.support.running_cloud import LabCloud, lab_cloud

HERE = Path(__file__).resolve().parent
PACKAGES = (
    "jose",
    "aws4",
    "aws4fetch",
    "amazon-cognito-identity-js",
    "aws-amplify",
    "aws-jwt-verify",
    "@aws-sdk/client-api-gateway",
    "@aws-sdk/client-cognito-identity-provider",
)


@pytest.fixture(scope="session")
def node(lacking: Callable[[str], NoReturn]) -> Callable[[str, object], Any]:
    """Runs a script beside this file with JSON as its input; returns the JSON that it writes."""
    program = shutil.which("node")
    if program is None:
        lacking("Node.js is missing: on Debian 'apt-get install nodejs npm'")
    modules = Path(os.environ.get("LABKIT_NODE_MODULES", "/nowhere"))
    missing = [name for name in PACKAGES if not (modules / name / "package.json").is_file()]
    if missing:
        lacking(
            f"{', '.join(missing)} missing: install the packages of .ci/run with 'npm install --prefix DIRECTORY', and "
            "set LABKIT_NODE_MODULES=DIRECTORY/node_modules"
        )

    def run(script: str, data: object) -> Any:
        ran = subprocess.run(
            [program, str(HERE / script)],
            input=json.dumps(data),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCloud]:
    with lab_cloud(tmp_path_factory.mktemp("interop")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def api(cloud: LabCloud) -> GuardedApi:
    return guarded_api(cloud.client, cloud.endpoint)
