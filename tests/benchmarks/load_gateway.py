"""What the gateway does under load: 64 clients at once for a minute, every kind of guard, good callers and bad ones.

    python tests/benchmarks/load_gateway.py [seconds [clients]]

By hand: it takes a minute and every processor. The targets: no answer that isn't the designed one and nothing unhandled
in the log; the cloud's memory flat after the warm-up; in any window of t seconds no more than ``burst + rate * t``
requests pass a token bucket, by the times at which the cloud took the tokens; a bounded number of processes.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from peers import Verdict, percentile, scratch_directory
from targets import Api, Client, local_cloud, make_api

RECORDING = "LOAD_GATEWAY_RECORD"
SECONDS, CLIENTS = 60.0, 64
WARM_UP = 0.25
"""Of the time."""
FILLING = 1_200
"""Calls of each function before the clients start: then the cloud has all the journeys and logs that it keeps."""
RATE, BURST = 20.0, 10
FLAT = 0.02
"""Of the memory, a minute: less is flat."""
FUNCTIONS = 2
ENVIRONMENTS, MOST_ENVIRONMENTS = 8, 64
"""How many processes of a function are kept, and how many there may be while calls wait for one another."""

DESIGNED = {
    "open": {200},
    "cognito": {200},
    "token": {200},
    "uncached": {200},
    "iam": {200},
    "key": {200},
    "function": {200},
    "limited": {200, 429},
    "no route": {403},
    "no stage": {403},
    "no api": {403},
    "no token": {401},
    "bad token": {401},
    "bad signature": {403},
    "bad key": {403},
    "not a signature": {403},
}
WEIGHTS = {"limited": 3, "uncached": 0.3, "function": 0.5}
"""How often a client makes a call, where it isn't 1."""


# -- the cloud: `python -m labkit.local`, and a line for every token that it takes --------------


def serve() -> int:
    """Serve a cloud that notes when a request passed or didn't pass the bucket of a stage's method."""
    from labkit.local import __main__
    from labkit.local.apigateway.limits import Buckets

    record = Path(os.environ[RECORDING]).open("w", buffering=1)  # noqa: SIM115 - until the process ends
    take = Buckets.take

    def noted(self: Buckets, limits: Any) -> Any:
        clock = self._clock
        moments: list[float] = []
        self._clock = lambda: moments.append(clock()) or moments[-1]  # type: ignore[func-returns-value]
        try:
            refused = take(self, limits)
        finally:
            self._clock = clock
        if any(limit.key[0] == "stage" for limit in limits):
            record.write(f"{moments[0]!r} {int(refused is None)}\n")
        return refused

    Buckets.take = noted  # type: ignore[method-assign]
    # The parent's environment has nothing that a function mustn't see, and the record's name has to arrive.
    __main__._leave_foreign_environment = lambda: None
    return __main__.main(sys.argv[2:])


# -- the clients ------------------------------------------------------------------------------


@dataclass
class Found:
    """What the clients saw."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        for kind, statuses in other.statuses.items():
            self.statuses[kind] += statuses
        for kind, latencies in other.latencies.items():
            self.latencies[kind] += latencies
        self.errors += other.errors

    @property
    def requests(self) -> int:
        return sum(counter.total() for counter in self.statuses.values())


def calls_of(api: Api, client: Client) -> dict[str, Callable[[], tuple[int, bytes]]]:
    """A call of each kind."""

    def as_designed(kind: str) -> Callable[[], tuple[int, bytes]]:
        return lambda: client.get(kind, api.headers[kind]())

    token = api.headers["cognito"]()["Authorization"]
    changed = token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]

    def bad_signature() -> tuple[int, bytes]:
        headers = api.headers["iam"]()
        return client.get("iam", {**headers, "Authorization": headers["Authorization"][:-1] + "x"})

    return {
        **{kind: as_designed(kind) for kind in api.headers if kind in DESIGNED},
        "no route": lambda: client.get("nowhere", {}),
        "no stage": lambda: client.at(api.path.removesuffix("dev") + "none/open", {}),
        "no api": lambda: client.at("/_aws/execute-api/none/dev/open", {}),
        "no token": lambda: client.get("cognito", {}),
        "bad token": lambda: client.get("cognito", {"Authorization": changed}),
        "bad signature": bad_signature,
        "bad key": lambda: client.get("key", {"X-API-Key": "x" * 30}),
        "not a signature": lambda: client.get("iam", {"Authorization": "Bearer x"}),
    }


def run_client(api: Api, seed: int, deadline: float) -> Found:
    """Call until the deadline, one call after the other."""
    found, choose, client = Found(), random.Random(seed), api.client()
    calls = calls_of(api, client)
    kinds = list(calls)
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    while time.monotonic() < deadline:
        (kind,) = choose.choices(kinds, weights)
        began = time.perf_counter()
        try:
            status, _body = calls[kind]()
        except Exception as error:
            found.errors[f"{kind}: {error!r}"] += 1
            client.close()
            continue
        found.latencies[kind].append(time.perf_counter() - began)
        found.statuses[kind][status] += 1
    client.close()
    return found


def fill(api: Api, clients: int = 8) -> None:
    """Call each function until what is kept of calls is full."""

    def run() -> None:
        client = api.client()
        for _ in range(FILLING // clients):
            for kind in ("function", "uncached"):
                client.seconds(kind)
        client.close()

    together(run for _ in range(clients))


def together(works: Iterable[Callable[[], None]]) -> None:
    """Do all works at the same time, each in a thread."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_clients(api: Api, clients: int, deadline: float) -> Found:
    found, lock = Found(), threading.Lock()

    def run(seed: int) -> None:
        mine = run_client(api, seed, deadline)
        with lock:
            found.add(mine)

    together(partial(run, seed) for seed in range(clients))
    return found


