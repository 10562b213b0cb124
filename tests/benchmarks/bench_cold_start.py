"""How long the local cloud takes to start, compared with MiniStack alone.

    python tests/benchmarks/bench_cold_start.py

The targets: a cold start at most 1.5 s, an attach to a running cloud at most 0.1 s (medians). Each start has a fresh
state directory and a fresh interpreter, as the first cell of the first notebook has; the interpreter's own start and
`import labkit` aren't counted. MiniStack's time is from the start of its process until its health endpoint answers.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from peers import Verdict, ministack, scratch_directory

ROUNDS = 7
PROGRAM = """
import json, time
from labkit.lab import cloud_process
began = time.perf_counter()
cloud_process.attach_or_start()
print(json.dumps(time.perf_counter() - began))
"""
STOP = "from labkit.lab import cloud_process; cloud_process.stop()"


def ours() -> tuple[float, float]:
    """A cold start, and an attach by another interpreter."""
    with scratch_directory() as directory:
        environment = os.environ | {"LABKIT_STATE_DIR": str(directory / "state")}

        def run(program: str) -> str:
            command = [sys.executable, "-c", program]
            ran = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, check=True, timeout=60
            )
            return ran.stdout.decode()

        try:
            return json.loads(run(PROGRAM)), json.loads(run(PROGRAM))
        finally:
            run(STOP)


def theirs() -> float:
    """A start of MiniStack until its health answers."""
    with scratch_directory() as directory:
        began = time.perf_counter()
        with ministack(directory):
            return time.perf_counter() - began


def main() -> int:
    verdict = Verdict(f"start of the local cloud, median of {ROUNDS}, by turns")
    ours(), theirs()  # writes the bytecode, fills the disk's cache
    starts, attaches, peers = [], [], []
    for _ in range(ROUNDS):
        start, attach = ours()
        starts.append(start)
        attaches.append(attach)
        peers.append(theirs())
    start, attach, peer = map(statistics.median, (starts, attaches, peers))
    verdict.ratio("cold start", start, peer, "MiniStack until healthy")
    verdict.at_most("cold start", start, 1.5)
    verdict.at_most("attach", attach, 0.1)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
