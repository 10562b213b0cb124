"""What a URL names: an API and its stage, by the default endpoint, a VPC endpoint, a custom domain, or by path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from labkit.local.apigateway.custom_domains import can_be_custom_domain
from labkit.local.messages import Request

EXECUTE_API_PATH = "/_aws/execute-api/"
_EXECUTE_API_HOST = re.compile(
    r"(?P<api>[a-z0-9]+)(?:-(?P<vpce>vpce-[a-z0-9]+))?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)


class DomainNames(Protocol):
    """What addressing asks of the control plane."""

    def is_custom_domain(self, host: str) -> bool:
        """Whether a custom domain name of API Gateway has this name."""

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        """The API's id, the stage and the rest of the path, or None when no mapping fits."""


@dataclass(slots=True)  # not frozen, which takes three times as long: every request has one
class Address:
    """An API as a request names it.

    Attributes:
        api_id: the API; empty when a custom domain has no mapping for the path.
        region: the Region in the host name, or None.
        stage: the stage.
        raw_path: the path below the stage, encoded, with a leading slash.
        custom_domain: the custom domain name, or None.
        base_path: what the base path mapping took off the path, for example ``/v1``.
        vpc_endpoint: the interface VPC endpoint in the host name, or None (gateway 10.1).
        whole_path: the path before the stage was taken off it.
    """

    api_id: str
    region: str | None
    stage: str
    raw_path: str
    custom_domain: str | None = None
    base_path: str = ""
    vpc_endpoint: str | None = None
    whole_path: str = "/"


class Addresses:
    """Finds the API that a request is for.

    Args:
        domain_names: the custom domain names.
    """

    def __init__(self, domain_names: DomainNames) -> None:
        self._domain_names = domain_names

    def find(self, request: Request) -> Address | None:
        """The API of a request; None when it is for another part of the cloud."""
        match = _EXECUTE_API_HOST.fullmatch(request.host)
        if match is not None:
            stage, rest = _split_stage(request.raw_path)
            return Address(
                match["api"],
                match["region"],
                stage,
                rest,
                vpc_endpoint=match["vpce"],
                whole_path=request.raw_path,
            )
        if request.raw_path.startswith(EXECUTE_API_PATH):
            api_id, _slash, below = request.raw_path.removeprefix(EXECUTE_API_PATH).partition("/")
            whole_path = "/" + below
            return Address(api_id, None, *_split_stage(whole_path), whole_path=whole_path)
        if self.is_custom_domain(request.host):
            return self._mapped(request)
        return None

    def is_custom_domain(self, host: str) -> bool:
        """Whether the host is a custom domain name. The cloud's own hosts never are."""
        return can_be_custom_domain(host) and self._domain_names.is_custom_domain(host)

    def _mapped(self, request: Request) -> Address:
        """The longest base path wins; the mapping replaces the stage, if it names one (gateway 8.13)."""
        found = self._domain_names.base_path_mapping(request.host, request.raw_path)
        if found is None:
            return Address(
                "",
                None,
                "",
                request.raw_path,
                custom_domain=request.host,
                whole_path=request.raw_path,
            )
        api_id, stage, rest = found
        base_path = (
            request.raw_path.removesuffix(rest) if rest != "/" else request.raw_path.rstrip("/")
        )
        if not stage:
            stage, rest = _split_stage(rest)
        return Address(
            api_id,
            None,
            stage,
            rest,
            custom_domain=request.host,
            base_path=base_path,
            whole_path=request.raw_path,
        )


def _split_stage(raw_path: str) -> tuple[str, str]:
    """The stage, before which further slashes don't count (gateway 8.16), and the path below it."""
    stage, _slash, rest = raw_path.lstrip("/").partition("/")
    return stage, "/" + rest
