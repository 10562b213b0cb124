"""Authorizers of REST APIs: ``CreateAuthorizer`` and the like."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchOperation,
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.permissions import check_passed_role
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found, not_offered
from labkit.local.apigateway.control.rest.jwt_configuration import (
    FindKeysAddress,
    check_configuration,
    read_configuration,
    with_key_addresses,
)
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.store import GatewayStore, RestApi
from labkit.local.apigateway.invocation import FUNCTION_URI

JsonObject = dict[str, Any]

MAX_TTL_SECONDS = 3_600
MAX_AUTHORIZERS = 10
"""Of an API (gateway 14)."""
_CHANGED_MEANWHILE = (
    "Unable to complete operation due to concurrent modification. Please try again later."
)
NO_SOURCE = "Invalid identity source specified"
_JWT = "/jwtConfiguration"
PATCHES = PatchTable(
    (
        PatchPath("/name"),
        PatchPath("/authType"),
        PatchPath("/authorizerUri"),
        PatchPath("/authorizerCredentials"),
        PatchPath("/authorizerResultTtlInSeconds", ("replace",), "integer"),
        PatchPath("/identitySource"),
        PatchPath("/identityValidationExpression"),
        PatchPath(_JWT),
        PatchPath("/providerARNs", ("add", "remove")),
        PatchPath("/type"),
    ),
    invalid_path,
    one_of_operations,
)
_AUTH_TYPE = {
    "COGNITO_USER_POOLS": "cognito_user_pools",
    "TOKEN": "custom",
    "REQUEST": "custom",
}
"""What ``authType`` says where nobody set it; of JWT authorizers it isn't known, so it says nothing."""
_LAMBDA_ONLY = ("authorizerUri", "authorizerCredentials", "authorizerResultTtlInSeconds")
_NOT_OF_JWT = (*_LAMBDA_ONLY, "identityValidationExpression", "providerARNs")
"""What a JWT authorizer doesn't have (rest_jwt 16.10)."""
_POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+")
_HEADER = re.compile(r"method\.request\.header\.[^\s,]+")
_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.[^\s,]+|stageVariables\.[^\s,]+|context\.[^\s,]+"
)


class AuthorizerOperations:
    """The operations on authorizers.

    Args:
        store: the records.
        find_keys_address: asks an issuer where its keys are; without it there are no JWT authorizers.
    """

    def __init__(
        self, store: GatewayStore, find_keys_address: FindKeysAddress | None = None
    ) -> None:
        self._store = store
        self._find_keys_address = find_keys_address

    def create_authorizer(self, call: Call) -> JsonObject | Awaitable[JsonObject]:
        """Make an authorizer (recorded 6.2). An unknown API is a conflict: so it was recorded."""
        api = self._store.region(call.region).rest_apis.get(call.text("restApiId"))
        made = new_authorizer(call.parameters)
        check_form(made)  # before the API is looked up (recorded 6.7)
        if api is None:
            raise conflict(_CHANGED_MEANWHILE)
        made = {"id": self._store.new_id(6), **made}
        check_authorizer(api, made)
        self._check_role(made.get("authorizerCredentials"))
        if made["type"] == "JWT":
            return self._keep_with_key_addresses(api, made)
        return _keep(api, made)

    def get_authorizer(self, call: Call) -> JsonObject:
        """One authorizer."""
        return self._authorizer(call)[1]

    def get_authorizers(self, call: Call) -> JsonObject:
        """All authorizers of an API (recorded 6.1)."""
        return page(rest_api(self._store, call).authorizers.values(), call)

    def update_authorizer(self, call: Call) -> JsonObject | Awaitable[JsonObject]:
        """Change an authorizer."""
        api, found = self._authorizer(call)
        patches = patches_of(call.patches)
        plain = [patch for patch in patches if patch.path != "/providerARNs"]
        changed = PATCHES.apply(with_type_of_patches(found, patches), plain)
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
        if changed.get("type") in _AUTH_TYPE:
            changed.setdefault("authType", _AUTH_TYPE[changed["type"]])
        is_configured = any(patch.path == _JWT for patch in patches)
        if is_configured:
            changed["jwtConfiguration"] = read_configuration(changed.get("jwtConfiguration"))
        check_authorizer(api, changed)
        if changed.get("authorizerCredentials") != found.get("authorizerCredentials"):
            self._check_role(changed.get("authorizerCredentials"))
        if is_configured:
            return self._keep_with_key_addresses(api, changed)
        return _keep(api, changed)

    def _check_role(self, credentials: str | None) -> None:
        if credentials:
            check_passed_role(credentials, self._store.account_id)

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

    async def _keep_with_key_addresses(self, api: RestApi, record: JsonObject) -> JsonObject:
        """Keep a JWT authorizer, unless somebody else was faster while its issuers were asked."""
        if self._find_keys_address is None:
            raise not_offered("JWT authorizers here")
        before = api.authorizers.get(record["id"])
        check_configuration(record["jwtConfiguration"])
        configuration = await with_key_addresses(
            record["jwtConfiguration"], self._find_keys_address
        )
        if api.authorizers.get(record["id"]) is not before:
            raise conflict(_CHANGED_MEANWHILE)
        check_name(api, record)
        return _keep(api, {**record, "jwtConfiguration": configuration})

    def _authorizer(self, call: Call) -> tuple[RestApi, JsonObject]:
        api = rest_api(self._store, call)
        found = api.authorizers.get(call.text("authorizerId"))
        if found is None:
            raise not_found("Invalid Authorizer identifier specified")
        return api, found


