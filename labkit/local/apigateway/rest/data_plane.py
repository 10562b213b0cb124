"""The REST API data plane: finds the API, the stage and the deployed snapshot, and runs the pipeline."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from labkit.journey import Code, Journey
from labkit.local.apigateway.addresses import Address
from labkit.local.apigateway.answers import refuse
from labkit.local.apigateway.journeys import Journeys, write_step
from labkit.local.apigateway.mutual_tls import RefuseCertificate
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.pipeline import Pipeline
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import edge_headers, refuse_body
from labkit.local.apigateway.rest.pipeline import reject
from labkit.local.apigateway.rest.records import RestDeployment, freeze
from labkit.local.apigateway.rest.request_ids import new_extended_request_id, request_id_of
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, FORBIDDEN, GatewayError
from labkit.local.messages import NO_SUCH_HOST, Request, Response, sendable

MAX_BODY_BYTES = 10_485_760
"""The payload limit of API Gateway (gateway 14)."""


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
        journeys: where the journeys are kept.
        refuse_certificate: turns away who has no good client certificate, where one is wanted.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    def __init__(
        self,
        rest_apis: RestApis,
        pipeline: Pipeline[RestCall, GatewayError],
        account_id: str,
        journeys: Journeys,
        refuse_certificate: RefuseCertificate,
        clock: Callable[[], float],
        numbers: random.Random,
    ) -> None:
        self._rest_apis = rest_apis
        self._pipeline = pipeline
        self._account_id = account_id
        self._deployments: dict[tuple[str, str], RestDeployment] = {}
        self._journeys = journeys
        self._refuse_certificate = refuse_certificate
        self._clock = clock
        self._numbers = numbers

    # -- snapshots ----------------------------------------------------------------

    def deploy(self, api_id: str, deployment_id: str) -> RestDeployment | None:
        """Freeze the API's present configuration as a deployment (gateway 8.1); None when the API is gone."""
        region = self._rest_apis.rest_api_region(api_id)
        if region is None:
            return None
        configuration = self._rest_apis.rest_api_configuration(api_id, region)
        deployment = freeze(api_id, region, deployment_id, configuration)
        self._deployments[api_id, deployment_id] = deployment
        return deployment

    def deployment(self, api_id: str, deployment_id: str) -> RestDeployment | None:
        """A deployment's snapshot, or None."""
        return self._deployments.get((api_id, deployment_id))

    def forget_deployment(self, api_id: str, deployment_id: str | None = None) -> None:
        """Drop a deleted deployment, or all of a deleted API."""
        for key in [
            key for key in self._deployments if key[0] == api_id and deployment_id in (None, key[1])
        ]:
            del self._deployments[key]

    # -- requests -----------------------------------------------------------------

    async def handle(self, request: Request, address: Address) -> Response:
        """The response to a request for an API."""
        request_id = request_id_of(request, self._numbers)
        shown = address.raw_path if address.custom_domain else f"/{address.stage}{address.raw_path}"
        journey = Journey(request_id, request.method, address.base_path + shown)
        response = sendable(await self._respond(request, address, journey))
        journey.status = response.status
        self._journeys.keep(journey)
        response.headers.append(("x-amzn-RequestId", request_id))
        return response

    async def _respond(self, request: Request, address: Address, journey: Journey) -> Response:
        refused_certificate = self._refuse_certificate(request, address.custom_domain)
        if refused_certificate is not None:
            response = refuse(403, "ForbiddenException", "Forbidden")
            return _turn_away(journey, Stop(response, *refused_certificate))
        region = self._rest_apis.rest_api_region(address.api_id)
        if region is None or address.region not in (None, region):
            return _turn_away(journey, _unknown_api(address))
        stage_name = address.stage
        stage = self._rest_apis.stage(address.api_id, region, stage_name) or {}
        serving, is_canary = serving_of(stage, self._numbers.random())
        key = (address.api_id, str(serving.get("deploymentId")))
        call = RestCall(
            request=request,
            deployment=self._deployments.get(key) or RestDeployment(address.api_id, region, ""),
            account_id=self._account_id,
            stage=stage_name,
            stage_variables=serving["variables"],
            stage_record=stage,
            raw_path=address.raw_path,
            domain_name=address.custom_domain
            or f"{address.api_id}.execute-api.{region}.amazonaws.com",
            request_id=journey.request_id,
            extended_request_id=new_extended_request_id(self._numbers),
            time=self._clock(),
            vpc_endpoint=address.vpc_endpoint,
            base_path=address.base_path if address.custom_domain else None,
            is_canary=is_canary,
        )
        edge = call.deployment.is_edge_optimized
        refused = refuse_body(request, call.extended_request_id) if edge else None
        if refused is not None:
            reason = "CloudFront, in front of the API, refuses a GET with a body"
            return _turn_away(journey, Stop(refused, Code.GET_WITH_BODY, reason))
        if request.body_too_large:
            response = _turn_away(journey, _too_large())
        elif key in self._deployments:
            response = await self._pipeline.run(call, journey)
        else:
            stop = _not_deployed(stage_name, stage)
            write_step(journey, "stage", stop)
            response = reject(call, stop)
        response.headers.append(("x-amz-apigw-id", call.extended_request_id))
        if edge:
            response.headers += edge_headers(response.status, call.extended_request_id)
        return response


