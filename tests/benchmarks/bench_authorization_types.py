"""How long a MOCK GET takes with each type of authorization, compared with MiniStack's own data plane.

    python tests/benchmarks/bench_authorization_types.py

The same API, made with the same boto3 calls, in the local cloud and in MiniStack by itself with ``AUTH=true`` (each
verifies signatures and policies), called by the same HTTP client over one kept connection each, by turns. The target:
for each type, the ratio of the median latencies at most 1.0. The signature of a call is made anew before each, and
isn't counted. Ours evaluates every gate and keeps the journey of each request.
"""

from __future__ import annotations

import sys

from peers import Verdict, percentile, scratch_directory
from targets import by_turns, local_cloud, make_api, ministack_with_auth

KINDS = {
    "open": "NONE",
    "cognito": "COGNITO_USER_POOLS",
    "token": "TOKEN authorizer, cached",
    "iam": "AWS_IAM",
    "key": "API key",
}
ROUNDS = 40
CALLS = 30  # a round, a kind and a cloud
WARM_UP = 100


def main() -> int:
    verdict = Verdict(f"MOCK GET by authorization type, {ROUNDS} rounds of {CALLS} calls, by turns")
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        ministack_with_auth(directory) as peer_announced,
    ):
        ours, theirs = make_api(announced).client(), make_api(peer_announced).client()
        for kind, name in KINDS.items():
            samples = by_turns(
                {"ours": lambda k=kind: ours.seconds(k), "peer": lambda k=kind: theirs.seconds(k)},
                ROUNDS,
                CALLS,
                WARM_UP,
            )
            mine, peer = (percentile(samples[who], 50) for who in ("ours", "peer"))
            verdict.ratio(f"{name}, p50", mine, peer, "MiniStack")
            verdict.at_most(name, mine / peer, 1.0, "")
        ours.close()
        theirs.close()
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
