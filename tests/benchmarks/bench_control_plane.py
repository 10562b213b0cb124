"""How long calls of API Gateway's control planes take, compared with MiniStack's, and with 1,000 APIs there.

    python tests/benchmarks/bench_control_plane.py

The local cloud and MiniStack by itself with ``AUTH=true`` (each verifies the signature), called by boto3, by turns. The
target: for each call, the ratio of the median latencies at most 1.0; with 1,000 APIs a call takes at most 1.2 times as
long as with few.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from peers import Verdict, percentile, scratch_directory
from targets import by_turns, local_cloud, ministack_with_auth

ROUNDS, CALLS, WARM_UP = 20, 10, 20
MANY = 1_000


def seconds(call: Callable[[], object]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


class Author:
    """Somebody who works on one REST API.

    Args:
        announced: the cloud's endpoint and credentials.
    """

    def __init__(self, announced: dict[str, Any]) -> None:
        settings = {
            "endpoint_url": announced["endpoint"],
            "region_name": announced["region"],
            "aws_access_key_id": announced["access_key_id"],
            "aws_secret_access_key": announced["secret_access_key"],
        }
        self.rest: Any = boto3.client("apigateway", **settings)
        self.http: Any = boto3.client("apigatewayv2", **settings)
        self.api = self.rest.create_rest_api(name="measured")["id"]
        [root] = self.rest.get_resources(restApiId=self.api)["items"]
        self.where = {"restApiId": self.api, "resourceId": root["id"], "httpMethod": "GET"}
        self.rest.put_method(**self.where, authorizationType="NONE")
        self.rest.put_method_response(**self.where, statusCode="200")
        self.integrate()
        self.rest.create_deployment(restApiId=self.api, stageName="dev")

    def integrate(self) -> None:
        self.rest.put_integration(
            **self.where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )

    def calls(self) -> dict[str, Callable[[], object]]:
        rest, api = self.rest, self.api
        patch = [{"op": "replace", "path": "/description", "value": "x"}]
        return {
            "GetRestApi": lambda: rest.get_rest_api(restApiId=api),
            "GetResources": lambda: rest.get_resources(restApiId=api, embed=["methods"]),
            "GetMethod": lambda: rest.get_method(**self.where),
            "PutIntegration": self.integrate,
            "UpdateRestApi": lambda: rest.update_rest_api(restApiId=api, patchOperations=patch),
            "GetStages": lambda: rest.get_stages(restApiId=api),
            "CreateDeployment": lambda: rest.create_deployment(restApiId=api),
            "GetApis (HTTP)": lambda: self.http.get_apis(),
        }


def main() -> int:
    verdict = Verdict(f"Control-plane calls, {ROUNDS} rounds of {CALLS}, by turns")
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        ministack_with_auth(directory) as peer_announced,
    ):
        ours, theirs = Author(announced), Author(peer_announced)
        few = {}
        peers = theirs.calls()
        for name, call in ours.calls().items():
            samples = by_turns(
                {
                    "ours": lambda c=call: seconds(c),
                    "peer": lambda c=peers[name]: seconds(c),
                },
                ROUNDS,
                CALLS,
                WARM_UP,
            )
            mine, peer = (percentile(samples[who], 50) for who in ("ours", "peer"))
            few[name] = mine
            verdict.ratio(f"{name}, p50", mine, peer, "MiniStack")
            verdict.at_most(name, mine / peer, 1.0, "")
        for number in range(MANY):
            ours.rest.create_rest_api(name=f"api-{number}")
        for name in ("GetRestApi", "GetMethod", "PutIntegration", "UpdateRestApi"):
            call = ours.calls()[name]
            samples = by_turns({"ours": lambda c=call: seconds(c)}, ROUNDS, CALLS, WARM_UP)
            many = percentile(samples["ours"], 50)
            verdict.ratio(f"{name}, 1,000 APIs : few", many, few[name], "few")
            verdict.at_most(f"{name}, 1,000 APIs", many / few[name], 1.2, "")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
