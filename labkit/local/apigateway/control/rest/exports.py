"""``GetExport``: what a stage serves as an OpenAPI file."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

from labkit.local.apigateway.control.openapi.writing import as_yaml
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found, not_offered
from labkit.local.apigateway.control.rest.exported_api import ApiExport
from labkit.local.apigateway.control.rest.lookup import rest_api
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.rest.records import RestDeployment
from labkit.local.messages import Response

JsonObject = dict[str, Any]

_KINDS = ("oas30", "swagger")
_EXTENSIONS = {
    "": frozenset[str](),
    "integrations": frozenset({"integrations"}),
    "authorizers": frozenset({"authorizers"}),
    "apigateway": frozenset({"integrations", "authorizers", "apigateway"}),
}


class Snapshots(Protocol):
    """What was deployed."""

    def deployment(self, api_id: str, deployment_id: str) -> RestDeployment | None:
        """A deployment's snapshot, or None."""


class ExportOperations:
    """The operation that exports.

    Args:
        store: the records.
        snapshots: what stages serve: the configuration may have changed since.
    """

    def __init__(self, store: GatewayStore, snapshots: Snapshots) -> None:
        self._store = store
        self._snapshots = snapshots

    async def get_export(self, call: Call) -> Response:
        """The file (recorded 23). Where no row is cited, AWS's words aren't known."""
        api = rest_api(self._store, call)
        stage = api.stages.get(call.text("stageName"))
        if stage is None:
            raise not_found("Invalid stage identifier specified")
        kind = call.text("exportType")
        if kind not in _KINDS:
            raise bad_request(
                f"Invalid export type specified. Valid options are {','.join(_KINDS)}"
            )
        is_yaml = _is_yaml(call.text("accepts"))
        extensions = _extensions(call.parameters.get("parameters") or {})
        frozen = self._snapshots.deployment(api.settings["id"], str(stage.get("deploymentId")))
        if frozen is None:
            raise bad_request("The stage has no deployment that this cloud has kept: deploy again")
        export = ApiExport(frozen.configuration, call.region, stage["stageName"], extensions)

        def write() -> bytes:
            document = export.swagger() if kind == "swagger" else export.openapi()
            return (as_yaml(document) if is_yaml else json.dumps(document, indent=2)).encode()

        body = await asyncio.to_thread(write)
        name = f"{kind}_{export.version}.{'yaml' if is_yaml else 'json'}"
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", f'attachment; filename="{_quoted(name)}"'),
        ]
        return Response(200, headers, body)


def _is_yaml(accepts: str) -> bool:
    kind = accepts.partition(";")[0].strip().lower()
    if kind not in ("", "*/*", "application/json", "application/yaml"):
        raise bad_request(f"Invalid Accept header specified: {accepts}")
    return kind == "application/yaml"


def _extensions(parameters: dict[str, str]) -> frozenset[str]:
    """``extensions=integrations,authorizers``; ``apigateway`` is all of them."""
    for name, value in parameters.items():
        if name != "extensions":
            raise not_offered(f"the export option {name}={value}")
    asked = parameters.get("extensions", "")
    found: frozenset[str] = frozenset()
    for name in asked.split(","):
        if name.strip() not in _EXTENSIONS:
            raise not_offered(f"the export option extensions={name.strip()}")
        found |= _EXTENSIONS[name.strip()]
    return found


def _quoted(name: str) -> str:
    """A name for a header: a version may be any text."""
    shown = "".join(one if " " <= one <= "~" else "_" for one in name)
    return shown.replace("\\", "\\\\").replace('"', '\\"')
