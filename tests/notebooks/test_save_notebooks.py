"""The tool that saves notebooks masks what differs, keeps what a lesson shows, and writes no failure."""

import importlib.util
from pathlib import Path
from typing import Any

import nbformat
import pytest

_SPEC = importlib.util.spec_from_file_location(
    "save_notebooks", Path(__file__).parents[1] / "tools" / "save_notebooks.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
tool: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tool)


def notebook_of(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_outputs_are_masked_and_the_same_on_every_run(tmp_path: Path) -> None:
    path = notebook_of(
        tmp_path / "one.ipynb",
        "import uuid\nprint(401, uuid.uuid4())",
        "{'code': '05578005', 'scope': 'aws.cognito.signin.user.admin'}",
    )
    assert tool.save(path) == 0
    first = path.read_text("utf-8")
    assert tool.save(path) == 0
    assert path.read_text("utf-8") == first
    cells = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
    assert cells[0].outputs[0].text == "401 UUID\n"
    assert "'CODE'" in cells[1].outputs[0].data["text/plain"]
    assert "aws.cognito.signin.user.admin" in cells[1].outputs[0].data["text/plain"]
    assert [cell.execution_count for cell in cells] == [1, 2]
    assert all(cell.metadata == {} for cell in cells)


def test_a_cell_that_raises_leaves_the_notebook_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = notebook_of(tmp_path / "broken.ipynb", "1", "assert False, 'not refused'")
    before = path.read_text("utf-8")
    assert tool.save(path) == 1
    assert path.read_text("utf-8") == before
    assert "not refused" in capsys.readouterr().err


def test_of_a_picture_s_metadata_only_its_size_is_kept(tmp_path: Path) -> None:
    shown = "{'image/png': {'width': 9, 'alt': 'of this run'}, 'isolated': True}"
    source = (
        f"display({{'image/png': 'iVBORw0KGgo=', 'text/plain': 'x'}}, raw=True, metadata={shown})"
    )
    path = notebook_of(tmp_path / "picture.ipynb", source)
    assert tool.save(path) == 0
    [output] = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells[0].outputs
    assert output.metadata == {"image/png": {"width": 9}}
