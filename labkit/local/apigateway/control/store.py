"""What the control planes of API Gateway keep: the one place, for each Region.

The records are JSON objects in the shapes of the service models, under their names on the wire: what
an answer shows is what is kept. A deployment freezes copies of them (``rest/records.py``, ``http/records.py``).
"""

from __future__ import annotations

import copy
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labkit.local.apigateway.control.host_matching import names_domain

JsonObject = dict[str, Any]
Records = dict[str, JsonObject]
"""By id, or by the name that stands for it, in the order in which they were made."""
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(slots=True)
class RestApi:
    """A REST API.

    Attributes:
        settings: a ``RestApi``.
        resources: ``Resource``, with ``resourceMethods``, those with ``methodIntegration``.
        authorizers: ``Authorizer``.
        models: ``Model``, by name.
        request_validators: ``RequestValidator``.
        gateway_responses: ``GatewayResponse`` that were put, by type.
        deployments: ``Deployment``.
        stages: ``Stage``, by name.
    """

    settings: JsonObject
    resources: Records = field(default_factory=dict)
    authorizers: Records = field(default_factory=dict)
    models: Records = field(default_factory=dict)
    request_validators: Records = field(default_factory=dict)
    gateway_responses: Records = field(default_factory=dict)
    deployments: Records = field(default_factory=dict)
    stages: Records = field(default_factory=dict)

    @property
    def configuration(self) -> JsonObject:
        """A copy of all that a deployment freezes."""
        return copy.deepcopy(
            {
                "api": self.settings,
                "resources": self.resources,
                "authorizers": self.authorizers,
                "models": self.models,
                "validators": self.request_validators,
                "gateway_responses": self.gateway_responses,
            }
        )

    def methods(self) -> Iterator[tuple[JsonObject, str, JsonObject]]:
        """Every method: its resource, its verb, itself."""
        for resource in self.resources.values():
            for verb, method in resource.get("resourceMethods", {}).items():
                yield resource, verb, method


@dataclass(slots=True)
class HttpApi:
    """An HTTP API.

    Attributes:
        settings: an ``Api``.
        routes: ``Route``.
        integrations: ``Integration``.
        authorizers: ``Authorizer``.
        stages: ``Stage``, by name.
        deployments: ``Deployment``.
    """

    settings: JsonObject
    routes: Records = field(default_factory=dict)
    integrations: Records = field(default_factory=dict)
    authorizers: Records = field(default_factory=dict)
    stages: Records = field(default_factory=dict)
    deployments: Records = field(default_factory=dict)

    @property
    def parts(self) -> JsonObject:
        """The live records, by kind."""
        return {
            "api": self.settings,
            "routes": self.routes,
            "integrations": self.integrations,
            "authorizers": self.authorizers,
            "stages": self.stages,
            "deployments": self.deployments,
        }


@dataclass(slots=True)
class DomainName:
    """A custom domain name.

    Attributes:
        settings: a ``DomainName`` of ``apigateway``.
        mappings: by base path, empty for the root: ``{"apiMappingId", "apiId", "stage"}``.
    """

    settings: JsonObject
    mappings: Records = field(default_factory=dict)


@dataclass(slots=True)
class Region:
    """What there is in one Region."""

    rest_apis: dict[str, RestApi] = field(default_factory=dict)
    http_apis: dict[str, HttpApi] = field(default_factory=dict)
    api_keys: Records = field(default_factory=dict)
    usage_plans: Records = field(default_factory=dict)
    usage_plan_keys: dict[str, list[str]] = field(default_factory=dict)
    domain_names: dict[str, DomainName] = field(default_factory=dict)
    client_certificates: Records = field(default_factory=dict)
    account: JsonObject = field(default_factory=dict)

    def leave_usage_plans(self, api_id: str, stage: str | None = None) -> None:
        """Take an API's stage out of all usage plans; without a name all its stages."""
        for plan in self.usage_plans.values():
            plan["apiStages"] = [
                one
                for one in plan["apiStages"]
                if one["apiId"] != api_id or stage not in (None, one["stage"])
            ]


