"""How long a refusal for too many requests takes, compared with an open MOCK call in the same cloud.

    python tests/benchmarks/bench_throttled.py

One local cloud, one kept connection, by turns. The target: the median of a 429 at most that of the 200.
"""

from __future__ import annotations

import sys

from peers import Verdict, percentile, scratch_directory
from targets import by_turns, local_cloud, make_api

ROUNDS, CALLS, WARM_UP = 50, 30, 100


def main() -> int:
    verdict = Verdict(f"429 and open MOCK GET, {ROUNDS} rounds of {CALLS} calls, by turns")
    with scratch_directory() as directory, local_cloud(directory) as announced:
        client = make_api(announced).client()
        samples = by_turns(
            {
                "throttled": lambda: client.seconds("throttled", 429),
                "open": lambda: client.seconds("open"),
            },
            ROUNDS,
            CALLS,
            WARM_UP,
        )
        client.close()
    for percent in (50, 95):
        refused, served = (percentile(samples[kind], percent) for kind in ("throttled", "open"))
        verdict.ratio(f"429, p{percent}", refused, served, "open MOCK")
    ratio = percentile(samples["throttled"], 50) / percentile(samples["open"], 50)
    verdict.at_most("ratio of the medians", ratio, 1.0, "")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
