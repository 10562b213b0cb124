"""The beginning of a TLS connection, and the contexts that are made for host names."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.certificate_authority import CertificateAuthority
from labkit.local.front.tls_contexts import MAX_CONTEXTS, TlsContexts
from labkit.local.front.tls_server import server_name_in

NOW = 1_796_040_000.0  # 2026-11-30T12:00:00Z


def beginning(name: str | None, *protocols: str) -> bytes:
    """What a client sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = name is not None
    if protocols:
        context.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("name", ["api.example.com", "a" * 60 + ".example.com", None])
def test_the_name_is_read_once_all_of_it_is_there(name: str | None) -> None:
    hello = beginning(name, "h2", "http/1.1")
    assert server_name_in(hello) == (name or "")
    for length in range(0, len(hello), 16):
        assert server_name_in(hello[:length]) is None


@given(st.binary(max_size=300))
def test_other_bytes_name_nothing(sent: bytes) -> None:
    assert server_name_in(sent) in (None, "")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a name in no ASCII
@given(st.integers(0, 500), st.integers(0, 255))
def test_a_changed_beginning_raises_nothing(place: int, value: int) -> None:
    hello = bytearray(beginning("api.example.com"))
    hello[place] = value
    server_name_in(bytes(hello))


def contexts(directory: Path, **stores: bytes | None) -> TlsContexts:
    return TlsContexts(
        CertificateAuthority(lambda: NOW),
        directory,
        lambda host: host.endswith(".example.com"),
        lambda host: stores.get(host.partition(".")[0]),
    )


def test_a_client_is_asked_where_a_trust_store_says_so(tmp_path: Path) -> None:
    store = trustme.CA().cert_pem.bytes()
    made = contexts(tmp_path, a=store, broken=b"nothing", empty=b"")

    def asks(name: str) -> bool:
        context = asyncio.run(made.context_for(name))
        return context.verify_mode == ssl.CERT_OPTIONAL

    assert [asks(f"{name}.example.com") for name in ("a", "b", "broken", "empty")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert not asks("")
    assert list(tmp_path.iterdir()) == []  # no key is left


def test_a_context_is_made_once_and_not_for_every_name(tmp_path: Path) -> None:
    made = contexts(tmp_path)

    async def all_of_them() -> None:
        first = await made.context_for("a.example.com")
        assert await made.context_for("a.example.com") is first
        assert await made.context_for("elsewhere.example.org") is await made.context_for("")
        for number in range(MAX_CONTEXTS + 3):
            await made.context_for(f"a{number}.example.com")

    asyncio.run(all_of_them())
    assert len(made._made) <= MAX_CONTEXTS


def test_another_authority_is_another_one() -> None:
    one, other = (CertificateAuthority(lambda: NOW) for _ in range(2))
    assert one.pem != other.pem
    assert b"PRIVATE KEY" not in one.pem.encode()
