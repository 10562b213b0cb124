"""Everything that is cited exists: facts by rows, causes and code, sources by facts. And facts speak of AWS only."""

from __future__ import annotations

import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import labkit
from labkit.local.ledger import rows
from labkit.local.ledger.citations import CITATION, FILES, cited, facts, references, sources

PACKAGE = Path(labkit.__file__).parent
LEDGER = PACKAGE / "local" / "ledger"
TEXTS = sorted((LEDGER / "facts").glob("*.md"))
CODE = sorted(PACKAGE.rglob("*.py"))
COURSE = "README.md"
"""What a cause cites when it speaks of the course itself, not of AWS."""

BARE = re.compile(
    r"(?<=\S )\(\d{1,2}\.\d{1,2}[a-z]?(?:[,;:)]| and | to |-\d)|(?<!RFC \d{4}, )\bsections? \d"
    r"|^# \d{1,2}\.\d{1,2}[a-z]?$|\b[CD]-\d|\border of \d{1,2}\.\d|\btable \d"
)
"""A number without its file, `(2.7)`, `C-16`; a line that begins with one in brackets is a doctest's output."""
OLD = re.compile(rf"\b(?:{'|'.join(FILES)})\.md\b", re.IGNORECASE)
FORBIDDEN = {
    "the course's own state": r"labkit\b(?!\.local ledger)|local cloud|\bthe product\b|\bPROD\b|\bLOCAL\b",
    "the engine compared": r"MSRUN|ministack \d|MiniStack 1\.",
    "a path of a machine": r"(?<![\w.])/(?:work|root|home|tmp)/",
    "an index that isn't public": r"\bfind:\d|read_file",
    "a credential": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{20,}\.",
    "how it was found": r"\b(?:by me|I read|I ran|re-read|run today)\b",
}


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The comments and the free-standing strings of a module, with their lines."""
    before = tokenize.NEWLINE
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    for token in tokens:
        starts = before in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and starts):
            yield from enumerate(token.string.splitlines(), token.start[0])
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            before = token.type


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_code_cites_facts_that_exist_by_file_and_number(path: Path) -> None:
    for number, text in texts_of(path):
        unknown = set(cited(text)) - set(facts())
        where = f"{path.name}:{number}: {text.strip()}"
        assert not unknown, f"{where} cites {unknown}"
        assert not OLD.search(text), f"{where}: write `gateway 2.7`"
        assert not BARE.search(CITATION.sub("", text.partition(">>>")[0])), (
            f"{where}: of which file?"
        )


@pytest.mark.parametrize(
    "text",
    [
        "as here (2.7)",
        "# 3.19",
        "never reports it (C-16)",
        "the order of 6.5",
        "(table 1b)",
        "section 9",
    ],
)
def test_a_number_without_its_file_is_seen(text: str) -> None:
    assert BARE.search(text)


def test_rows_stand_on_facts_that_exist() -> None:
    for row in rows():
        for text in (row.fact, row.case, row.source):
            unknown = set(cited(text)) - set(facts())
            assert not unknown, f"{row.id} cites {text!r}: facts/*.md have no {sorted(unknown)}"
            assert not OLD.search(text), f"{row.id}: {text}"
        assert row.facts, f"{row.id} cites no fact: write fact = 'gateway 2.7', for example"
        rest = re.sub(r"\([^()\d]*\)", "", CITATION.sub("", row.fact)).strip(" ,;")
        assert not rest, f"{row.id} cites {row.fact!r}: what is {rest!r}?"


def test_causes_stand_on_facts_that_exist() -> None:
    known = {COURSE, *facts()}
    causes = tomllib.loads((PACKAGE / "doctor" / "causes.toml").read_text(encoding="utf-8"))
    for name, cause in causes["cause"].items():
        assert cause["sources"], name
        assert set(cause["sources"]) <= known, f"{name}: {set(cause['sources']) - known}"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_facts_cite_sources_and_facts_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, page in references(text):
        assert "/" in name or name in sources(), f"[{name}:{page}]"
    assert set(cited(re.sub(r"`[^`\n]*`", "", text))) <= set(facts())


def test_every_source_is_cited() -> None:
    used = {name for path in TEXTS for name, _ in references(path.read_text(encoding="utf-8"))}
    assert set(sources()) - used == set()


def test_sources_have_public_addresses() -> None:
    for source in sources().values():
        assert re.fullmatch(r"https?://[a-z0-9.-]+\.[a-z]+/\S*", source.address), source.id


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_facts_speak_of_aws_only(path: Path, what: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(FORBIDDEN[what], line)] == []


def test_a_range_cites_its_ends_and_a_list_each() -> None:
    assert cited("gateway 13.1-13.8, 14 and edge E1.7") == (
        "gateway 13.1",
        "gateway 13.8",
        "gateway 14",
        "edge E1.7",
    )


def test_a_date_after_recorded_is_no_citation() -> None:
    assert cited("LocalStack test_x, recorded 2024-12-11") == ()
