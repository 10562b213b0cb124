"""The notebooks of the course in their order, and ways through them; the data is ``syllabus.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.course.exercises import exercises
from labkit.course.predictions import questions


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of the course.

    Attributes:
        key: how questions and ``python3 -m labkit reset`` name it, such as ``04`` or ``throttling``.
        title: its title, in short.
        file: where it is, from the folder of all notebooks.
        after: what one can do after it.
        minutes: how long it takes to learn.
        needs: the keys of those that one should know before.
    """

    key: str
    title: str
    file: str
    after: str
    minutes: int
    needs: tuple[str, ...] = ()

    @property
    def tasks(self) -> list[str]:
        """The numbers of its tasks; empty when it has none that are checked."""
        name = self.key.removeprefix("0") if self.key != "00" else self.key
        return list(exercises(name))

    @property
    def predictions(self) -> list[str]:
        """The ids of its questions."""
        return [one.id for one in questions(self.key).values()]


@cache
def notebooks() -> dict[str, Notebook]:
    """All notebooks by their keys, in order."""
    read = [_with_tuples(entry) for entry in _data()["notebook"]]
    return {entry["key"]: Notebook(**entry) for entry in read}


@cache
def paths() -> dict[str, list[Notebook]]:
    """Ways through the course by their names; one that names no notebook goes through all."""
    known = notebooks()
    return {
        path["name"]: [known[key] for key in path["through"] or known] for path in _data()["path"]
    }


def _data() -> dict[str, Any]:
    file = files(__package__) / "syllabus.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _with_tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
