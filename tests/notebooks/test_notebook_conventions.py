"""Every notebook has the same shape: short cells, prose before code, run once from top to bottom.

A notebook that was written by hand is brought into this shape by "Run > Restart Kernel and Run All
Cells" in JupyterLab, then "File > Save".
"""

import itertools
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest

from labkit.course.exercises import exercise, task_of
from labkit.course.predictions import at_the_end, questions

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted(
    path
    for path in (ROOT / "notebooks").glob("**/*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
every_notebook = pytest.mark.parametrize(
    "path", PATHS, ids=[path.relative_to(ROOT / "notebooks").as_posix() for path in PATHS]
)

SECTIONS = [
    "What you will be able to do",
    "Time",
    "Prerequisites",
    "Summary",
    "What's next",
]
"""Of the notebooks in ``modes`` and ``challenges``."""
CARD = ["After it you can", "Time", "You need", "You are here"]
"""What the table in the first cell says, of the other notebooks; more may stand there too."""
WITH_A_CARD = [path for path in PATHS if path.parent.name in ("notebooks", "lab")]
CELL_METADATA = {"tags"}
FEWEST_TASKS = {"00": 1, "07": 2}
"""Where it isn't three."""
TAGS = {"nbval-ignore-output"}
# In outputs; nbval's masks would hide them from a comparison, but they must not be there at all.
SECRETS = {
    "a token": r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}",
    "an access key": r"\b(?:AKIA|ASIA)(?!\w*EXAMPLE)[A-Z0-9]{16}\b",
    "an account id": r"(?<![\w.])(?!123456789012)\d{12}(?![\w.])",
    "a one-time code": r"(?<![\w.-])\d{8}(?![\w-])",
    "a path of one machine": r"(?<![\w.])/(?:root|home|Users|work|tmp)/\w",
}

Cell = Any  # nbformat's cells are untyped dictionaries


def cells_of(path: Path, kind: str | None = None) -> list[Cell]:
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if kind is None or cell.cell_type == kind]


def prose_of(path: Path) -> str:
    return "\n\n".join(cell.source for cell in cells_of(path, "markdown")).replace("’", "'")


def lengths_of(path: Path) -> list[int]:
    return [len(cell.source.strip().splitlines()) for cell in cells_of(path, "code")]


def texts_of(output: Cell) -> Iterator[str]:
    """What an output says in words, whatever the format."""
    if output.output_type == "stream":
        yield output.text
    for kind, content in output.get("data", {}).items():
        if not kind.startswith("image/") or kind == "image/svg+xml":
            yield content if isinstance(content, str) else json.dumps(content)


def says_something(output: Cell) -> bool:
    """Whether an output can be read without seeing: `<Figure …>` or `VBox(children=…` can't."""
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return bool(text.strip()) and not re.match(r"<[^\n]*>\s*$|[A-Z]\w+\((children|value)=", text)


def test_there_is_a_notebook_to_start_with() -> None:
    assert ROOT / "notebooks/00-start-here.ipynb" in PATHS


