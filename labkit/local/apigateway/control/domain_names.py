"""What a custom domain name must have, for both services (edge E9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.custom_domains import can_be_custom_domain

JsonObject = dict[str, Any]
Certificate = Callable[[str], list[str] | None]
"""The names that a certificate of this account covers, by its ARN; None without one."""
NOT_COVERED = "The domain name to be created is not covered by the provided certificate."
_ACM = re.compile(r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/\S+")
_S3 = re.compile(r"s3://[^/]+/.+")
_HOSTED_ZONES = {"us-east-1": "Z1UJRXOUMOOFQ8"}
_EDGE_ZONE = "Z2FDTNDATAQYW2"
SECURITY_POLICY = "TLS_1_2"


def new_domain_name(
    store: GatewayStore, call: Call, now: float, certificate: Certificate
) -> JsonObject:
    """A custom domain name as it is kept.

    Args:
        store: the records.
        call: with the members of ``CreateDomainName`` of ``apigateway``.
        now: seconds since the epoch.
        certificate: the account's certificates.

    Raises:
        ApiError: ``BadRequestException``.
    """
    name, asked = call.text("domainName"), call.parameters
    if not can_be_custom_domain(name):
        raise bad_request(NOT_COVERED)
    taken = store.domain_name(name)
    if taken is not None and taken.settings["domainName"] == name:
        raise bad_request("The domain name you provided already exists.")
    types = (asked.get("endpointConfiguration") or {}).get("types") or ["EDGE"]
    if types not in (["EDGE"], ["REGIONAL"]):
        raise bad_request("Cannot create a domain name with multiple Endpoint Types.")
    is_edge = types == ["EDGE"]
    member = "certificateArn" if is_edge else "regionalCertificateArn"
    if not asked.get(member):
        raise bad_request(
            f"{'Certificate' if is_edge else 'Regional certificate'} ARN must be specified"
        )
    check_certificate(name, asked[member], "us-east-1" if is_edge else call.region, certificate)
    mutual = asked.get("mutualTlsAuthentication") or {}
    if mutual and is_edge:
        raise bad_request("Mutual TLS is only supported for Regional domain names.")
    check_mutual_tls(mutual)
    target = f"d-{store.new_id(10)}.execute-api.{call.region}.amazonaws.com"
    made: JsonObject = {
        "domainName": name,
        "domainNameArn": f"arn:aws:apigateway:{call.region}::/domainnames/{name}",
        member: asked[member],
        "certificateUploadDate": int(now),
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": {"types": types, "ipAddressType": "ipv4"},
        "securityPolicy": asked.get("securityPolicy") or SECURITY_POLICY,
    }
    if is_edge:
        made["distributionDomainName"] = f"d{store.new_id(13)}.cloudfront.net"
        made["distributionHostedZoneId"] = _EDGE_ZONE
    else:
        made["regionalDomainName"] = target
        if call.region in _HOSTED_ZONES:
            made["regionalHostedZoneId"] = _HOSTED_ZONES[call.region]
    if mutual.get("truststoreUri"):
        made["mutualTlsAuthentication"] = mutual
    if asked.get("tags"):
        made["tags"] = asked["tags"]
    return made


def check_certificate(name: str, arn: str, region: str, certificate: Certificate) -> None:
    """Refuse a certificate that can't serve a domain name (edge E9.9, E9.10, E9.31).

    Raises:
        ApiError: ``BadRequestException``.
    """
    match = _ACM.fullmatch(arn)
    if match is None:
        raise bad_request(f"Invalid certificate ARN: {arn}.")
    if match["region"] != region:
        if region == "us-east-1":
            raise bad_request(
                f"Invalid certificate ARN: {arn}. Certificate must be in 'us-east-1'."
            )
        raise bad_request(
            "The certificate provided must be owned by the account creating the domain."
        )
    names = certificate(arn)
    if names is None:
        raise bad_request(
            "The certificate provided must be owned by the account creating the domain."
        )
    above = name.partition(".")[2]
    if name not in names and f"*.{above}" not in names:
        raise bad_request(NOT_COVERED)


def check_mutual_tls(mutual: JsonObject) -> None:
    """Refuse a trust store that isn't an object of S3 (edge E9.27).

    Raises:
        ApiError: ``BadRequestException``.
    """
    uri = mutual.get("truststoreUri")
    if uri is not None and not _S3.fullmatch(uri):
        raise bad_request(f"Invalid truststore URI specified: {uri}")
