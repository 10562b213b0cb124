"""What it costs that each request has a journey.

    python tests/benchmarks/bench_journeys.py

Two local clouds, called over one kept connection each, by turns: as it is, and a variant, made here only, whose
journeys take no steps, are kept nowhere, and whose gates' reasons and evidence are dropped at once. The target: the
medians with journeys at most 10 % above those without, for an open call and for one that a Cognito authorizer lets in.
"""

from __future__ import annotations

import sys

from peers import Verdict, percentile, scratch_directory
from targets import by_turns, local_cloud, make_api

KINDS = {"open": "open MOCK GET", "cognito": "with a Cognito authorizer"}
ROUNDS, CALLS, WARM_UP = 50, 30, 150


class Nowhere(list[object]):
    """Steps that nobody keeps."""

    def append(self, step: object) -> None:
        """Drop it."""


def serve() -> int:
    """Serve a cloud without journeys: no step is made, none is kept."""
    from labkit.local import __main__
    from labkit.local.apigateway import pipeline
    from labkit.local.apigateway.journeys import Journeys
    from labkit.local.apigateway.rest import data_plane

    class NoJourney:
        """Has the two things that a response needs of a journey."""

        def __init__(self, request_id: str, _method: str, _path: str) -> None:
            self.request_id = request_id
            self.steps = Nowhere()

    data_plane.Journey = NoJourney  # type: ignore[misc, assignment]
    pipeline.Step = lambda *_: None  # type: ignore[misc, assignment]
    Journeys.keep = lambda _self, _journey: None  # type: ignore[method-assign, assignment]
    __main__._leave_foreign_environment = lambda: None
    return __main__.main(sys.argv[2:])


def main() -> int:
    verdict = Verdict(f"journeys kept and not, {ROUNDS} rounds of {CALLS} calls, by turns")
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        local_cloud(directory, __file__, "--serve") as without_announced,
    ):
        with_journeys = make_api(announced).client()
        without = make_api(without_announced).client()
        for kind, name in KINDS.items():
            samples = by_turns(
                {
                    "with": lambda k=kind: with_journeys.seconds(k),
                    "without": lambda k=kind: without.seconds(k),
                },
                ROUNDS,
                CALLS,
                WARM_UP,
            )
            mine, other = (percentile(samples[which], 50) for which in ("with", "without"))
            verdict.ratio(f"{name}, p50", mine, other, "no journeys")
            verdict.at_most(name, mine / other, 1.1, "")
        with_journeys.close()
        without.close()
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:2] == ["--serve"] else main())
