"""What AWS's newest service models have and an older botocore hasn't: JWT authorizers of REST APIs (rest_jwt 16.90).

botocore merges the file below ``data`` into its own model when ``AWS_DATA_PATH`` names that folder. botocore 1.44.5
has these shapes itself (rest_jwt 16.2): from then on this package does nothing, and when the course asks for that
version, it goes.
"""

from __future__ import annotations

import os
from pathlib import Path

import botocore

DATA_PATH_VARIABLE = "AWS_DATA_PATH"
FIRST_WITH_THE_SHAPES = (1, 44, 5)
"""Of botocore."""
_DATA = Path(__file__).parent / "data"


def extra_search_paths(version: str = botocore.__version__) -> list[str]:
    """The folders that botocore's ``Loader`` needs beside its own; none where it knows everything.

    Args:
        version: botocore's.
    """
    numbers = tuple(int(part) for part in version.split(".")[:3])
    return [] if numbers >= FIRST_WITH_THE_SHAPES else [str(_DATA)]


def environment(before: str | None = None) -> dict[str, str]:
    """The variable that makes sessions made from now on know the shapes (rest_jwt 16.91, 16.92).

    Args:
        before: what the variable is to keep, or None.
    """
    paths = extra_search_paths()
    return {DATA_PATH_VARIABLE: os.pathsep.join([*paths, *filter(None, [before])])} if paths else {}
