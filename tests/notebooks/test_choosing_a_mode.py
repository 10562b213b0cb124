"""The picture of the decision tree in `modes/choosing-a-mode` says what the notebook's data says."""

import html
import re
from pathlib import Path
from typing import Any

import pytest

import labkit
from tests.notebooks.test_notebook_conventions import cells_of

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOK = NOTEBOOKS / "modes/choosing-a-mode.ipynb"
PICTURE = html.unescape((NOTEBOOKS / "images/choosing-a-mode.svg").read_text("utf-8"))


QUESTIONS = {
    (): "Where are the callers?",
    ("anywhere",): "What can they show?",
    ("anywhere", "AWS credentials"): "Of which account?",
    ("anywhere", "a token"): "Who issues it?",
    ("anywhere", "nothing"): "What do you want?",
}
"""What the picture asks after these answers; the notebook's data has the answers alone."""


def names_of_the_notebook() -> dict[str, Any]:
    """MODES, and the check of the exercise: the cells that make them need no cloud."""
    names: dict[str, Any] = {"labkit": labkit}
    for cell in cells_of(NOTEBOOK, "code"):
        if re.match(r"(MODES|RIGHT) =|def check\(", cell.source):
            exec(cell.source, names)  # noqa: S102 - the repository's own cells
    return names


def words_of_the_tree() -> list[str]:
    """Every question, answer and mode, from top to bottom."""
    words, known = [QUESTIONS[()]], {()}
    for answers, mode in names_of_the_notebook()["MODES"].items():
        for number, answer in enumerate(answers, start=1):
            way = answers[:number]
            if way not in known:
                known.add(way)
                words += [answer, mode if way == answers else QUESTIONS[way]]
    return words


def test_the_picture_shows_the_tree_and_nothing_else() -> None:
    # A long mode stands on two lines.
    shown = "\n".join(re.findall(r"<text\b[^>]*>([^<]*)</text>", PICTURE))
    for word in words_of_the_tree():
        pattern = r"\s".join(map(re.escape, word.split()))
        shown, found = re.subn(rf"(?m)^{pattern}$", "", shown, count=1)
        assert found == 1, word
    assert not shown.strip()


def test_its_text_tells_the_tree_in_the_same_order() -> None:
    (text,) = re.findall(r"<desc\b[^>]*>([^<]*)</desc>", PICTURE)
    assert any(f"![{text}](" in cell.source for cell in cells_of(NOTEBOOK, "markdown"))
    for word in words_of_the_tree():
        _, found, text = text.partition(word)
        assert found, word


def test_the_cases_are_ways_through_the_tree() -> None:
    names = names_of_the_notebook()
    (source,) = [
        cell.source for cell in cells_of(NOTEBOOK, "code") if cell.source.startswith("CASES")
    ]
    exec(source, names)  # noqa: S102 - the repository's own cell
    assert set(names["CASES"].values()) <= names["MODES"].keys()
    assert {tuple(facts) for facts in names["RIGHT"].values()} <= names["MODES"].keys()


@pytest.mark.parametrize("case", ["parcels", "meters", "weather"])
def test_every_wrong_answer_gets_a_hint(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = names_of_the_notebook()
    check, facts = names["check"], names["RIGHT"][case]
    right = tuple(facts)
    for answers in names["MODES"].keys() - {right}:
        with pytest.raises(labkit.errors.CheckError) as caught:
            check(case, answers)
        wrong, better = next(
            pair for pair in zip(answers, right, strict=False) if pair[0] != pair[1]
        )
        assert (caught.value.actual, caught.value.expected) == (wrong, better)
        assert str(caught.value).endswith(f"Think of this: {facts[better]}.")
    for answers in ((), right[:2], (*right, "more")):
        with pytest.raises(ValueError, match="leads to no mode"):
            check(case, answers)
    assert capsys.readouterr().out == ""
    check(case, right)
    assert capsys.readouterr().out == f"Right: {case} → {names['MODES'][right]}\n"
