"""What handlers started, and what that started: all of it ends with the environment.

On Linux a process that loses its parent goes to the nearest *subreaper* above it. Each environment is one, so that all
that a handler started stays below it, double fork and session of its own or not; the cloud is one too, and gets what
an environment leaves that dies. Elsewhere such a process is found only while its parents live.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Collection, Iterable

PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 20
"""How often to look: who is about to be killed may start another process."""
_PATIENCE = 2.0


def become_subreaper() -> None:
    """Be the parent of every process below this one that loses its own; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(ancestors: Iterable[int]) -> list[int]:
    """The ids of the processes below these, the nearest first."""
    import psutil  # only when something ends: the start of the cloud need not wait for it

    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            children.setdefault(process.info["ppid"], []).append(process.pid)
    found = [child for ancestor in ancestors for child in children.get(ancestor, ())]
    for pid in found:
        found += children.get(pid, ())
    return found


def kill_descendants(ancestors: Collection[int]) -> None:
    """Kill what is below these processes, which go on."""
    for _ in range(_ROUNDS):
        found = descendants(ancestors)
        if not found:
            return
        _kill(found)


def kill_other_children(known: Collection[int]) -> None:
    """Kill this process's children, but for the known ones, with all that is below them."""
    import psutil

    others = [child for child in psutil.Process().children() if child.pid not in known]
    if others:
        kill_descendants([child.pid for child in others])
        _kill([child.pid for child in others])
        psutil.wait_procs(others, _PATIENCE)


def _kill(pids: Iterable[int]) -> None:
    import psutil

    for pid in pids:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()
