"""The REST API data plane: finds the API, the stage and the deployed snapshot, and runs the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from labkit.journey import Journey, Step
from labkit.local.apigateway.addresses import Address
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.rest.call import Call, Stop
from labkit.local.apigateway.rest.deployment import Deployment
from labkit.local.apigateway.rest.edge_optimized import edge_headers, is_edge_optimized, refuse_body
from labkit.local.apigateway.rest.pipeline import Pipeline, reject
from labkit.local.apigateway.rest.request_ids import request_id_of
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, FORBIDDEN, GatewayError
from labkit.local.messages import CONTROL_CHARACTER, NO_SUCH_HOST, Request, Response

MAX_BODY_BYTES = 10_485_760
"""The payload limit of API Gateway (gateway.md, section 14)."""


class RestApis(Protocol):
    """What the data plane asks of the control plane."""

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region of an API, or None."""

    def stage(self, api_id: str, region: str, stage_name: str) -> dict[str, Any] | None:
        """The live stage, or None."""

    def rest_api_configuration(self, api_id: str, region: str) -> dict[str, Any]:
        """The live configuration."""


class RestApiDataPlane:
    """Serves the deployed REST APIs and keeps the journey of every request.

    Args:
        rest_apis: the control plane's state.
        pipeline: the gates.
        account_id: the owner of the APIs.
        journeys: where the journeys are kept; a place of its own unless given.
    """

    def __init__(
        self,
        rest_apis: RestApis,
        pipeline: Pipeline,
        account_id: str,
        journeys: Journeys | None = None,
    ) -> None:
        self._rest_apis = rest_apis
        self._pipeline = pipeline
        self._account_id = account_id
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._journeys = journeys or Journeys()

    # -- snapshots ----------------------------------------------------------------

    def deploy(self, api_id: str, deployment_id: str) -> Deployment | None:
        """Freeze the API's present configuration as a deployment (8.1); None when the API is gone."""
        region = self._rest_apis.rest_api_region(api_id)
        if region is None:
            return None
        configuration = self._rest_apis.rest_api_configuration(api_id, region)
        deployment = Deployment(api_id, region, deployment_id, configuration)
        self._deployments[api_id, deployment_id] = deployment
        return deployment

    def deployment(self, api_id: str, deployment_id: str) -> Deployment | None:
        """A deployment's snapshot, or None."""
        return self._deployments.get((api_id, deployment_id))

    def forget_deployment(self, api_id: str, deployment_id: str | None = None) -> None:
        """Drop a deleted deployment, or all of a deleted API."""
        for key in [
            key for key in self._deployments if key[0] == api_id and deployment_id in (None, key[1])
        ]:
            del self._deployments[key]

    # -- journeys -----------------------------------------------------------------

    def journey(self, request_id: str) -> Journey | None:
        """The journey of a request, while it is kept (the last 1,000 are)."""
        return self._journeys.find(request_id)

    def last_journeys(self, count: int) -> list[Journey]:
        """The journeys of the last requests, the newest first."""
        return self._journeys.last(count)

    # -- requests -----------------------------------------------------------------

    async def handle(self, request: Request, address: Address) -> Response:
        """The response to a request for an API."""
        request_id = request_id_of(request)
        shown = address.raw_path if address.custom_domain else f"/{address.stage}{address.raw_path}"
        journey = Journey(request_id, request.method, address.base_path + shown)
        response = sendable(await self._respond(request, address, journey))
        journey.status = response.status
        self._journeys.keep(journey)
        response.headers.append(("x-amzn-RequestId", request_id))
        return response

    async def _respond(self, request: Request, address: Address, journey: Journey) -> Response:
        region = self._rest_apis.rest_api_region(address.api_id)
        if region is None or address.region not in (None, region):
            return self._unknown_api(address, journey)
        stage_name = address.stage
        stage = self._rest_apis.stage(address.api_id, region, stage_name) or {}
        key = (address.api_id, str(stage.get("deploymentId")))
        call = Call(
            request=request,
            deployment=self._deployments.get(key) or _nothing_deployed(address.api_id, region),
            account_id=self._account_id,
            stage=stage_name,
            stage_variables=stage.get("variables") or {},
            stage_record=stage,
            raw_path=address.raw_path,
            domain_name=address.custom_domain
            or f"{address.api_id}.execute-api.{region}.amazonaws.com",
            request_id=journey.request_id,
            vpc_endpoint=address.vpc_endpoint,
            base_path=address.base_path if address.custom_domain else None,
        )
        edge = is_edge_optimized(call.deployment.api)
        refused = refuse_body(request) if edge else None
        if refused is not None:
            journey.steps.append(
                Step("route", "stop", "CloudFront, in front of the API, refuses a GET with a body")
            )
            return refused
        if request.body_too_large:
            response = _too_large(journey)
        elif not stage:
            response = _stop(
                call, journey, Stop(GatewayError(FORBIDDEN), f"the API has no stage {stage_name!r}")
            )
        elif key not in self._deployments:
            reason = "the stage points to a deployment whose snapshot this cloud doesn't have: deploy again"
            response = _stop(call, journey, Stop(GatewayError(API_CONFIGURATION_ERROR), reason))
        else:
            response = await self._pipeline.run(call, journey)
        response.headers.append(("x-amz-apigw-id", call.extended_request_id))
        if edge:
            response.headers += edge_headers(response.status)
        return response

    def _unknown_api(self, address: Address, journey: Journey) -> Response:
        if address.custom_domain is not None:
            reason = f"no base path mapping of {address.custom_domain} fits the path"
            journey.steps.append(Step("route", "stop", reason))
            return Response.of_json(
                {"message": "Forbidden"}, 403, [("x-amzn-ErrorType", "ForbiddenException")]
            )
        journey.steps.append(
            Step(
                "route", "stop", f"there is no API {address.api_id}: on AWS the name has no address"
            )
        )
        headers = [("x-amzn-ErrorType", "ForbiddenException"), (NO_SUCH_HOST, "1")]
        return Response.of_json({"message": "Forbidden"}, 403, headers)


def sendable(response: Response) -> Response:
    """The response without what HTTP can't carry: a request's value with a line break must not end up in a header."""
    if not 200 <= response.status <= 599:
        return Response.of_json({"message": "Internal server error"}, 500)
    response.headers = [
        (name, value.strip())
        for name, value in response.headers
        if not CONTROL_CHARACTER.search(name + value)
    ]
    if response.status in (204, 304):
        response.body = b""
    return response


def _stop(call: Call, journey: Journey, stop: Stop) -> Response:
    journey.steps.append(Step("route", "stop", stop.reason, stop.evidence))
    return reject(call, stop)


def _too_large(journey: Journey) -> Response:
    """413, as plain text; it can't be customised (1.14, 15.2)."""
    journey.steps.append(Step("route", "stop", f"the body is larger than {MAX_BODY_BYTES} bytes"))
    text = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
    return Response(413, [("Content-Type", "text/plain")], text.encode())


def _nothing_deployed(api_id: str, region: str) -> Deployment:
    empty: Mapping[str, Any] = {
        "api": {},
        "resources": {},
        "authorizers": {},
        "gateway_responses": {},
    }
    return Deployment(api_id, region, "", empty)
