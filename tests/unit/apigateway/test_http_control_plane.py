"""What is corrected in front of the engine's control plane of HTTP APIs."""

from __future__ import annotations

import random
from typing import Any

from labkit.local.apigateway.control.http.control_plane import HttpApiControlPlane

from labkit.local.messages import Request, Response
from tests.support.rest_calls import run


class Api:
    """One HTTP API in a control plane that answers every call, and what is deployed of it."""

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, Any]] = {"$default": {"autoDeploy": True}}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.deployed: list[str] = []

    def http_api_region(self, api_id: str) -> str:
        return "us-east-1"

    def http_api(self, api_id: str, region: str) -> dict[str, Any]:
        return {
            "api": {"protocolType": "HTTP"},
            "stages": self.stages,
            "deployments": self.deployments,
        }

    async def forward(self, request: Request) -> Response:
        return Response.of_json({})

    def deploy(self, api_id: str, deployment_id: str) -> None:
        self.deployed.append(deployment_id)

    def forget_deployment(self, api_id: str, deployment_id: str) -> None:
        self.deployed.remove(deployment_id)


def test_an_automatic_deployment_has_the_clock_s_time_and_an_id_of_the_numbers() -> None:
    api: Any = Api()
    plane = HttpApiControlPlane(
        api, api.forward, api, api, lambda: 1_709_251_199.9, random.Random(1)
    )
    for _change in range(2):
        assert run(plane.handle(Request("PATCH", "/v2/apis/abc123"))).status == 200
    numbers = random.Random(1)
    _first, second = (f"{numbers.getrandbits(24):06x}" for _ in range(2))
    assert list(api.deployments) == api.deployed == [second], "the first one serves nobody"
    assert api.deployments[second]["createdDate"] == "2024-02-29T23:59:59Z"
    assert api.stages["$default"]["deploymentId"] == second