@every_notebook
def test_format(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    # As JupyterLab writes it; otherwise opening the notebook would change it.
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert notebook.metadata.kernelspec == kernel
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    for cell in notebook.cells:
        assert set(cell.metadata) <= CELL_METADATA, cell.source
        assert set(cell.metadata.get("tags", [])) <= TAGS, cell.source
        assert "NBVAL_SKIP" not in cell.source


@every_notebook
def test_sections(path: Path) -> None:
    prose = prose_of(path)
    assert re.match(r"# \S", prose), "the first cell is the title, '# …'"
    assert len(re.findall(r"(?m)^# ", re.sub(r"(?ms)^```.*?^```", "", prose))) == 1, "one title"
    heading = "|".join(SECTIONS)
    sections = SECTIONS[-2:] if path in WITH_A_CARD else SECTIONS
    assert re.findall(rf"(?m)^## ({heading})$", prose) == sections
    time = re.search(r"(?ms)^## Time$(.*?)^## |^\| \*\*Time\*\* \|([^\n]*)", prose)
    assert time is not None
    assert len(re.findall(r"\d+", time[0])) >= 2, "how long to learn, how long to run all cells"


@pytest.mark.parametrize("path", WITH_A_CARD, ids=lambda path: path.stem)
def test_the_first_screen_holds_a_card_and_the_first_cell_to_run(path: Path) -> None:
    card, first = cells_of(path)[:2]
    rows = re.findall(r"(?m)^\| \*\*([^*]+)\*\* \|", card.source)
    assert [row for row in rows if row in CARD] == CARD
    assert first.cell_type == "code"
    assert len(card.source) <= 1100, "on a screen of 1280×720 the cell below must still be seen"


@pytest.mark.parametrize("path", WITH_A_CARD, ids=lambda path: path.stem)
def test_the_learner_acts(path: Path) -> None:
    sources = [cell.source for cell in cells_of(path, "code")]
    asked, answered = (
        [name for source in sources for name in re.findall(rf'labkit\.{call}\("([\w.-]+)"', source)]
        for call in ("predict", "reveal")
    )
    assert asked == answered, "each prediction is answered, one after the other"
    assert 5 <= len(asked) <= 8
    notebook = asked[0].partition(".")[0]
    known = [one for one in questions(notebook).values() if not one.answer]
    assert set(asked) == {one.id for one in known}
    assert 3 <= len(at_the_end(notebook)) <= 5
    quizzes = [text for text in sources if re.fullmatch(r"labkit\.(recall|quiz)\(.*\)", text)]
    calls = ["quiz"] if notebook == "00" else ["recall", "quiz"]
    assert quizzes == [f'labkit.{call}("{notebook}")' for call in calls]
    tasks = list(filter(None, map(task_of, sources)))
    checks = [name for source in sources for name in re.findall(r'lab\.check\("([\w.]+)"', source)]
    assert tasks == checks, "each exercise is checked, one after the other"
    assert len(tasks) >= FEWEST_TASKS.get(path.stem[:2], 3)
    for task in tasks:
        assert exercise(task).hints


@pytest.mark.parametrize("path", WITH_A_CARD, ids=lambda path: path.stem)
def test_no_prompt_is_left_that_nothing_reads(path: Path) -> None:
    assert "**Predict" not in prose_of(path)


@pytest.mark.parametrize("path", WITH_A_CARD, ids=lambda path: path.stem)
def test_it_is_not_too_long(path: Path) -> None:
    assert len(cells_of(path)) <= 80


@every_notebook
def test_it_starts_the_lab_first(path: Path) -> None:
    assert re.search(r"(?m)^lab = labkit\.start\(", cells_of(path, "code")[0].source)


@every_notebook
def test_cells_are_short(path: Path) -> None:
    lengths = lengths_of(path)
    assert statistics.median(lengths) <= 5
    assert percentile_90(lengths) <= 12
    assert max(lengths) <= 25


def test_cells_are_short_over_all() -> None:
    lengths = [length for path in PATHS for length in lengths_of(path)]
    assert statistics.median(lengths) <= 5
    assert percentile_90(lengths) <= 12


def percentile_90(numbers: list[int]) -> int:
    return sorted(numbers)[int(0.9 * (len(numbers) - 1))]


@every_notebook
def test_prose_comes_before_code(path: Path) -> None:
    cells = cells_of(path)
    before = [
        first.cell_type == "markdown"
        for first, second in itertools.pairwise(cells)
        if second.cell_type == "code"
    ]
    assert cells[0].cell_type == "markdown"
    assert sum(before) >= 0.8 * len(before), f"only {sum(before)} of {len(before)} code cells"


@every_notebook
def test_it_was_run_from_top_to_bottom_without_an_error(path: Path) -> None:
    cells = cells_of(path, "code")
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


@every_notebook
def test_outputs_hold_no_secret(path: Path) -> None:
    for cell in cells_of(path, "code"):
        for text in (text for output in cell.outputs for text in texts_of(output)):
            for name, pattern in SECRETS.items():
                found = re.search(pattern, text)
                assert found is None, f"{name} in the output of:\n{cell.source}\n{found}"


@every_notebook
def test_what_is_shown_is_also_said_in_words(path: Path) -> None:
    for cell in cells_of(path, "code"):
        shown = [output for output in cell.outputs if set(output.get("data", {})) - {"text/plain"}]
        for output in shown:
            assert "text/plain" in output.data, cell.source
        assert not shown or any(map(says_something, cell.outputs)), (
            f"print the finding beside the picture or widget of:\n{cell.source}"
        )


@every_notebook
def test_images_have_a_text(path: Path) -> None:
    prose = prose_of(path)
    assert not re.findall(r"!\[\s*\]\([^)]*\)", prose)
    assert not [tag for tag in re.findall(r"<img\b[^>]*>", prose) if not re.search(r'alt="\w', tag)]


@every_notebook
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", prose_of(path))
    for link in re.findall(r"\]\(([^)\s]+)[^)]*\)", prose):
        if re.match(r"https?:|mailto:|data:|attachment:", link):
            continue
        target, _, fragment = unquote(link).partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.is_relative_to(ROOT), link
        assert file.exists(), link
        if fragment and file.suffix == ".ipynb":
            headings = re.findall(r"(?m)^#+ (.+)$", prose_of(file))
            # JupyterLab's anchors are the heading with hyphens for spaces.
            assert fragment.replace("’", "'") in [text.replace(" ", "-") for text in headings], link


@every_notebook
def test_it_names_no_machine(path: Path) -> None:
    for cell in cells_of(path):
        assert not re.search(r"(?<![\w.])/(?:root|home/\w+|Users/\w+|work)/", cell.source)
