"""The state of REST APIs and custom domain names."""

from __future__ import annotations

import copy
import sys

from labkit.local.engine.ministack import JsonObject, MiniStack


class RestApiRecords(MiniStack):
    """The control plane's records of REST APIs."""

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region that holds a REST API, or None when there is none of that id."""
        return self._region_of(self._module("apigateway_v1")._rest_apis, api_id)

    def rest_api_configuration(self, api_id: str, region: str) -> JsonObject:
        """A copy of all that a deployment freezes.

        Returns:
            ``{"api", "resources", "authorizers", "models", "validators", "gateway_responses"}``.

        Raises:
            KeyError: there is no such API.
        """
        apis = self._module("apigateway_v1")
        with self._scope(region):
            return copy.deepcopy(
                {
                    "api": apis._rest_apis[api_id],
                    "resources": apis._resources.get(api_id, {}),
                    "authorizers": apis._authorizers_v1.get(api_id, {}),
                    "models": apis._models.get(api_id, {}),
                    "validators": apis._request_validators.get(api_id, {}),
                    "gateway_responses": apis._gateway_responses.get(api_id, {}),
                }
            )

    def stage(self, api_id: str, region: str, stage_name: str) -> JsonObject | None:
        """The live stage with its web ACL, or None. Stage settings need no redeploy (facts/gateway.md 8.1)."""
        stages = self._module("apigateway_v1")._stages_v1
        of_api = stages.get_scoped(self.settings.account_id, region, api_id) or {}
        found: JsonObject | None = of_api.get(stage_name)
        if found is None or "ministack.services.waf" not in sys.modules:
            return found
        arn = f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}"
        with self._scope(region):
            web_acl = self._module("waf")._associations.get(arn)
        return found if web_acl is None else {**found, "webAclArn": web_acl}

    def resources(self, api_id: str, region: str) -> dict[str, JsonObject]:
        """The live records of an API's resources, by id."""
        with self._scope(region):
            found: dict[str, JsonObject] = self._module("apigateway_v1")._resources.get(api_id, {})
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
        with self._scope(region):
            found: JsonObject | None = self._module("apigateway_v1")._rest_apis.get(api_id)
        return found

    def serves(self, api_id: str, region: str, deployment_id: str) -> bool:
        """Whether a stage of the API points to the deployment."""
        with self._scope(region):
            stages = self._module("apigateway_v1")._stages_v1.get(api_id, {})
        return any(stage.get("deploymentId") == deployment_id for stage in stages.values())

    def gateway_responses(self, api_id: str, region: str) -> dict[str, JsonObject]:
        """The live customised gateway responses of an API by type; a change in place stays."""
        with self._scope(region):
            responses = self._module("apigateway_v1")._gateway_responses
            if api_id not in responses:
                responses[api_id] = {}
            found: dict[str, JsonObject] = responses[api_id]
        return found

    def is_custom_domain(self, host: str) -> bool:
        """Whether an API Gateway custom domain name has this name."""
        with self._scope():
            return self._module("apigateway_v1").find_domain_scope(host) is not None

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        """The API's id, the stage (empty if the path names it) and the rest of the path; None without a mapping."""
        with self._scope():
            found: tuple[str, str, str] | None = self._module(
                "apigateway_v1"
            ).resolve_base_path_mapping(host, raw_path)
        return found

    def wants_client_certificate(self, host: str) -> bool:
        """Whether a custom domain name asks for client certificates (mutual TLS)."""
        domains = self._module("apigateway_v1")
        with self._scope():
            scope = domains.find_domain_scope(host)
        record = None if scope is None else domains._domain_names.get_scoped(*scope, None)
        return bool(record and (record.get("mutualTlsAuthentication") or {}).get("truststoreUri"))
