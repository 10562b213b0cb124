"""How long the throttle explorer needs from a slider's move to the new image, compared with `plots.burst`.

    python tests/benchmarks/bench_explorer.py

10,000 requests; each move is to another rate, burst or size, so that only the time axis and the legend can be kept.
The target: the median at most 100 ms. Also what is measured, which is drawn several times a second while a burst is
on its way, and the image's own writer compared with matplotlib's. How long a browser takes from a key to the new
image, the way to the kernel included, is what tests/browser/test_throttle_explorer.py prints.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable, Iterable

import matplotlib.image
import numpy as np
from peers import Verdict

from labkit import plots
from labkit.bursts.burst import Shot
from labkit.bursts.target import Reply
from labkit.widgets.explorer import BURSTS, RATES, SIZES, throttle_explorer
from labkit.widgets.explorer_picture import ExplorerPicture
from labkit.widgets.exploring import PATTERNS, Measured, Prediction, Settings
from labkit.widgets.png import png

REQUESTS, ROUNDS = 10_000, 15
TARGET_MS = 100
MOVES: dict[str, Iterable[float]] = {
    "rate": RATES[10 : 10 + ROUNDS],
    "burst": BURSTS[10 : 10 + ROUNDS],
    "size": SIZES[-ROUNDS:],
}


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def median(work: Callable[[], object]) -> float:
    return statistics.median(milliseconds(work) for _ in range(ROUNDS))


def dragged(pattern: str, slider: str) -> list[float]:
    """Each from a slider's move until the widget has the new image, its text and the new table."""
    view = throttle_explorer(rate=300, burst=300, pattern=pattern, size=REQUESTS)

    def move(value: float) -> None:
        getattr(view, slider).value = value
        view.wait()

    return [milliseconds(lambda value=value: move(value)) for value in MOVES[slider]]  # type: ignore[misc]


def as_predicted(prediction: Prediction) -> Measured:
    """A measurement without surprises."""
    measured = Measured(prediction)
    for job, (when, passed) in enumerate(
        zip(prediction.requests.times.tolist(), prediction.simulation.accepted, strict=True)
    ):
        measured.note(Shot(job, when, when, when, Reply(200 if passed else 429)))
    return measured


def main() -> int:
    verdict = Verdict(f"{REQUESTS:,} requests, median of {ROUNDS}")
    prediction = Prediction(Settings(300, 300, "Poisson", REQUESTS, 3))
    whole = median(lambda: plots.burst(Prediction(prediction.settings).simulation).png())
    for pattern in PATTERNS:
        for slider in MOVES:
            samples = dragged(pattern, slider)
            middle = statistics.median(samples)
            print(f"        {pattern}, {slider}: worst {max(samples):.0f} ms")
            verdict.at_most(f"{pattern}, {slider}", middle, TARGET_MS, "ms")
    samples = dragged("Poisson", "rate")
    verdict.ratio("Poisson, rate", statistics.median(samples) / 1000, whole / 1000, "plots.burst")

    picture, measured = ExplorerPicture(), as_predicted(prediction)
    first = milliseconds(lambda: picture.png(prediction, None, ""))
    print(f"        all three layers {first:.0f} ms")
    live = median(lambda: picture.png(prediction, measured.so_far(), ""))
    verdict.at_most("what is measured", live, TARGET_MS / 4, "ms")

    pixels = np.asarray(picture._canvas.buffer_rgba())
    pillow = median(
        lambda: matplotlib.image.imsave(
            io.BytesIO(), pixels, format="png", pil_kwargs={"compress_level": 1}
        )
    )
    own = median(lambda: png(pixels, ""))
    verdict.ratio("writing the image", own / 1000, pillow / 1000, "matplotlib's imsave")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
