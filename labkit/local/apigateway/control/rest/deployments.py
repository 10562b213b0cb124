"""Deployments of REST APIs: the one place where the configuration is frozen."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, not_found, not_offered
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.rest.stages import canary_of, new_stage
from labkit.local.apigateway.control.store import GatewayStore, RestApi
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane
from labkit.local.apigateway.rest.records import RestDeployment

JsonObject = dict[str, Any]

PATCHES = PatchTable((PatchPath("/description"),), invalid_path, one_of_operations)
_SUMMARY = "apisummary"


class DeploymentOperations:
    """The operations on deployments.

    Args:
        store: the records.
        data_plane: gets the snapshots.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: GatewayStore, data_plane: RestApiDataPlane, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._data_plane = data_plane
        self._clock = clock

    async def create_deployment(self, call: Call) -> JsonObject:
        """Freeze an API, and let the stage that the call names serve it (recorded 9.1–9.3, 10.1–10.4)."""
        api = rest_api(self._store, call)
        stage_name, canary = call.text("stageName"), call.parameters.get("canarySettings")
        if canary is not None and not stage_name:
            shown = "null" if "stageName" not in call.parameters else ""
            raise bad_request(
                "Invalid deployment content specified.Non null and non empty stageName must be provided for canary "
                f"deployment. Provided value is {shown}"
            )
        if canary is not None and stage_name not in api.stages:
            raise bad_request(
                f"Invalid deployment content specified.Stage {stage_name} must already be created before making a "
                "canary release deployment"
            )
        _check_deployable(api)
        deployment_id = self._store.new_id(6)
        stage = api.stages.get(stage_name)
        if stage_name and stage is None:
            stage = new_stage(call, deployment_id, self._clock(), described_by="stageDescription")
        elif stage is not None and canary is not None:
            stage = {**stage, "canarySettings": canary_of(canary, deployment_id)}
        elif stage is not None:
            changed = call.given("variables", "tracingEnabled")
            stage = {**stage, **changed, "deploymentId": deployment_id}
            if call.text("stageDescription"):
                stage["description"] = call.text("stageDescription")
        made = {
            "id": deployment_id,
            **call.given("description"),
            "createdDate": int(self._clock()),
        }
        api.deployments[deployment_id] = made
        if stage is not None:
            api.stages[stage_name] = {**stage, "lastUpdatedDate": int(self._clock())}
        frozen = self._data_plane.deploy(api.settings["id"], deployment_id)
        if frozen is not None and frozen.validators:
            # It takes a second to load: not while a request waits.
            await asyncio.to_thread(importlib.import_module, "jsonschema")
        return made

    def get_deployment(self, call: Call) -> JsonObject:
        """One deployment; what its methods ask for with ``embed=apisummary``."""
        api, found = self._deployment(call)
        return self._shown(api, found, call)

    def get_deployments(self, call: Call) -> JsonObject:
        """All deployments of an API, newest first."""
        api = rest_api(self._store, call)
        newest = reversed(api.deployments.values())
        return page((self._shown(api, one, call) for one in newest), call)

    def update_deployment(self, call: Call) -> JsonObject:
        """Change a deployment's description (recorded 9.5)."""
        api, found = self._deployment(call)
        changed = PATCHES.apply(found, patches_of(call.patches))
        api.deployments[found["id"]] = changed
        return changed

    def delete_deployment(self, call: Call) -> None:
        """Delete a deployment that no stage serves (recorded 9.4).

        Source of the canary's words: terraform-provider-aws, ``aws_api_gateway_deployment``.
        """
        api, found = self._deployment(call)
        for stage in api.stages.values():
            if stage.get("deploymentId") == found["id"]:
                raise bad_request(
                    "Active stages pointing to this deployment must be moved or deleted"
                )
            if (stage.get("canarySettings") or {}).get("deploymentId") == found["id"]:
                raise bad_request(
                    "Active stages with canary settings pointing to this deployment must be moved or deleted"
                )
        del api.deployments[found["id"]]
        self._data_plane.forget_deployment(api.settings["id"], found["id"])

    def _deployment(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = rest_api(self._store, call)
        found = api.deployments.get(call.text("deploymentId"))
        if found is None:
            raise not_found("Invalid Deployment identifier specified")
        return api, found

    def _shown(self, api: RestApi, record: JsonObject, call: Call) -> JsonObject:
        frozen = self._data_plane.deployment(api.settings["id"], record["id"])
        if _SUMMARY not in call.parameters.get("embed", ()) or frozen is None:
            return record
        return {**record, "apiSummary": api_summary(frozen)}


def api_summary(deployment: RestDeployment) -> dict[str, dict[str, JsonObject]]:
    """The methods that a deployment froze: path → verb → how it is guarded.

    https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSnapshot.html
    """
    return {
        resource.path: {
            verb: {
                "authorizationType": method.authorization_type,
                "apiKeyRequired": method.api_key_required,
            }
            for verb, method in resource.methods.items()
        }
        for resource in deployment.resources.values()
        if resource.methods
    }


def _check_deployable(api: RestApi) -> None:
    """Refuse an API without methods, a method without integration, a private API without policy.

    Sources: aws/aws-cdk and moto, which quote AWS; edge E8.17.
    """
    methods = list(api.methods())
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for _resource, _verb, method in methods):
        raise bad_request("No integration defined for method")
    if "minimumCompressionSize" in api.settings:  # which no answer heeds
        raise not_offered("minimumCompressionSize")
    types = api.settings["endpointConfiguration"]["types"]
    if types == ["PRIVATE"] and not api.settings.get("policy"):
        raise bad_request("Private REST API doesn't have a resource policy attached to it")
