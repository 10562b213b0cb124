"""The state of REST APIs."""

from __future__ import annotations

import copy

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack


class RestApiRecords:
    """The control plane's records of REST APIs.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region that holds a REST API, or None when there is none of that id."""
        return self._ministack.region_of(names.REST_APIS, api_id)

    def rest_api_configuration(self, api_id: str, region: str) -> JsonObject:
        """A copy of all that a deployment freezes.

        Returns:
            ``{"api", "resources", "authorizers", "models", "validators", "gateway_responses"}``.

        Raises:
            KeyError: there is no such API.
        """
        apis = self._ministack
        with apis.scope(region):
            return copy.deepcopy(
                {
                    "api": apis[names.REST_APIS][api_id],
                    "resources": apis[names.RESOURCES].get(api_id, {}),
                    "authorizers": apis[names.REST_AUTHORIZERS].get(api_id, {}),
                    "models": apis[names.MODELS].get(api_id, {}),
                    "validators": apis[names.REQUEST_VALIDATORS].get(api_id, {}),
                    "gateway_responses": apis[names.GATEWAY_RESPONSES].get(api_id, {}),
                }
            )

    def stage(self, api_id: str, region: str, stage_name: str) -> JsonObject | None:
        """The live stage with its web ACL, or None. Stage settings need no redeploy (gateway 8.1)."""
        stages = self._ministack[names.REST_STAGES]
        of_api = stages.get_scoped(self._ministack.settings.account_id, region, api_id) or {}
        found: JsonObject | None = of_api.get(stage_name)
        if found is None or not self._ministack.is_imported(names.WEB_ACL_ASSOCIATIONS):
            return found
        arn = f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}"
        with self._ministack.scope(region):
            web_acl = self._ministack[names.WEB_ACL_ASSOCIATIONS].get(arn)
        return found if web_acl is None else {**found, "webAclArn": web_acl}

    def resources(self, api_id: str, region: str) -> dict[str, JsonObject]:
        """The live records of an API's resources, by id."""
        with self._ministack.scope(region):
            found: dict[str, JsonObject] = self._ministack[names.RESOURCES].get(api_id, {})
        return found

    def method(
        self, api_id: str, region: str, resource_id: str, http_method: str
    ) -> JsonObject | None:
        """The live record of a method, or None."""
        resource = self.resources(api_id, region).get(resource_id, {})
        found: JsonObject | None = resource.get("resourceMethods", {}).get(http_method)
        return found

    def rest_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live record of a REST API, or None."""
        with self._ministack.scope(region):
            found: JsonObject | None = self._ministack[names.REST_APIS].get(api_id)
        return found

    def serves(self, api_id: str, region: str, deployment_id: str) -> bool:
        """Whether a stage of the API points to the deployment."""
        with self._ministack.scope(region):
            stages = self._ministack[names.REST_STAGES].get(api_id, {})
        return any(stage.get("deploymentId") == deployment_id for stage in stages.values())

    def gateway_responses(self, api_id: str, region: str) -> dict[str, JsonObject]:
        """The live customised gateway responses of an API by type; a change in place stays."""
        with self._ministack.scope(region):
            responses = self._ministack[names.GATEWAY_RESPONSES]
            if api_id not in responses:
                responses[api_id] = {}
            found: dict[str, JsonObject] = responses[api_id]
        return found
