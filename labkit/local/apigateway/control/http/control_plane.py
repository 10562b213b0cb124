"""Corrections in front of the engine's control plane of HTTP APIs.

The engine keeps the configuration; here a deployment becomes a snapshot, a stage with automatic deployments gets a
new one with every change, and what AWS refuses is refused.
"""

from __future__ import annotations

import copy
import json
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.apigateway.answers import bad_request, refuse, with_body
from labkit.local.apigateway.control.http.refusals import ID_OF, refusal
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane, HttpApis
from labkit.local.cognito.pool_keys import PoolDirectory
from labkit.local.messages import Request, Response

Forward = Callable[[Request], Awaitable[Response]]

PATH = "/v2/apis"
_BELOW_AN_API = re.compile(r"/v2/apis/([^/]+)(?:/([^/]+))?(?:/([^/]+))?(/.*)?")
_AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"


class HttpApiControlPlane:
    """Answers the control-plane calls below ``/v2/apis``.

    Args:
        state: the engine's state.
        forward: lets the engine authorize and answer a call.
        data_plane: gets the snapshots.
        user_pools: the issuers that an authorizer may name.
        clock: seconds since the epoch.
        numbers: for the ids of automatic deployments.
    """

    def __init__(
        self,
        state: HttpApis,
        forward: Forward,
        data_plane: HttpApiDataPlane,
        user_pools: PoolDirectory,
        clock: Callable[[], float],
        numbers: random.Random,
    ) -> None:
        self._state = state
        self._user_pools = user_pools
        self._forward = forward
        self._data_plane = data_plane
        self._clock = clock
        self._numbers = numbers

    async def handle(self, request: Request) -> Response:
        """Answer one call. The engine decides first whether the caller may make it."""
        if request.method == "POST" and request.raw_path.rstrip("/") == PATH:
            return self._with_address(await self._forward(request))
        match = _BELOW_AN_API.fullmatch(request.raw_path)
        if match is None or request.method == "GET":
            return await self._forward(request)
        api_id, kind, name, deeper = match.groups()
        before = self._records(api_id)
        if kind == "deployments" and name and not deeper and request.method == "DELETE":
            return await self._delete_deployment(request, api_id, name)
        former = copy.deepcopy(((before or {}).get(kind) or {}).get(name))
        response = await self._forward(request)
        records = self._records(api_id)
        if response.status >= 300:
            return response
        if records is None or before is None:
            self._data_plane.forget_deployment(api_id)
            return response
        if kind in ID_OF and not deeper and request.method != "DELETE":
            response = self._refuse_or(response, records, kind, name, former)
        if request.method == "POST" and not name and response.status < 300:
            response = self._follow_creation(request, response, api_id, str(kind), records)
        if response.status < 300:
            self._deploy_automatically(api_id, records)
        return response

    def _follow_creation(
        self,
        request: Request,
        response: Response,
        api_id: str,
        kind: str,
        records: dict[str, Any],
    ) -> Response:
        if kind == "deployments":
            return self._deploy(request, response, api_id, records)
        if kind == "authorizers":
            return _without_assumed_ttl(request, response, records)
        return response

    def _refuse_or(
        self,
        response: Response,
        records: dict[str, Any],
        kind: str,
        name: str | None,
        former: dict[str, Any] | None,
    ) -> Response:
        """The response; or AWS's refusal of what the engine took, which becomes what it was before."""
        key = name or str(response.json().get(ID_OF[kind]))
        record = records[kind].get(key)
        if record is None or records["api"].get("protocolType") != "HTTP":
            return response
        refused = refusal(kind, record, records, self._user_pools)
        if refused is None:
            return response
        if former is None:
            del records[kind][key]
        else:
            records[kind][key] = former
        return refused

    def _with_address(self, response: Response) -> Response:
        """A new API, with the address that it has on AWS; the engine names its own."""
        if response.status >= 300:
            return response
        made = response.json()
        api_id = str(made.get("apiId"))
        records = self._records(api_id)
        if records is None:
            return response
        scheme = "https" if made.get("protocolType") == "HTTP" else "wss"
        region = self._state.http_api_region(api_id)
        address = f"{scheme}://{api_id}.execute-api.{region}.amazonaws.com"
        made["apiEndpoint"] = records["api"]["apiEndpoint"] = address
        return with_body(response, made)

    # -- deployments ----------------------------------------------------------------

    def _deploy(
        self, request: Request, response: Response, api_id: str, records: dict[str, Any]
    ) -> Response:
        """Freeze the configuration, and let the stage that the call names serve it."""
        deployment_id = str(response.json()["deploymentId"])
        stage_name = _body(request).get("stageName")
        if stage_name is not None and stage_name not in records["stages"]:
            records["deployments"].pop(deployment_id, None)
            return refuse(404, "NotFoundException", f"Unable to find Stage by name {stage_name}")
        self._data_plane.deploy(api_id, deployment_id)
        if stage_name is not None:
            records["stages"][stage_name]["deploymentId"] = deployment_id
        return response

    def _deploy_automatically(self, api_id: str, records: dict[str, Any]) -> None:
        """Give each stage that deploys automatically a snapshot of the changed configuration."""
        for stage in records["stages"].values():
            if stage.get("autoDeploy") is not True:
                continue
            former = str(stage.get("deploymentId"))
            deployment_id = f"{self._numbers.getrandbits(24):06x}"
            records["deployments"][deployment_id] = {
                "deploymentId": deployment_id,
                "autoDeployed": True,
                "deploymentStatus": "DEPLOYED",
                "createdDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock())),
                "description": _AUTOMATIC,
            }
            self._data_plane.deploy(api_id, deployment_id)
            stage["deploymentId"] = deployment_id
            if records["deployments"].get(former, {}).get("autoDeployed") and not _is_served(
                records, former
            ):
                del records["deployments"][former]
                self._data_plane.forget_deployment(api_id, former)

    async def _delete_deployment(
        self, request: Request, api_id: str, deployment_id: str
    ) -> Response:
        """A deployment that a stage serves stays. The engine would delete it, so it isn't asked."""
        records = self._records(api_id)
        if records and _is_served(records, deployment_id):
            message = "Active stages pointing to this deployment must be moved or deleted"
            return bad_request(message)
        response = await self._forward(request)
        if response.status < 300:
            self._data_plane.forget_deployment(api_id, deployment_id)
        return response

    def _records(self, api_id: str) -> dict[str, Any] | None:
        region = self._state.http_api_region(api_id)
        return self._state.http_api(api_id, region) if region else None


def _is_served(records: dict[str, Any], deployment_id: str) -> bool:
    return any(stage.get("deploymentId") == deployment_id for stage in records["stages"].values())


def _without_assumed_ttl(request: Request, response: Response, records: dict[str, Any]) -> Response:
    """Caching is on when the caller asked for it (gateway 13.11); the engine assumes 300 seconds."""
    if _body(request).get("authorizerResultTtlInSeconds") is not None:
        return response
    made = response.json()
    made.pop("authorizerResultTtlInSeconds", None)
    record = records["authorizers"].get(str(made.get("authorizerId")), {})
    record.pop("authorizerResultTtlInSeconds", None)
    return with_body(response, made)


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
