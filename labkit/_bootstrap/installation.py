"""Installs pinned requirements into an environment: with uv in seconds, with pip where uv can't.

uv itself comes by pip, from wherever this computer's pip takes its packages.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from labkit._bootstrap import pip_settings

_OLDEST_PIP = (22, 3)  # the first one with `pip --python`

# What is imported after JupyterLab has answered: by a kernel for the first cell, and by the cloud that this starts.
# (What JupyterLab imports it compiles by starting, at once; importing it here first would take three times as long.)
FIRST_IMPORTS = (
    "ipykernel.debugger, ipykernel.kernelapp, labkit.lab.session",
    "hypercorn.asyncio, labkit.local.front.compose, ministack.app",
)


class _UvError(Exception):
    """uv can't do it on this computer; its text is the reason, the first half of a sentence."""


class _ToolError(Exception):
    """pip or uv failed; its text is all that it said."""


class Installer:
    """Fills one environment with a project and what it needs.

    Args:
        environment: the folder of the environment.
        python: its Python.
        project: the project's folder; its build backend is among the requirements.
    """

    def __init__(self, environment: Path, python: Path, project: Path) -> None:
        self._environment = environment
        self._python = python
        self._project = project
        self._log = environment / "labkit-install.log"

    def install(self, lists: Sequence[Path], installers: Path, *, compiled: bool) -> None:
        """Install complete lists of requirements, and the project, editable.

        Args:
            lists: requirements files.
            installers: a requirements file with uv and pip.
            compiled: compile all packages now, and not each one when it is first imported.

        Raises:
            SystemExit: neither uv nor pip could do it; says why.
            OSError: the disk is full.
        """
        self._log.write_bytes(b"")
        requirements = [word for path in lists for word in ("-r", str(path))]
        compiling = ["--compile-bytecode"] if compiled else []
        try:
            # The environment's own pip comes by uv: that is quicker than ensurepip.
            pip = _pip_outside(self._python) or _pip_inside(self._python)
            self._install_with_uv(pip, [*compiling, *requirements], installers)
        except _UvError as error:
            print(f"{error}: pip installs the packages, in about a minute.", flush=True)
            self._install_with_pip(_pip_inside(self._python), requirements)

    def _install_with_uv(self, pip: list[str], requirements: list[str], installers: Path) -> None:
        loud = {**os.environ, "PIP_QUIET": "0"}  # or else it lists nothing
        listing = subprocess.run(
            [*pip, "config", "list"],
            cwd=self._project,
            env=loud,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if listing.returncode:
            raise _UvError("pip doesn't say what it is set to")
        try:
            options = pip_settings.parse(listing.stdout)
            environment = pip_settings.for_uv(options, os.environ)
        except ValueError as error:
            raise _UvError(f"uv has no word for pip's setting {error}") from None
        [uv_pin] = re.findall(r"(?m)^uv==\S+", installers.read_text(encoding="utf-8"))
        wheel = ["--no-deps", "--no-compile", "--only-binary", ":all:", uv_pin]
        try:
            self._run([*pip, "install", *wheel], _pip_environment())
        except _ToolError:
            raise _UvError(f"uv is not to be had here (why: {self._log})") from None
        uv = [str(self._python.with_name("uv")), "pip", "install", "--no-deps"]
        uv += ["--python", str(self._python), *pip_settings.arguments_for_uv(options)]
        try:
            self._run([*uv, *requirements, "-r", str(installers)], environment)
            # uv's cache doesn't look at the file that holds the project's version.
            editable = ["--no-cache", "--no-build-isolation", "-e", str(self._project)]
            with self._compiling():
                self._run([*uv, *editable], environment)
        except (_ToolError, OSError):
            raise _UvError(f"uv could not install the packages (why: {self._log})") from None

    def _install_with_pip(self, pip: list[str], requirements: list[str]) -> None:
        # uv may have left a package half-way, which pip would take for a whole one.
        install = [*pip, "install", "--no-deps", "--ignore-installed"]
        try:
            self._run([*install, *requirements], _pip_environment())
            editable = ["--no-build-isolation", "-e", str(self._project)]
            self._run([*install, *editable], _pip_environment())
        except _ToolError as error:
            if os.strerror(errno.ENOSPC) in str(error):
                full = os.strerror(errno.ENOSPC)
                raise OSError(errno.ENOSPC, full, str(self._environment)) from None
            sys.exit(_explain_pip(str(error), self._log))

    @contextlib.contextmanager
    def _compiling(self) -> Iterator[None]:
        """Meanwhile import once what the first minute imports: unlike pip, uv compiles nothing."""
        environment = dict(os.environ)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with contextlib.ExitStack() as imports:
            for modules in FIRST_IMPORTS:
                process = subprocess.Popen(
                    [self._python, "-c", f"import {modules}"],
                    cwd=self._project,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                imports.enter_context(process)  # waits for it
            yield

    def _run(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Run pip or uv; its words go to the log, without passwords.

        Raises:
            _ToolError: it failed.
        """
        words: list[str] = []
        with (
            self._log.open("a", encoding="utf-8") as file,
            subprocess.Popen(
                command,
                cwd=self._project,
                env={**environment, "PYTHONUNBUFFERED": "1"},
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as tool,
        ):
            for line in tool.stdout or ():
                words.append(re.sub(r"://[^/\s]*@", "://****@", line))
                file.write(words[-1])
        if tool.returncode:
            raise _ToolError("".join(words))


def _pip_environment() -> dict[str, str]:
    return {**os.environ, "PIP_USER": "0"}


_PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]


def _pip_outside(python: Path) -> list[str] | None:
    """How to call this Python's own pip for the environment, if there is one that can."""
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except importlib.metadata.PackageNotFoundError:
        return None
    if (int(major), int(minor)) < _OLDEST_PIP:
        return None
    return [sys.executable, *_PIP, "--python", str(python)]


def _pip_inside(python: Path) -> list[str]:
    """How to call the environment's own pip, or else the one outside; exits where neither works."""
    # Debian keeps ensurepip in a package of its own.
    ensure = [str(python), "-Im", "ensurepip", "--upgrade", "--default-pip"]
    subprocess.run(ensure, capture_output=True, check=False)
    inside = [str(python), *_PIP]
    if subprocess.run([*inside, "--version"], capture_output=True, check=False).returncode == 0:
        return inside
    if outside := _pip_outside(python):
        return outside
    oldest = ".".join(map(str, _OLDEST_PIP))
    sys.exit(
        f"This Python has neither ensurepip nor a pip of version {oldest} or newer: install one of them "
        "(on Debian and Ubuntu 'sudo apt install python3-venv', elsewhere 'python3 -m pip install "
        "--upgrade pip'), then run 'python3 -m labkit' again."
    )


def _explain_pip(words: str, log: Path) -> str:
    """One sentence about why pip failed, and what to do."""
    offline = "NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|SSLError"
    offline += "|from versions: none"  # all that pip says when it may not try again
    if re.search(offline, words):
        return (
            "The packages could not be downloaded: check the connection to the internet (behind a "
            "proxy, set HTTPS_PROXY), then run 'python3 -m labkit' again; it keeps what it has."
        )
    errors = [line for line in words.splitlines() if line.startswith("ERROR:")]
    reason = errors[0].removeprefix("ERROR:").strip() if errors else "see its log"
    return f"pip could not install the packages ({reason}): all it said is in {log}."
