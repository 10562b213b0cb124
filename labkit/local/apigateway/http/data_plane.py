"""The data plane of HTTP APIs: finds the API, the stage and the deployed snapshot, and runs the gates."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from labkit.journey import Code, Journey
from labkit.local.apigateway.addresses import Address
from labkit.local.apigateway.http.call import HttpCall, new_request_id
from labkit.local.apigateway.http.records import DEFAULT, FROZEN, HttpDeployment, freeze
from labkit.local.apigateway.http.responses import NOT_FOUND, TOO_LARGE, HttpError, broken
from labkit.local.apigateway.journeys import Journeys, write_step
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.pipeline import Pipeline
from labkit.local.apigateway.records import is_true
from labkit.local.messages import Request, Response, sendable


class HttpApis(Protocol):
    """What the data plane asks of the control plane."""

    def http_api_region(self, api_id: str) -> str | None:
        """The Region of an HTTP or WebSocket API, or None."""

    def http_api(self, api_id: str, region: str) -> dict[str, Any] | None:
        """Its live records: ``api``, ``routes``, ``integrations``, ``authorizers``, ``stages``, ``deployments``."""

    def wants_client_certificate(self, host: str) -> bool:
        """Whether a custom domain name asks for client certificates."""


class HttpApiDataPlane:
    """Serves the deployed HTTP APIs and keeps the journey of every request.

    Args:
        http_apis: the control plane's state.
        pipeline: the gates.
        account_id: the owner of the APIs.
        journeys: where the journeys are kept.
        forget_authorizers: forgets what the authorizers of an API cached.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    def __init__(
        self,
        http_apis: HttpApis,
        pipeline: Pipeline[HttpCall, HttpError],
        account_id: str,
        journeys: Journeys,
        forget_authorizers: Callable[[str], None],
        clock: Callable[[], float],
        numbers: random.Random,
    ) -> None:
        self._http_apis = http_apis
        self._pipeline = pipeline
        self._forget_authorizers = forget_authorizers
        self._clock = clock
        self._numbers = numbers
        self._account_id = account_id
        self._journeys = journeys
        self._deployments: dict[tuple[str, str], HttpDeployment] = {}

    # -- snapshots ----------------------------------------------------------------

    def deploy(self, api_id: str, deployment_id: str) -> None:
        """Freeze the API's present configuration as a deployment (gateway 13.15)."""
        region = self._http_apis.http_api_region(api_id)
        records = region and self._http_apis.http_api(api_id, region)
        if region and records:
            configuration = {name: copy.deepcopy(records[name]) for name in FROZEN}
            frozen = freeze(api_id, region, deployment_id, configuration)
            self._deployments[api_id, deployment_id] = frozen
            self._forget_authorizers(api_id)

    def deployment(self, api_id: str, deployment_id: str) -> HttpDeployment | None:
        """A deployment's snapshot, or None."""
        return self._deployments.get((api_id, deployment_id))

    def forget_deployment(self, api_id: str, deployment_id: str | None = None) -> None:
        """Drop a deleted deployment, or all of a deleted API."""
        for key in [
            key for key in self._deployments if key[0] == api_id and deployment_id in (None, key[1])
        ]:
            del self._deployments[key]

    # -- requests -----------------------------------------------------------------

    def serves(self, address: Address) -> bool:
        """Whether the address names an API of this data plane."""
        region = self._http_apis.http_api_region(address.api_id) if address.api_id else None
        return region is not None and address.region in (None, region)

    async def handle(self, request: Request, address: Address) -> Response:
        """The response to a request for an API that :meth:`serves` said yes to."""
        request_id = new_request_id(self._numbers)
        journey = Journey(request_id, request.method, address.whole_path)
        response = sendable(await self._respond(request, address, journey))
        journey.status = response.status
        self._journeys.keep(journey)
        response.headers.append(("apigw-requestid", request_id))
        return response

    async def _respond(self, request: Request, address: Address, journey: Journey) -> Response:
        region = self._http_apis.http_api_region(address.api_id)
        records = self._http_apis.http_api(address.api_id, region) if region else None
        if not region or not records:
            return _turn_away(journey, Stop(NOT_FOUND, Code.API_NOT_FOUND, "the API is gone"))
        api = records["api"]
        unserved = self._unserved(request, address, api)
        if unserved is not None:
            return _turn_away(journey, unserved)
        stages: Mapping[str, Any] = records["stages"]
        name, raw_path = _stage_and_path(address, stages)
        if name not in stages:
            reason = f"the API has no stage {address.stage!r} and no $default"
            return _turn_away(journey, Stop(NOT_FOUND, Code.STAGE_NOT_FOUND, reason))
        stage = stages[name]
        deployment = self._deployments.get((address.api_id, str(stage.get("deploymentId"))))
        if deployment is None:
            reason = f"nothing is deployed on the stage {name}"
            return _turn_away(journey, Stop(NOT_FOUND, Code.STAGE_NOT_DEPLOYED, reason))
        call = HttpCall(
            request=request,
            deployment=deployment,
            account_id=self._account_id,
            stage=name,
            stage_record=stage,
            raw_path=raw_path,
            whole_path=raw_path if address.custom_domain else address.whole_path,
            domain_name=address.custom_domain
            or f"{address.api_id}.execute-api.{region}.amazonaws.com",
            request_id=journey.request_id,
            time=self._clock(),
            vpc_endpoint=address.vpc_endpoint,
            has_custom_domain=address.custom_domain is not None,
            endpoint_disabled=is_true(api.get("disableExecuteApiEndpoint")),
        )
        return await self._pipeline.run(call, journey)

    def _unserved(
        self, request: Request, address: Address, api: Mapping[str, Any]
    ) -> Stop[HttpError] | None:
        """Why nobody gets as far as a stage; None when the way is open."""
        if api.get("protocolType") != "HTTP":
            return broken(
                Code.UNSUPPORTED,
                "the local cloud doesn't serve WebSocket APIs, so it turns the request away",
            )
        domain = address.custom_domain
        if domain is not None and self._http_apis.wants_client_certificate(domain):
            return broken(
                Code.UNSUPPORTED,
                "the local cloud doesn't check client certificates, so nobody gets in here",
            )
        if request.body_too_large:
            return Stop(TOO_LARGE, Code.BODY_TOO_LARGE, "the body is larger than 10 MB")
        return None


def _turn_away(journey: Journey, stop: Stop[HttpError]) -> Response:
    write_step(journey, "stage", stop)
    return stop.refusal.response()


def _stage_and_path(address: Address, stages: Mapping[str, Any]) -> tuple[str, str]:
    """The stage and the path below it: a named stage if the path begins with its name, else ``$default``.

    A custom domain name's mapping has named the stage already.
    """
    if address.custom_domain is not None or (address.stage in stages and address.stage != DEFAULT):
        return address.stage, address.raw_path
    return DEFAULT, address.whole_path
