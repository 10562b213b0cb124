"""The course's folders: the masters, and the copies in which a learner works."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MASTERS = "notebooks"
COPIES = "my-notebooks"
FIRST_NOTEBOOK = "00-start-here.ipynb"


def notebooks_in_use() -> Path:
    """The copies for a kernel of one of them, whose working directory is its notebook's; else the masters."""
    try:
        working = Path.cwd()
    except OSError:  # somebody deleted it
        return ROOT / MASTERS
    return ROOT / (COPIES if working.is_relative_to(ROOT / COPIES) else MASTERS)
