"""Stages of REST APIs, their method settings and their canary: ``CreateStage``, ``UpdateStage`` and the like."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import PatchOperation, PatchPath, converted, patches_of
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import rest_api
from labkit.local.apigateway.control.store import GatewayStore, RestApi
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

MAX_STAGES = 10
"""Of an API (gateway 14)."""
_NAME = re.compile("[A-Za-z0-9_-]{1,128}")
_VARIABLE = re.compile("[A-Za-z0-9_]{1,64}")
_VALUE = re.compile(r"[A-Za-z0-9 \-._:/?&=,]*")
_METHOD_SETTINGS = {
    "metrics/enabled": ("metricsEnabled", "boolean"),
    "logging/dataTrace": ("dataTraceEnabled", "boolean"),
    "logging/loglevel": ("loggingLevel", "text"),
    "throttling/burstLimit": ("throttlingBurstLimit", "integer"),
    "throttling/rateLimit": ("throttlingRateLimit", "number"),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", "integer"),
    "caching/enabled": ("cachingEnabled", "boolean"),
    "caching/dataEncrypted": ("cacheDataEncrypted", "boolean"),
    "caching/requireAuthorizationForCacheControl": (
        "requireAuthorizationForCacheControl",
        "boolean",
    ),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        "text",
    ),
}
"""The end of a patch path → the member of a ``MethodSetting``, and its kind."""
_DEFAULTS: JsonObject = {
    "cacheDataEncrypted": False,
    "cacheTtlInSeconds": 300,
    "cachingEnabled": False,
    "dataTraceEnabled": False,
    "metricsEnabled": False,
    "requireAuthorizationForCacheControl": True,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
"""Of a ``MethodSetting`` of which one member is set (recorded 9.8)."""
_STRATEGIES = (
    "FAIL_WITH_403",
    "SUCCEED_WITH_RESPONSE_HEADER",
    "SUCCEED_WITHOUT_RESPONSE_HEADER",
)
_PATHS = (
    "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, "
    "/accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, "
    "/{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, "
    "/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit"
    "/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, "
    "/{resourcePath}/{httpMethod}/caching/dataEncrypted, "
    "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
    "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, "
    "/*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit "
    "/*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, "
    "/*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, "
    "/variables/{variable_name}, /tracingEnabled"
)
"""As AWS lists them, with what is missing in its list (recorded 9.6)."""
_CANARY_TO = ("/deploymentId", "/variables")
_CANARY_FROM = ("/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides")
_PLAIN = ("description", "documentationVersion", "tracingEnabled", "deploymentId")


class StageOperations:
    """The operations on stages.

    Args:
        store: the records.
        clock: seconds since the epoch.
        forget_authorizers: empties the cache of a stage's authorizers: (API id, stage name).
    """

    def __init__(
        self,
        store: GatewayStore,
        clock: Callable[[], float],
        forget_authorizers: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._forget_authorizers = forget_authorizers

    def create_stage(self, call: Call) -> JsonObject:
        """Make a stage that serves a deployment (recorded 9.2)."""
        api = rest_api(self._store, call)
        name, deployment_id = call.text("stageName"), call.text("deploymentId")
        if name in api.stages:
            raise conflict("Stage already exists")
        if deployment_id not in api.deployments:
            raise bad_request("Deployment id does not exist")
        if len(api.stages) >= MAX_STAGES:
            raise bad_request("Maximum number of stages for this API has been reached.")
        made = new_stage(call, deployment_id, self._clock(), described_by="description")
        canary = call.parameters.get("canarySettings")
        if canary is not None:
            canary_deployment = canary.get("deploymentId")
            if canary_deployment is not None and canary_deployment not in api.deployments:
                raise bad_request("Deployment id does not exist")
            made["canarySettings"] = canary_of(canary, canary_deployment or deployment_id)
        api.stages[name] = made
        return made

    def get_stage(self, call: Call) -> JsonObject:
        """One stage, with its web ACL."""
        api, found = self._stage(call)
        return self._store.stage(api.settings["id"], call.region, found["stageName"]) or found

    def get_stages(self, call: Call) -> JsonObject:
        """All stages of an API, or those that serve a deployment."""
        api = rest_api(self._store, call)
        wanted = call.text("deploymentId")
        names = [n for n, one in api.stages.items() if wanted in ("", one.get("deploymentId"))]
        shown = (self._store.stage(api.settings["id"], call.region, name) for name in names)
        return {"item": list(shown)}

    def update_stage(self, call: Call) -> JsonObject:
        """Change a stage (recorded 9.6–9.14, 10.5–10.8)."""
        api, found = self._stage(call)
        patches = patches_of(call.patches)
        changed = copy.deepcopy(found)
        # The settings of all methods first: those of one begin with them.
        for patch in sorted(patches, key=lambda one: not one.path.startswith("/*/*")):
            _apply(api, changed, patch)
        _check_logging(changed, self._store.region(call.region).account)
        changed["lastUpdatedDate"] = int(self._clock())
        api.stages[found["stageName"]] = changed
        return self._store.stage(api.settings["id"], call.region, found["stageName"]) or changed

    def delete_stage(self, call: Call) -> None:
        """Delete a stage; it leaves its usage plans (recorded 9.39)."""
        api, found = self._stage(call)
        del api.stages[found["stageName"]]
        self._store.region(call.region).leave_usage_plans(api.settings["id"], found["stageName"])

    def flush_stage_authorizers_cache(self, call: Call) -> None:
        """Forget what the authorizers of a stage said (gateway 3.11)."""
        api, found = self._stage(call)
        self._forget_authorizers(api.settings["id"], found["stageName"])

    def _stage(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = rest_api(self._store, call)
        found = api.stages.get(call.text("stageName"))
        if found is None:
            raise not_found("Invalid stage identifier specified")
        return api, found


def new_stage(call: Call, deployment_id: str, now: float, *, described_by: str) -> JsonObject:
    """A stage as it is kept.

    Args:
        call: ``CreateStage`` or ``CreateDeployment``.
        deployment_id: what it serves.
        now: seconds since the epoch.
        described_by: the parameter that describes the stage.

    Raises:
        ApiError: ``BadRequestException``.
    """
    name = call.text("stageName")
    if not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
    made: JsonObject = {
        "stageName": name,
        "deploymentId": deployment_id,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": bool(call.parameters.get("tracingEnabled")),
        "createdDate": int(now),
        "lastUpdatedDate": int(now),
        **call.given("variables", "documentationVersion", "tags"),
    }
    if call.text(described_by):
        made["description"] = call.text(described_by)
    _check_variables(made.get("variables") or {})
    return made


def canary_of(asked: JsonObject, deployment_id: str) -> JsonObject:
    """Canary settings as they are kept (recorded 10.4).

    Raises:
        ApiError: ``BadRequestException``.
    """
    made: JsonObject = {
        "deploymentId": deployment_id,
        "percentTraffic": float(asked.get("percentTraffic") or 0),
        "useStageCache": bool(asked.get("useStageCache")),
    }
    if asked.get("stageVariableOverrides"):
        made["stageVariableOverrides"] = dict(asked["stageVariableOverrides"])
    _check_canary(made)
    return made


def _check_canary(canary: JsonObject) -> None:
    _check_traffic(canary)
    _check_variables(canary.get("stageVariableOverrides") or {})


def _check_traffic(canary: JsonObject) -> None:
    if not 0 <= canary["percentTraffic"] <= 100:
        raise bad_request("Percent traffic must be between 0.0 and 100.0")


def _apply(api: RestApi, stage: JsonObject, patch: PatchOperation) -> None:
    head, *rest = patch.names
    if head == "canarySettings" or patch.op == "copy":
        _patch_canary(api, stage, patch)
    elif head == "accessLogSettings":
        _patch_access_log(stage, patch, rest)
    elif head == "variables" and len(rest) == 1:
        variables = stage.setdefault("variables", {})
        if patch.op == "remove":
            variables.pop(rest[0], None)
        else:
            variables[rest[0]] = str(patch.value or "")
            _check_variables({rest[0]: variables[rest[0]]})
        if not variables:
            del stage["variables"]
    elif not rest and head in _PLAIN:
        _patch_plain(api, stage, patch, head)
    elif patch.path != "/cacheClusterEnabled":  # which is false, and stays so
        _patch_method_setting(stage, patch)


def _patch_plain(api: RestApi, stage: JsonObject, patch: PatchOperation, name: str) -> None:
    if patch.op == "remove" and name in ("description", "documentationVersion"):
        stage.pop(name, None)
        return
    if patch.op != "replace":
        raise bad_request(f"Invalid {patch.op} operation with path: {patch.path}")
    if name == "deploymentId" and patch.value not in api.deployments:
        raise bad_request("Deployment id does not exist")
    value = converted("boolean" if name == "tracingEnabled" else "text", patch)
    if value in (None, ""):
        stage.pop(name, None)
    else:
        stage[name] = value


def _patch_access_log(stage: JsonObject, patch: PatchOperation, rest: list[str]) -> None:
    """Recorded 9.9–9.14."""
    if patch.op == "remove":
        if rest and rest[0] not in (stage.get("accessLogSettings") or {}):
            raise _nothing_to_remove(patch)
        stage.pop("accessLogSettings", None)
        return
    if len(rest) != 1 or rest[0] not in ("destinationArn", "format"):
        raise bad_request(
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, "
            "/accessLogSettings/format]"
        )
    if not patch.value:
        raise bad_request("Access Log value must not be empty")
    stage.setdefault("accessLogSettings", {})[rest[0]] = patch.value


def _patch_canary(api: RestApi, stage: JsonObject, patch: PatchOperation) -> None:
    canary = stage.get("canarySettings")
    if patch.op == "copy":
        _promote(stage, patch, canary)
        return
    names = patch.names[1:]
    if patch.op == "remove":
        if names or canary is None:
            raise _nothing_to_remove(patch)
        del stage["canarySettings"]
        return
    is_override = len(names) == 2 and names[0] == "stageVariableOverrides"
    if not is_override and names not in (
        ("percentTraffic",),
        ("deploymentId",),
        ("useStageCache",),
    ):
        raise _invalid_setting(patch)
    if patch.op != "replace" and not is_override:
        raise bad_request(f"Invalid {patch.op} operation with path: {patch.path}")
    made = canary or {
        "deploymentId": stage["deploymentId"],
        "percentTraffic": 0.0,
        "useStageCache": False,
    }
    if is_override:
        made.setdefault("stageVariableOverrides", {})[names[1]] = str(patch.value or "")
        _check_variables({names[1]: str(patch.value or "")})
    elif names == ("deploymentId",):
        if patch.value not in api.deployments:
            raise bad_request("Deployment id does not exist")
        made["deploymentId"] = patch.value
    else:
        kind = "number" if names == ("percentTraffic",) else "boolean"
        made[names[0]] = converted(kind, patch)
    _check_traffic(made)
    stage["canarySettings"] = made


def _promote(stage: JsonObject, patch: PatchOperation, canary: JsonObject | None) -> None:
    """Copy the canary's deployment or its variables to the stage (recorded 10.8)."""
    pairs = dict(zip(_CANARY_TO, _CANARY_FROM, strict=True))
    if pairs.get(patch.path) != patch.source:
        raise bad_request(
            f"Invalid copy operation with path: {patch.path} and from {patch.source}. Valid copy:path are "
            f"[{', '.join(_CANARY_TO)}] and valid copy:from are [{', '.join(_CANARY_FROM)}]"
        )
    if canary is None:
        raise bad_request("Promotion not available. Canary does not exist.")
    if patch.path == "/deploymentId":
        stage["deploymentId"] = canary["deploymentId"]
    else:
        merged = {**(stage.get("variables") or {}), **(canary.get("stageVariableOverrides") or {})}
        if merged:
            stage["variables"] = merged


