"""Custom domain names and base path mappings: ``CreateDomainName`` and the like (edge E9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.domain_names import (
    SECURITY_POLICY,
    Certificate,
    check_certificate,
    check_mutual_tls,
    new_domain_name,
)
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.refusals import bad_request, conflict, not_found, not_offered
from labkit.local.apigateway.control.rest.lookup import page
from labkit.local.apigateway.control.store import DomainName, GatewayStore

JsonObject = dict[str, Any]

NO_BASE_PATH = "(none)"
_BASE_PATH = re.compile(r"[A-Za-z0-9$\-_.+!*'()]{1,300}")
_RESERVED = ("ping", "sping")
PATCHES = PatchTable(
    (
        PatchPath("/certificateArn"),
        PatchPath("/regionalCertificateArn"),
        PatchPath("/securityPolicy"),
        PatchPath("/mutualTlsAuthentication/truststoreUri"),
        PatchPath("/mutualTlsAuthentication/truststoreVersion"),
    ),
    invalid_path,
    one_of_operations,
)
MAPPING_PATCHES = PatchTable(
    (PatchPath("/basePath"), PatchPath("/restapiId"), PatchPath("/stage")),
    invalid_path,
    one_of_operations,
)


class DomainNameOperations:
    """The operations on custom domain names and base path mappings.

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
        """Make a custom domain name (edge E9.8–E9.14, E9.31)."""
        name = call.text("domainName")
        if not name:
            raise bad_request("No Domain Name specified")
        made = new_domain_name(self._store, call, self._clock(), self._certificate)
        self._store.region(call.region).domain_names[name] = DomainName(made)
        return made

    def get_domain_name(self, call: Call) -> JsonObject:
        """One custom domain name."""
        settings = self._domain(call).settings
        return {**settings, "tags": settings.get("tags", {})}

    def get_domain_names(self, call: Call) -> JsonObject:
        """All custom domain names of the Region."""
        if call.text("resourceOwner") not in ("", "SELF"):
            raise not_offered("resourceOwner OTHER_ACCOUNTS")
        domains = self._store.region(call.region).domain_names.values()
        return page((domain.settings for domain in domains), call)

    def update_domain_name(self, call: Call) -> JsonObject:
        """Change a custom domain name."""
        domain = self._domain(call)
        changed = PATCHES.apply(domain.settings, patches_of(call.patches))
        if not (changed.get("mutualTlsAuthentication") or {}).get("truststoreUri"):
            changed.pop("mutualTlsAuthentication", None)
        check_mutual_tls(changed.get("mutualTlsAuthentication") or {})
        changed.setdefault("securityPolicy", SECURITY_POLICY)
        for member in ("certificateArn", "regionalCertificateArn"):
            if (member in changed) is not (member in domain.settings):
                raise bad_request(f"Invalid patch path /{member}")  # AWS's words aren't known
            if member in changed:
                self._check_certificate(call, changed, member)
        domain.settings = changed
        return {**changed, "tags": changed.get("tags", {})}

    def delete_domain_name(self, call: Call) -> None:
        """Delete a custom domain name with its mappings."""
        self._domain(call)
        del self._store.region(call.region).domain_names[call.text("domainName")]

    # -- base path mappings -------------------------------------------------------------

    def create_base_path_mapping(self, call: Call) -> JsonObject:
        """Map a base path to a stage (edge E9.18)."""
        domain = self._domain(call)
        base_path = _base_path(call.text("basePath"))
        self._check_target(call, call.text("restApiId"), call.text("stage"))
        if base_path in domain.mappings:
            raise conflict("Base path already exists for this domain name")
        domain.mappings[base_path] = {
            "apiMappingId": self._store.new_id(6),
            "apiId": call.text("restApiId"),
            "stage": call.text("stage"),
        }
        return _shown(base_path, domain.mappings[base_path])

    def get_base_path_mapping(self, call: Call) -> JsonObject:
        """One mapping."""
        domain, base_path = self._mapping(call)
        return _shown(base_path, domain.mappings[base_path])

    def get_base_path_mappings(self, call: Call) -> JsonObject:
        """All mappings of a domain name."""
        mappings = self._domain(call).mappings
        return page((_shown(path, one) for path, one in mappings.items()), call)

    def update_base_path_mapping(self, call: Call) -> JsonObject:
        """Change a mapping."""
        domain, base_path = self._mapping(call)
        record = {
            "basePath": base_path,
            "restapiId": domain.mappings[base_path]["apiId"],
            "stage": domain.mappings[base_path]["stage"],
        }
        changed = MAPPING_PATCHES.apply(record, patches_of(call.patches))
        wanted = _base_path(changed.get("basePath") or "")
        stage = changed.get("stage") or ""
        self._check_target(call, changed.get("restapiId", ""), stage)
        if wanted != base_path and wanted in domain.mappings:
            raise conflict("Base path already exists for this domain name")
        mapping = {**domain.mappings.pop(base_path), "apiId": changed["restapiId"], "stage": stage}
        domain.mappings[wanted] = mapping
        return _shown(wanted, mapping)

    def delete_base_path_mapping(self, call: Call) -> None:
        """Delete a mapping."""
        domain, base_path = self._mapping(call)
        del domain.mappings[base_path]

    def _domain(self, call: Call) -> DomainName:
        found = self._store.region(call.region).domain_names.get(call.text("domainName"))
        if found is None:
            raise not_found("Invalid domain name identifier specified")
        if call.text("domainNameId"):
            raise not_offered("domainNameId")
        return found

    def _mapping(self, call: Call) -> tuple[DomainName, str]:
        domain = self._domain(call)
        base_path = "" if call.text("basePath") == NO_BASE_PATH else call.text("basePath")
        if base_path not in domain.mappings:
            raise not_found("Invalid base path mapping identifier specified")
        return domain, base_path

    def _check_target(self, call: Call, api_id: str, stage: str) -> None:
        region = self._store.region(call.region)
        api = region.rest_apis.get(api_id)
        if api is None:
            raise bad_request("Invalid REST API identifier specified")
        if stage and stage not in api.stages:
            raise bad_request("Invalid stage identifier specified")

    def _check_certificate(self, call: Call, settings: JsonObject, member: str) -> None:
        check_certificate(
            str(settings["domainName"]),
            settings[member],
            "us-east-1" if member == "certificateArn" else call.region,
            self._certificate,
        )


def _base_path(asked: str) -> str:
    base_path = "" if asked == NO_BASE_PATH else asked
    if "/" in base_path:
        raise bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level "
            "base path mapping, use API Gateway V2."
        )
    if base_path and (not _BASE_PATH.fullmatch(base_path) or base_path in _RESERVED):
        raise bad_request(f"Invalid base path specified: {base_path}")
    return base_path


def _shown(base_path: str, mapping: JsonObject) -> JsonObject:
    shown = {"basePath": base_path or NO_BASE_PATH, "restApiId": mapping["apiId"]}
    return {**shown, "stage": mapping["stage"]} if mapping.get("stage") else shown
