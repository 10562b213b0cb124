"""Deployments of HTTP APIs: the one place where the configuration is frozen (gateway 13.15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.http.lookup import http_api, iso_time, page, part, updated
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane

JsonObject = dict[str, Any]

_AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"


class HttpDeploymentOperations:
    """The operations on deployments, and the automatic ones.

    Args:
        store: the records.
        data_plane: gets the snapshots.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: GatewayStore, data_plane: HttpApiDataPlane, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._data_plane = data_plane
        self._clock = clock

    def create_deployment(self, call: Call) -> JsonObject:
        """Freeze an API, and let the stage that the call names serve it."""
        api = http_api(self._store, call)
        stage_name = call.text("stageName")
        if stage_name and stage_name not in api.stages:
            raise not_found(f"Unable to find Stage by name {stage_name}")
        if not api.routes:
            raise bad_request("At least one route is required before deploying the Api.")
        made = self._made(api, automatic=False)
        if call.text("description"):
            made["description"] = call.text("description")
        if stage_name:
            stage = {**api.stages[stage_name], "deploymentId": made["deploymentId"]}
            api.stages[stage_name] = {**stage, "lastUpdatedDate": iso_time(self._clock())}
        return made

    def get_deployment(self, call: Call) -> JsonObject:
        """One deployment."""
        found = http_api(self._store, call).deployments
        return part(found, call, "deploymentId", "Deployment")

    def get_deployments(self, call: Call) -> JsonObject:
        """All deployments of an API, newest first."""
        return page(reversed(http_api(self._store, call).deployments.values()), call)

    def update_deployment(self, call: Call) -> JsonObject:
        """Change a deployment's description."""
        api = http_api(self._store, call)
        found = part(api.deployments, call, "deploymentId", "Deployment")
        api.deployments[found["deploymentId"]] = updated(found, call, "description")
        return api.deployments[found["deploymentId"]]

    def delete_deployment(self, call: Call) -> None:
        """Delete a deployment that no stage serves."""
        api = http_api(self._store, call)
        key = part(api.deployments, call, "deploymentId", "Deployment")["deploymentId"]
        if _is_served(api, key):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        self._forget(api, key)

    def deploy_automatically(self, api: HttpApi) -> None:
        """Give each stage that deploys automatically a snapshot of a changed configuration."""
        for name, stage in list(api.stages.items()):
            if stage.get("autoDeploy") is not True:
                continue
            former = str(stage.get("deploymentId"))
            made = self._made(api, automatic=True)
            api.stages[name] = {**stage, "deploymentId": made["deploymentId"]}
            was_automatic = api.deployments.get(former, {}).get("autoDeployed")
            if was_automatic and not _is_served(api, former):
                self._forget(api, former)

    def _made(self, api: HttpApi, *, automatic: bool) -> JsonObject:
        made = {
            "deploymentId": self._store.new_id(6),
            "autoDeployed": automatic,
            "deploymentStatus": "DEPLOYED",
            "createdDate": iso_time(self._clock()),
            **({"description": _AUTOMATIC} if automatic else {}),
        }
        api.deployments[str(made["deploymentId"])] = made
        self._data_plane.deploy(api.settings["apiId"], str(made["deploymentId"]))
        return made

    def _forget(self, api: HttpApi, deployment_id: str) -> None:
        del api.deployments[deployment_id]
        self._data_plane.forget_deployment(api.settings["apiId"], deployment_id)


def _is_served(api: HttpApi, deployment_id: str) -> bool:
    return any(stage.get("deploymentId") == deployment_id for stage in api.stages.values())
