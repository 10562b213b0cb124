"""A teacher's copies: the masters with what nbgrader reads.

https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html (2026-11-30): schema version 3. A cell between
whose lines BEGIN SOLUTION and END SOLUTION nbgrader puts its own stub is a solution; a check is graded and locked.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from labkit.course.copies import (
    Notebook,
    clear_cell,
    make_copy,
    master_files,
    read_master,
    to_bytes,
    with_cells,
)
from labkit.course.exercises import exercise, task_of
from labkit.errors import CopyError
from labkit.folders import COPIES, MASTERS

SCHEMA_VERSION = 3
_CHECK = re.compile(r"^(?P<call>lab\.check\([\"'](?P<task>[^\"']+)[\"'].*\))$", re.M)
_BEGIN = re.compile(r"^# BEGIN SOLUTION$", re.M)


def write_teacher_copies(root: Path, folder: Path) -> int:
    """Write all masters as nbgrader's sources, and how many notebooks that were; the same tree, so links work.

    Raises:
        CopyError: the folder isn't empty, is inside the course's own, or can't be written.
    """
    if {root / MASTERS, root / COPIES} & {*folder.resolve().parents}:
        raise CopyError(f"{folder} is inside the course's own notebooks: name a folder elsewhere.")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise CopyError(
                f"{folder} isn't empty, and a teacher's work is never written over: name another."
            )
        names = master_files(root)
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".ipynb"):
                path.write_bytes(to_bytes(teacher_copy(read_master(root, name))))
            else:
                path.write_bytes(make_copy(root, name).data)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CopyError(
            f"{error.filename or folder} can't be written ({why}): name another folder."
        ) from None
    return sum(name.endswith(".ipynb") for name in names)


def teacher_copy(master: Notebook) -> Notebook:
    """The notebook with solutions, and without outputs, for ``nbgrader generate_assignment``."""
    ids: set[str] = set()
    cells = [_with_grading(cell, ids) for cell in map(clear_cell, master["cells"])]
    return with_cells(master, cells)


def _with_grading(cell: dict[str, Any], ids: set[str]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    if task := task_of(cell["source"]):
        # The student's version has nbgrader's stub in place of the solution, and the blank above it as a comment.
        blank = "".join(f"# {line}".rstrip() + "\n" for line in exercise(task).blank.splitlines())
        source = _BEGIN.sub(lambda begin: blank + begin[0], cell["source"], count=1)
        grading: dict[str, Any] = {"grade": False, "solution": True, "locked": False}
        return cell | {"source": source, "metadata": _metadata(f"task-{task}", ids, cell, grading)}
    if check := _CHECK.search(cell["source"]):
        # nbgrader takes the value of a graded cell for its points; what is printed it leaves alone.
        source = _CHECK.sub(r"print(\g<call>)", cell["source"])
        grading = {"grade": True, "solution": False, "locked": True, "points": 1}
        metadata = _metadata(f"check-{check['task']}", ids, cell, grading)
        return cell | {"source": source, "metadata": metadata}
    return cell


def _metadata(
    name: str, ids: set[str], cell: dict[str, Any], grading: dict[str, Any]
) -> dict[str, Any]:
    """The cell's metadata with an id that no other cell has."""
    identifier = re.sub(r"[^\w-]", "-", name, flags=re.A)
    if identifier in ids:
        identifier += f"-{cell['id']}"
    ids.add(identifier)
    own = {"grade_id": identifier, "schema_version": SCHEMA_VERSION, "task": False}
    return {"nbgrader": own | grading}
