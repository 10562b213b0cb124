"""Opens the course, or runs its tests, in the course's own environment, which it makes when needed.

Standard library only: it runs on a computer that has nothing but Python, pip and git.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from labkit._bootstrap import environment
from labkit.folders import COPIES, FIRST_NOTEBOOK, ROOT

# Workers by the number of cores (tests/support/groups.py); each has a kernel and clouds of its own, so more than four
# would want much memory. A later `-n 0` runs everything in one process.
PARALLEL = ("-n", "auto", "--maxprocesses", "4")

# What `python3 -m labkit test fast` gives to pytest: the tests that one runs while working.
FAST = ("-m", "not slow", "labkit", "tests/unit", "tests/fidelity")

HELP = """\
usage: python3 -m labkit [--no-browser] [--port N] [any other option of JupyterLab]
       python3 -m labkit reset 04
       python3 -m labkit solution 04
       python3 -m labkit copies [--teacher DIR]
       python3 -m labkit test [any option of pytest]
       python3 -m labkit test fast [any option of pytest]

Opens the course in JupyterLab: your own copies of the notebooks, in the folder my-notebooks.

reset     brings your copy of one notebook back as it was; your work in it is kept beside it
solution  prints the solutions of one notebook, or of one task (4.2)
copies    makes the copies and opens nothing; with --teacher nbgrader's sources, into the folder DIR
test      runs all tests, or the fast ones: those that one runs while working on the course

The first time, it installs what that needs into the folder .venv beside labkit; nothing else on the
computer changes. Delete .venv to start again.
"""

COURSE_COMMANDS = ("reset", "solution", "copies")
COURSE = (sys.executable, "-m", "labkit.course")
"""What they, and the copies, need packages for."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Do what the command line says, inside an environment that has all it needs."""
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        sys.exit(0)
    command = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    testing = command == "test"
    if command and not testing and command not in COURSE_COMMANDS:
        sys.exit(f"There is no command '{command}': 'python3 -m labkit --help' lists them.")

    groups = ["course", "test"] if testing else ["course"]
    try:
        if not environment.has(groups):
            if environment.is_running():
                # An environment can't replace itself: let the Python that it was made with do it.
                base = getattr(sys, "_base_executable", sys.executable)
                _continue_as([base, "-m", "labkit", *arguments])
            environment.make(groups)
            _continue_as([str(environment.python()), "-m", "labkit", *arguments])
    except OSError as error:
        sys.exit(environment.explain(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped; 'python3 -m labkit' starts the installation again.")
    if testing:
        _continue_as([sys.executable, "-m", "pytest", *pytest_options(arguments[1:])])
    if command:
        _continue_as([*COURSE, *arguments], Path.cwd())  # in whose folder DIR may be
    if "root_dir" not in _names(arguments):
        _lay_copies()
    _open_course(arguments)


def pytest_options(arguments: Sequence[str]) -> list[str]:
    """What pytest is given for what follows ``test`` on the command line."""
    if arguments[:1] == ["fast"]:
        return [*PARALLEL, *FAST, *arguments[1:]]
    return [*PARALLEL, *arguments]


def _names(options: Sequence[str]) -> set[str]:
    """The settings that these options of JupyterLab's give, without their classes."""
    return {option.lstrip("-").partition("=")[0].rpartition(".")[2] for option in options}


def _lay_copies() -> None:
    """Lay the learner's copies; where that fails, it was said why, and what is there can still be opened."""
    answer = subprocess.run([*COURSE, "copies"], cwd=ROOT, check=False)
    if answer.returncode and not (ROOT / COPIES / FIRST_NOTEBOOK).is_file():
        sys.exit(answer.returncode)


def _open_course(
    options: Sequence[str], become: Callable[[list[str]], NoReturn] | None = None
) -> NoReturn:
    import zmq

    settings = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": str(ROOT / COPIES),  # in which no master can be opened by mistake
        "LabApp.default_url": f"/lab/tree/{FIRST_NOTEBOOK}",
        "Application.log_level": "ERROR",
        # Nobody else on this computer reads along between JupyterLab and a kernel.
        "KernelManager.transport_encryption": "auto" if zmq.has("curve") else "disabled",
    }
    command = [sys.executable, "-m", "jupyterlab"]
    given = _names(options)
    for name, value in settings.items():  # JupyterLab takes each once, under either name
        if name.partition(".")[2] not in given:
            command.append(f"--{name}={value}")
    if sys.platform != "win32" and os.geteuid() == 0:
        command.append("--allow-root")
    hide_aws_account()
    (become or _continue_as)([*command, *options])


def hide_aws_account() -> None:
    """Let no cell find the learner's own AWS account, also one that runs before ``labkit.start()``.

    With ``LABKIT_CLOUD=aws`` the account is wanted.
    """
    if os.environ.get("LABKIT_CLOUD", "").strip().lower() == "aws":
        return
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def _continue_as(command: list[str], folder: Path = ROOT) -> NoReturn:
    """Become that command, in that folder; its exit code is this one's."""
    os.chdir(folder)
    scripts = str(Path(command[0]).parent)
    os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")
    # The kernel named python3 is the one beside this Python, whatever the user has installed.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":  # exec would give the prompt back while the command still runs
        try:
            sys.exit(subprocess.run(command, check=False).returncode)
        except KeyboardInterrupt:
            sys.exit(130)
    else:
        os.execv(command[0], command)  # noqa: S606  # a list of our own making, no shell
