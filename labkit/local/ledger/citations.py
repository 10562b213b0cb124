"""The facts that rows, causes and code cite (``gateway 2.7``), and the sources that the facts cite.

``facts/*.md`` holds the facts, ``sources.toml`` the sources; ``facts/README.md`` says how both are written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILES = (
    "gateway",
    "rest_jwt",
    "recorded",
    "cognito",
    "federation",
    "edge",
    "iam",
    "settings",
    "symptoms",
)
"""The names of the files of facts, without ``.md``."""

_NUMBER = r"(?:E?\d{1,2}(?:\.\d{1,3})?[a-z]?|[CD]-\d{1,3})(?![\w.]*\d)"
CITATION = re.compile(rf"\b({'|'.join(FILES)}) ({_NUMBER}(?:(?:, |-){_NUMBER})*)")
"""``gateway 2.7``, a list ``gateway 2.7, 2.8``, a range ``gateway 13.1-13.8``, a section ``gateway 9``."""

_HEADING = re.compile(r"(#{2,3}) (E?\d+(?:\.\d+)?[a-z]?)\.? (.+)")
_CELL = re.compile(rf"({_NUMBER})\s*(.*)", re.DOTALL)
_NAMED_CELL = re.compile(r"[A-Z][A-Z0-9_]{3,}")
_SOURCE = re.compile(r"\[([^\[\]]+)\]|\b([\w.-]+/[\w.-]+#\d+)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of a table of facts, or a whole section.

    Attributes:
        name: how it is cited, ``gateway 2.7``; a row without a number ``gateway 1b INVALID_API_KEY``.
        title: the heading above it.
        parts: (column, text) of a row; one part without a column for a section.
    """

    name: str
    title: str
    parts: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """Everything that it says."""
        return "\n".join(text for _, text in self.parts)


@dataclass(frozen=True, slots=True)
class Source:
    """A public source.

    Attributes:
        id: as facts cite it.
        what: what it is.
        address: where it is; ``{page}`` stands for a page.
        date: of its last change, or when it was read; may be empty.
    """

    id: str
    what: str
    address: str
    date: str = ""

    def at(self, page: str) -> str:
        """The address of a page; of the whole when ``page`` is empty or has no address of its own."""
        if not page:
            return self.address.partition("{page}")[0]
        return self.address.replace("{page}", page)


def cited(text: str) -> tuple[str, ...]:
    """The names of the facts that a text cites; of a range its two ends."""
    return tuple(
        f"{match[1]} {number}"
        for match in CITATION.finditer(text)
        for number in re.findall(_NUMBER, match[2])
    )


@cache
def facts() -> dict[str, Fact]:
    """Every fact by its name.

    Raises:
        ValueError: two facts have the same name.
    """
    found: dict[str, Fact] = {}
    for file in FILES:
        text = (files(__package__) / "facts" / f"{file}.md").read_text(encoding="utf-8")
        for fact in _read(file, text.splitlines()):
            if fact.name in found:
                raise ValueError(f"there are two facts {fact.name!r}")
            found[fact.name] = fact
    return found


def _read(file: str, lines: list[str]) -> Iterator[Fact]:
    section = title = ""
    columns: list[str] = []
    for index, line in enumerate(lines):
        if heading := _HEADING.fullmatch(line):
            section, title = heading[2], heading[3]
            yield Fact(f"{file} {section}", title, (("", _section(lines, index)),))
        elif line.startswith("#"):
            section, title = "", line.lstrip("# ")
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not columns:
            columns = cells
        elif numbered := _CELL.match(cells[0]):
            parts = zip(columns, [numbered[2], *cells[1:]], strict=True)
            shown = tuple((column, text) for column, text in parts if text)
            yield Fact(f"{file} {numbered[1]}", title, shown)
        elif section and _NAMED_CELL.fullmatch(cells[0]):
            shown = tuple(zip(columns, cells, strict=True))
            yield Fact(f"{file} {section} {cells[0]}", title, shown)


def _section(lines: list[str], start: int) -> str:
    level = len(lines[start]) - len(lines[start].lstrip("#"))
    end = next(
        (
            index
            for index, line in enumerate(lines[start + 1 :], start + 1)
            if re.match(rf"#{{1,{level}}} ", line)
        ),
        len(lines),
    )
    return "\n".join(lines[start + 1 : end]).strip("\n-")


@cache
def sources() -> dict[str, Source]:
    """Every source by its id.

    Raises:
        ValueError: two sources have the same id.
    """
    text = (files(__package__) / "sources.toml").read_text(encoding="utf-8")
    entries = [Source(**entry) for entry in tomllib.loads(text)["source"]]
    found = {entry.id: entry for entry in entries}
    if len(found) < len(entries):
        raise ValueError("two sources have the same id")
    return found


def references(text: str) -> tuple[tuple[str, str], ...]:
    """What a fact's text cites, (source id, page) in order; ``owner/repo#n`` is an id of its own.

    The id may be unknown; code isn't looked at.
    """
    found: dict[tuple[str, str], None] = {}
    for match in _SOURCE.finditer(_CODE.sub("", text)):
        name, _, page = (match[1] or match[2]).partition(":")
        found[name, page] = None
    return tuple(found)