def _patch_method_setting(stage: JsonObject, patch: PatchOperation) -> None:
    """Change the settings of one method, or of all (recorded 9.6–9.8)."""
    names = patch.names
    key = f"{names[0].removeprefix('/')}/{names[1]}" if len(names) > 1 else ""
    settings = stage["methodSettings"]
    if patch.op == "remove":
        if len(names) == 2 and key in settings:
            del settings[key]
            return
        if len(names) == 4 and key in settings and "/".join(names[2:]) in _METHOD_SETTINGS:
            name = _METHOD_SETTINGS["/".join(names[2:])][0]
            settings[key].pop(name, None)
            if name in _DEFAULTS:
                settings[key][name] = _DEFAULTS[name]
            return
        raise _nothing_to_remove(patch)
    found = _METHOD_SETTINGS.get("/".join(names[2:]))
    if len(names) != 4 or found is None:
        raise _invalid_setting(patch)
    if patch.op != "replace":
        raise bad_request(f"Invalid {patch.op} operation with path: {patch.path}")
    member, kind = found
    value = converted(kind, patch)
    if member == "loggingLevel" and value not in ("OFF", "ERROR", "INFO"):
        raise bad_request(f"Invalid value {value} for {patch.path}")
    if member == "unauthorizedCacheControlHeaderStrategy" and value not in _STRATEGIES:
        raise bad_request(f"Invalid value {value} for {patch.path}")
    if kind in ("integer", "number") and value < (-1 if member.startswith("throttling") else 0):
        raise bad_request(f"Invalid value {value} for {patch.path}")
    base = settings.get(key) or settings.get("*/*") or _DEFAULTS
    settings[key] = {**base, member: value}