# -- the cloud from outside ---------------------------------------------------------------------


class Watcher:
    """Looks at a process every second: its memory, and how many children it has."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self.memory: list[tuple[float, int]] = []
        self.children: list[int] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        began = time.monotonic()
        while True:
            status = Path(f"/proc/{self._pid}/status").read_text()
            kibibytes = int(status.partition("VmRSS:")[2].split()[0])
            self.memory.append((time.monotonic() - began, kibibytes * 1024))
            self.children.append(len(children_of(self._pid)))
            if self._ended.wait(1):
                return

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def children_of(pid: int) -> list[int]:
    """The processes that a process started and that run."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(
            FileNotFoundError
        ):  # a thread that has ended; another has its children
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def most_over(times: list[float], rate: float, burst: float) -> float:
    """By how many requests a window of accepted requests exceeds ``burst + rate * t``, at most; 0 or less is good.

    Of all windows that begin and end with one of the n requests, in one pass: a window from i to j has j - i + 1
    requests, so (j - rate * t[j]) - (i - rate * t[i]) + 1 - burst is looked for.
    """
    worst, lowest = -float("inf"), float("inf")
    for number, moment in enumerate(sorted(times)):
        value = number - rate * moment
        lowest = min(lowest, value)
        worst = max(worst, value - lowest + 1 - burst)
    return worst


# -- the verdict --------------------------------------------------------------------------------


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else CLIENTS
    verdict = Verdict(f"{clients} clients for {seconds:g} s, {len(DESIGNED)} kinds of calls")
    with scratch_directory() as directory:
        record = directory / "tokens"
        os.environ[RECORDING] = str(record)
        with local_cloud(directory, __file__, "--serve") as announced:
            api = make_api(announced, limited=(RATE, BURST))
            fill(api)
            watcher = Watcher(announced["pid"])
            found = run_clients(api, clients, time.monotonic() + seconds)
            watcher.stop()
        log = (directory / "labkit.log").read_text()
        moments = [line.split() for line in record.read_text().splitlines()]
    show(found, seconds)
    for kind, statuses in found.statuses.items():
        for status in statuses.keys() - DESIGNED[kind]:
            verdict.fail(f"{kind}: {statuses[status]} times {status}")
    for error, count in found.errors.items():
        verdict.fail(f"{count} times {error}")
    if "Traceback" in log or " ERROR " in log:
        verdict.fail(f"the cloud logged an error:\n{log[:3000]}")
    judge_memory(verdict, watcher, seconds)
    passed = [float(moment) for moment, took in moments if took == "1"]
    refused = len(moments) - len(passed)
    granted = BURST + RATE * (passed[-1] - passed[0])
    print(f"  token bucket: {len(passed)} passed of {granted:.1f} granted, {refused} refused")
    verdict.at_most("over burst + rate * t, worst window", most_over(passed, RATE, BURST), 1e-6, "")
    verdict.at_most("granted tokens nobody got", granted - len(passed), BURST + 1, "")
    print(f"  processes of functions: median {statistics.median(watcher.children):g}")
    verdict.at_most("processes, most", max(watcher.children), FUNCTIONS * MOST_ENVIRONMENTS, "")
    verdict.at_most("processes, at the end", watcher.children[-1], FUNCTIONS * ENVIRONMENTS, "")
    return verdict.exit_status


def show(found: Found, seconds: float) -> None:
    print(f"  {found.requests} requests, {found.requests / seconds:.0f} a second")
    for kind in sorted(found.statuses):
        sample = found.latencies[kind]
        shown = "  ".join(f"p{p} {percentile(sample, p) * 1000:6.1f} ms" for p in (50, 95, 99))
        print(f"    {kind:<16} {shown}  {dict(found.statuses[kind])}")


def judge_memory(verdict: Verdict, watcher: Watcher, seconds: float) -> None:
    later = [(at, used) for at, used in watcher.memory if at >= WARM_UP * seconds]
    line = statistics.linear_regression([at for at, _ in later], [used for _, used in later])
    first, last = later[0][1], later[-1][1]
    print(
        f"  memory: {watcher.memory[0][1] / 2**20:.1f} MiB before, {first / 2**20:.1f} after the warm-up, "
        f"{last / 2**20:.1f} at the end; {line.slope * 60 / 1024:+.0f} KiB a minute"
    )
    verdict.at_most("memory, slope of a minute", line.slope * 60 / first, FLAT, "")


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:2] == ["--serve"] else main())
