"""``TagResource``, ``UntagResource`` and ``GetTags`` of both services, by a resource's ARN."""

from __future__ import annotations

import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.store import GatewayStore

JsonObject = dict[str, Any]

MAX_TAGS = 50
_ARN = re.compile(r"arn:aws[a-z-]*:apigateway:(?P<region>[a-z0-9-]+)::/(?P<path>.+)")


class TagOperations:
    """The operations on tags.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def tag_resource(self, call: Call) -> None:
        """Add tags, or replace their values."""
        record = self._tagged(call)
        tags = {**record.get("tags", {}), **call.parameters.get("tags", {})}
        if len(tags) > MAX_TAGS or any(key.lower().startswith("aws:") for key in tags):
            raise bad_request("Invalid tags specified")
        record["tags"] = tags

    def untag_resource(self, call: Call) -> None:
        """Take tags away."""
        record = self._tagged(call)
        gone = call.parameters.get("tagKeys", ())
        record["tags"] = {k: v for k, v in record.get("tags", {}).items() if k not in gone}

    def get_tags(self, call: Call) -> JsonObject:
        """The tags of a resource."""
        return {"tags": self._tagged(call).get("tags", {})}

    def _tagged(self, call: Call) -> JsonObject:
        """The record that an ARN names."""
        match = _ARN.fullmatch(call.text("resourceArn"))
        if match is None:
            raise bad_request("Invalid resource ARN specified")
        region = self._store.region(match["region"])
        found: JsonObject | None = None
        match match["path"].split("/"):
            case ["restapis", api_id] if api_id in region.rest_apis:
                found = region.rest_apis[api_id].settings
            case ["restapis", api_id, "stages", stage] if api_id in region.rest_apis:
                found = region.rest_apis[api_id].stages.get(stage)
            case ["apis", api_id] if api_id in region.http_apis:
                found = region.http_apis[api_id].settings
            case ["apis", api_id, "stages", stage] if api_id in region.http_apis:
                found = region.http_apis[api_id].stages.get(stage)
            case ["apikeys", key_id]:
                found = region.api_keys.get(key_id)
            case ["usageplans", plan_id]:
                found = region.usage_plans.get(plan_id)
            case ["domainnames", name] if name in region.domain_names:
                found = region.domain_names[name].settings
        if found is None:
            raise not_found("Invalid resource identifier specified")
        return found
