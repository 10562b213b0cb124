"""How long the lab's notebooks take, one after the other: 00-start-here and the seven tasks.

    python tests/benchmarks/bench_notebooks.py

The target: the sum of all eight at most 40 s, with the start of the kernels and of the local cloud. There is no peer
to compare with; the ratio is to a notebook that does nothing, run just before each, which none can be faster than.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbclient
import nbformat
from peers import Verdict, scratch_directory

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LAB = 8


def seconds(notebook: nbformat.NotebookNode, directory: Path) -> float:
    """One execution with a kernel of its own, as nbclient does it for anybody."""
    began = time.perf_counter()
    nbclient.NotebookClient(
        notebook,
        timeout=60,
        resources={"metadata": {"path": directory}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    ).execute()
    return time.perf_counter() - began


def main() -> int:
    verdict = Verdict("the notebooks of the lab, one run each")
    paths = [*NOTEBOOKS.glob("00-*.ipynb"), *sorted((NOTEBOOKS / "lab").glob("0[1-7]-*.ipynb"))]
    if len(paths) != LAB:
        verdict.fail(f"{len(paths)} of the {LAB} notebooks are there")
    with scratch_directory() as directory:
        os.environ |= {
            "IPYTHONDIR": str(directory / "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is this environment's
            "LABKIT_CLOUD": "local",
            "LABKIT_STATE_DIR": str(directory / "state"),
        }
        empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("0")])
        took: list[float] = []
        nothing: list[float] = []
        try:
            for path in paths:
                nothing.append(seconds(empty, directory))
                took.append(seconds(nbformat.read(path, as_version=4), path.parent))
                verdict.ratio(path.stem, took[-1], nothing[-1], "an empty one")
        finally:
            import labkit

            labkit.stop()
    verdict.ratio("all notebooks", sum(took), sum(nothing), "as many empty ones")
    verdict.at_most("all notebooks", sum(took), 40)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
