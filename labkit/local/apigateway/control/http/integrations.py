"""Integrations of HTTP APIs: ``CreateIntegration`` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.http.lookup import http_api, page, part, updated
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, conflict
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.records import function_arn_in

JsonObject = dict[str, Any]

TIMEOUT_MS = range(50, 30_001)
"""An integration's timeout in milliseconds (gateway 14)."""
_MEMBERS = (
    "connectionType",
    "description",
    "integrationMethod",
    "integrationType",
    "integrationUri",
    "payloadFormatVersion",
    "timeoutInMillis",
)
_HTTP = re.compile(r"https?://\S+", re.IGNORECASE)
_VERBS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class HttpIntegrationOperations:
    """The operations on integrations.

    Args:
        store: the records.
        changed: called with the API of an integration that was changed.
    """

    def __init__(self, store: GatewayStore, changed: Callable[[HttpApi], None]) -> None:
        self._store = store
        self._changed = changed

    def create_integration(self, call: Call) -> JsonObject:
        """Make an integration."""
        api = http_api(self._store, call)
        made = new_integration(updated({}, call, *_MEMBERS), self._store.new_id(7))
        api.integrations[made["integrationId"]] = made
        self._changed(api)
        return made

    def get_integration(self, call: Call) -> JsonObject:
        """One integration."""
        found = http_api(self._store, call).integrations
        return part(found, call, "integrationId", "Integration")

    def get_integrations(self, call: Call) -> JsonObject:
        """All integrations of an API."""
        return page(http_api(self._store, call).integrations.values(), call)

    def update_integration(self, call: Call) -> JsonObject:
        """Change an integration."""
        api = http_api(self._store, call)
        found = part(api.integrations, call, "integrationId", "Integration")
        changed = updated(found, call, *_MEMBERS)
        _check(changed)
        api.integrations[found["integrationId"]] = changed
        self._changed(api)
        return changed

    def delete_integration(self, call: Call) -> None:
        """Delete an integration that no route names; AWS's words for one in use aren't known."""
        api = http_api(self._store, call)
        key = part(api.integrations, call, "integrationId", "Integration")["integrationId"]
        for route in api.routes.values():
            if route.get("target") == f"integrations/{key}":
                raise conflict(
                    f"Cannot delete Integration '{key}', is referenced in route: {route['routeKey']}"
                )
        del api.integrations[key]
        self._changed(api)


def new_integration(asked: JsonObject, integration_id: str) -> JsonObject:
    """An integration as it is kept.

    Raises:
        ApiError: ``BadRequestException``.
    """
    made = {
        "integrationId": integration_id,
        "connectionType": "INTERNET",
        "payloadFormatVersion": "1.0",
        "timeoutInMillis": TIMEOUT_MS[-1],
        **asked,
    }
    if made.get("integrationType") == "AWS_PROXY":
        made.setdefault("integrationMethod", "POST")
    _check(made)
    return made


def _check(record: JsonObject) -> None:
    kind, uri = record.get("integrationType"), str(record.get("integrationUri") or "")
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise bad_request(
            f"Invalid integration type specified: {kind}. HTTP APIs have AWS_PROXY and HTTP_PROXY"
        )
    if record["payloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request("PayloadFormatVersion must be 1.0 or 2.0")
    if kind == "HTTP_PROXY":
        if record["payloadFormatVersion"] != "1.0":
            raise bad_request("HTTP_PROXY integrations only support payload format version 1.0")
        if record.get("integrationMethod") not in _VERBS:
            raise bad_request("HttpMethod must be specified for HTTP_PROXY integrations")
        if not _HTTP.fullmatch(uri) and not uri.startswith("${stageVariables."):
            raise bad_request("Invalid HTTP endpoint specified for URI")
    elif not function_arn_in(uri):
        raise bad_request(f"Invalid function ARN or integration URI specified: {uri}")
    if record["timeoutInMillis"] not in TIMEOUT_MS:
        raise bad_request(
            f"The timeout must be from {TIMEOUT_MS[0]} to {TIMEOUT_MS[-1]} milliseconds"
        )