class GatewayStore:
    """The records of all Regions, as the control planes change and the data planes read them.

    Args:
        account_id: their owner.
        web_acl: the web ACL of a resource, by its ARN; None without one.
        numbers: for ids.
    """

    def __init__(
        self, account_id: str, web_acl: Callable[[str], str | None], numbers: random.Random
    ) -> None:
        self.account_id = account_id
        self._web_acl = web_acl
        self._numbers = numbers
        self._regions: dict[str, Region] = {}

    def region(self, name: str) -> Region:
        """The records of a Region."""
        return self._regions.setdefault(name, Region())

    def new_id(self, length: int) -> str:
        """An id of small letters and digits."""
        return "".join(self._numbers.choice(_ALPHABET) for _ in range(length))

    def draft(self) -> GatewayStore:
        """An empty store of the same account: what is made there is nowhere else."""
        return GatewayStore(self.account_id, self._web_acl, self._numbers)

    # -- what the data planes ask -------------------------------------------------------

    def rest_api_region(self, api_id: str) -> str | None:
        """The Region that holds a REST API, or None when there is none of that id."""
        return next((n for n, region in self._regions.items() if api_id in region.rest_apis), None)

    def rest_api_configuration(self, api_id: str, region: str) -> JsonObject:
        """A copy of all that a deployment freezes.

        Raises:
            KeyError: there is no such API.
        """
        return self.region(region).rest_apis[api_id].configuration

    def gateway_responses(self, api_id: str, region: str) -> Records:
        """The customised gateway responses of an API, by type."""
        return self.region(region).rest_apis[api_id].gateway_responses

    def stage(self, api_id: str, region: str, stage_name: str) -> JsonObject | None:
        """The live stage with its web ACL, or None. Stage settings need no redeploy (gateway 8.1)."""
        api = self.region(region).rest_apis.get(api_id)
        found = api.stages.get(stage_name) if api else None
        if found is None:
            return None
        arn = self._web_acl(f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}")
        return {**found, "webAclArn": arn} if arn else found

    def http_api_region(self, api_id: str) -> str | None:
        """The Region that holds an HTTP API, or None when there is none of that id."""
        return next((n for n, region in self._regions.items() if api_id in region.http_apis), None)

    def http_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live records of an HTTP API by kind, or None."""
        found = self.region(region).http_apis.get(api_id)
        return found.parts if found else None

    def api_key(self, value: str) -> JsonObject | None:
        """The enabled API key with this value, or None."""
        for region in self._regions.values():
            for key in region.api_keys.values():
                if key.get("value") == value and key.get("enabled") is True:
                    return key
        return None

    def usage_plans_of(self, key_id: str, api_id: str, stage: str) -> list[JsonObject]:
        """The usage plans that hold both an API key and an API's stage."""
        return [
            plan
            for region in self._regions.values()
            for plan in region.usage_plans.values()
            if key_id in region.usage_plan_keys.get(plan["id"], ())
            and any(
                (one.get("apiId"), one.get("stage")) == (api_id, stage)
                for one in plan.get("apiStages") or ()
            )
        ]

    # -- custom domain names ------------------------------------------------------------

    def domain_name(self, host: str) -> DomainName | None:
        """The custom domain name that serves a host: its own, or a wildcard's."""
        for region in self._regions.values():
            if host in region.domain_names:
                return region.domain_names[host]
        for region in self._regions.values():
            for name, found in region.domain_names.items():
                if names_domain(name, host):
                    return found
        return None

    def domains_of(self, api_id: str) -> list[str]:
        """The custom domain names that map to an API."""
        return [
            name
            for region in self._regions.values()
            for name, domain in region.domain_names.items()
            if any(mapping["apiId"] == api_id for mapping in domain.mappings.values())
        ]

    def is_custom_domain(self, host: str) -> bool:
        """Whether an API Gateway custom domain name has this name."""
        return self.domain_name(host) is not None

    def mutual_tls(self, host: str) -> JsonObject:
        """The ``mutualTlsAuthentication`` of the custom domain name that serves a host; empty without one."""
        found = self.domain_name(host)
        return found.settings.get("mutualTlsAuthentication") or {} if found else {}

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        """The API's id, the stage (empty if the path names it) and the rest of the path; the longest mapping wins.

        None without a mapping (gateway 8.13).
        """
        found = self.domain_name(host)
        if found is None:
            return None
        segments = raw_path.strip("/").split("/")
        for count in range(len(segments), -1, -1):
            mapping = found.mappings.get("/".join(segments[:count]))
            if mapping is not None:
                rest = raw_path.removeprefix("/")
                for _segment in range(count):
                    rest = rest.partition("/")[2]
                return mapping["apiId"], mapping.get("stage") or "", "/" + rest
        return None
