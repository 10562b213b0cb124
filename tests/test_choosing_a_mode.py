"""The picture of the decision tree in `modes/choosing-a-mode` says what the notebook's data says."""

import html
import re
from pathlib import Path
from typing import Any

import pytest

import labkit
from tests.test_notebook_conventions import cells_of

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOK = NOTEBOOKS / "modes/choosing-a-mode.ipynb"
PICTURE = html.unescape((NOTEBOOKS / "images/choosing-a-mode.svg").read_text("utf-8"))


def names_of_the_notebook() -> dict[str, Any]:
    """TREE, and the check of the exercise: the cells that make them need no cloud."""
    names: dict[str, Any] = {"labkit": labkit}
    for cell in cells_of(NOTEBOOK, "code"):
        if re.match(r"(BY_TOKEN|BY_SIGNATURE|RIGHT) =|def (choose|way_to|check)\(", cell.source):
            exec(cell.source, names)  # noqa: S102 - the repository's own cells
    return names


def words_of_the_tree() -> list[str]:
    """Every question, answer and mode of TREE, from top to bottom."""
    return words_of(names_of_the_notebook()["TREE"])


def words_of(tree: Any) -> list[str]:
    """The words of a branch: a mode, or a question with its answers."""
    if isinstance(tree, str):
        return [tree]
    words = []
    for question, answers in tree.items():
        words.append(question)
        for answer, then in answers.items():
            words += [answer, *words_of(then)]
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


def leaves_of(tree: Any) -> list[str]:
    """The modes of a branch."""
    if isinstance(tree, str):
        return [tree]
    return [
        leaf for answers in tree.values() for then in answers.values() for leaf in leaves_of(then)
    ]


@pytest.mark.parametrize("case", ["parcels", "meters", "weather"])
def test_every_wrong_answer_gets_a_hint(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = names_of_the_notebook()
    right = names["choose"](*names["RIGHT"][case])
    for leaf in set(leaves_of(names["TREE"])) - {right}:
        with pytest.raises(labkit.errors.CheckError) as caught:
            names["check"](case, leaf)
        assert caught.value.expected == right
        assert any(f"Think of this: {fact}." in str(caught.value) for fact in names["FACTS"][case])
    capsys.readouterr()
    names["check"](case, right)
    assert capsys.readouterr().out == f"Right: {case} → {right}\n"
