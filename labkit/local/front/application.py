"""The front of the local cloud: who is let in, and which part answers.

An ASGI application. The gateway's data plane answers for ``execute-api`` hosts and paths, the sign-in service for
Cognito, ``/_labkit/*`` for labkit itself; the engine answers what is left of the control planes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from labkit.local.apigateway.addresses import Address, Addresses
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane
from labkit.local.apigateway.mutual_tls import MutualTls
from labkit.local.apigateway.rest.data_plane import MAX_BODY_BYTES, RestApiDataPlane
from labkit.local.engine import Engine
from labkit.local.front.access import admit, service_of
from labkit.local.front.offers import refuse_unoffered
from labkit.local.front.origin import forbid, is_aws_host, refuse_foreign
from labkit.local.front.own_endpoints import PREFIX, OwnEndpoints
from labkit.local.front.response_writer import ResponseWriter, Send
from labkit.local.front.services import Services
from labkit.local.front.watchdog import IN_REQUEST
from labkit.local.messages import TLS_EXTENSION, Request, Response
from labkit.local.settings import CloudSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_HEADER_BYTES = 10_240
"""The total size of headers that API Gateway takes (gateway 14)."""
MAX_CONTROL_BODY_BYTES = 70_000_000
"""Lambda takes deployment packages of 50 MB, Base64-encoded, in a request."""

_log = logging.getLogger("labkit.local")


class Lifecycle(Protocol):
    """What starts and ends with the cloud."""

    @property
    def engine(self) -> Engine:
        """MiniStack."""

    async def start(self) -> None:
        """Start everything; called on the serving event loop."""

    def close(self) -> None:
        """End every process that was started."""


class CloudApplication:
    """The ASGI application of one local cloud.

    Args:
        settings: port, credentials, account.
        mutual_tls: whose client certificates are good, by host name.
        parts: what starts and ends with it.
        addresses: which API a request is for.
        rest_apis: answers the requests for REST APIs.
        http_apis: answers those for HTTP APIs.
        services: answer the control planes' calls.
        own_endpoints: answer ``/_labkit/*``.
        writer: writes the responses.
        ready: called when everything is connected.
    """

    def __init__(
        self,
        settings: CloudSettings,
        *,
        mutual_tls: MutualTls,
        parts: Lifecycle,
        addresses: Addresses,
        rest_apis: RestApiDataPlane,
        http_apis: HttpApiDataPlane,
        services: Services,
        own_endpoints: OwnEndpoints,
        writer: ResponseWriter,
        ready: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.mutual_tls = mutual_tls
        self.parts = parts
        self._addresses = addresses
        self._rest_apis = rest_apis
        self._http_apis = http_apis
        self._services = services
        self._own_endpoints = own_endpoints
        self._writer = writer
        self._ready = ready
        self._last_request = time.monotonic()

    def seconds_idle(self) -> float:
        """How long ago the last request came."""
        return time.monotonic() - self._last_request

    def is_served(self, host: str) -> bool:
        """Whether the cloud answers for a host name that isn't loopback's."""
        return is_aws_host(host) or self._addresses.is_custom_domain(host)

    # -- ASGI -------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.parts.start()
                except Exception as error:  # the server makes one of its own of it
                    await send({"type": "lifespan.startup.failed", "message": repr(error)})
                self._ready()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.parts.close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(
            method=scope["method"],
            raw_path=(scope.get("raw_path") or b"/").decode("latin-1").partition("?")[0],
            query_string=scope["query_string"].decode("latin-1"),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]],
            source_ip=(scope.get("client") or ("127.0.0.1",))[0],
            tls=(scope.get("extensions") or {}).get(TLS_EXTENSION),
        )
        port = (scope.get("server") or ("", self.settings.port))[1]
        self._last_request = time.monotonic()
        IN_REQUEST.set(True)
        refused = refuse_foreign(
            request, port, self._addresses.is_custom_domain
        ) or _refuse_large_headers(request)
        address = None
        if refused is None:
            address = self._addresses.find(request)
            refused = await _read_body(request, receive, for_an_api=address is not None)
        try:
            response = refused or await self._answer(request, address)
        except Exception:
            _log.exception("%s %s", request.method, request.raw_path)
            response = Response.of_json({"message": "Internal server error"}, 500)
        await self._writer.write(response, send, head=request.method == "HEAD")

    async def _answer(self, request: Request, address: Address | None) -> Response:
        if address is not None:
            serving = self._http_apis if self._http_apis.serves(address) else self._rest_apis
            return await serving.handle(request, address)
        if request.raw_path.startswith(PREFIX):
            return self._own_endpoints.answer(request)
        if request.raw_path.startswith("/_") or request.host.endswith(".cloudfront.net"):
            return forbid("Forbidden")
        admitted = admit(request, self.parts.engine)
        if isinstance(admitted, Response):
            return admitted
        service = service_of(admitted)
        refused = service and refuse_unoffered(admitted, service, self.parts.engine)
        return refused or await self._services.answer(admitted)


def _refuse_large_headers(request: Request) -> Response | None:
    size = sum(len(name) + len(value) for name, value in request.headers)
    if size <= MAX_HEADER_BYTES:
        return None
    return Response.of_json({"message": "Request Header Fields Too Large"}, 431)


async def _read_body(request: Request, receive: Receive, *, for_an_api: bool) -> Response | None:
    """Read the whole body, bounded; a refusal when a control plane gets too much."""
    limit = MAX_BODY_BYTES if for_an_api else MAX_CONTROL_BODY_BYTES
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":  # half a request isn't a request
            return Response.of_json({"message": "Bad Request"}, 400)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body"):
            break
    request.body_too_large = size > limit
    if request.body_too_large and not for_an_api:
        return Response.of_json({"message": "Request Too Long"}, 413)
    request.body = b"" if request.body_too_large else b"".join(chunks)
    return None
