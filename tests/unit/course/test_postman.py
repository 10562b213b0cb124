"""The Postman environment of task 6: what it says, who may read it, and that git never takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.course.postman import ENVIRONMENT_FILE, write_environment
from labkit.errors import SetupError
from tests.tools import make_postman_collection as maker

ROOT = Path(__file__).resolve().parents[3]
VARIABLES = {
    "cognito_endpoint": maker.COGNITO_ENDPOINT,
    "invoke_url": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev",
    "labkit_token": "secret",
}


def test_it_is_an_environment_of_postman(tmp_path: Path) -> None:
    read = json.loads(write_environment("aws", VARIABLES, tmp_path).read_text())
    assert read["_postman_variable_scope"] == "environment"
    assert read["name"] == "API Gateway security, task 6, aws"
    assert {one["key"]: one["value"] for one in read["values"]} == VARIABLES
    assert VARIABLES.keys() <= maker.VARIABLES.keys()
    assert [one["key"] for one in read["values"] if one["type"] == "secret"] == ["labkit_token"]


@pytest.mark.skipif(sys.platform == "win32", reason="the mode is POSIX's")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    (tmp_path / ENVIRONMENT_FILE).write_text("older, and open to all")
    (tmp_path / ENVIRONMENT_FILE).chmod(0o644)
    assert write_environment("local", VARIABLES, tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("folder", ["notebooks/lab", "my-notebooks/lab"])
def test_git_ignores_it(folder: str) -> None:
    command = ["git", "check-ignore", "--quiet", f"{folder}/{ENVIRONMENT_FILE}"]
    assert subprocess.run(command, cwd=ROOT).returncode == 0


def test_a_folder_that_takes_no_file_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=f"Can't write {ENVIRONMENT_FILE} beside this notebook"):
        write_environment("local", VARIABLES, tmp_path / "nowhere")


def test_what_a_link_points_to_stays(tmp_path: Path) -> None:
    other = tmp_path / "mine.json"
    other.write_text("mine")
    os.symlink(other, tmp_path / ENVIRONMENT_FILE)
    write_environment("local", VARIABLES, tmp_path)
    assert other.read_text() == "mine"
