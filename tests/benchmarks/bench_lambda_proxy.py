"""How long a call of a Lambda proxy integration takes, compared with MiniStack's own data plane.

    python tests/benchmarks/bench_lambda_proxy.py

The same API and function, made with the same boto3 calls, in the local cloud and in MiniStack by itself with
``AUTH=true``, by turns. The targets: the median of a call whose handler logs nothing at most 0.25 of MiniStack's, and
100 calls by 50 clients at most 0.4 on a fresh cloud, where MiniStack starts a process for each concurrent call. Shown
without a target: the same when all of MiniStack's 50 processes are warm; the local cloud keeps 8.
"""

from __future__ import annotations

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from peers import Verdict, percentile, scratch_directory
from targets import Api, by_turns, local_cloud, make_api, ministack_with_auth

ROUNDS, CALLS, WARM_UP = 40, 25, 20
CLIENTS, BURST, COLD_BURSTS, WARM_BURSTS = 50, 100, 3, 9


def burst(api: Api) -> float:
    """100 calls by 50 clients, each with a connection of its own that is open already."""
    clients = [api.client() for _ in range(CLIENTS)]
    for client in clients:
        client.seconds("open")

    def run(number: int) -> None:
        for _ in range(BURST // CLIENTS):
            clients[number].seconds("function")

    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        list(pool.map(run, range(CLIENTS)))
        took = time.perf_counter() - began
    for client in clients:
        client.close()
    return took


def cold_bursts() -> tuple[float, float]:
    """The first burst on a fresh cloud of each kind: no environment is warm."""
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        ministack_with_auth(directory) as peer_announced,
    ):
        return burst(make_api(announced)), burst(make_api(peer_announced))


def main() -> int:
    verdict = Verdict(f"Lambda proxy, silent handler, {ROUNDS} rounds of {CALLS} calls, by turns")
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        ministack_with_auth(directory) as peer_announced,
    ):
        apis = make_api(announced), make_api(peer_announced)
        ours, theirs = (api.client() for api in apis)
        samples = by_turns(
            {"ours": lambda: ours.seconds("function"), "peer": lambda: theirs.seconds("function")},
            ROUNDS,
            CALLS,
            WARM_UP,
        )
        for api in apis:
            burst(api)  # not counted: it starts the environments
        bursts = [[burst(api) for api in apis] for _ in range(WARM_BURSTS)]
        ours.close()
        theirs.close()
    colds = [cold_bursts() for _ in range(COLD_BURSTS)]
    for percent in (50, 95):
        mine, peer = (percentile(samples[who], percent) for who in ("ours", "peer"))
        verdict.ratio(f"one call, p{percent}", mine, peer, "MiniStack")
    ratio = percentile(samples["ours"], 50) / percentile(samples["peer"], 50)
    verdict.at_most("one call, ratio of medians", ratio, 0.25, "")
    for name, found in (("warm", bursts), ("cold", colds)):
        mine, peer = (statistics.median(took) for took in zip(*found, strict=True))
        what = f"{BURST} calls by {CLIENTS}, {name}"
        verdict.ratio(what, mine, peer, "MiniStack")
        if name == "cold":
            verdict.at_most(what, mine / peer, 0.4, "")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
