"""What nobody has confirmed on AWS carries ◇, bound to its row of the ledger: ``◇ <!-- ◇ cognito-1.9 -->``.

A comment without the mark, ``<!-- cognito-3.6 -->``, binds an answer to a row that somebody has confirmed.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from labkit.local.ledger import rows
from tests.notebooks.test_notebook_conventions import PATHS, ROOT, WITH_A_CARD, cells_of, prose_of

MARK = "◇"
LEGEND = f"{MARK} Not confirmed on AWS:"
BINDING = re.compile(rf"<!-- ({MARK} )?([a-z]+-[\w., -]+?) -->")
LABELS = {row.id: row.label for row in rows()}
TEXTS = {"message", "body", "error_type", "body_prefix"}
"""The fields of a row's expectation that a learner can read in an answer."""
MOST_ROWS = 6
"""A text that more rows have says little about which of them a notebook shows: `{"message":"Unauthorized"}`."""


def texts_in(expect: Mapping[str, Any]) -> Iterator[str]:
    """What a row expects to be read, at any depth."""
    for name, value in expect.items():
        if isinstance(value, Mapping):
            yield from texts_in(value)
        elif name in TEXTS and isinstance(value, str):
            yield value


def doubtful_texts() -> dict[str, set[str]]:
    """Each text that a row without a confirmation has → the ids of all rows with it."""
    having = defaultdict(set)
    for row in rows():
        for text in texts_in(row.expect):
            having[text].add(row.id)
    return {
        text: ids
        for text, ids in having.items()
        if len(ids) <= MOST_ROWS and any(LABELS[name] == "inferred" for name in ids)
    }


def bindings_in(prose: str) -> dict[str, bool]:
    """Each row that a notebook names → whether with the mark."""
    return {
        name: bool(mark) for mark, ids in BINDING.findall(prose) for name in re.split(r"[, ]+", ids)
    }


def shown_in(path: Path) -> str:
    """All that its cells say and print, as one text."""
    cells = cells_of(path, "code")
    printed = [json.dumps(cell.outputs, ensure_ascii=False) for cell in cells]
    return "\n".join([*(cell.source for cell in cells), *printed]).replace('\\"', '"')


def unbound(shown: str, prose: str) -> set[str]:
    """The doubtful texts that a notebook shows without saying which row they are."""
    bound = bindings_in(prose).keys()
    return {text for text, ids in doubtful_texts().items() if text in shown and not ids & bound}


@pytest.mark.parametrize("path", WITH_A_CARD, ids=lambda path: path.stem)
def test_what_is_not_confirmed_says_so(path: Path) -> None:
    assert not unbound(shown_in(path), prose_of(path))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_mark_has_its_row_and_each_notebook_its_legend(path: Path) -> None:
    prose = prose_of(path)
    for name, marked in bindings_in(prose).items():
        assert name in LABELS, f"the ledger has no row {name}"
        assert marked == (LABELS[name] == "inferred"), f"{name} is {LABELS[name]}"
    marks = prose.replace(LEGEND, "").count(MARK)
    assert marks == 2 * sum(bool(mark) for mark, _ids in BINDING.findall(prose))
    assert prose.count(LEGEND) == (marks > 0)


def test_a_missing_mark_is_found() -> None:
    text, ids = next(iter(doubtful_texts().items()))
    name = min(name for name in ids if LABELS[name] == "inferred")
    assert unbound(f"… {text} …", "") == {text}
    assert not unbound(f"… {text} …", f"So it is {MARK}. <!-- {MARK} {name} -->")