def _check_logging(stage: JsonObject, account: JsonObject) -> None:
    """Execution logs need a role of the account.

    Source: https://github.com/serverless/serverless/issues/1918
    """
    logs = any(
        one.get("loggingLevel") in ("ERROR", "INFO") or one.get("dataTraceEnabled")
        for one in stage["methodSettings"].values()
    )
    if logs and not account.get("cloudwatchRoleArn"):
        raise bad_request(
            "CloudWatch Logs role ARN must be set in account settings to enable logging"
        )


def _check_variables(variables: JsonObject) -> None:
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise bad_request(
                f"Invalid stage variable name: {name}. Please use names with alphanumeric characters and the symbol "
                "'_'."
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise bad_request(
                f"Invalid stage variable value: {value}. Please use values with alphanumeric characters and the "
                "symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
            )


def _nothing_to_remove(patch: PatchOperation) -> ApiError:
    name = patch.path.removeprefix("/")
    return bad_request(
        f"Cannot remove method setting {name} because there is no method setting for this method "
    )


def _invalid_setting(patch: PatchOperation) -> ApiError:
    return bad_request(f"Invalid method setting path: {patch.path}. Must be one of: [{_PATHS}]")


PATCH_PATHS = (
    *(PatchPath(f"/{name}") for name in _PLAIN),
    PatchPath("/cacheClusterEnabled"),
    PatchPath("/variables", ("copy",)),
    PatchPath("/variables/{}", ("add", "remove", "replace")),
    PatchPath("/accessLogSettings", ("remove",)),
    PatchPath("/accessLogSettings/destinationArn", ("add", "remove", "replace")),
    PatchPath("/accessLogSettings/format", ("add", "remove", "replace")),
    PatchPath("/canarySettings", ("remove",)),
    PatchPath("/canarySettings/deploymentId"),
    PatchPath("/canarySettings/percentTraffic"),
    PatchPath("/canarySettings/useStageCache"),
    PatchPath("/canarySettings/stageVariableOverrides/{}", ("add", "replace")),
    PatchPath("/{}/{}", ("remove",)),
    *(PatchPath(f"/{{}}/{{}}/{end}", ("remove", "replace")) for end in _METHOD_SETTINGS),
)
"""Every path that ``UpdateStage`` takes, for the list of settings."""
