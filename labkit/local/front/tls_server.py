"""Serves the cloud over TLS, beside its plain port: the context is chosen by the name that a client asks for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import ConnectionState

from labkit.local.front.tls_contexts import TlsContexts
from labkit.local.messages import TLS_EXTENSION, TlsConnection

Application = Callable[..., Awaitable[None]]

HANDSHAKE_SECONDS = 10.0
_HELLO_BYTES = 65_536
_LOOK_AGAIN_SECONDS = 0.005
_ACCEPT_AGAIN_SECONDS = 1.0

_log = logging.getLogger("labkit.local")


class TlsServer:
    """A server of TLS.

    A context is chosen before the handshake begins, not in it: OpenSSL doesn't ask for a client's certificate when it
    learns of that in the handshake.

    Args:
        application: serves the requests.
        listener: a listening socket.
        contexts: by host name.
        config: hypercorn's.
    """

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        contexts: TlsContexts,
        config: Config,
    ) -> None:
        self._application = application
        self._listener = listener
        self._contexts = contexts
        self._config = config
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        try:
            while True:
                try:
                    accepted, _address = await loop.sock_accept(self._listener)
                except OSError:  # too many open files, for example
                    _log.exception("no connection could be accepted")
                    await asyncio.sleep(_ACCEPT_AGAIN_SECONDS)
                    continue
                accepted.setblocking(False)
                task = loop.create_task(self._begin(accepted))
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
        finally:
            self._listener.close()
            for task in self._connections:
                task.cancel()

    async def _begin(self, accepted: socket.socket) -> None:
        """Shake hands; then serve the connection's requests."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        ready = loop.create_future()
        reader = asyncio.StreamReader()

        def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ready.set_result((reader, writer))

        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                server_name = await _asked_name(accepted)
                context = await self._contexts.context_for(server_name)
            await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, connected),
                accepted,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except (OSError, TimeoutError):  # also what TLS refuses
            accepted.close()
            return
        with contextlib.suppress(OSError):
            await self._serve(*await ready, server_name)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server_name: str
    ) -> None:
        connection = TlsConnection(server_name, _client_certificate(writer))

        async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            extensions = {**(scope.get("extensions") or {}), TLS_EXTENSION: connection}
            await self._application({**scope, "extensions": extensions}, receive, send)

        loop = asyncio.get_running_loop()
        await TCPServer(
            ASGIWrapper(application),  # type: ignore[arg-type]
            loop,
            self._config,
            WorkerContext(None),
            ConnectionState({}),
            reader,
            writer,
        )


def _client_certificate(writer: asyncio.StreamWriter) -> bytes | None:
    """The certificate that the client proved to have in this very handshake."""
    shaken: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return None if shaken.session_reused else shaken.getpeercert(binary_form=True)


async def _asked_name(accepted: socket.socket) -> str:
    """The host name in a client's first message, lower case; empty without one. The message stays to be read."""
    while True:
        try:
            hello = accepted.recv(_HELLO_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            hello = None
        if hello == b"":
            raise ConnectionError("the client went away")
        name = server_name_in(hello) if hello else None
        if name is not None:
            return name.lower()
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def server_name_in(hello: bytes) -> str | None:
    """The host name that the beginning of a TLS connection asks for, empty without one; None when it is too short.

    OpenSSL reads it, as it does later in the handshake.
    """
    incoming = ssl.MemoryBIO()
    incoming.write(hello)
    looking = _LOOKING.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    try:
        looking.do_handshake()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError:  # it isn't TLS, or the name was seen
        return getattr(looking, "asked_name", "")
    return getattr(looking, "asked_name", None)


def _see_name(looking: Any, name: str | None, _context: ssl.SSLContext) -> int:
    looking.asked_name = name or ""
    return int(ssl.ALERT_DESCRIPTION_USER_CANCELLED)


_LOOKING = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
_LOOKING.sni_callback = _see_name
