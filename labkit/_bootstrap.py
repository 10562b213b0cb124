"""Makes the course's own virtual environment, once, and goes on inside it.

Standard library only: it runs on a computer that has nothing but Python, pip and git.

The environment is ``.venv`` in the course's folder. It holds exactly the versions in
pyproject.toml's ``[dependency-groups]``; a stamp inside it, written last, says which list it was
made from, so that an interrupted or outdated environment is made anew. Someone who already is in
an environment with these versions and with this very labkit (conda with environment.yml, Binder)
stays in it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
FIRST_NOTEBOOK = "notebooks/00-start-here.ipynb"
DISTRIBUTION = "api-gateway-security-course"

_OLDEST_PIP = (22, 3)  # the first one with `pip --python`

HELP = """\
usage: python3 -m labkit [--no-browser] [--port N] [any other option of JupyterLab]
       python3 -m labkit test [any option of pytest]

Opens the course in JupyterLab, or runs all its tests. The first time, it installs what the course
needs into the folder .venv beside labkit; nothing else on the computer changes. Delete .venv to
start again.
"""


def main(arguments: Sequence[str]) -> NoReturn:
    """Do what the command line says, inside an environment that has all it needs."""
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        sys.exit(0)
    testing = bool(arguments) and arguments[0] == "test"
    if arguments and not testing and not arguments[0].startswith("-"):
        sys.exit(f"There is no command '{arguments[0]}': 'python3 -m labkit --help' lists them.")

    groups = ["course", "test"] if testing else ["course"]
    try:
        if not (_is_stamped(Path(sys.prefix), groups) or _is_complete(groups)):
            _make_environment(groups)
            _continue_as([str(_python_of(VENV)), "-m", "labkit", *arguments])
    except OSError as error:
        sys.exit(_explain(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped; 'python3 -m labkit' starts the installation again.")
    if testing:
        _run_tests(arguments[1:])
    _open_course(arguments)


def _open_course(options: Sequence[str]) -> NoReturn:
    import zmq

    settings = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": str(ROOT),
        "LabApp.default_url": f"/lab/tree/{FIRST_NOTEBOOK}",
        "Application.log_level": "ERROR",
        # Nobody else on this computer reads along between JupyterLab and a kernel.
        "KernelManager.transport_encryption": "auto" if zmq.has("curve") else "disabled",
    }
    command = [sys.executable, "-m", "jupyterlab"]
    given = [option.lstrip("-").partition("=")[0] for option in options]
    for name, value in settings.items():  # JupyterLab takes each once, under either name
        if name not in given and name.partition(".")[2] not in given:
            command.append(f"--{name}={value}")
    if sys.platform != "win32" and os.geteuid() == 0:
        command.append("--allow-root")
    if os.environ.get("LABKIT_CLOUD", "").strip().lower() != "aws":
        _hide_aws_account()
    _continue_as([*command, *options])


def _hide_aws_account() -> None:
    """Let no cell find the learner's own AWS account, also one that runs before ``labkit.start()``."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def _run_tests(options: Sequence[str]) -> NoReturn:
    _continue_as([sys.executable, "-m", "pytest", *options])


def _continue_as(command: list[str]) -> NoReturn:
    """Become that command, in the course's folder; its exit code is this one's."""
    os.chdir(ROOT)
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


# Which packages, and are they there?


def pins(groups: Sequence[str]) -> list[str]:
    """The locked requirements of these groups of pyproject.toml."""
    path = ROOT / "pyproject.toml"
    if not path.is_file():
        sys.exit(f"{ROOT} has no pyproject.toml: run this in a clone of the course.")
    table = tomllib.loads(path.read_text(encoding="utf-8"))["dependency-groups"]
    return [requirement for group in groups for requirement in table[group]]


def _fingerprint(group: str) -> str:
    facts = [pins([group]), platform.python_version(), platform.machine(), str(ROOT)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _stamp(prefix: Path, group: str) -> Path:
    return prefix / f"labkit-{group}.stamp"


def _is_stamped(prefix: Path, groups: Sequence[str]) -> bool:
    """Whether it is an environment that this module made, from the present lists."""
    return _python_of(prefix).exists() and all(
        _stamp(prefix, group).is_file() and _stamp(prefix, group).read_text() == _fingerprint(group)
        for group in groups
    )


def _is_complete(groups: Sequence[str]) -> bool:
    """Whether the running Python already has every pinned version, and this very labkit."""
    try:
        from packaging.requirements import Requirement

        for requirement in map(Requirement, pins(groups)):
            applies = requirement.marker is None or requirement.marker.evaluate()
            if applies and not requirement.specifier.contains(
                importlib.metadata.version(requirement.name), prereleases=True
            ):
                return False
        origin = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except ImportError:  # no packaging, or one of the packages is missing
        return False
    return origin is not None and _folder(json.loads(origin)["url"]) == ROOT


def _folder(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path)).resolve()


# Making the environment


