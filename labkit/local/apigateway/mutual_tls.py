"""Mutual TLS of custom domain names: whose client certificate is good, and what is refused (gateway 10.9)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from labkit.journey import Code
from labkit.local.messages import Request

MAX_TRUST_STORE_BYTES = 1_000_000
_S3_URI = re.compile(r"s3://([^/]+)/(.+)")

Refusal = tuple[Code, str]
"""Why a request is turned away, for programs and for the journey."""
RefuseCertificate = Callable[[Request, str | None], Refusal | None]
"""Why a request for a custom domain name, or none, is turned away for its client certificate."""
ReadObject = Callable[[str, str, str], bytes | None]
"""(bucket, key, version, which may be empty) → the object of S3, or None."""


class MutualTls:
    """Decides who gets in by a custom domain name that wants client certificates.

    The server of TLS has verified a client's certificate against the trust store of the name that the client connected
    to; here that name is held against the one that the request is for.

    Args:
        settings_of: a host's ``mutualTlsAuthentication``; empty without one.
        read_object: reads from S3.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        settings_of: Callable[[str], Mapping[str, Any]],
        read_object: ReadObject,
        clock: Callable[[], float],
    ) -> None:
        self._settings_of = settings_of
        self._read_object = read_object
        self._clock = clock
        self._kept: dict[str, tuple[Mapping[str, Any], bytes]] = {}

    def trust_store(self, host: str) -> bytes | None:
        """The certificates, PEM, that clients of a host must come from; empty when they can't be read.

        None for a host that wants no client certificate. A later change of the object counts for nothing until the
        domain name is updated (gateway 10.12).
        """
        settings = self._settings_of(host)
        found = _S3_URI.fullmatch(str(settings.get("truststoreUri") or ""))
        if not settings.get("truststoreUri"):
            return None
        kept = self._kept.get(host)
        if kept is not None and kept[0] is settings:
            return kept[1]
        version = str(settings.get("truststoreVersion") or "")
        store = (self._read_object(found[1], found[2], version) if found else None) or b""
        if not 0 < len(store) <= MAX_TRUST_STORE_BYTES:
            return b""
        self._kept[host] = settings, store
        return store

    def refusal(self, request: Request, host: str | None) -> Refusal | None:
        """Why a request for a custom domain name is turned away; None when the way is open."""
        store = None if host is None else self.trust_store(host)
        if store is None:
            return None
        if not store:
            return Code.TRUST_STORE, f"the trust store of {host} can't be read: nobody gets in"
        tls = request.tls
        if tls is None or tls.server_name != host or tls.client_certificate is None:
            return (
                Code.CLIENT_CERTIFICATE,
                f"{host} wants a client certificate of its trust store, and none came with the connection",
            )
        certificate = _certificate(tls.client_certificate)
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return Code.CLIENT_CERTIFICATE, "the client certificate isn't valid at this time"
        return None


def client_certificate_of(request: Request) -> dict[str, dict[str, Any]]:
    """``{"clientCert": …}`` as an event has it (gateway 4.22); empty for a request without one."""
    if request.tls is None or request.tls.client_certificate is None:
        return {}
    found = _certificate(request.tls.client_certificate)
    serial = f"{found.serial_number:x}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    return {
        "clientCert": {
            "clientCertPem": found.public_bytes(Encoding.PEM).decode(),
            "subjectDN": found.subject.rfc4514_string(),
            "issuerDN": found.issuer.rfc4514_string(),
            "serialNumber": ":".join(serial[i : i + 2] for i in range(0, len(serial), 2)),
            "validity": {
                "notBefore": _shown(found.not_valid_before_utc),
                "notAfter": _shown(found.not_valid_after_utc),
            },
        }
    }


@lru_cache(64)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _shown(moment: dt.datetime) -> str:
    """``May 28 12:30:02 2019 GMT``; the day without a zero in front."""
    return f"{moment:%b} {moment.day} {moment:%H:%M:%S %Y} GMT"
