"""The course's own virtual environment, ``.venv`` in its folder: is it there, and make it.

It holds exactly the versions in ``requirements/``; a stamp inside it, written last, says which list
it was made from, so that an interrupted or outdated environment is made anew. Someone who already
is in an environment with these versions and with this very labkit (conda with environment.yml,
Binder) stays in it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from labkit._bootstrap.installation import Installer
from labkit.folders import ROOT

VENV = ROOT / ".venv"
DISTRIBUTION = "api-gateway-security-course"


def python(prefix: Path = VENV) -> Path:
    """The Python of an environment."""
    return prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_running() -> bool:
    """Whether this very Python is the course's own environment's."""
    return Path(sys.prefix).resolve() == VENV and sys.prefix != sys.base_prefix


# Which packages, and are they there?


def has(groups: Sequence[str]) -> bool:
    """Whether the running Python has what these groups need."""
    return _is_stamped(Path(sys.prefix), groups) or _is_complete(groups)


def requirements_file(group: str) -> Path:
    """Where a group's pinned requirements are."""
    path = ROOT / "requirements" / f"{group}.txt"
    if not path.is_file():
        sys.exit(f"{ROOT} has no requirements/{group}.txt: run this in a clone of the course.")
    return path


def pins(groups: Sequence[str]) -> list[str]:
    """The pinned requirements of these groups, one ``name==version ; marker`` each."""
    texts = [requirements_file(group).read_text(encoding="utf-8") for group in groups]
    return [line for text in texts for line in text.splitlines() if not line.startswith("#")]


def _fingerprint(group: str) -> str:
    facts = [pins([group]), platform.python_version(), platform.machine(), str(ROOT)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _stamp(prefix: Path, group: str) -> Path:
    return prefix / f"labkit-{group}.stamp"


def _is_stamped(prefix: Path, groups: Sequence[str]) -> bool:
    """Whether it is an environment that this module made, from the present lists."""
    return python(prefix).exists() and all(
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
    if origin is None:
        return False
    folder = url2pathname(urlsplit(json.loads(origin)["url"]).path)
    return Path(folder).resolve() == ROOT


# Making it


def make(groups: Sequence[str]) -> None:
    """Make the environment, or add to it the groups that it lacks."""
    with _one_at_a_time():
        wanted = [group for group in groups if not _is_stamped(VENV, [group])]
        if "course" in wanted or any(_stamp(VENV, group).exists() for group in wanted):
            _create()
            wanted = list(groups)
        if wanted:  # otherwise another process has done it meanwhile
            _fill(wanted)


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
    if VENV.is_symlink():  # clearing it would delete what it points to
        sys.exit(
            f"{VENV} is a link: remove it, then run 'python3 -m labkit' again to make an environment here."
        )
    venv.create(VENV, clear=True, symlinks=os.name != "nt", prompt="course")


def _fill(groups: Sequence[str]) -> None:
    print(f"Installing {len(pins(groups))} packages into {VENV}, once.", flush=True)
    installer = Installer(VENV, python(), project=ROOT)
    lists = [requirements_file(group) for group in groups]
    # Tests start hundreds of interpreters, and where PYTHONDONTWRITEBYTECODE is set each would compile anew.
    installer.install(lists, requirements_file("installer"), compiled="test" in groups)
    # JupyterLab neither asks for news and updates nor asks whether it may.
    settings = VENV / "etc/jupyter/labconfig/page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    announcements = "@jupyterlab/apputils-extension:announcements"
    settings.write_text(json.dumps({"disabledExtensions": {announcements: True}}))
    for group in groups:
        _stamp(VENV, group).write_text(_fingerprint(group))


def explain(error: OSError) -> str:
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
