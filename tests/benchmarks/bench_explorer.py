"""How long the throttle explorer needs from a slider's move to the new image.

    python tests/benchmarks/bench_explorer.py

10,000 requests; each move is to another rate, burst or size. The target: the median at most 300 ms. Also what is
measured, which is drawn several times a second while a burst is on its way. How long a browser takes from a key to the
new image, the way to the kernel included, is what tests/browser/test_throttle_explorer.py prints.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from peers import Verdict

from labkit import plots
from labkit.bursts.burst import Burst, Shot
from labkit.bursts.target import Reply
from labkit.widgets.explorer import BURSTS, RATES, SIZES, throttle_explorer
from labkit.widgets.prediction import PATTERNS, Prediction

REQUESTS, ROUNDS = 10_000, 15
TARGET_MS = 300
MOVES: dict[str, Iterable[float]] = {
    "rate": RATES[10 : 10 + ROUNDS],
    "burst": BURSTS[10 : 10 + ROUNDS],
    "size": SIZES[-ROUNDS:],
}


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def dragged(pattern: str, slider: str) -> list[float]:
    """Each from a slider's move until the widget has the new image, its text and the new table."""
    nobody: Any = None
    settings: Any = {"rate": 300, "burst": 300, "pattern": pattern, "size": REQUESTS}
    view = throttle_explorer("", lab=nobody, apply=print, **settings)

    def move(value: float) -> None:
        getattr(view, slider).value = value

    return [milliseconds(lambda value=value: move(value)) for value in MOVES[slider]]  # type: ignore[misc]


def as_predicted(prediction: Prediction) -> Burst:
    """A measurement without surprises."""
    whole = zip(prediction.requests.times.tolist(), prediction.simulation.accepted, strict=True)
    shots = [
        Shot(job, when, when, when, Reply(200 if passed else 429))
        for job, (when, passed) in enumerate(whole)
    ]
    return Burst(tuple(shots), REQUESTS, True, 0.0)


def main() -> int:
    verdict = Verdict(f"{REQUESTS:,} requests, median of {ROUNDS}")
    for pattern in PATTERNS:
        for slider in MOVES:
            samples = dragged(pattern, slider)
            print(f"        {pattern}, {slider}: worst {max(samples):.0f} ms")
            verdict.at_most(f"{pattern}, {slider}", statistics.median(samples), TARGET_MS, "ms")
    prediction = Prediction(300, 300, "Poisson", REQUESTS, 3)
    measured = as_predicted(prediction)

    def draw() -> None:
        plots.fast_png(plots.compared(prediction.simulation, measured, prediction.seconds))

    live = statistics.median(milliseconds(draw) for _ in range(ROUNDS))
    verdict.at_most("what is measured", live, TARGET_MS, "ms")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
