"""Where labkit keeps what outlasts a kernel: the local cloud's state, and what a learner has predicted and done."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from labkit.errors import SetupError

VARIABLE = "LABKIT_STATE_DIR"
"""The environment variable that names another directory."""


def state_directory() -> Path:
    """The directory; made private (0700) when missing.

    Raises:
        SetupError: it can't be made.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        path = Path(chosen).expanduser().absolute()
    else:
        from platformdirs import user_state_path

        path = user_state_path("labkit", appauthor=False)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise explain_unwritable(error, path, VARIABLE) from None
    return path


def explain_unwritable(error: OSError, place: object, variable: str) -> SetupError:
    """What to do about a directory that can't be written to.

    Args:
        error: what the system said.
        place: the directory.
        variable: the environment variable that names another.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(
            f"The disk of {place} is full: free some space, or set {variable} to a directory on another disk."
        )
    return SetupError(
        f"Can't write to the directory {place} ({error.strerror}): set {variable} to one you can write."
    )
