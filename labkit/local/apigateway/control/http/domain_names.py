"""Custom domain names and API mappings of ``apigatewayv2``: another view of the same records (edge E9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.apigateway.control.domain_names import Certificate, new_domain_name
from labkit.local.apigateway.control.http.lookup import iso_time, page
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found
from labkit.local.apigateway.control.store import DomainName, GatewayStore

JsonObject = dict[str, Any]

_KEY = re.compile(r"[A-Za-z0-9$\-_.+!*'()/]{1,300}")
_NO_DOMAIN = "The domain name resource specified in the request was not found."


class HttpDomainNameOperations:
    """The operations on custom domain names and API mappings.

    Args:
        store: the records.
        certificate: the account's certificates.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: GatewayStore, certificate: Certificate, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._certificate = certificate
        self._clock = clock

    def create_domain_name(self, call: Call) -> JsonObject:
        """Make a regional custom domain name."""
        name = call.text("domainName")
        taken = self._store.domain_name(name)
        if taken is not None and taken.settings["domainName"] == name:
            raise conflict("The domain name resource already exists.")
        made = new_domain_name(
            self._store, self._as_rest(call, {}), self._clock(), self._certificate
        )
        self._store.region(call.region).domain_names[name] = DomainName(made)
        return _shown(made)

    def get_domain_name(self, call: Call) -> JsonObject:
        """One custom domain name."""
        return _shown(self._domain(call).settings)

    def get_domain_names(self, call: Call) -> JsonObject:
        """All custom domain names of the Region."""
        domains = self._store.region(call.region).domain_names.values()
        return page((_shown(domain.settings) for domain in domains), call)

    def update_domain_name(self, call: Call) -> JsonObject:
        """Change a custom domain name."""
        domain = self._domain(call)
        name = domain.settings["domainName"]
        as_rest = self._as_rest(call, domain.settings)
        region = self._store.region(call.region)
        del region.domain_names[name]  # not in its own way
        try:
            made = new_domain_name(self._store, as_rest, self._clock(), self._certificate)
        finally:
            region.domain_names[name] = domain
        kept = ("regionalDomainName", "regionalHostedZoneId", "certificateUploadDate", "tags")
        domain.settings = {**made, **{k: v for k, v in domain.settings.items() if k in kept}}
        return _shown(domain.settings)

    def delete_domain_name(self, call: Call) -> None:
        """Delete a custom domain name with its mappings."""
        self._domain(call)
        del self._store.region(call.region).domain_names[call.text("domainName")]

    # -- API mappings -------------------------------------------------------------------

    def create_api_mapping(self, call: Call) -> JsonObject:
        """Map a path of a domain name to a stage."""
        domain = self._domain(call)
        key = self._checked_target(call, call.text("apiId"), call.text("stage"))
        if key in domain.mappings:
            raise conflict("ApiMapping key already exists for this domain name")
        made = {
            "apiMappingId": self._store.new_id(6),
            "apiId": call.text("apiId"),
            "stage": call.text("stage"),
        }
        domain.mappings[key] = made
        return _shown_mapping(key, made)

    def get_api_mapping(self, call: Call) -> JsonObject:
        """One mapping."""
        domain, key = self._mapping(call)
        return _shown_mapping(key, domain.mappings[key])

    def get_api_mappings(self, call: Call) -> JsonObject:
        """All mappings of a domain name."""
        mappings = self._domain(call).mappings
        return page((_shown_mapping(key, one) for key, one in mappings.items()), call)

    def update_api_mapping(self, call: Call) -> JsonObject:
        """Change a mapping."""
        domain, old = self._mapping(call)
        found = domain.mappings[old]
        stage = call.text("stage") or found["stage"]
        key = self._checked_target(call, call.text("apiId"), stage)
        key = key if "apiMappingKey" in call.parameters else old
        if key != old and key in domain.mappings:
            raise conflict("ApiMapping key already exists for this domain name")
        changed = {**domain.mappings.pop(old), "apiId": call.text("apiId"), "stage": stage}
        domain.mappings[key] = changed
        return _shown_mapping(key, changed)

    def delete_api_mapping(self, call: Call) -> None:
        """Delete a mapping."""
        domain, key = self._mapping(call)
        del domain.mappings[key]

    def _domain(self, call: Call) -> DomainName:
        found = self._store.region(call.region).domain_names.get(call.text("domainName"))
        if found is None:
            raise not_found(_NO_DOMAIN)
        return found

    def _mapping(self, call: Call) -> tuple[DomainName, str]:
        domain = self._domain(call)
        for key, mapping in domain.mappings.items():
            if mapping["apiMappingId"] == call.text("apiMappingId"):
                return domain, key
        raise not_found("The api mapping resource specified in the request was not found.")

    def _checked_target(self, call: Call, api_id: str, stage: str) -> str:
        key = call.text("apiMappingKey")
        if key.startswith("/") or "//" in key:
            raise bad_request(
                "API mapping key should not start with a '/' or have consecutive '/'s."
            )
        if key.endswith("/"):
            raise bad_request("API mapping key should not end with a '/'.")
        if key and not _KEY.fullmatch(key):
            raise bad_request(f"Invalid API mapping key specified: {key}")
        region = self._store.region(call.region)
        api = region.http_apis.get(api_id) or region.rest_apis.get(api_id)
        if api is None:
            raise not_found(
                "Invalid API identifier specified The resource specified in the request was not found."
            )
        if stage not in api.stages:
            raise bad_request("Invalid stage identifier specified")
        return key

    def _as_rest(self, call: Call, before: JsonObject) -> Call:
        """The call in the words of ``apigateway``."""
        configurations = call.parameters.get("domainNameConfigurations")
        if configurations is None and before:
            configurations = [
                {
                    "certificateArn": before.get("regionalCertificateArn"),
                    "endpointType": before["endpointConfiguration"]["types"][0],
                    "securityPolicy": before["securityPolicy"],
                }
            ]
        if len(configurations or ()) != 1:
            raise bad_request("Exactly one domain name configuration must be specified")
        only = configurations[0] if configurations else {}
        if only.get("endpointType", "REGIONAL") != "REGIONAL":
            raise bad_request("Only Regional domain names are supported")
        mutual = call.parameters.get("mutualTlsAuthentication")
        if mutual is None:
            mutual = before.get("mutualTlsAuthentication")
        parameters = {
            "domainName": call.text("domainName"),
            "regionalCertificateArn": only.get("certificateArn"),
            "securityPolicy": only.get("securityPolicy"),
            "mutualTlsAuthentication": mutual,
            "endpointConfiguration": {"types": ["REGIONAL"]},
            "tags": call.parameters.get("tags"),
        }
        return replace(call, parameters={k: v for k, v in parameters.items() if v is not None})


