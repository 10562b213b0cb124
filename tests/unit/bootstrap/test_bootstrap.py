"""`python3 -m labkit` makes its environment, or says in one sentence why it cannot."""

import ast
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from labkit import _bootstrap
from labkit._bootstrap import installation
from tests.support.package_index import write_wheel
from tests.support.small_course import BACKEND

ROOT = Path(__file__).resolve().parents[3]


def python_m_labkit(
    clone: Path, *arguments: str, first: str = "", prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it as a learner does, in a Python that `first` has made poorer."""
    code = f"import runpy, sys; sys.argv = ['labkit', *{list(arguments)}]\n{first}\n"
    code += "runpy.run_module('labkit', run_name='__main__', alter_sys=True)"
    return subprocess.run(
        [*prefix, sys._base_executable, "-c", code],  # type: ignore[attr-defined]
        cwd=clone,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"},
    )


def assert_one_sentence(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode == 1
    sentence = answer.stderr.strip()
    assert "Traceback" not in sentence
    assert len(sentence.splitlines()) == 1, sentence
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_old_pythons_can_read_what_they_run_first(name: str) -> None:
    ast.parse((ROOT / "labkit" / name).read_text("utf-8"), feature_version=(3, 7))


def test_an_old_python_is_told_which_one_is_needed(clone: Path) -> None:
    answer = python_m_labkit(clone, first="sys.version_info = (3, 9, 1, 'final', 0)")
    assert_one_sentence(answer, "3.11 or newer", "is Python 3.9", "python3.13 -m labkit")


# Neither the environment's Python can make itself a pip, nor has the one outside another than this.
PIP_OUTSIDE = """
import importlib.metadata, subprocess
real_run, real_version = subprocess.run, importlib.metadata.version
def run(command, **options):
    if "ensurepip" in command or "pip" in command:
        return subprocess.CompletedProcess(command, 1, "", "")
    return real_run(command, **options)
def version(name):
    if name == "pip":
        {version}
    return real_version(name)
subprocess.run, importlib.metadata.version = run, version
"""


@pytest.mark.parametrize(
    "version",
    ["raise importlib.metadata.PackageNotFoundError", 'return "20.3.4"'],
    ids=["none", "old"],
)
def test_without_a_pip_that_can_the_package_to_install_is_named(clone: Path, version: str) -> None:
    answer = python_m_labkit(clone, first=PIP_OUTSIDE.format(version=version))
    assert_one_sentence(
        answer, "neither ensurepip nor a pip of version 22.3", "apt install python3-venv"
    )
    assert "pip install --upgrade pip" in answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no write permission on a folder")
def test_without_write_permission_a_folder_of_ones_own_is_advised(clone: Path) -> None:
    # Root may write anywhere, unless it has given that capability away.
    prefix = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
    clone.chmod(0o555)
    try:
        answer = python_m_labkit(clone, prefix=prefix)
    finally:
        clone.chmod(0o755)
    assert_one_sentence(answer, str(clone), "copy the course to a folder of your own")


def only(**settings: object) -> str:
    """Lets pip know of these settings and no others."""
    lines = ["import os", "for name in [name for name in os.environ if name.startswith('PIP_')]:"]
    lines += ["    del os.environ[name]", "os.environ['PIP_CONFIG_FILE'] = os.devnull"]
    settings |= {"RETRIES": 0, "NO_CACHE_DIR": 1}
    lines += [f"os.environ['PIP_{name}'] = {str(text)!r}" for name, text in settings.items()]
    return "\n".join(lines)


@pytest.mark.slow
def test_without_a_network_the_connection_is_to_be_checked(clone: Path) -> None:
    answer = python_m_labkit(clone, first=only(INDEX_URL="http://127.0.0.1:9/simple"))
    assert_one_sentence(answer, "connection to the internet", "HTTPS_PROXY")
    installing, instead = answer.stdout.splitlines()
    assert "Installing 1 packages into" in installing
    assert "uv is not to be had here" in instead


FULL_DISK = """
import errno, os
def build_editable(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
prepare_metadata_for_build_editable = build_editable
"""


@pytest.mark.slow
def test_on_a_full_disk_room_is_to_be_made(clone: Path, tmp_path: Path) -> None:
    name, version = BACKEND.split("==")
    files = {"flit_core/__init__.py": "", "flit_core/buildapi.py": FULL_DISK}
    write_wheel(tmp_path, name.replace("-", "_"), version, files)
    answer = python_m_labkit(clone, first=only(NO_INDEX=1, FIND_LINKS=tmp_path))
    assert_one_sentence(answer, "The disk is full", "MiB free, about 1000 needed")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_when_it_is_stopped_it_says_how_to_go_on(clone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        code = f"{only(INDEX_URL=index)}\nimport runpy, signal, sys\nsys.argv = ['labkit']\n"
        # A shell's background job, which these tests may be, ignores it.
        code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "runpy.run_module('labkit', run_name='__main__', alter_sys=True)"
        with subprocess.Popen(
            [sys._base_executable, "-c", code],  # type: ignore[attr-defined]
            cwd=clone,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            connection, _ = silent.accept()  # pip asks for uv
            with connection:
                os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
                _, error = process.communicate()
    assert process.returncode == 1
    assert error.strip() == "Stopped; 'python3 -m labkit' starts the installation again."


def test_an_unknown_command_and_the_help(clone: Path) -> None:
    assert_one_sentence(python_m_labkit(clone, "tests"), "no command 'tests'", "--help")
    answer = python_m_labkit(clone, "--help")
    assert answer.returncode == 0
    for command in ("test fast", "reset 04", "solution 04", "copies [--teacher DIR]"):
        assert f"python3 -m labkit {command}" in answer.stdout
    assert not (clone / ".venv").exists()


def test_fast_is_a_choice_of_tests_that_goes_before_the_options() -> None:
    assert _bootstrap.pytest_options([]) == [*_bootstrap.PARALLEL]
    assert _bootstrap.pytest_options(["-x", "fast"]) == [*_bootstrap.PARALLEL, "-x", "fast"]
    assert _bootstrap.pytest_options(["fast", "-x"]) == [
        *_bootstrap.PARALLEL,
        *_bootstrap.FAST,
        "-x",
    ]


@pytest.mark.parametrize(
    ("cloud", "hidden"), [(None, True), ("local", True), (" AWS ", False)], ids=str
)
def test_only_the_mode_for_aws_lets_cells_find_the_aws_account(
    monkeypatch: pytest.MonkeyPatch, cloud: str | None, hidden: bool
) -> None:
    own = {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}
    for name in [name for name in os.environ if name.startswith(("AWS_", "LABKIT_CLOUD"))]:
        monkeypatch.delenv(name)
    for name, value in {**own, **({"LABKIT_CLOUD": cloud} if cloud else {})}.items():
        monkeypatch.setenv(name, value)
    became: list[dict[str, str]] = []

    def become(command: list[str]) -> NoReturn:
        became.append({name: os.environ[name] for name in os.environ if name.startswith("AWS_")})
        raise SystemExit

    with pytest.raises(SystemExit):
        _bootstrap._open_course([], become)
    [environment] = became
    assert (environment == own) is not hidden
    assert ("AWS_ACCESS_KEY_ID" in environment) is not hidden
    if hidden:
        assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert environment["AWS_CONFIG_FILE"] == os.devnull


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        (["--no-browser"], "my-notebooks"),
        (["--ServerApp.root_dir=notebooks"], "notebooks"),
        (["--root_dir=notebooks"], "notebooks"),
    ],
)
def test_jupyterlab_shows_the_copies_unless_another_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, options: list[str], folder: str
) -> None:
    became: list[list[str]] = []

    def become(command: list[str]) -> NoReturn:
        became.append(command)
        raise SystemExit

    monkeypatch.setenv("LABKIT_CLOUD", "aws")  # then the environment stays
    with pytest.raises(SystemExit):
        _bootstrap._open_course(options, become)
    [command] = became
    [root] = [word.partition("=")[2] for word in command if "root_dir" in word]
    assert Path(ROOT, root) == ROOT / folder
    assert "--LabApp.default_url=/lab/tree/00-start-here.ipynb" in command


@pytest.mark.parametrize("modules", installation.FIRST_IMPORTS)
def test_what_is_compiled_first_is_there(modules: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {modules}"], cwd=ROOT, check=True)
