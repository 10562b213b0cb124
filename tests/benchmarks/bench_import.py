"""How long `import labkit` takes in a fresh interpreter, compared with `import boto3`.

    python tests/benchmarks/bench_import.py

The target: the median at most 0.3 s. The interpreter's own start isn't counted.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from peers import Verdict

ROUNDS = 15
PROGRAM = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def seconds(module: str) -> float:
    """One import in an interpreter of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module)], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


def main() -> int:
    verdict = Verdict(f"import, median of {ROUNDS}, by turns")
    # `labkit.start` too: the names are loaded when they are first used, and every notebook uses this one.
    samples: dict[str, list[float]] = {"labkit": [], "labkit.lab.session": [], "boto3": []}
    for module in samples:
        seconds(module)  # writes the bytecode
    for _ in range(ROUNDS):
        for module, found in samples.items():
            found.append(seconds(module))
    labkit, lab, boto3 = (statistics.median(found) for found in samples.values())
    verdict.ratio("import labkit", labkit, boto3, "import boto3")
    verdict.ratio("import labkit.lab.session (labkit.start)", lab, boto3, "import boto3")
    verdict.at_most("import labkit", labkit, 0.3)
    verdict.at_most("import labkit.lab.session", lab, 0.3)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
