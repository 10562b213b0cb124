"""How long a learner waits, from a fresh clone to JupyterLab's first answer: with uv, and with pip.

    python tests/benchmarks/bench_quick_start.py

The target: at most 0.3 of pip's time for the same packages, those of requirements/course.txt. Each start is of a clone
of the last commit of its own, with empty caches, by turns. The clock runs from `python3 -m labkit` until the page of
the first notebook is there; then a kernel runs the first cell, which shows that nobody waits later for bytecode.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from peers import Verdict, free_port, scratch_directory, wait_for

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
# With an option of pip's that uv has no word for, the bootstrap stays with pip.
PIP_ONLY = {"PIP_UPGRADE_STRATEGY": "only-if-needed"}
FIRST_CELL = """
import sys, time
from jupyter_client.manager import start_new_kernel
began = time.perf_counter()
manager, client = start_new_kernel()
def run(cell):
    return client.execute_interactive(cell, output_hook=lambda message: None)
reply = run("import labkit; lab = labkit.start()")
took = time.perf_counter() - began
run("labkit.stop()")
client.stop_channels()
manager.shutdown_kernel()
sys.exit(f"the first cell failed: {reply}") if reply["content"]["status"] != "ok" else print(took)
"""


def first_answer(changes: dict[str, str]) -> tuple[float, float]:
    """Seconds until JupyterLab's page is there, and seconds of the first cell."""
    with scratch_directory() as directory:
        clone = directory / "course"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        environment = os.environ | changes
        environment |= {
            "PIP_CACHE_DIR": str(directory / "cache"),
            "LABKIT_STATE_DIR": str(directory / "state"),
        }
        port = free_port()
        base = sys._base_executable  # type: ignore[attr-defined]
        options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=bench"]
        began = time.perf_counter()
        with subprocess.Popen(
            [base, "-m", "labkit", *options],
            cwd=clone,
            env=environment,
            stdout=subprocess.DEVNULL,
        ) as lab:
            try:
                notebook = "lab/tree/00-start-here.ipynb"
                wait_for(f"http://127.0.0.1:{port}/{notebook}?token=bench", seconds=600)
                answered = time.perf_counter() - began
                python = clone / (".venv/Scripts/python" if os.name == "nt" else ".venv/bin/python")
                cell = subprocess.run(
                    [python, "-c", FIRST_CELL], env=environment, stdout=subprocess.PIPE, check=True
                )
            finally:
                lab.terminate()
        return answered, float(cell.stdout)


def main() -> int:
    verdict = Verdict(f"from a fresh clone to JupyterLab's first answer, median of {ROUNDS}")
    with_uv, with_pip = [], []
    for _ in range(ROUNDS):
        with_uv.append(first_answer({}))
        with_pip.append(first_answer(PIP_ONLY))
    (answer, cell), (pips_answer, pips_cell) = (
        map(statistics.median, zip(*times, strict=True)) for times in (with_uv, with_pip)
    )
    verdict.ratio("first answer", answer, pips_answer, "pip")
    verdict.ratio("first cell", cell, pips_cell, "pip")
    verdict.at_most("first answer, of pip's time", answer / pips_answer, 0.3, "")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
