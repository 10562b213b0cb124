"""A course whose environment is made in seconds: its lists have one small package each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from labkit._bootstrap import environment

ROOT = Path(__file__).resolve().parents[2]


def _pin(group: str, name: str) -> str:
    return next(pin for pin in environment.pins([group]) if pin.startswith(name))


UV = _pin("installer", "uv")
PIP = _pin("installer", "pip")
BACKEND = _pin("course", "flit-core")  # with what the course itself is installed
OTHER = _pin("course", "iniconfig")


def copy_small_course(folder: Path) -> None:
    shutil.copytree(ROOT / "labkit", folder / "labkit", ignore=shutil.ignore_patterns("local"))
    for name in ("LICENSE", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "requirements").mkdir()
    for group, pin in {"course": BACKEND, "test": OTHER, "installer": f"{PIP}\n{UV}"}.items():
        (folder / f"requirements/{group}.txt").write_text(f"# one\n{pin}\n")


def write_master(
    root: Path, name: str, cells: Sequence[str | dict[str, object]], **metadata: object
) -> None:
    """Write a master; a text is the source of a code cell."""
    whole = [
        {"id": f"cell-{number}", "cell_type": "code", "metadata": {}, "source": cell, "outputs": []}
        | {"execution_count": None}
        if isinstance(cell, str)
        else cell
        for number, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)"}
    metadata |= {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": whole, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path = root / "notebooks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
