"""How fast functions.py runs functions, compared with MiniStack's own worker in the same run.

    python tests/benchmarks/bench_functions.py

Both run the same package, by turns, in this process; only the ratios mean something on another machine. The targets:
the median latency of a warm, silent handler at most 0.25 of MiniStack's, 100 calls by 50 threads at most 0.4.
"""

from __future__ import annotations

import asyncio
import io
import random
import statistics
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from labkit.local.engine import Engine
from labkit.local.engine.patches import PATCHES
from labkit.local.functions import FunctionRunner
from labkit.local.settings import CloudSettings

SILENT = "def handler(event, context): return event"
TALKING = "def handler(event, context): print('hello'); return event"
ROUNDS = 5
CALLS = 40  # a round

Run = Callable[[dict[str, Any]], Any]


def function(name: str, code: str) -> dict[str, Any]:
    """A function record as MiniStack keeps it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    config = {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": "arn:aws:iam::123456789012:role/bench",
        "Timeout": 30,
        "MemorySize": 128,
        "Version": "$LATEST",
    }
    return {"config": config, "code_zip": buffer.getvalue()}


def seconds(run: Run, record: dict[str, Any]) -> float:
    started = time.perf_counter()
    result = run(record)
    assert result["body"] == {"n": 1}, result
    return time.perf_counter() - started


def latency(run: Run, record: dict[str, Any]) -> list[float]:
    return [seconds(run, record) for _ in range(CALLS)]


def burst(run: Run, record: dict[str, Any]) -> float:
    """100 calls by 50 threads; no environment is warm."""
    started = time.perf_counter()
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: seconds(run, record), range(100)))
    return time.perf_counter() - started


def main() -> None:
    directory = Path(tempfile.mkdtemp())
    engine = Engine(CloudSettings.new(4566, directory), time.time, random.Random())
    asyncio.run(engine.start())
    [warm] = [patch for patch in PATCHES if patch.name == "_execute_function_warm"]
    their_run = engine.ministack[warm]
    runner = FunctionRunner(
        engine.sts.role_credentials, "http://127.0.0.1:4566", directory, clock=time.time
    )

    def ours(record: dict[str, Any]) -> Any:
        return runner(record["config"], record["code_zip"], {"n": 1}, str(uuid.uuid4()), "$LATEST")

    def theirs(record: dict[str, Any]) -> Any:
        with engine.ministack.scope():
            return their_run(record, {"n": 1}, str(uuid.uuid4()))

    def show(what: str, mine: float, other: float) -> None:
        print(f"{what:45} {mine * 1000:9.2f} ms : {other * 1000:9.2f} ms = {mine / other:.3f}")

    try:
        for what, code in (("silent", SILENT), ("one line of log", TALKING)):
            record = function(what.replace(" ", "-"), code)
            cold = seconds(ours, record), seconds(theirs, record)
            samples: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS):
                samples[0].extend(latency(ours, record))
                samples[1].extend(latency(theirs, record))
            show(f"{what}, cold", *cold)
            show(f"{what}, warm median of {ROUNDS * CALLS}", *map(statistics.median, samples))
        bursts: tuple[list[float], list[float]] = ([], [])
        for number in range(3):
            record = function(f"burst-{number}", SILENT)
            bursts[0].append(burst(ours, record))
            bursts[1].append(burst(theirs, record))
        show("100 calls by 50 threads, median of 3", *map(statistics.median, bursts))
    finally:
        runner.close()
        sys.modules["ministack.core.lambda_runtime"].reset()


if __name__ == "__main__":
    main()
