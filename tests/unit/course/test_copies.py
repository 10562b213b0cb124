"""A learner's copy holds the master's cells, and nothing that a learner should find out."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.course.copies import (
    clear_cell,
    digest,
    learner_copy,
    make_copy,
    master_files,
    master_of,
    read_master,
    say_age,
    to_bytes,
)
from labkit.course.exercises import exercise, solution_in, task_of
from labkit.course.postman import write_environment
from labkit.errors import CopyError
from tests.support.small_course import write_master

ROOT = Path(__file__).resolve().parents[3]
NAMES = [name for name in master_files(ROOT) if name.endswith(".ipynb")]
every_notebook = pytest.mark.parametrize("name", NAMES)


def solved(cell: dict[str, Any], master: dict[str, Any]) -> str:
    """A copy's cell with the master's solution, and its marks, in place of the blank."""
    task = task_of(master["source"])
    if task is None:
        return str(cell["source"])
    whole = f"# BEGIN SOLUTION\n{solution_in(master['source'])}\n# END SOLUTION"
    before, blank, after = cell["source"].partition(exercise(task).blank)
    assert blank
    return f"{before}{whole}{after}"


@every_notebook
def test_a_copy_with_its_solutions_put_back_is_the_master(name: str) -> None:
    master = read_master(ROOT, name)
    copy = learner_copy(master, name)
    pairs = list(zip(copy["cells"], master["cells"], strict=True))
    assert [solved(cell, of) for cell, of in pairs] == [of["source"] for _, of in pairs]
    assert [cell["id"] for cell, _ in pairs] == [of["id"] for _, of in pairs]
    assert [cell["cell_type"] for cell, _ in pairs] == [of["cell_type"] for _, of in pairs]


@every_notebook
def test_a_copy_is_a_whole_notebook_without_outputs_and_solutions(name: str) -> None:
    data = make_copy(ROOT, name).data
    notebook = nbformat.reads(data.decode(), as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.metadata == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert b"END SOLUTION" not in data
    text = data.decode()
    for cell in read_master(ROOT, name)["cells"]:
        for line in solution_in(cell["source"]).splitlines():
            in_blank = line in exercise(task_of(cell["source"]) or "").blank
            assert in_blank or len(line) < 30 or json.dumps(line)[1:-1] not in text
    assert to_bytes(learner_copy(read_master(ROOT, name), name)) == data, "the same each time"


OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["secret"]}


def test_nothing_of_a_cell_but_its_source_and_its_pictures_is_taken(tmp_path: Path) -> None:
    hidden = {"solution": "secret", "tags": ["secret"]}
    code = {"cell_type": "code", "source": ["1 + 1"], "metadata": hidden, "id": "a"}
    code |= {"outputs": [OUTPUT], "execution_count": 7, "attachments": {"secret": {}}}
    text = {"cell_type": "markdown", "source": "![](attachment:one.png)", "metadata": hidden}
    text |= {"id": "b", "attachments": {"one.png": {"image/png": "AAAA"}}}
    write_master(tmp_path, "01-one.ipynb", [code, text], solution="secret")
    data = make_copy(tmp_path, "01-one.ipynb").data
    assert b"secret" not in data
    first, second = json.loads(data)["cells"]
    assert first == {
        "id": "a", "cell_type": "code", "source": ["1 + 1"], "metadata": {},
        "execution_count": None, "outputs": [],
    }  # fmt: skip
    assert second["attachments"] == {"one.png": {"image/png": "AAAA"}}
    assert set(json.loads(data)["metadata"]) == {"kernelspec", "language_info", "labkit"}


@pytest.mark.parametrize(
    "source",
    [
        "# BEGIN SOLUTION\nx = 1\n# END SOLUTION",  # names no task
        "# Task 99.1: no blank is written\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION",
        "# Task 4.2: indented\nif x:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION",
        "# Task 4.2: no end\n# BEGIN SOLUTION\nx = 1",
    ],
)
def test_a_solution_that_would_stay_makes_no_copy(tmp_path: Path, source: str) -> None:
    write_master(tmp_path, "01-one.ipynb", [source])
    with pytest.raises(CopyError, match=r"notebooks/01-one\.ipynb .*solution"):
        make_copy(tmp_path, "01-one.ipynb")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'{"cells": 1}', b'{"cells": [{}]}', b'{"cells": []}', b"\xff", b"[" * 9999],
)  # fmt: skip
def test_a_damaged_master_is_named_with_the_way_back(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-one.ipynb").write_bytes(data)
    with pytest.raises(CopyError, match=r"git checkout notebooks/01-one\.ipynb"):
        make_copy(tmp_path, "01-one.ipynb")
    assert re.fullmatch(r"[0-9a-f]{64}", digest(data))
    assert master_of(data) == ""


def test_what_jupyterlab_keeps_and_hides_is_no_master(tmp_path: Path) -> None:
    write_master(tmp_path, "lab/01-one.ipynb", ["1"])
    write_master(tmp_path, "lab/.ipynb_checkpoints/01-one-checkpoint.ipynb", ["1"])
    write_master(tmp_path, ".hidden.ipynb", ["1"])
    write_environment("local", {}, tmp_path / "notebooks" / "lab")
    assert master_files(tmp_path) == ["lab/01-one.ipynb"]
    with pytest.raises(CopyError, match="in a clone of the course"):
        master_files(tmp_path / "notebooks" / "lab" / ".ipynb_checkpoints")


SOURCES = st.lists(st.text(), max_size=4)


@given(SOURCES, SOURCES)
def test_copies_are_the_same_when_nobody_worked_in_them(one: list[str], other: list[str]) -> None:
    def notebook(sources: list[str], **metadata: object) -> bytes:
        cells = [
            clear_cell({"id": f"c{number}", "cell_type": "code", "source": source})
            for number, source in enumerate(sources)
        ]
        made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        return to_bytes(made)

    mine = notebook(one)
    assert digest(mine) == digest(mine.replace(b"\n", b"\r\n"))
    assert digest(mine) == digest(notebook(one, language_info={"version": "3.14"}))
    assert digest(mine) != digest(notebook(one, mine=True))
    assert (digest(mine) == digest(notebook(other))) is (one == other)


@given(st.binary().map(lambda data: data.replace(b"\r", b"")))
def test_any_file_has_a_digest_that_line_ends_do_not_change(data: bytes) -> None:
    assert digest(data) == digest(data.replace(b"\n", b"\r\n"))
    assert master_of(data) == ""


def test_a_run_of_the_master_makes_no_newer_copy(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "1", "id": "a", "metadata": {}, "outputs": []}
    write_master(tmp_path, "01-one.ipynb", [cell])
    before = make_copy(tmp_path, "01-one.ipynb")
    write_master(tmp_path, "01-one.ipynb", [cell | {"outputs": [OUTPUT], "execution_count": 3}])
    assert make_copy(tmp_path, "01-one.ipynb") == before
    write_master(tmp_path, "01-one.ipynb", [cell | {"source": "2"}])
    assert make_copy(tmp_path, "01-one.ipynb").master != before.master
    assert master_of(before.data) == before.master


def test_a_copy_of_an_older_master_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_master(tmp_path, "lab/01-one.ipynb", ["1"])
    mine = tmp_path / "my-notebooks" / "lab" / "01-one.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(make_copy(tmp_path, "lab/01-one.ipynb").data)
    monkeypatch.chdir(mine.parent)
    assert say_age(tmp_path, "lab/01-one.ipynb") == ""
    write_master(tmp_path, "lab/01-one.ipynb", ["2"])
    said = say_age(tmp_path, "lab/01-one.ipynb")
    assert "new-01-one.ipynb" in said
    assert "older one. It still runs." in said
    mine.write_bytes(mine.read_bytes().replace(labkit.__version__.encode(), b"0.0.1"))
    assert "older one, of version 0.0.1 of the course." in say_age(tmp_path, "lab/01-one.ipynb")
    for broken in (b"{", b'{"metadata": {"labkit": {"notebook": "../../x", "version": 1}}}', b"[]"):
        mine.write_bytes(broken)
        assert say_age(tmp_path, "lab/01-one.ipynb") == ""
    assert say_age(tmp_path, "") == ""
