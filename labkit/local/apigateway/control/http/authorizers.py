"""Authorizers of HTTP APIs: ``CreateAuthorizer`` and the like (gateway 13.1, 13.11, 14)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.apigateway.control.http.lookup import http_api, page, part, updated
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, conflict
from labkit.local.apigateway.control.store import GatewayStore, HttpApi
from labkit.local.apigateway.http.records import MAX_TTL_SECONDS
from labkit.local.apigateway.invocation import FUNCTION_URI
from labkit.local.apigateway.issuers import DISCOVERY
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]

MAX_AUTHORIZERS, MAX_AUDIENCES = 10, 50
"""Of an API, and of an authorizer (gateway 14)."""
_MEMBERS = (
    "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds",
    "authorizerType",
    "authorizerUri",
    "enableSimpleResponses",
    "identitySource",
    "jwtConfiguration",
    "name",
)
_ONLY_LAMBDA = (
    "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "enableSimpleResponses",
)
_SOURCE = re.compile(r"\$(?:request\.(?:header|querystring)|context|stageVariables)\.[^\s,]+")
_JWT_SOURCE = re.compile(r"\$request\.(?:header|querystring)\.[^\s,]+")


class HttpAuthorizerOperations:
    """The operations on authorizers.

    Args:
        store: the records.
        has_discovery: whether an issuer publishes its discovery document.
        changed: called with the API of an authorizer that was changed.
        forget_authorizers: empties the cache of an API's authorizers.
    """

    def __init__(
        self,
        store: GatewayStore,
        has_discovery: Callable[[str], Awaitable[bool]],
        changed: Callable[[HttpApi], None],
        forget_authorizers: Callable[[str], None],
    ) -> None:
        self._store = store
        self._has_discovery = has_discovery
        self._changed = changed
        self._forget_authorizers = forget_authorizers

    async def create_authorizer(self, call: Call) -> JsonObject:
        """Make an authorizer."""
        api = http_api(self._store, call)
        asked = updated({}, call, *_MEMBERS)
        if len(api.authorizers) >= MAX_AUTHORIZERS:
            # anomalyco/sst#4522, 2024: a conflict with 429
            raise ApiError(
                "ConflictException",
                "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need "
                "additional Authorizers.",
                429,
            )
        made = await self._checked(api, {"authorizerId": self._store.new_id(6), **asked})
        api.authorizers[made["authorizerId"]] = made
        self._changed(api)
        return made

    def get_authorizer(self, call: Call) -> JsonObject:
        """One authorizer."""
        found = http_api(self._store, call).authorizers
        return part(found, call, "authorizerId", "Authorizer")

    def get_authorizers(self, call: Call) -> JsonObject:
        """All authorizers of an API."""
        return page(http_api(self._store, call).authorizers.values(), call)

    async def update_authorizer(self, call: Call) -> JsonObject:
        """Change an authorizer."""
        api = http_api(self._store, call)
        found = part(api.authorizers, call, "authorizerId", "Authorizer")
        changed = await self._checked(api, updated(found, call, *_MEMBERS))
        api.authorizers[found["authorizerId"]] = changed
        self._changed(api)
        return changed

    def delete_authorizer(self, call: Call) -> None:
        """Delete an authorizer that no route uses.

        Source: https://github.com/anomalyco/sst/issues/5586
        """
        api = http_api(self._store, call)
        found = part(api.authorizers, call, "authorizerId", "Authorizer")
        for route in api.routes.values():
            if route.get("authorizerId") == found["authorizerId"]:
                raise conflict(
                    f"Cannot delete authorizer '{found['name']}', is referenced in route: {route['routeKey']}"
                )
        del api.authorizers[found["authorizerId"]]
        self._changed(api)

    def reset_authorizers_cache(self, call: Call) -> None:
        """Forget what the authorizers of a stage said."""
        api = http_api(self._store, call)
        part(api.stages, call, "stageName", "Stage")
        self._forget_authorizers(api.settings["apiId"])

    async def _checked(self, api: HttpApi, record: JsonObject) -> JsonObject:
        name = record.get("name")
        others = (
            o for o in api.authorizers.values() if o["authorizerId"] != record["authorizerId"]
        )
        if not name:
            raise bad_request("Authorizer name cannot be blank")
        if any(other["name"] == name for other in others):
            raise bad_request(
                f"Authorizer name must be unique. Authorizer {name} already exists in this RestApi."
            )
        if record.get("authorizerType") == "JWT":
            await self._check_jwt(record)
        else:
            _check_request(record)
        return record

    async def _check_jwt(self, record: JsonObject) -> None:
        settings = record.get("jwtConfiguration") or {}
        issuer, audience = str(settings.get("issuer") or ""), settings.get("audience") or []
        for member in _ONLY_LAMBDA:
            if member in record:
                raise bad_request(f"{member} isn't a setting of a JWT authorizer")
        sources = record.get("identitySource") or []
        if len(sources) != 1 or not _JWT_SOURCE.fullmatch(sources[0]):
            raise bad_request("A JWT authorizer has exactly one identity source")
        if not issuer or not audience:
            raise bad_request("A JWT authorizer has an issuer and at least one audience")
        if len(audience) > MAX_AUDIENCES:
            raise bad_request(f"A JWT authorizer can't have more than {MAX_AUDIENCES} audiences")
        if not await self._has_discovery(issuer):
            # haandol/cognito-kakao-example#1, 2021, for a user pool.
            raise bad_request(
                f"Caught exception when connecting to {issuer}{DISCOVERY} for issuer {issuer}. Please try again "
                f"later. Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with "
                f"'{DISCOVERY}'"
            )


def _check_request(record: JsonObject) -> None:
    if "jwtConfiguration" in record:
        raise bad_request("jwtConfiguration isn't a setting of a REQUEST authorizer")
    if not FUNCTION_URI.fullmatch(str(record.get("authorizerUri") or "")):
        raise bad_request(
            f"Invalid Authorizer URI: {record.get('authorizerUri')}. Authorizer URI should be a valid API Gateway ARN "
            "that represents a Lambda function invocation."
        )
    version = record.get("authorizerPayloadFormatVersion")
    if version is None:
        raise bad_request(
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
        )
    if version not in ("1.0", "2.0"):
        raise bad_request("AuthorizerPayloadFormatVersion must be 1.0 or 2.0")
    if record.get("enableSimpleResponses") and version != "2.0":
        raise bad_request("EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0")
    ttl = record.get("authorizerResultTtlInSeconds")
    if ttl is not None and not 0 <= ttl <= MAX_TTL_SECONDS:
        raise bad_request(f"AuthorizerResultTtlInSeconds must be from 0 to {MAX_TTL_SECONDS}")
    sources = record.get("identitySource") or []
    if any(not _SOURCE.fullmatch(source) for source in sources):
        raise bad_request("Invalid identity source specified")
    if ttl and not sources:
        raise bad_request("Caching needs at least one identity source")  # gateway 13.11