def _python_of(prefix: Path) -> Path:
    return prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make_environment(groups: Sequence[str]) -> None:
    if Path(sys.prefix).resolve() == VENV and sys.prefix != sys.base_prefix:
        # An environment can't replace itself: let the Python that it was made with do it.
        base = getattr(sys, "_base_executable", sys.executable)
        _continue_as([base, "-m", "labkit", *sys.argv[1:]])
    with _one_at_a_time():
        wanted = [group for group in groups if not _is_stamped(VENV, [group])]
        if "course" in wanted or any(_stamp(VENV, group).exists() for group in wanted):
            _create()
            wanted = list(groups)
        if wanted:  # otherwise another process has done it meanwhile
            _install(wanted)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock that the operating system frees however this process ends."""
    with (ROOT / ".venv.lock").open("a+") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            while True:
                with contextlib.suppress(OSError):
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Waiting: another 'python3 -m labkit' is installing.", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _create() -> None:
    try:
        import venv
    except ImportError:
        sys.exit(
            "This Python cannot make a virtual environment: install its venv module (on Debian and "
            "Ubuntu 'sudo apt install python3-venv'), then run 'python3 -m labkit' again."
        )
    if VENV.is_symlink():  # clearing it would delete what it points to
        sys.exit(
            f"{VENV} is a link: remove it, then run 'python3 -m labkit' again to make an environment here."
        )
    venv.create(VENV, clear=True, symlinks=os.name != "nt", prompt="course")
    # Debian keeps ensurepip in a package of its own; without it, the pip outside does the work.
    ensure = [str(_python_of(VENV)), "-Im", "ensurepip", "--upgrade", "--default-pip"]
    subprocess.run(ensure, capture_output=True, check=False)


def _pip() -> list[str]:
    """How to call a pip that installs into the environment."""
    inside = [str(_python_of(VENV)), "-m", "pip"]
    if _pip_version(inside):
        return inside
    outside = [sys.executable, "-m", "pip"]
    found = _pip_version(outside)
    if not found:
        sys.exit(
            "This Python has neither pip nor ensurepip: install one of them (on Debian and Ubuntu "
            "'sudo apt install python3-venv'), then run 'python3 -m labkit' again."
        )
    if found < _OLDEST_PIP:
        sys.exit(
            f"This Python's pip {found[0]}.{found[1]} is too old to install into a virtual "
            f"environment, which takes {_OLDEST_PIP[0]}.{_OLDEST_PIP[1]}: update it with "
            "'python3 -m pip install --upgrade pip', then run 'python3 -m labkit' again."
        )
    return [*outside, "--python", str(_python_of(VENV))]


def _pip_version(command: list[str]) -> tuple[int, int] | None:
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found and answer.returncode == 0 else None


def _install(groups: Sequence[str]) -> None:
    requirements = pins(groups)
    # The lists are complete: nothing to resolve. The second step needs what the first installs.
    lists = VENV / "labkit-requirements.txt"
    lists.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    pip = [*_pip(), "--disable-pip-version-check", "--no-input", "install", "--no-deps"]
    print(f"Installing {len(requirements)} packages into {VENV}; about a minute, once.", flush=True)
    _call_pip([*pip, "-r", str(lists)], total=len(requirements))
    _call_pip([*pip, "--no-build-isolation", "-e", str(ROOT)])
    # JupyterLab neither asks for news and updates nor asks whether it may.
    settings = VENV / "etc/jupyter/labconfig/page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    announcements = "@jupyterlab/apputils-extension:announcements"
    settings.write_text(json.dumps({"disabledExtensions": {announcements: True}}))
    for group in groups:
        _stamp(VENV, group).write_text(_fingerprint(group))


def _call_pip(command: list[str], total: int = 0) -> None:
    """Run pip, showing how far it is; its own words go to a file, and are shown when it fails."""
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    log = VENV / "labkit-install.log"
    seen = 0
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as pip,
    ):
        for line in pip.stdout or ():
            file.write(line)
            seen += line.startswith("Collecting ")
            if total and sys.stdout.isatty():
                print(f"\r  {seen} of {total} found", end="", flush=True)
    if total and sys.stdout.isatty():
        print("\r" + " " * 40 + "\r", end="", flush=True)
    if pip.returncode:
        sys.exit(_explain_pip(log))


def _explain_pip(log: Path) -> str:
    """One sentence about why pip failed, and what to do."""
    words = log.read_text(encoding="utf-8")
    offline = "NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|SSLError"
    offline += "|from versions: none"  # all that pip says when it may not try again
    if re.search(offline, words):
        return (
            "The packages could not be downloaded: check the connection to the internet (behind a "
            "proxy, set HTTPS_PROXY), then run 'python3 -m labkit' again; it keeps what it has."
        )
    if os.strerror(errno.ENOSPC) in words:
        return _explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(VENV)))
    errors = [line for line in words.splitlines() if line.startswith("ERROR:")]
    reason = errors[0].removeprefix("ERROR:").strip() if errors else "see its log"
    return f"pip could not install the packages ({reason}): all it said is in {log}."


def _explain(error: OSError) -> str:
    """One sentence about why the environment could not be made, and what to do."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"You may not write to {error.filename or VENV}: copy the course to a folder of your "
            "own, for example in your home folder, and run 'python3 -m labkit' there."
        )
    if error.errno == errno.ENOSPC:
        free = shutil.disk_usage(ROOT).free // 2**20
        return (
            f"The disk is full ({free} MiB free, about 1000 needed): make room, "
            "then run 'python3 -m labkit' again."
        )
    return f"The environment {VENV} could not be made: {error}."
