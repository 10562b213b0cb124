"""The map of the course: its notebooks, what each one needs, and what the learner has done and predicted right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.course.progress import Records
from labkit.course.syllabus import Notebook, notebooks, paths
from labkit.markup import Block, grid, join, link, paragraph, plain, tag

_HEAD = ("Notebook", "Done", "Predicted", "Minutes", "First")

_WIDE = "min-width:15em;overflow-wrap:normal;"


@dataclass(frozen=True, slots=True)
class ProgressMap:
    """What :meth:`labkit.lab.session.Lab.progress` shows.

    Attributes:
        records: what the learner has done.
    """

    records: Records

    def __str__(self) -> str:
        return "\n".join(plain(line) for block in self._blocks() for line in block.lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same, with links."""
        return tag("div", join(block.html for block in self._blocks()))

    def _blocks(self) -> Iterator[Block]:
        rows = [self._row(one) for one in notebooks().values()]
        yield grid("The notebooks", _HEAD, rows)
        for name, some in paths().items():
            through = "all" if len(some) == len(notebooks()) else ", ".join(map(_short, some))
            minutes = f"{sum(one.minutes for one in some)} minutes"
            length = "" if name == minutes else f" ({minutes})"
            yield paragraph(f"{name}{length}: {through}.")
        yield paragraph(f"Predicted right so far: {self.records.score}.")

    def _row(self, one: Notebook) -> tuple[str, ...]:
        done = [task for task in one.tasks if task in self.records.tasks]
        known = [self.records.predictions.get(name) for name in one.predictions]
        right = [each for each in known if each is not None and each.right]
        return (
            tag("div", link(one.title, one.file), f": {one.after}", style=_WIDE),
            _count(len(done), len(one.tasks)),
            _count(len(right), len(known)),
            str(one.minutes),
            ", ".join(_short(notebooks()[key]) for key in one.needs),
        )


def _short(one: Notebook) -> str:
    """``4`` for ``4. Configure the Cognito authorizer``."""
    return one.title.partition(".")[0]


def _count(part: int, whole: int) -> str:
    if not whole:
        return ""
    return f"{'✓ ' if part == whole else ''}{part} of {whole}"
