"""``CreateApi``, ``UpdateApi`` and the like: HTTP APIs themselves, and their CORS configuration."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.http.integrations import new_integration
from labkit.local.apigateway.control.http.lookup import http_api, iso_time, page, updated
from labkit.local.apigateway.control.http.routes import new_route
from labkit.local.apigateway.control.http.stages import new_stage
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.records import DEFAULT

JsonObject = dict[str, Any]

MAX_NAME = 128
MAX_AGE = range(-1, 86_401)
_ORIGIN = re.compile(r"\*|https?://\*|https?://[^\s*]+|[a-z][a-z0-9+.-]*://[^\s*]+", re.IGNORECASE)
_METHODS = frozenset("* GET HEAD OPTIONS PATCH POST PUT DELETE".split())
_KEY_SELECTION = "$request.header.x-api-key"
_ROUTE_SELECTION = ("${request.method} ${request.path}", "$request.method $request.path")


class HttpApiOperations:
    """The operations on HTTP APIs.

    Args:
        store: the records.
        clock: seconds since the epoch.
        changed: called with an API that was changed.
        forget: called with the id of an API that is deleted.
    """

    def __init__(
        self,
        store: GatewayStore,
        clock: Callable[[], float],
        changed: Callable[[HttpApi], None],
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed
        self._forget = forget

    def create_api(self, call: Call) -> JsonObject:
        """Make an API; ``target`` makes a route, an integration and a stage too (quick create)."""
        _check_selection(call)
        api_id = self._store.new_id(10)
        settings = {
            "apiId": api_id,
            "name": call.text("name"),
            "protocolType": "HTTP",
            "apiEndpoint": f"https://{api_id}.execute-api.{call.region}.amazonaws.com",
            "apiKeySelectionExpression": _KEY_SELECTION,
            "routeSelectionExpression": _ROUTE_SELECTION[1],
            "disableExecuteApiEndpoint": bool(call.parameters.get("disableExecuteApiEndpoint")),
            "ipAddressType": call.parameters.get("ipAddressType") or "ipv4",
            "createdDate": iso_time(self._clock()),
            **call.given("description", "version", "corsConfiguration", "tags"),
        }
        _check(settings)
        api = HttpApi(settings)
        if call.text("target"):
            self._quick_create(api, call)
        elif call.text("routeKey"):
            raise bad_request("A quick create needs a target beside the route key")
        self._store.region(call.region).http_apis[api_id] = api
        self._changed(api)
        return settings

    def _quick_create(self, api: HttpApi, call: Call) -> None:
        target = call.text("target")
        kind = "AWS_PROXY" if target.startswith("arn:") else "HTTP_PROXY"
        asked = {
            "integrationType": kind,
            "integrationUri": target,
            "payloadFormatVersion": "2.0" if kind == "AWS_PROXY" else "1.0",
            **({} if kind == "AWS_PROXY" else {"integrationMethod": "ANY"}),
        }
        managed = {"apiGatewayManaged": True}
        integration = {**new_integration(asked, self._store.new_id(7)), **managed}
        api.integrations[integration["integrationId"]] = integration
        route = {
            "routeKey": call.text("routeKey") or DEFAULT,
            "target": f"integrations/{integration['integrationId']}",
        }
        made = {**new_route(api, route, self._store.new_id(7)), **managed}
        api.routes[made["routeId"]] = made
        stage = new_stage({"stageName": DEFAULT, "autoDeploy": True}, self._clock())
        api.stages[DEFAULT] = {**stage, **managed}

    def get_api(self, call: Call) -> JsonObject:
        """One API."""
        return http_api(self._store, call).settings

    def get_apis(self, call: Call) -> JsonObject:
        """All HTTP APIs of the Region."""
        apis = self._store.region(call.region).http_apis.values()
        return page((api.settings for api in apis), call)

    def update_api(self, call: Call) -> JsonObject:
        """Change an API."""
        api = http_api(self._store, call)
        _check_selection(call)
        changed = updated(
            api.settings,
            call,
            "name",
            "description",
            "version",
            "corsConfiguration",
            "disableExecuteApiEndpoint",
            "ipAddressType",
        )
        _check(changed)
        api.settings = changed
        self._changed(api)
        return changed

    def delete_api(self, call: Call) -> None:
        """Delete an API with everything in it."""
        api_id = http_api(self._store, call).settings["apiId"]
        domains = self._store.domains_of(api_id)
        if domains:
            raise bad_request(
                f"Deleting API {api_id} failed. Please remove all base path mappings related to the API in your "
                f"domains: {', '.join(domains)}."
            )
        del self._store.region(call.region).http_apis[api_id]
        self._forget(api_id)

    def delete_cors_configuration(self, call: Call) -> None:
        """Delete an API's CORS configuration."""
        api = http_api(self._store, call)
        changed = copy.copy(api.settings)
        changed.pop("corsConfiguration", None)
        api.settings = changed
        self._changed(api)


def _check_selection(call: Call) -> None:
    if call.parameters.get("routeSelectionExpression", _ROUTE_SELECTION[1]) not in _ROUTE_SELECTION:
        raise bad_request(
            f"Only {_ROUTE_SELECTION[0]} is a route selection expression of an HTTP API"
        )


def _check(settings: JsonObject) -> None:
    if not 1 <= len(settings.get("name") or "") <= MAX_NAME:
        raise bad_request(f"The name of an API has 1 to {MAX_NAME} characters")
    cors = settings.get("corsConfiguration")
    if cors is None:
        return
    for origin in cors.get("allowOrigins") or ():
        if not _ORIGIN.fullmatch(origin):
            raise bad_request(f"Invalid format for origin {origin}")
    for method in cors.get("allowMethods") or ():
        if method not in _METHODS:
            raise bad_request(f"Invalid method specified for CORS: {method}")
    if cors.get("allowCredentials") and "*" in (cors.get("allowOrigins") or ()):
        raise bad_request("allow-credentials is not supported when the allowed origin is *")
    if cors.get("maxAge") is not None and cors["maxAge"] not in MAX_AGE:
        raise bad_request(f"maxAge must be from {MAX_AGE[0]} to {MAX_AGE[-1]}")
