"""The picture of the decision tree in `modes/choosing-a-mode` says what the notebook's data says."""

import html
import re
from pathlib import Path
from typing import Any

from tests.test_notebook_conventions import cells_of

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOK = NOTEBOOKS / "modes/choosing-a-mode.ipynb"
PICTURE = html.unescape((NOTEBOOKS / "images/choosing-a-mode.svg").read_text("utf-8"))


def words_of_the_tree() -> list[str]:
    """Every question, answer and mode of TREE, from top to bottom."""
    names: dict[str, Any] = {}
    for cell in cells_of(NOTEBOOK, "code"):
        if re.match(r"BY_(TOKEN|SIGNATURE) = \{", cell.source):
            exec(cell.source, names)  # noqa: S102 - the two cells hold dictionaries only
    return words_of(names["TREE"])


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