def _turn_away(journey: Journey, stop: Stop[Response]) -> Response:
    """A response that no gateway response changes."""
    write_step(journey, "stage", stop)
    return stop.refusal


def serving_of(stage: Mapping[str, Any], drawn: float) -> tuple[dict[str, Any], bool | None]:
    """What serves a request: the stage's own deployment and variables, or those of its canary (gateway 8.14).

    Args:
        stage: the live stage.
        drawn: a number from 0 to 1, the same for no two requests.

    Returns:
        ``{"deploymentId", "variables"}``, and whether they are the canary's; None at a stage without one.

    >>> canary = {"deploymentId": "new", "percentTraffic": 25.0, "stageVariableOverrides": {"a": "2"}}
    >>> stage = {"deploymentId": "old", "variables": {"a": "1", "b": "1"}, "canarySettings": canary}
    >>> serving_of(stage, 0.24)
    ({'deploymentId': 'new', 'variables': {'a': '2', 'b': '1'}}, True)
    >>> serving_of(stage, 0.25)
    ({'deploymentId': 'old', 'variables': {'a': '1', 'b': '1'}}, False)
    """
    variables = dict(stage.get("variables") or {})
    canary = stage.get("canarySettings")
    if not canary:
        return {"deploymentId": stage.get("deploymentId"), "variables": variables}, None
    if drawn * 100 >= canary["percentTraffic"]:
        return {"deploymentId": stage.get("deploymentId"), "variables": variables}, False
    variables.update(canary.get("stageVariableOverrides") or {})
    return {"deploymentId": canary["deploymentId"], "variables": variables}, True


def _unknown_api(address: Address) -> Stop[Response]:
    """403; without a custom domain name there is no such host on AWS (gateway 8.5)."""
    response = refuse(403, "ForbiddenException", "Forbidden")
    code = Code.MAPPING_NOT_FOUND
    reason = f"no base path mapping of {address.custom_domain} fits the path"
    if address.custom_domain is None:
        response.headers.append((NO_SUCH_HOST, "1"))
        code = Code.API_NOT_FOUND
        reason = f"there is no API {address.api_id}: on AWS the name has no address"
    return Stop(response, code, reason)


def _not_deployed(name: str, stage: Mapping[str, Any]) -> Stop[GatewayError]:
    """The stage isn't there, or its snapshot isn't."""
    if not stage:
        return Stop(GatewayError(FORBIDDEN), Code.STAGE_NOT_FOUND, f"the API has no stage {name!r}")
    reason = "the stage points to a deployment whose snapshot this cloud doesn't have: deploy again"
    return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.STAGE_NOT_DEPLOYED, reason)


def _too_large() -> Stop[Response]:
    """413, as plain text; it can't be customised (gateway 1.14, 15.2)."""
    text = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
    response = Response(413, [("Content-Type", "text/plain")], text.encode())
    reason = f"the body is larger than {MAX_BODY_BYTES} bytes"
    return Stop(response, Code.BODY_TOO_LARGE, reason)
