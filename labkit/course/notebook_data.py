"""Reads what the course knows of its notebooks: ``syllabus.toml``, ``questions/04.toml``, ``exercises/04.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any


def read_data(name: str, folder: str = "") -> dict[str, Any]:
    """The tables of a file, with tuples for lists; empty when there is no such file."""
    file = files(__package__) / folder / f"{name}.toml"
    if not str(name).replace("-", "").isalnum() or not file.is_file():
        return {}
    return {key: _frozen(value) for key, value in tomllib.loads(file.read_text("utf-8")).items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(part) for key, part in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
