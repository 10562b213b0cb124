"""A learner's copy of a master: outputs cleared, blanks instead of solutions, the same cell ids."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import labkit
from labkit.course.exercises import with_blank
from labkit.course.postman import ENVIRONMENT_FILE
from labkit.errors import CopyError, UnknownTaskError
from labkit.folders import MASTERS

Notebook = dict[str, Any]
"""A notebook as it stands in its file, but each cell's source is one text."""

_SOLUTION_MARK = re.compile(r"(BEGIN|END) SOLUTION")
_OF_JUPYTERLAB = ("kernelspec", "language_info")
"""What JupyterLab writes when it opens a notebook with a kernel: no work of the learner's."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a learner gets for one file of the masters.

    Attributes:
        data: the file.
        master: the hash of what the master gives a learner; another output of the master's doesn't change it.
    """

    data: bytes
    master: str


def master_files(root: Path) -> list[str]:
    """The files under ``notebooks/``, such as ``lab/04-….ipynb`` and ``images/….svg``.

    A run of a master may have written an environment for Postman there: that is nobody else's.

    Raises:
        CopyError: there are none.
    """
    folder = root / MASTERS
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    names = [
        path.as_posix()
        for path in found
        if path.name != ENVIRONMENT_FILE and not any(part[0] == "." for part in path.parts)
    ]
    if not names:
        raise CopyError(f"{folder} has no notebooks: run this in a clone of the course.")
    return sorted(names)


def read_master(root: Path, name: str) -> Notebook:
    """A master.

    Raises:
        CopyError: it can't be read.
    """
    try:
        notebook = json.loads((root / MASTERS / name).read_bytes())
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
            cell["id"], cell["cell_type"] = str(cell["id"]), str(cell["cell_type"])
        dict(notebook["metadata"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is no whole notebook"
        master = f"{MASTERS}/{name}"
        raise CopyError(
            f"{master} can't be read ({why}): bring it back with 'git checkout {master}'."
        ) from None
    assert isinstance(notebook, dict)
    return notebook


def make_copy(root: Path, name: str) -> Copy:
    """What a learner gets for a file of the masters; one that is no notebook is taken as it is.

    Raises:
        CopyError: it can't be read, or its copy would hold a solution.
    """
    if name.endswith(".ipynb"):
        notebook = learner_copy(read_master(root, name), name)
        return Copy(to_bytes(notebook), notebook["metadata"]["labkit"]["master"])
    try:
        data = (root / MASTERS / name).read_bytes()
    except OSError as error:
        raise CopyError(f"{MASTERS}/{name} can't be read: {error.strerror}.") from None
    return Copy(data, digest(data))


def learner_copy(master: Notebook, name: str) -> Notebook:
    """The learner's notebook: nothing of a master's outputs, metadata and solutions.

    Raises:
        CopyError: it would hold a solution.
    """
    cells = [clear_cell(cell) for cell in master["cells"]]
    for cell in cells:
        try:
            cell["source"] = with_blank(cell["source"])
        except UnknownTaskError as error:
            raise CopyError(f"{MASTERS}/{name} has a solution without a blank: {error}") from None
        if _SOLUTION_MARK.search(cell["source"]):
            raise CopyError(
                f"{MASTERS}/{name} would give its solution away in the cell {cell['id']}: begin that cell with "
                "'# Task …', and put each mark of the solution on a line of its own."
            )
    came_from = {
        "master": _hash(json.dumps(cells, sort_keys=True)),
        "notebook": name,
        "version": labkit.__version__,
    }
    return with_cells(master, cells, labkit=came_from)


def clear_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """A master's cell without outputs, count and metadata; a text keeps its pictures."""
    kept = {key: cell[key] for key in ("id", "cell_type", "source")} | {"metadata": {}}
    if cell["cell_type"] == "code":
        return kept | {"execution_count": None, "outputs": []}
    return kept | {key: cell[key] for key in ("attachments",) if key in cell}


def with_cells(master: Notebook, cells: list[dict[str, Any]], **metadata: object) -> Notebook:
    """A notebook for the same kernel with other cells."""
    kernel = {key: master["metadata"][key] for key in _OF_JUPYTERLAB if key in master["metadata"]}
    return {"cells": cells, "metadata": kernel | metadata, "nbformat": 4, "nbformat_minor": 5}


def to_bytes(notebook: Notebook) -> bytes:
    """The notebook's file, as JupyterLab writes it."""
    cells = [cell | {"source": cell["source"].splitlines(True)} for cell in notebook["cells"]]
    text = json.dumps(notebook | {"cells": cells}, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def digest(data: bytes) -> str:
    """The same for two files between which nobody has worked: line ends and JupyterLab's own entries don't count."""
    try:
        notebook = json.loads(data)
        for entry in _OF_JUPYTERLAB:
            notebook["metadata"].pop(entry, None)
        return _hash(json.dumps(notebook, sort_keys=True))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def master_of(data: bytes) -> str:
    """The hash of the master that a copy says it comes from; empty when it doesn't say."""
    try:
        return str(json.loads(data)["metadata"]["labkit"]["master"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def say_age(root: Path, notebook: str) -> str:
    """A sentence to who runs a copy of an older master; empty for every other notebook.

    Args:
        root: the folder of the clone.
        notebook: the notebook that runs; it is in the working directory.
    """
    try:
        came_from = json.loads((Path.cwd() / Path(notebook).name).read_bytes())["metadata"][
            "labkit"
        ]
        name, version = str(came_from["notebook"]), str(came_from["version"])
        if came_from["master"] == make_copy(root, name).master:
            return ""
    except (OSError, ValueError, TypeError, KeyError, RecursionError, CopyError):
        return ""
    older = "" if version == labkit.__version__ else f", of version {version} of the course"
    return (
        f"Your copy is an older one{older}. It still runs. The newer one is new-{Path(name).name}\n"
        "beside it; if that is missing, 'python3 -m labkit' lays it."
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
