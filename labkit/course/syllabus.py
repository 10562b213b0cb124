"""The notebooks of the course in their order, and ways through them; the data is ``syllabus.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from labkit.course.exercises import exercises
from labkit.course.notebook_data import read_data
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
        return list(exercises(self.key))

    @property
    def predictions(self) -> list[str]:
        """The ids of its questions."""
        return [one.id for one in questions(self.key).values()]


@cache
def notebooks() -> dict[str, Notebook]:
    """All notebooks by their keys, in order."""
    return {entry["key"]: Notebook(**entry) for entry in read_data("syllabus")["notebook"]}


@cache
def paths() -> dict[str, list[Notebook]]:
    """Ways through the course by their names; one that names no notebook goes through all."""
    known = notebooks()
    return {
        path["name"]: [known[key] for key in path["through"] or known]
        for path in read_data("syllabus")["path"]
    }
