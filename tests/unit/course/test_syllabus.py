"""The syllabus says what the notebooks say: their files, their minutes, what comes first."""

import re
from pathlib import Path

import nbformat
import pytest

from labkit.course.progress import Predicted, Records
from labkit.course.progress_map import ProgressMap
from labkit.course.syllabus import Notebook, notebooks, paths

ROOT = Path(__file__).resolve().parents[3]
every_notebook = pytest.mark.parametrize("one", notebooks().values(), ids=lambda one: one.key)


def prose_of(one: Notebook) -> str:
    cells = nbformat.read(ROOT / "notebooks" / one.file, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_it_has_every_notebook() -> None:
    there = (ROOT / "notebooks").glob("**/*.ipynb")
    files = {path.relative_to(ROOT / "notebooks").as_posix() for path in there}
    assert {one.file for one in notebooks().values()} == {
        file for file in files if ".ipynb_checkpoints" not in file
    }


@every_notebook
def test_its_minutes_are_those_of_the_notebook(one: Notebook) -> None:
    card = re.search(r"(?m)^\| \*\*Time\*\* \| (\d+) minutes", prose_of(one))
    section = re.search(r"(?ms)^## Time$(.*?)^## ", prose_of(one))
    found = card[1] if card else re.findall(r"(\d+)[^\d:]* to learn|and (\d+) more", section[1])  # type: ignore[index]
    minutes = (
        [int(number) for pair in found for number in pair if number] if not card else [int(found)]
    )  # type: ignore[arg-type]
    assert sum(minutes) == one.minutes


@every_notebook
def test_what_comes_first_is_linked_and_comes_before(one: Notebook) -> None:
    keys = list(notebooks())
    for key in one.needs:
        assert keys.index(key) < keys.index(one.key)
        assert Path(notebooks()[key].file).name in prose_of(one) or key == "00"


def test_ways_are_as_long_as_their_names_say() -> None:
    minutes = {name: sum(one.minutes for one in some) for name, some in paths().items()}
    assert minutes["90 minutes"] == 90
    assert 180 <= minutes["Half a day"] <= 300
    assert 480 < minutes["Two days"] <= 960
    assert paths()["Two days"] == list(notebooks().values())


def test_the_map_counts_what_is_done() -> None:
    records = Records(
        predictions={
            "04.draft": Predicted({"": "200"}, right=True),
            "04.open": Predicted({"": "401"}, right=False),
            "04.gone": Predicted({"": "401"}, right=True),
        },
        tasks=["4.1", "4.3", "9.9"],
    )
    shown = ProgressMap(records)
    line = next(line for line in str(shown).splitlines() if line.startswith("4. "))
    assert line.split()[-9:] == ["2", "of", "3", "1", "of", "10", "20", "2,", "3"]
    assert "✓ 3 of 3" not in str(shown)
    assert "Predicted right so far: 2 of 3." in str(shown)
    assert f'href="{notebooks()["04"].file}"' in shown._repr_html_()


def test_the_map_marks_a_notebook_whose_tasks_are_all_done() -> None:
    assert "✓ 3 of 3" in str(ProgressMap(Records(tasks=["4.1", "4.2", "4.3"])))


def test_readme_lists_the_same_notebooks() -> None:
    rows = re.findall(
        r"(?m)^\| \[([^\]]+)\]\(notebooks/([^)]+)\) \| (.+) \|$",
        (ROOT / "README.md").read_text("utf-8"),
    )
    assert rows == [(one.title, one.file, one.after) for one in notebooks().values()]
