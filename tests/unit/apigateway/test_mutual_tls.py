"""Whose client certificate is good, at a frozen time and with settings that change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from labkit.journey import Code
from labkit.local.apigateway.mutual_tls import (
    MAX_TRUST_STORE_BYTES,
    MutualTls,
    client_certificate_of,
)
from labkit.local.messages import Request, TlsConnection

HOST = "api.example.com"
BEGIN, END = dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
URI = {"truststoreUri": "s3://bucket/a/store.pem"}


@pytest.fixture(scope="module")
def certificate() -> bytes:
    made = trustme.CA().issue_cert("a@example.com", not_before=BEGIN, not_after=END)
    pem = made.cert_chain_pems[0].bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def mutual_tls(
    settings: dict[str, Any], objects: dict[tuple[str, str, str], bytes], now: dt.datetime = BEGIN
) -> MutualTls:
    return MutualTls(
        lambda host: settings if host == HOST else {},
        lambda *place: objects.get(place),
        lambda: now.timestamp(),
    )


STORED = {("bucket", "a/store.pem", ""): b"certificates"}


@pytest.mark.parametrize(
    ("tls", "code"),
    [
        (None, Code.CLIENT_CERTIFICATE),
        (TlsConnection(HOST), Code.CLIENT_CERTIFICATE),
        (TlsConnection("other.example.com", b"certificate"), Code.CLIENT_CERTIFICATE),
        (TlsConnection("", b"certificate"), Code.CLIENT_CERTIFICATE),
    ],
)
def test_who_is_turned_away(tls: TlsConnection | None, code: Code) -> None:
    request = Request("GET", "/", tls=tls)
    refused = mutual_tls(URI, STORED).refusal(request, HOST)
    assert refused is not None
    assert refused[0] == code


def test_the_lab_s_time_counts(certificate: bytes) -> None:
    request = Request("GET", "/", tls=TlsConnection(HOST, certificate))

    def refused(now: dt.datetime) -> Any:
        return mutual_tls(URI, STORED, now).refusal(request, HOST)

    assert refused(BEGIN) is None
    assert refused(END) is None
    for moment in (BEGIN - DAY, END + DAY):
        assert refused(moment)[0] == Code.CLIENT_CERTIFICATE


@pytest.mark.parametrize("host", ["other.example.com", None])
def test_another_host_wants_nothing(host: str | None) -> None:
    gate = mutual_tls(URI, STORED)
    assert gate.refusal(Request("GET", "/"), host) is None
    assert mutual_tls({}, STORED).trust_store(HOST) is None


@pytest.mark.parametrize(
    ("settings", "objects"),
    [
        (URI, {}),
        (URI, {("bucket", "a/store.pem", ""): b""}),
        (URI, {("bucket", "a/store.pem", ""): b"x" * (MAX_TRUST_STORE_BYTES + 1)}),
        ({**URI, "truststoreVersion": "v2"}, STORED),
        ({"truststoreUri": "https://bucket/store.pem"}, STORED),
    ],
)
def test_a_store_that_cannot_be_read_lets_nobody_in(
    settings: dict[str, Any], objects: dict[tuple[str, str, str], bytes], certificate: bytes
) -> None:
    gate = mutual_tls(settings, objects)
    assert gate.trust_store(HOST) == b""
    refused = gate.refusal(Request("GET", "/", tls=TlsConnection(HOST, certificate)), HOST)
    assert refused is not None
    assert refused[0] == Code.TRUST_STORE


def test_a_store_is_read_again_when_the_settings_are_others() -> None:
    settings, objects = [dict(URI)], dict(STORED)
    gate = MutualTls(lambda _: settings[0], lambda *place: objects.get(place), lambda: 0)
    assert gate.trust_store(HOST) == b"certificates"
    objects["bucket", "a/store.pem", ""] = b"others"
    assert gate.trust_store(HOST) == b"certificates"
    settings[0] = dict(URI)
    assert gate.trust_store(HOST) == b"others"


def test_what_an_event_says_of_it(certificate: bytes) -> None:
    said = client_certificate_of(Request("GET", "/", tls=TlsConnection(HOST, certificate)))
    found = said["clientCert"]
    assert found["validity"] == {
        "notBefore": "Nov 1 00:00:00 2026 GMT",
        "notAfter": "Dec 1 00:00:00 2026 GMT",
    }
    number = x509.load_der_x509_certificate(certificate).serial_number
    assert int(found["serialNumber"].replace(":", ""), 16) == number
    assert {len(part) for part in found["serialNumber"].split(":")} == {2}
    assert client_certificate_of(Request("GET", "/")) == {}
    assert client_certificate_of(Request("GET", "/", tls=TlsConnection(HOST))) == {}
