"""With which certificate a host name is served over TLS, and which clients are asked for theirs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from labkit.local.certificate_authority import CertificateAuthority
from labkit.local.front.origin import LOOPBACK_HOSTS

MAX_CONTEXTS = 256
_PROTOCOLS = ["http/1.1"]


class TlsContexts:
    """The settings of TLS for each host name, made when somebody connects to it first.

    Args:
        authority: signs the certificates.
        directory: where a key lies while it is loaded.
        is_served: whether the cloud answers for a host name.
        trust_store: of a host name that wants client certificates; empty when it can't be read, None without.
    """

    def __init__(
        self,
        authority: CertificateAuthority,
        directory: Path,
        is_served: Callable[[str], bool],
        trust_store: Callable[[str], bytes | None],
    ) -> None:
        self._authority = authority
        self._directory = directory
        self._is_served = is_served
        self._trust_store = trust_store
        self._made: dict[tuple[str, bytes | None], ssl.SSLContext] = {}

    async def context_for(self, server_name: str) -> ssl.SSLContext:
        """The context of a host name; the one of loopback for a name that isn't served.

        Each has a cache of sessions of its own: who was let in by one name isn't known to another.
        """
        served = server_name if server_name and self._is_served(server_name) else ""
        key = served, self._trust_store(served) if served else None
        if key not in self._made:
            made = await asyncio.to_thread(self._make, *key)
            if len(self._made) >= MAX_CONTEXTS:
                self._made.clear()
            self._made[key] = made
        return self._made[key]

    def _make(self, server_name: str, trust_store: bytes | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(_PROTOCOLS)
        self._load(context, self._authority.issue(*([server_name] if server_name else LOCAL)))
        if trust_store:
            # Without a certificate the handshake goes on, and the answer is a 403. With one of another authority it
            # ends, and no 403 follows: Python's ssl goes no further (gateway 10.9 has both).
            with contextlib.suppress(ssl.SSLError, ValueError):
                context.load_verify_locations(cadata=trust_store.decode("ascii"))
                context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _load(self, context: ssl.SSLContext, pem: bytes) -> None:
        """Python's ssl takes a key from a file only: it is readable by nobody else, and gone at once."""
        handle, path = tempfile.mkstemp(dir=self._directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            context.load_cert_chain(path)
        finally:
            os.unlink(path)


LOCAL = sorted(LOOPBACK_HOSTS)
