"""The processes of a test run: whatever was selected, and however it ended, none is left."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

DIRECTORY_VARIABLE = "LABKIT_TESTS_DIRECTORY"
"""Where a run keeps everything; its workers, and all that it starts, have it in their environment."""

_PATIENCE = 10.0
"""Seconds that a cloud has to end its functions and itself."""


def end_processes(directory: Path | None) -> list[int]:
    """End what this process started and what works in a directory, if one is given; their process ids.

    A cloud that a kernel started is nobody's child, but it works in its state directory; one that a test started has
    its temporary directory there.
    """
    found = psutil.Process().children(recursive=True)
    if directory is not None:
        found += _others_in(directory, [*found, psutil.Process()])
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _gone, alive = psutil.wait_procs(found, _PATIENCE)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, _PATIENCE)
    return [process.pid for process in found]


def _others_in(directory: Path, known: list[psutil.Process]) -> list[psutil.Process]:
    running = psutil.process_iter()
    return [one for one in running if one not in known and works_in(one, directory)]


def works_in(process: psutil.Process, directory: Path) -> bool:
    """Whether a process has its working or its temporary directory there, or was started by a run that has."""
    places = []
    with contextlib.suppress(psutil.Error, OSError):
        places.append(process.cwd())
    with contextlib.suppress(psutil.Error, OSError):
        environment = process.environ()
        places += [environment.get("TMPDIR", ""), environment.get(DIRECTORY_VARIABLE, "")]
    return any(place and Path(place).is_relative_to(directory) for place in places)