def _keep(api: RestApi, record: JsonObject) -> JsonObject:
    if record["id"] not in api.authorizers and len(api.authorizers) >= MAX_AUTHORIZERS:
        raise bad_request(
            "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need "
            "additional Authorizers."
        )
    api.authorizers[record["id"]] = record
    return record


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
            "jwtConfiguration",
        )
        if asked.get(name) not in (None, "", [])
    }
    if kind in _AUTH_TYPE:
        made.setdefault("authType", _AUTH_TYPE[kind])
    return made


def with_type_of_patches(record: JsonObject, patches: Iterable[PatchOperation]) -> JsonObject:
    """An authorizer with the type that patch operations give it, before they change the rest (rest_jwt 16.12).

    What the new type doesn't know and no patch operation takes away goes with the old one. User pools have such an
    operation, so they stay.
    """
    made = dict(record)
    for patch in patches:
        if patch.path == "/type":
            made["type"] = patch.value
    if made["type"] == record["type"]:
        return made
    dropped = (*_LAMBDA_ONLY, "identityValidationExpression") if made["type"] == "JWT" else ()
    for name in (*dropped, "jwtConfiguration"):
        made.pop(name, None)
    if made.get("authType") == _AUTH_TYPE.get(record["type"]):
        made.pop("authType", None)
        if made["type"] in _AUTH_TYPE:
            made["authType"] = _AUTH_TYPE[made["type"]]
    return made


def check_name(api: RestApi, record: JsonObject) -> None:
    """Refuse a name that is blank, or that another authorizer of the API has.

    Raises:
        ApiError: ``BadRequestException``.
    """
    name = record.get("name")
    if not name:
        raise bad_request("Authorizer name cannot be blank")
    others = (one for key, one in api.authorizers.items() if key != record.get("id"))
    if any(other["name"] == name for other in others):
        raise bad_request(
            f"Authorizer name must be unique. Authorizer {name} already exists in this RestApi."
        )


def check_authorizer(api: RestApi, record: JsonObject) -> None:
    """Refuse an authorizer that AWS refuses.

    Raises:
        ApiError: ``BadRequestException``.
    """
    check_form(record)
    check_name(api, record)


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
    configuration = record.get("jwtConfiguration")
    if configuration is not None and kind != "JWT":
        raise bad_request(f"jwtConfiguration isn't a setting of a {kind} authorizer")
    if kind == "JWT":
        for member in _NOT_OF_JWT:
            if member in record:
                raise bad_request(f"{member} isn't a setting of a JWT authorizer")
        if configuration is None:
            raise bad_request("A JWT authorizer needs jwtConfiguration")
    elif kind == "COGNITO_USER_POOLS":
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
