"""``CreateRestApi``, ``UpdateRestApi`` and the like."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchOperation,
    PatchPath,
    PatchTable,
    apply_patch,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.permissions import (
    CALLER_S_OWN,
    check_passed_role,
    check_policy_change,
)
from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.apigateway.control.rest.lookup import page, rest_api
from labkit.local.apigateway.control.rest.models import DEFAULT_MODELS
from labkit.local.apigateway.control.rest.resource_policies import checked_policy, shown_policy
from labkit.local.apigateway.control.store import GatewayStore, RestApi

JsonObject = dict[str, Any]

MAX_COMPRESSION_SIZE = 10_485_760
_TYPES = "/endpointConfiguration/types/{}"
_IP_TYPE = "/endpointConfiguration/ipAddressType"
_VPC_ENDPOINTS = "/endpointConfiguration/vpcEndpointIds"
_VPC_ENDPOINT = re.compile("vpce-[0-9a-f]{8,17}")
_EVERY = ("add", "remove", "replace")
PATCHES = PatchTable(
    (
        PatchPath("/name"),
        PatchPath("/description", _EVERY),
        PatchPath("/policy", _EVERY),
        PatchPath("/version"),
        PatchPath("/apiKeySource"),
        PatchPath("/disableExecuteApiEndpoint", ("replace",), "boolean"),
        PatchPath("/minimumCompressionSize"),
        PatchPath("/binaryMediaTypes/{}", _EVERY, "list"),
        PatchPath(_TYPES, ("replace",), "list"),
        PatchPath(_IP_TYPE),
        PatchPath(_VPC_ENDPOINTS, ("add", "remove")),
    ),
    invalid_path,
    one_of_operations,
)
_CHANGES = {
    "EDGE": {"REGIONAL", "PRIVATE"},
    "REGIONAL": {"EDGE", "PRIVATE"},
    "PRIVATE": {"REGIONAL"},
}
"""Which endpoint type may become which (gateway 10.7)."""


class RestApiOperations:
    """The operations on REST APIs themselves.

    Args:
        store: the records.
        clock: seconds since the epoch.
        forget: called with the id of an API that is deleted.
    """

    def __init__(
        self, store: GatewayStore, clock: Callable[[], float], forget: Callable[[str], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._forget = forget

    def create_rest_api(self, call: Call) -> JsonObject:
        """Make an API with its root resource and its two models (recorded 1.1–1.11)."""
        asked = call.parameters
        if asked.get("description") == "":
            raise bad_request("Description cannot be an empty string")
        if not call.text("name").strip():
            raise bad_request("REST API name must be specified")  # its words aren't known
        if "minimumCompressionSize" in asked:
            _check_compression(asked["minimumCompressionSize"])
        source = None
        if asked.get("cloneFrom"):
            source = self._store.region(call.region).rest_apis.get(call.text("cloneFrom"))
            if source is None:
                raise bad_request("Invalid API identifier specified to clone from")
        endpoint = _endpoint(asked.get("endpointConfiguration"))
        api_id = self._store.new_id(10)
        settings = {
            "id": api_id,
            "name": asked["name"],
            "createdDate": int(self._clock()),
            "apiKeySource": asked.get("apiKeySource") or "HEADER",
            "endpointConfiguration": endpoint,
            "disableExecuteApiEndpoint": bool(asked.get("disableExecuteApiEndpoint")),
            **call.given("description", "version", "binaryMediaTypes", "tags"),
        }
        if "minimumCompressionSize" in asked:
            settings["minimumCompressionSize"] = asked["minimumCompressionSize"]
        if asked.get("policy"):
            check_policy_change("", call.region)
            prefix = f"arn:aws:execute-api:{call.region}:{self._store.account_id}:{api_id}/"
            settings["policy"] = checked_policy(asked["policy"], prefix)
        api = self._clone(source, settings, call.region) if source else self._empty(settings)
        self._store.region(call.region).rest_apis[api_id] = api
        return shown_api(api)

    def _empty(self, settings: JsonObject) -> RestApi:
        root = self._store.new_id(10)
        api = RestApi({**settings, "rootResourceId": root})
        api.resources[root] = {"id": root, "path": "/"}
        for model in DEFAULT_MODELS:
            api.models[model["name"]] = {"id": self._store.new_id(6), **model}
        return api

    def _clone(self, source: RestApi, settings: JsonObject, region: str) -> RestApi:
        """A copy of another API's configuration; its deployments and stages stay behind.

        Who clones gives the roles in it to another API, and its policy to other resources (iam 5.5).
        """
        parts = copy.deepcopy(source)
        merged = {**parts.settings, **settings}
        if "policy" in merged and "policy" not in settings:
            check_policy_change("", region)
            of_source = f":{self._store.account_id}:{source.settings['id']}/"
            own = f":{self._store.account_id}:{settings['id']}/"
            merged["policy"] = merged["policy"].replace(of_source, own)
        for _resource, _verb, method in parts.methods():
            role = method.get("methodIntegration", {}).get("credentials")
            if role and role != CALLER_S_OWN:
                check_passed_role(role, self._store.account_id)
        for authorizer in parts.authorizers.values():
            if authorizer.get("authorizerCredentials"):
                check_passed_role(authorizer["authorizerCredentials"], self._store.account_id)
        parts.settings = merged
        parts.deployments, parts.stages = {}, {}
        return parts

    def get_rest_api(self, call: Call) -> JsonObject:
        """One API."""
        api = rest_api(self._store, call)
        return shown_api(api, with_tags=True)

    def get_rest_apis(self, call: Call) -> JsonObject:
        """All APIs of the Region."""
        apis = self._store.region(call.region).rest_apis.values()
        return page((shown_api(api) for api in apis), call)

    def update_rest_api(self, call: Call) -> JsonObject:
        """Change an API (recorded 1.12–1.20)."""
        api = rest_api(self._store, call)
        changed = copy.deepcopy(api.settings)
        prefix = f"arn:aws:execute-api:{call.region}:{self._store.account_id}:{changed['id']}/"
        for patch in patches_of(call.patches):
            _apply(changed, patch, prefix)
        if changed.get("policy") != api.settings.get("policy"):
            check_policy_change(changed["id"], call.region)
        api.settings = changed
        return shown_api(api, with_tags=True)

    def delete_rest_api(self, call: Call) -> None:
        """Delete an API with everything in it."""
        api_id = rest_api(self._store, call).settings["id"]
        domains = self._store.domains_of(api_id)
        if domains:  # edge E9.19
            raise bad_request(
                f"Deleting RestApi {api_id} failed. Please remove all base path mappings related to the RestApi in "
                f"your domains: {', '.join(domains)}."
            )
        del self._store.region(call.region).rest_apis[api_id]
        self._store.region(call.region).leave_usage_plans(api_id)
        self._forget(api_id)


def shown_api(api: RestApi, *, with_tags: bool = False) -> JsonObject:
    """An API as answers show it: an update always with its tags (recorded 1.12)."""
    shown = dict(api.settings)
    if shown.get("policy"):
        shown["policy"] = shown_policy(shown["policy"])
    if with_tags:
        shown.setdefault("tags", {})
    return shown


def _apply(settings: JsonObject, patch: PatchOperation, arn_prefix: str) -> None:
    endpoint = settings["endpointConfiguration"]
    if patch.path.startswith("/endpointConfiguration/types") and patch.op != "replace":
        raise bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
    path = PATCHES.find(patch)
    value = str(patch.value or "")
    if path.template == _TYPES:
        _change_type(endpoint, patch, value)
    elif path.template == _VPC_ENDPOINTS:
        ids = [one for one in endpoint.get("vpcEndpointIds", ()) if one != value]
        endpoint["vpcEndpointIds"] = [*ids, value] if patch.op == "add" else ids
        if not endpoint["vpcEndpointIds"]:
            del endpoint["vpcEndpointIds"]
        _check_vpc_endpoints(endpoint)
    elif path.template == _IP_TYPE:
        if value not in ("ipv4", "dualstack"):
            raise bad_request("ipAddressType must be either ipv4 or dualstack.")
        if value == "ipv4" and endpoint["types"] == ["PRIVATE"]:
            raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")
        endpoint["ipAddressType"] = value
    elif path.template == "/minimumCompressionSize":
        if value:
            _check_compression(value)
            settings["minimumCompressionSize"] = int(value)
        else:
            settings.pop("minimumCompressionSize", None)
    elif path.template == "/apiKeySource" and value not in ("HEADER", "AUTHORIZER"):
        raise bad_request("Invalid ApiKeySource specified. Valid options are HEADER,AUTHORIZER")
    elif path.template == "/name" and not value.strip():
        raise bad_request("REST API name must be specified")
    elif path.template == "/policy" and patch.op != "remove":
        if value:
            settings["policy"] = checked_policy(value, arn_prefix)
        else:
            settings.pop("policy", None)
    elif path.template == "/binaryMediaTypes/{}" and patch.op == "replace":
        _replace_media_type(settings, patch.names[-1], value)
    elif path.template == "/description" and not value:
        settings.pop("description", None)
    else:
        apply_patch(settings, patch, path)


def _replace_media_type(settings: JsonObject, old: str, new: str) -> None:
    """The old one goes, the new one comes to the end (recorded 1.13)."""
    kept = [one for one in settings.get("binaryMediaTypes") or () if one != old]
    settings["binaryMediaTypes"] = [*kept, new]


def _change_type(endpoint: JsonObject, patch: PatchOperation, wanted: str) -> None:
    """Replace an endpoint type; the path ends with the present one, or its index (gateway 10.7)."""
    present = patch.names[-1]
    types = endpoint["types"]
    if present.isascii() and present.isdigit() and len(present) == 1 and int(present) < len(types):
        present = types[int(present)]
    if wanted not in ("REGIONAL", "EDGE", "PRIVATE"):
        raise bad_request(
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
        )
    if present not in types:
        raise bad_request(f"Invalid patch path {patch.path}")
    if wanted != present and wanted not in _CHANGES[present]:
        raise bad_request(f"The endpoint type {present} can't become {wanted}.")
    endpoint["types"] = [wanted]
    if wanted == "PRIVATE":
        endpoint["ipAddressType"] = "dualstack"
    else:
        endpoint.pop("vpcEndpointIds", None)


def _endpoint(asked: JsonObject | None) -> JsonObject:
    """An endpoint configuration: EDGE and ipv4 unless it says otherwise (recorded 1.1, 1.6–1.11)."""
    asked = asked or {}
    types = asked.get("types", ["EDGE"])
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if len(types) > 1:
        raise bad_request("Cannot create an api with multiple Endpoint Types.")
    private = types == ["PRIVATE"]
    ip_type = asked.get("ipAddressType") or ("dualstack" if private else "ipv4")
    if private and ip_type == "ipv4":
        raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")
    endpoint = {"types": types, "ipAddressType": ip_type}
    if asked.get("vpcEndpointIds"):
        endpoint["vpcEndpointIds"] = list(asked["vpcEndpointIds"])
    _check_vpc_endpoints(endpoint)
    return endpoint


def _check_vpc_endpoints(endpoint: JsonObject) -> None:
    """Refuse VPC endpoints of an API that isn't private; AWS's words for this aren't known."""
    ids = endpoint.get("vpcEndpointIds") or ()
    if ids and endpoint["types"] != ["PRIVATE"]:
        raise bad_request("VPC endpoint IDs are only supported for Private APIs.")
    for one in ids:
        if not _VPC_ENDPOINT.fullmatch(one):
            raise bad_request(f"Invalid VPC endpoint ID specified: {one}")


def _check_compression(value: object) -> None:
    text = str(value)
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MAX_COMPRESSION_SIZE):
        raise bad_request(
            f"Invalid minimum compression size, must be between 0 and {MAX_COMPRESSION_SIZE}"
        )
