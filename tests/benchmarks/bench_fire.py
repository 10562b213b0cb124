"""How well `labkit.fire` keeps its schedule, compared with other ways to send from one process.

    python tests/benchmarks/bench_fire.py

500 requests a second, 3 s, 64 at once. First against a server that only answers and notes when each request arrived:
the ways that were tried. Then the real thing against the local cloud. The target: 95 % of the requests leave within
5 ms of their time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import requests
from peers import Verdict

from labkit.bursts.arrivals import steady

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

RATE, SECONDS, AT_ONCE = 500, 3, 64
ROUNDS = 3
TARGET_MS = 5
SCHEDULE = steady(RATE, SECONDS)
LEAD = 0.2

SERVER = """
import asyncio, json, time
ANSWER = b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok'
arrived = {}

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        now = time.perf_counter()
        path = data.split(b' ', 2)[1]
        if path == b'/arrived':
            text = json.dumps(arrived).encode()
            arrived.clear()
            self.transport.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(text) + text)
        else:
            arrived[path.decode()[1:]] = now
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
"""`perf_counter` is one clock for all processes of a Linux computer."""


@contextmanager
def answering_server() -> Iterator[int]:
    """Its port."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


Sent = tuple[float, np.ndarray]
"""The begin by `perf_counter`, and when each request was handed over."""


def threads_with_requests(port: int) -> Sent:
    """What `labkit.fire` does: each thread waits for its own request's time."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    sent, numbers = np.zeros(len(SCHEDULE)), itertools.count()
    began = time.perf_counter() + LEAD

    def work() -> None:
        while (number := next(numbers)) < len(SCHEDULE):
            time.sleep(max(0.0, began + SCHEDULE[number] - time.perf_counter()))
            sent[number] = time.perf_counter()
            session.get(f"http://127.0.0.1:{port}/{number}")

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return began, sent


def asyncio_streams(port: int) -> Sent:
    """Tasks over connections that are open already."""

    async def run() -> Sent:
        sent, numbers = np.zeros(len(SCHEDULE)), itertools.count()
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(AT_ONCE)]
        began = time.perf_counter() + LEAD

        async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while (number := next(numbers)) < len(SCHEDULE):
                await asyncio.sleep(max(0.0, began + SCHEDULE[number] - time.perf_counter()))
                sent[number] = time.perf_counter()
                writer.write(f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)

        await asyncio.gather(*(work(*line) for line in lines))
        for _reader, writer in lines:
            writer.close()
        return began, sent

    return asyncio.run(run())


def asyncio_with_httpx(port: int) -> Sent:
    """The usual asynchronous client."""
    import httpx

    async def run() -> Sent:
        sent, numbers = np.zeros(len(SCHEDULE)), itertools.count()
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
            began = time.perf_counter() + LEAD

            async def work() -> None:
                while (number := next(numbers)) < len(SCHEDULE):
                    await asyncio.sleep(max(0.0, began + SCHEDULE[number] - time.perf_counter()))
                    sent[number] = time.perf_counter()
                    await client.get(f"http://127.0.0.1:{port}/{number}")

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return began, sent

    return asyncio.run(run())


WAYS: dict[str, Callable[[int], Sent]] = {
    "threads, requests": threads_with_requests,
    "asyncio, streams": asyncio_streams,
    "asyncio, httpx": asyncio_with_httpx,
}


def late(way: Callable[[int], Sent], port: int) -> tuple[float, float]:
    """The 95th percentiles of the seconds by which requests were handed over late, and arrived late."""
    began, sent = way(port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/arrived") as answer:
        noted = json.load(answer)
    arrived = np.array([noted[str(number)] for number in range(len(SCHEDULE))])
    return tuple(float(np.percentile(t - began - SCHEDULE, 95)) for t in (sent, arrived))


def at_the_local_cloud(verdict: Verdict) -> None:
    """The real thing."""
    from labkit.bursts.burst import fire
    from tests.support.attached_cloud import attached_cloud
    from tests.support.mock_api import mock_api

    with tempfile.TemporaryDirectory() as directory, attached_cloud(Path(directory)) as lab:
        url = mock_api().url
        for _ in range(ROUNDS):
            burst = fire(url, SCHEDULE, lab=lab)
            answer = np.percentile(burst.answered - burst.sent, 95)
            print(f"        {burst}; p95 of the answers {answer * 1000:.1f} ms")
            p50, p95, worst = np.percentile(burst.late, [50, 95, 100]) * 1000
            print(f"        late by {p50:.2f} ms (p50), {p95:.2f} ms (p95), {worst:.2f} ms (worst)")
            verdict.at_most("local cloud, p95 late", float(p95), TARGET_MS, "ms")


def main() -> int:
    verdict = Verdict(
        f"{RATE} requests a second for {SECONDS} s, p95 by which they are late, median of {ROUNDS}"
    )
    with answering_server() as port:
        for name, way in WAYS.items():
            sent, arrived = np.median([late(way, port) for _ in range(ROUNDS)], axis=0)
            print(
                f"  {name:<26} handed over {sent * 1000:9.2f} ms, arrived {arrived * 1000:9.2f} ms"
            )
            if way is threads_with_requests:
                verdict.at_most("arrived, p95 late", float(arrived) * 1000, TARGET_MS, "ms")
    at_the_local_cloud(verdict)
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
