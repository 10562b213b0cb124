"""A course whose environment is made in seconds: its lists have one small package each."""

from __future__ import annotations

import shutil
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
