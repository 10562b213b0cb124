"""One API in this process: every gate as in the cloud, functions that answer what a test wants, and no socket."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from labkit.journey import Journey
from labkit.local.apigateway.addresses import Address
from labkit.local.apigateway.composition import compose_rest_gates
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.limits import Buckets
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane
from labkit.local.apigateway.rest.pipeline import rest_pipeline
from labkit.local.front.response_writer import ResponseWriter
from labkit.local.messages import Request, Response
from tests.support.in_process_cloud import cloud

API_ID, REGION, STAGE, ACCOUNT_ID = "abc123", "us-east-1", "dev", "123456789012"
HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:asked"
FUNCTION_URI = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION_ARN}/invocations"
)
OPEN = '{"answered": "by the backend"}'


def arn_of(path: str, verb: str = "GET") -> str:
    """The ARN that a request for a path is authorized as."""
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/{verb}{path}"


def mock(template: str = OPEN, **settings: Any) -> dict[str, Any]:
    """A method that answers by itself."""
    return {
        "authorizationType": "NONE",
        "methodIntegration": {
            "type": "MOCK",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "integrationResponses": {
                "200": {"statusCode": "200", "responseTemplates": {"application/json": template}}
            },
        },
        **settings,
    }


class Functions:
    """Every function is allowed, and answers what it was last told to."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.failed = False

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        return True

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        return {"payload": self.answer, "error": self.failed, "log": ""}


class OneApi:
    """A deployed REST API, and all gates in front of its methods.

    Args:
        paths: path → verb → method.
        configuration: what else is deployed: ``api``, ``authorizers``, ``gateway_responses``…
    """

    def __init__(self, paths: Mapping[str, Mapping[str, Any]], **configuration: Any) -> None:
        engine = cloud().engine
        parents = {
            "/".join(path.split("/")[:depth]) or "/": {}
            for path in paths
            for depth in range(1, path.count("/") + 1)
        }
        resources = {
            f"r{number}": {"path": path, "resourceMethods": methods}
            for number, (path, methods) in enumerate({**parents, **paths}.items())
        }
        self.configuration: dict[str, Any] = {
            "api": {},
            "authorizers": {},
            "gateway_responses": {},
            **configuration,
            "resources": resources,
        }
        self.stage_record: dict[str, Any] = {"deploymentId": "d1"}
        self.functions = Functions()
        gates = compose_rest_gates(
            functions=self.functions,
            callers=engine.iam,
            user_pools=engine.user_pools,
            api_keys=GatewayStore(ACCOUNT_ID, lambda arn: None, random.Random()),
            buckets=Buckets(time.time),
            clock=time.time,
            numbers=random.Random(),
        )
        self._journeys = Journeys()
        self._data_plane = RestApiDataPlane(
            self,
            rest_pipeline(gates),
            ACCOUNT_ID,
            self._journeys,
            lambda *_: None,
            time.time,
            random.Random(),
        )
        self.deploy()

    def deploy(self) -> None:
        """Serve the configuration as it is now."""
        self._data_plane.deploy(API_ID, "d1")

    # -- what the data plane asks of the control plane ----------------------------------

    def rest_api_region(self, api_id: str) -> str:
        return REGION

    def stage(self, api_id: str, region: str, stage_name: str) -> dict[str, Any] | None:
        return self.stage_record if stage_name == STAGE else None

    def rest_api_configuration(self, api_id: str, region: str) -> dict[str, Any]:
        return self.configuration

    # -- requests -----------------------------------------------------------------------

    def send(
        self,
        raw_path: str,
        headers: Mapping[str, str] | None = None,
        *,
        query: str = "",
        body: bytes = b"",
    ) -> tuple[Response, Journey]:
        """The answer to a GET below the stage, and its journey; whatever is unhandled is raised.

        Both have been through what the server does with them.
        """
        sent = [("Host", HOST), *(headers or {}).items()]
        request = Request("GET", f"/{STAGE}{raw_path}", query, sent, body)
        address = Address(API_ID, REGION, STAGE, raw_path)
        response = cloud().loop.run(self._data_plane.handle(request, address))
        journey = self._journeys.last(1)[0]
        Response.of_json(journey.to_dict())
        assert str(journey)
        _written(response)
        return response, journey


def _written(response: Response) -> None:
    """Write a response as the server does."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    cloud().loop.run(ResponseWriter(time.time, random.Random()).write(response, send, head=False))
    start, body = messages
    assert 200 <= start["status"] <= 599
    assert all(b"\n" not in name + value for name, value in start["headers"])
    assert isinstance(body["body"], bytes)
