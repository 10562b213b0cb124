"""A picture in a notebook has its words beside it, and nbval compares the words, not the pixels."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

CELL = """
import random
from labkit import plots, simulate
from labkit.throttle import TokenBucket
times = sorted(random.random() for _ in range(9))
plots.burst(simulate(times, TokenBucket(rate=0.001, burst=4)))
"""


@pytest.mark.slow
def test_a_notebook_with_a_picture_passes_nbval_without_a_tag(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, kernel_name="python3").execute()
    image, words = notebook.cells[0].outputs
    assert set(image.data) == {"image/png", "text/plain"}
    assert image.metadata["image/png"]["alt"].startswith("9 requests at a bucket")
    assert words.text.startswith("9 requests: 4 accepted, 5 throttled.")
    path = tmp_path / "picture.ipynb"
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
