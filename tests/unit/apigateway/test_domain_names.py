"""Custom domain names: none shadows the cloud's own hosts, whatever was registered."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labkit.local.apigateway.domain_names import can_be_custom_domain

from labkit.local.apigateway.addresses import Addresses
from labkit.local.messages import Request

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


class EveryName:
    """Domain names as somebody would register them who could."""

    def is_custom_domain(self, host: str) -> bool:
        return True

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        return "abc", "dev", raw_path


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(address),
        str(number),
        hex(number),
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        ".".join(hex(byte) for byte in (a, b, c, d)),
        ".".join(f"0{byte:o}" for byte in (a, b, c, d)),
        f"{address}.",
        f"[::ffff:{address}]",
    ]


@given(st.ip_addresses(v=4))
def test_an_address_is_no_domain_name_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    assert not any(can_be_custom_domain(text) for text in spellings(address))


@given(st.ip_addresses(v=6))
def test_nor_is_an_address_of_ipv6(address: ipaddress.IPv6Address) -> None:
    assert not can_be_custom_domain(str(address))
    assert not can_be_custom_domain(f"[{address.exploded}]")


@given(
    st.lists(LABEL, max_size=3),
    st.sampled_from(["localhost", "amazonaws.com", "cloudfront.net", "amazoncognito.com"]),
)
def test_nor_is_a_host_of_the_cloud_or_of_aws(labels: list[str], end: str) -> None:
    assert not can_be_custom_domain(".".join([*labels, end]))


@given(st.lists(LABEL, min_size=1, max_size=4))
def test_what_somebody_can_own_is_one(labels: list[str]) -> None:
    assert can_be_custom_domain(".".join([*labels, "example", "com"]))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4566", "localhost:4566", "[::1]:4566", "acm.us-east-1.amazonaws.com"]
)
def test_own_hosts_win_over_a_domain_name_that_is_registered(host: str) -> None:
    addresses = Addresses(EveryName())
    assert addresses.find(Request("POST", "/restapis", headers=[("Host", host)])) is None
    assert not addresses.is_custom_domain(host.rpartition(":")[0] or host)


def test_a_registered_name_is_found() -> None:
    found = Addresses(EveryName()).find(Request("GET", "/x", headers=[("Host", "a.example.com")]))
    assert found is not None
    assert (found.api_id, found.stage, found.raw_path) == ("abc", "dev", "/x")