def _shown(settings: JsonObject) -> JsonObject:
    is_edge = settings["endpointConfiguration"]["types"] == ["EDGE"]
    target = "distributionDomainName" if is_edge else "regionalDomainName"
    zone = "distributionHostedZoneId" if is_edge else "regionalHostedZoneId"
    configuration = {
        "apiGatewayDomainName": settings[target],
        "certificateArn": settings["certificateArn" if is_edge else "regionalCertificateArn"],
        "certificateUploadDate": iso_time(settings["certificateUploadDate"]),
        "domainNameStatus": settings["domainNameStatus"],
        "endpointType": settings["endpointConfiguration"]["types"][0],
        "ipAddressType": settings["endpointConfiguration"]["ipAddressType"],
        "securityPolicy": settings["securityPolicy"],
        **({"hostedZoneId": settings[zone]} if zone in settings else {}),
    }
    shown = {
        "domainName": settings["domainName"],
        "domainNameArn": settings["domainNameArn"],
        "apiMappingSelectionExpression": "$request.basepath",
        "domainNameConfigurations": [configuration],
        "routingMode": "API_MAPPING_ONLY",
    }
    for name in ("mutualTlsAuthentication", "tags"):
        if name in settings:
            shown[name] = settings[name]
    return shown


def _shown_mapping(key: str, mapping: JsonObject) -> JsonObject:
    shown = {
        "apiId": mapping["apiId"],
        "apiMappingId": mapping["apiMappingId"],
        "stage": mapping["stage"],
    }
    return {**shown, "apiMappingKey": key} if key else shown
