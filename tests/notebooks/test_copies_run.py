"""A learner's copy runs down to its first blank; with its solutions written into the blanks it runs whole."""

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import labkit
from labkit.course.copies import learner_copy, make_copy, master_files, read_master, to_bytes
from labkit.course.exercises import BLANK, task_of, without_marks
from tests.support.attached_cloud import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WITH_EXERCISES = [
    name
    for name in master_files(ROOT)
    if name.endswith(".ipynb")
    and any(task_of(cell["source"]) for cell in read_master(ROOT, name)["cells"])
]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a cloud that these copies share; it ends with this module."""
    directory = tmp_path_factory.mktemp("copies")
    yield directory
    with environment(LABKIT_STATE_DIR=str(directory)):
        labkit.stop()


def run(notebook: nbformat.NotebookNode, folder: Path, state: Path) -> None:
    with environment(LABKIT_STATE_DIR=str(state)):
        NotebookClient(
            notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()


def read(data: bytes) -> nbformat.NotebookNode:
    return nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_copy_runs_down_to_its_first_blank(name: str, tmp_path: Path, state: Path) -> None:
    notebook = read(make_copy(ROOT, name).data)
    first = next(
        n
        for n, cell in enumerate(notebook.cells)
        if BLANK in cell.source and cell.cell_type == "code"
    )
    with pytest.raises(CellExecutionError) as caught:
        run(notebook, tmp_path, state)
    assert caught.value.ename == "NameError"
    assert f"'{BLANK}'" in caught.value.evalue
    ran = [n for n, cell in enumerate(notebook.cells) if cell.get("execution_count")]
    assert ran[-1] == first, "the cells above it ran, and those below it didn't"


@pytest.mark.parametrize("name", WITH_EXERCISES[:2])
def test_a_copy_with_its_blanks_filled_in_runs_whole(
    name: str, tmp_path: Path, state: Path
) -> None:
    master = read_master(ROOT, name)
    copy = learner_copy(master, name)
    for cell, of in zip(copy["cells"], master["cells"], strict=True):
        if task_of(of["source"]):
            cell["source"] = without_marks(of["source"])
    notebook = read(to_bytes(copy))
    run(notebook, tmp_path, state)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert os.listdir(tmp_path) == [], "it needs no file beside it"
