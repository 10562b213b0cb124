"""Routes of HTTP APIs: ``CreateRoute`` and the like. Where no source is named, AWS's words aren't known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.http.lookup import http_api, page, part, updated
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, conflict
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.records import DEFAULT

JsonObject = dict[str, Any]

MAX_SCOPES, MAX_ROUTES = 10, 300
"""Of a route, and of an API (gateway 14)."""
_MEMBERS = (
    "authorizationScopes",
    "authorizationType",
    "authorizerId",
    "operationName",
    "routeKey",
    "target",
)
_VERBS = "ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT"
_SEGMENT = r"[^\s/{}]+|\{[\w.:-]+\}"
_KEY = re.compile(rf"(?:{_VERBS}) (?:/|(?:/(?:{_SEGMENT}))*(?:/\{{[\w.:-]+\+\}}|/(?:{_SEGMENT})))")
_AUTHORIZER_TYPES = {"JWT": "JWT", "CUSTOM": "REQUEST"}


class RouteOperations:
    """The operations on routes.

    Args:
        store: the records.
        changed: called with the API of a route that was changed.
    """

    def __init__(self, store: GatewayStore, changed: Callable[[HttpApi], None]) -> None:
        self._store = store
        self._changed = changed

    def create_route(self, call: Call) -> JsonObject:
        """Make a route."""
        api = http_api(self._store, call)
        if len(api.routes) >= MAX_ROUTES:
            raise bad_request("Maximum number of Routes for this API has been reached.")
        made = new_route(api, updated({}, call, *_MEMBERS), self._store.new_id(7))
        api.routes[made["routeId"]] = made
        self._changed(api)
        return made

    def get_route(self, call: Call) -> JsonObject:
        """One route."""
        return part(http_api(self._store, call).routes, call, "routeId", "Route")

    def get_routes(self, call: Call) -> JsonObject:
        """All routes of an API."""
        return page(http_api(self._store, call).routes.values(), call)

    def update_route(self, call: Call) -> JsonObject:
        """Change a route."""
        api = http_api(self._store, call)
        found = part(api.routes, call, "routeId", "Route")
        changed = updated(found, call, *_MEMBERS)
        changed.setdefault("authorizationType", "NONE")
        if call.text("authorizerId") and changed["authorizationType"] == "NONE":
            raise bad_request(  # a public report
                "Unable to update route. Authorizer type is invalid or null."
            )
        changed = checked_route(api, changed)
        api.routes[found["routeId"]] = changed
        self._changed(api)
        return changed

    def delete_route(self, call: Call) -> None:
        """Delete a route."""
        api = http_api(self._store, call)
        del api.routes[part(api.routes, call, "routeId", "Route")["routeId"]]
        self._changed(api)


def new_route(api: HttpApi, asked: JsonObject, route_id: str) -> JsonObject:
    """A route as it is kept.

    Raises:
        ApiError: ``BadRequestException`` or ``ConflictException``.
    """
    if asked.get("authorizerId") and asked.get("authorizationType") in (None, "NONE"):
        raise bad_request("Unable to create route. Authorizer type is invalid or null.")
    made = {"routeId": route_id, "apiKeyRequired": False, "authorizationType": "NONE", **asked}
    return checked_route(api, made)


def checked_route(api: HttpApi, record: JsonObject) -> JsonObject:
    """A route, if AWS would take it; an authorizer id that its type doesn't use goes.

    Raises:
        ApiError: ``BadRequestException`` or ``ConflictException``.
    """
    key, kind = str(record.get("routeKey") or ""), record["authorizationType"]
    if key != DEFAULT and not _KEY.fullmatch(key):
        raise bad_request(
            'The provided route key is not formatted properly for HTTP protocol. Format should be "<HTTP METHOD> '
            '/<RESOURCE PATH>" or "$default"'
        )
    others = (one for one in api.routes.values() if one["routeId"] != record["routeId"])
    if any(other["routeKey"] == key for other in others):
        raise conflict(f"Route with key {key} already exists for this API")
    wanted = _AUTHORIZER_TYPES.get(kind)
    if wanted is None:
        record = {name: value for name, value in record.items() if name != "authorizerId"}
    else:
        authorizer = api.authorizers.get(str(record.get("authorizerId"))) or {}
        if authorizer.get("authorizerType") != wanted:
            # anomalyco/ion#1104 and #470, 2024, for JWT.
            raise bad_request(
                f"Invalid authorizer ID specified. Setting the authorization type to {kind} requires a valid {kind} "
                "authorizer."
            )
    scopes = record.get("authorizationScopes") or []
    if scopes and kind != "JWT":  # aws/aws-cdk#27576, 2023
        raise bad_request(
            "Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS "
            "and JWT authorization types"
        )
    if len(scopes) > MAX_SCOPES:
        raise bad_request(f"A route can't have more than {MAX_SCOPES} authorization scopes")
    target = record.get("target")
    if target is not None:
        head, _slash, integration_id = target.partition("/")
        if head != "integrations" or integration_id not in api.integrations:
            raise bad_request(f"Invalid target specified: {target}")
    return record
