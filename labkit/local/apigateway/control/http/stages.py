"""Stages of HTTP APIs: ``CreateStage``, ``UpdateStage`` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.http.lookup import http_api, iso_time, page, part, updated
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.records import DEFAULT

JsonObject = dict[str, Any]

MAX_STAGES = 10
"""Of an API (gateway 14)."""
_NAME = re.compile("[A-Za-z0-9_-]{1,128}")
_MEMBERS = (
    "accessLogSettings",
    "autoDeploy",
    "defaultRouteSettings",
    "deploymentId",
    "description",
    "routeSettings",
    "stageName",
    "stageVariables",
    "tags",
)
_LIMITS = ("throttlingBurstLimit", "throttlingRateLimit")


class HttpStageOperations:
    """The operations on stages.

    Args:
        store: the records.
        clock: seconds since the epoch.
        changed: called with the API of a stage that was changed.
    """

    def __init__(
        self,
        store: GatewayStore,
        clock: Callable[[], float],
        changed: Callable[[HttpApi], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed

    def create_stage(self, call: Call) -> JsonObject:
        """Make a stage."""
        api = http_api(self._store, call)
        if call.text("stageName") in api.stages:
            raise conflict("Stage already exists")
        if len(api.stages) >= MAX_STAGES:
            raise bad_request("Maximum number of stages for this API has been reached.")
        made = new_stage({k: v for k, v in call.settings.items() if k in _MEMBERS}, self._clock())
        _check(api, made)
        api.stages[made["stageName"]] = made
        if made.get("autoDeploy"):
            self._changed(api)
        return api.stages[made["stageName"]]

    def get_stage(self, call: Call) -> JsonObject:
        """One stage."""
        return part(http_api(self._store, call).stages, call, "stageName", "Stage")

    def get_stages(self, call: Call) -> JsonObject:
        """All stages of an API."""
        return page(http_api(self._store, call).stages.values(), call)

    def update_stage(self, call: Call) -> JsonObject:
        """Change a stage; route settings replace those of the same routes."""
        api = http_api(self._store, call)
        found = part(api.stages, call, "stageName", "Stage")
        changed = dict(found)
        for name in ("autoDeploy", "defaultRouteSettings", "stageVariables"):
            if name in call.parameters:
                changed[name] = call.parameters[name]
        changed = updated(changed, call, "description")
        if call.text("deploymentId"):
            changed["deploymentId"] = call.text("deploymentId")
        if "routeSettings" in call.parameters:
            changed["routeSettings"] = {
                **changed["routeSettings"],
                **call.parameters["routeSettings"],
            }
        if call.parameters.get("accessLogSettings"):
            changed["accessLogSettings"] = call.parameters["accessLogSettings"]
        if not changed.get("autoDeploy"):
            changed.pop("autoDeploy", None)
        elif call.text("deploymentId"):
            raise bad_request("A stage with automatic deployments takes no deployment id")
        _check(api, changed)
        changed["lastUpdatedDate"] = iso_time(self._clock())
        api.stages[found["stageName"]] = changed
        if changed.get("autoDeploy") and not found.get("autoDeploy"):
            self._changed(api)
        return api.stages[found["stageName"]]

    def delete_stage(self, call: Call) -> None:
        """Delete a stage."""
        api = http_api(self._store, call)
        del api.stages[part(api.stages, call, "stageName", "Stage")["stageName"]]

    def delete_route_settings(self, call: Call) -> None:
        """Delete a stage's settings of one route."""
        stages = http_api(self._store, call).stages
        stage = part(stages, call, "stageName", "Stage")
        key = call.text("routeKey")
        if key not in stage["routeSettings"]:
            raise not_found(f"Unable to find RouteSettings by key {key} within the provided Stage")
        kept = {name: value for name, value in stage["routeSettings"].items() if name != key}
        stages[stage["stageName"]] = {**stage, "routeSettings": kept}

    def delete_access_log_settings(self, call: Call) -> None:
        """Delete a stage's access log settings."""
        stages = http_api(self._store, call).stages
        stage = dict(part(stages, call, "stageName", "Stage"))
        stage.pop("accessLogSettings", None)
        stages[stage["stageName"]] = stage


def new_stage(asked: JsonObject, now: float) -> JsonObject:
    """A stage as it is kept.

    Raises:
        ApiError: ``BadRequestException``.
    """
    name = str(asked.get("stageName") or "")
    if name != DEFAULT and not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_- and $default")
    made: JsonObject = {
        "stageName": name,
        "createdDate": iso_time(now),
        "lastUpdatedDate": iso_time(now),
        "routeSettings": {},
        "stageVariables": {},
        "tags": {},
        **{k: v for k, v in asked.items() if v not in (None, "", False)},
    }
    default = made.get("defaultRouteSettings") or {}
    made["defaultRouteSettings"] = {"detailedMetricsEnabled": False, **default}
    return made


def _check(api: HttpApi, stage: JsonObject) -> None:
    deployment_id = stage.get("deploymentId")
    if deployment_id and deployment_id not in api.deployments:
        raise not_found(f"Unable to find Deployment by ID {deployment_id} within the provided API")
    keys = [route["routeKey"] for route in api.routes.values()]
    for key, settings in stage["routeSettings"].items():
        if key not in keys:  # serverless/serverless#7893 quotes AWS
            raise not_found(f"Unable to find Route by key {key} within the provided RouteSettings")
        _check_settings(settings)
    _check_settings(stage["defaultRouteSettings"])


def _check_settings(settings: JsonObject) -> None:
    for member in ("loggingLevel", "dataTraceEnabled"):
        if settings.get(member) not in (None, False, "OFF"):
            raise bad_request(f"Execution logs are not supported on protocolType HTTP: {member}")
    for member in _LIMITS:
        if settings.get(member) is not None and settings[member] < 0:
            raise bad_request(f"{member} must not be negative")
