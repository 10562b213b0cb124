"""Authorizers of REST APIs: ``CreateAuthorizer`` and the like."""

from __future__ import annotations

import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.store import GatewayStore, RestApi
from labkit.local.apigateway.invocation import FUNCTION_URI

JsonObject = dict[str, Any]

MAX_TTL_SECONDS = 3_600
MAX_AUTHORIZERS = 10
"""Of an API (gateway 14)."""
NO_SOURCE = "Invalid identity source specified"
_EVERY = ("add", "remove", "replace")
PATCHES = PatchTable(
    (
        PatchPath("/name"),
        PatchPath("/authType"),
        PatchPath("/authorizerUri"),
        PatchPath("/authorizerCredentials"),
        PatchPath("/authorizerResultTtlInSeconds", ("replace",), "integer"),
        PatchPath("/identitySource"),
        PatchPath("/identityValidationExpression"),
        PatchPath("/providerARNs", ("add", "remove")),
        PatchPath("/type"),
    ),
    invalid_path,
    one_of_operations,
)
_AUTH_TYPE = {"COGNITO_USER_POOLS": "cognito_user_pools"}
_POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+")
_HEADER = re.compile(r"method\.request\.header\.[^\s,]+")
_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.[^\s,]+|stageVariables\.[^\s,]+|context\.[^\s,]+"
)


class AuthorizerOperations:
    """The operations on authorizers.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def create_authorizer(self, call: Call) -> JsonObject:
        """Make an authorizer (recorded 6.2). An unknown API is a conflict: so it was recorded."""
        api = self._store.region(call.region).rest_apis.get(call.text("restApiId"))
        made = new_authorizer(call.parameters)
        check_form(made)  # before the API is looked up (recorded 6.7)
        if api is None:
            raise conflict(
                "Unable to complete operation due to concurrent modification. Please try again later."
            )
        check_authorizer(api, made)
        if len(api.authorizers) >= MAX_AUTHORIZERS:
            raise bad_request(
                "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need "
                "additional Authorizers."
            )
        made = {"id": self._store.new_id(6), **made}
        api.authorizers[made["id"]] = made
        return made

    def get_authorizer(self, call: Call) -> JsonObject:
        """One authorizer."""
        return self._authorizer(call)[1]

    def get_authorizers(self, call: Call) -> JsonObject:
        """All authorizers of an API (recorded 6.1)."""
        return page(rest_api(self._store, call).authorizers.values(), call)

    def update_authorizer(self, call: Call) -> JsonObject:
        """Change an authorizer."""
        api, found = self._authorizer(call)
        patches = patches_of(call.patches)
        plain = [patch for patch in patches if patch.path != "/providerARNs"]
        changed = PATCHES.apply(found, plain)
        pools = list(changed.get("providerARNs") or ())
        for patch in patches:
            PATCHES.find(patch)
            if patch.path == "/providerARNs":
                value = str(patch.value or "")
                pools = [pool for pool in pools if pool != value]
                pools += [value] if patch.op == "add" else []
        if pools:
            changed["providerARNs"] = pools
        else:
            changed.pop("providerARNs", None)
        for name in ("identityValidationExpression", "authorizerCredentials", "identitySource"):
            if not changed.get(name):
                changed.pop(name, None)
        check_authorizer(api, changed)
        api.authorizers[found["id"]] = changed
        return changed

    def delete_authorizer(self, call: Call) -> None:
        """Delete an authorizer that no method uses.

        Source: https://github.com/hashicorp/terraform/pull/6731
        """
        api, found = self._authorizer(call)
        for resource, verb, method in api.methods():
            if method.get("authorizerId") == found["id"]:
                raise conflict(
                    f"Cannot delete authorizer '{found['name']}', is referenced in method: {verb}/{resource['path']}"
                )
        del api.authorizers[found["id"]]

    def _authorizer(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = rest_api(self._store, call)
        found = api.authorizers.get(call.text("authorizerId"))
        if found is None:
            raise not_found("Invalid Authorizer identifier specified")
        return api, found


def new_authorizer(asked: JsonObject) -> JsonObject:
    """An authorizer as it is kept: what wasn't asked for isn't there (gateway 3.12, recorded 6.2)."""
    kind = asked.get("type")
    made = {
        name: asked[name]
        for name in (
            "name",
            "type",
            "providerARNs",
            "authType",
            "authorizerUri",
            "authorizerCredentials",
            "identitySource",
            "identityValidationExpression",
            "authorizerResultTtlInSeconds",
        )
        if asked.get(name) not in (None, "", [])
    }
    made.setdefault("authType", _AUTH_TYPE.get(str(kind), "custom"))
    return made


def check_authorizer(api: RestApi, record: JsonObject) -> None:
    """Refuse an authorizer that AWS refuses.

    Raises:
        ApiError: ``BadRequestException``.
    """
    check_form(record)
    others = (one for key, one in api.authorizers.items() if key != record.get("id"))
    if any(other["name"] == record["name"] for other in others):
        raise bad_request(
            f"Authorizer name must be unique. Authorizer {record['name']} already exists in this RestApi."
        )


def check_form(record: JsonObject) -> None:
    """Refuse what no API could have. Where no row is named, AWS's words aren't known.

    Raises:
        ApiError: ``BadRequestException``.
    """
    kind = record.get("type")
    if not record.get("name"):
        raise bad_request("Authorizer name cannot be blank")
    source = str(record.get("identitySource") or "")
    sources = [part.strip() for part in source.split(",")] if source else []
    ttl = record.get("authorizerResultTtlInSeconds")
    if kind == "COGNITO_USER_POOLS":
        pools = record.get("providerARNs") or []
        if not pools:
            raise bad_request("Invalid Provider ARN specified")
        for pool in pools:
            if not _POOL.fullmatch(pool):
                raise bad_request(f"Invalid ARN specified in the request: {pool}")
    elif kind in ("TOKEN", "REQUEST"):
        uri = str(record.get("authorizerUri") or "")
        if not FUNCTION_URI.fullmatch(uri):
            raise bad_request(
                f"Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a "
                "Lambda function invocation."
            )
    else:
        raise bad_request(f"Invalid authorizer type specified: {kind}")
    if kind != "REQUEST" and (len(sources) != 1 or not _HEADER.fullmatch(sources[0])):
        raise bad_request(NO_SOURCE)  # gateway 3.3
    if any(not _SOURCE.fullmatch(one) for one in sources):
        raise bad_request(NO_SOURCE)  # path parameters identify nobody (gateway 3.3)
    if ttl is not None and not 0 <= ttl <= MAX_TTL_SECONDS:
        raise bad_request(f"authorizerResultTtlInSeconds must be between 0 and {MAX_TTL_SECONDS}")
    if kind == "REQUEST" and not sources and ttl != 0:
        raise bad_request(NO_SOURCE)  # a cache needs a key (gateway 3.4)
    expression = record.get("identityValidationExpression")
    if expression:
        try:
            re.compile(expression)
        except re.error:
            raise bad_request("Invalid identity validation expression specified") from None
