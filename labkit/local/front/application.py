"""The front of the local cloud: who is let in, and which part answers.

An ASGI application. The gateway's data plane answers for ``execute-api`` hosts and paths, the sign-in service for
Cognito, ``/_labkit/*`` for labkit itself; the engine answers what is left of the control planes.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from labkit.local.apigateway.addresses import Address, Addresses
from labkit.local.apigateway.control.http.control_plane import PATH as HTTP_API_PATH
from labkit.local.apigateway.control.http.control_plane import HttpApiControlPlane
from labkit.local.apigateway.control.rest.control_plane import Authorizers, RestApiControlPlane
from labkit.local.apigateway.control.rest.usage_operations import UsageOperations
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane
from labkit.local.apigateway.http.service import http_api_pipeline
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.rest.authorization import Authorization
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.data_plane import MAX_BODY_BYTES, RestApiDataPlane
from labkit.local.apigateway.rest.http_integration import HttpIntegration
from labkit.local.apigateway.rest.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.rest.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.rest.lambda_proxy import LambdaProxyIntegration
from labkit.local.apigateway.rest.pipeline import Gates, Pipeline
from labkit.local.apigateway.rest.resource_policy import ResourcePolicy
from labkit.local.apigateway.rest.throttling import Throttle
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.cognito import discovery
from labkit.local.cognito.identity_pools import TARGET_PREFIX as IDENTITY_POOLS
from labkit.local.cognito.identity_pools import IdentityPoolService
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.user_pools import UserPoolService
from labkit.local.engine import Engine
from labkit.local.front.access import TOKEN_HEADER, admit, holds_token, refuse_foreign
from labkit.local.front.clock import CloudClock
from labkit.local.functions import FunctionRunner
from labkit.local.functions import operations as lambda_operations
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_HEADER_BYTES = 10_240
"""The total size of headers that API Gateway takes (gateway.md, section 14)."""
LAST_JOURNEYS = 20
MAX_CONTROL_BODY_BYTES = 70_000_000
"""Lambda takes deployment packages of 50 MB, Base64-encoded, in a request."""

_log = logging.getLogger("labkit.local")


class LocalCloud:
    """The ASGI application of one local cloud.

    Args:
        settings: port, credentials, account.
        shut_down: called when ``/_labkit/shutdown`` asks for the end.
        ready: called when everything is connected.
    """

    def __init__(
        self,
        settings: CloudSettings,
        shut_down: Callable[[], None] = lambda: None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self._last_request = time.monotonic()
        self._shut_down = shut_down
        self._ready = ready
        self.engine = Engine(settings)
        self.engine.start()
        self.mailbox = Mailbox()
        self._clock = CloudClock(Path(settings.work_directory))
        self._runner = FunctionRunner(
            self.engine.role_credentials,
            settings.endpoint,
            Path(settings.work_directory),
            clock_offset=self._clock.offset,
        )
        authorizers = Authorizers(
            CognitoAuthorizer(self.engine), LambdaAuthorizer(self.engine, self.engine)
        )
        usage_plans, journeys = UsagePlans(self.engine), Journeys()
        throttle = Throttle(usage_plans)
        pipeline = Pipeline(
            Gates(
                authorization=Authorization(
                    ResourcePolicy(self.engine),
                    authorizers.cognito,
                    IamAuthorizer(self.engine),
                    authorizers.lambda_authorizer,
                ),
                usage_plans=usage_plans,
                throttle=throttle,
                lambda_proxy=LambdaProxyIntegration(self.engine),
                http=HttpIntegration(),
            )
        )
        self._addresses = Addresses(self.engine)
        self._rest_apis = RestApiDataPlane(self.engine, pipeline, settings.account_id, journeys)
        self._api_gateway = RestApiControlPlane(
            self.engine,
            self.engine.forward,
            self._rest_apis,
            pipeline,
            settings.account_id,
            authorizers,
        )
        self._http_apis = HttpApiDataPlane(
            self.engine,
            http_api_pipeline(self.engine, throttle.buckets),
            settings.account_id,
            journeys,
        )
        self._http_api_gateway = HttpApiControlPlane(
            self.engine, self.engine.forward, self._http_apis, self.engine
        )
        self._usage = UsageOperations(self.engine, self.engine.forward, usage_plans)
        self._user_pools = UserPoolService(self.engine, self.mailbox)
        self._identity_pools = IdentityPoolService(self.engine)

    async def start(self) -> None:
        """Connect the parts; called on the serving event loop before the port opens."""
        self.engine.bind_to_running_loop()
        await asyncio.to_thread(self.engine.warm_up)
        self._identity_pools.guard_roles()
        self.engine.run_functions_with(self._runner)
        self.engine.deliver_mail_with(self.mailbox.deliver)
        self._ready()

    def seconds_idle(self) -> float:
        """How long ago the last request came."""
        return time.monotonic() - self._last_request

    def close(self) -> None:
        """End every process that a function left."""
        self._runner.close()

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
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(
            method=scope["method"],
            raw_path=(scope.get("raw_path") or b"/").decode("latin-1").partition("?")[0],
            query_string=scope["query_string"].decode("latin-1"),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]],
            source_ip=(scope.get("client") or ("127.0.0.1",))[0],
        )
        self._last_request = time.monotonic()
        refused = refuse_foreign(
            request, self.settings.port, self._addresses.is_custom_domain
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
        await _send(response, send, head=request.method == "HEAD")

    async def _answer(self, request: Request, address: Address | None) -> Response:
        if address is not None:
            serving = self._http_apis if self._http_apis.serves(address) else self._rest_apis
            return await serving.handle(request, address)
        if request.raw_path.startswith("/_labkit/"):
            return await self._labkit(request)
        if request.raw_path.startswith("/_") or request.host.endswith(".cloudfront.net"):
            return Response.of_json({"message": "Forbidden"}, 403)
        admitted = admit(request, self.engine)
        if isinstance(admitted, Response):
            return admitted
        request = admitted
        if (request.header("x-amz-target") or "").startswith("AWSCognitoIdentityProviderService."):
            return await self._user_pools.handle(request)
        if (request.header("x-amz-target") or "").startswith(IDENTITY_POOLS):
            return await self._identity_pools.handle(request)
        if request.raw_path.startswith(("/usageplans", "/apikeys")):
            return await self._usage.handle(request)
        if request.raw_path.startswith("/restapis"):
            return await self._api_gateway.handle(request)
        if request.raw_path.startswith(HTTP_API_PATH):
            return await self._http_api_gateway.handle(request)
        response = await self.engine.forward(request)
        return discovery.corrected(request, lambda_operations.corrected(request, response))

    # -- /_labkit ------------------------------------------------------------------

    async def _labkit(self, request: Request) -> Response:
        """Labkit's own endpoints: the inbox, the journeys, the clock, health and shutdown."""
        if not holds_token(request, self.settings.admin_token):
            return Response.of_json({"message": f"Send the cloud's token in {TOKEN_HEADER}."}, 403)
        what, _slash, rest = request.raw_path.removeprefix("/_labkit/").partition("/")
        if request.method == "GET" and what == "inbox" and rest:
            return Response.of_json(self.mailbox.messages(unquote(rest)))
        if request.method == "GET" and what == "journeys" and not rest:
            last = self._rest_apis.last_journeys(LAST_JOURNEYS)
            return Response.of_json([journey.to_dict() for journey in last])
        if request.method == "GET" and what == "journeys":
            journey = self._rest_apis.journey(unquote(rest))
            if journey is not None:
                return Response.of_json(journey.to_dict())
            return Response.of_json({"message": "No journey is kept under this request id."}, 404)
        if request.method == "GET" and what == "health":
            return Response.of_json({"status": "ready", "account_id": self.settings.account_id})
        if request.method in ("GET", "POST") and what == "clock":
            return self._clock.answer(request)
        if request.method == "POST" and what == "shutdown":
            self._shut_down()
            return Response.of_json({"status": "stopping"})
        return Response.of_json({"message": "Not Found"}, 404)


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


@lru_cache(1)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


async def _send(response: Response, send: Send, *, head: bool) -> None:
    names = {name.lower() for name, _value in response.headers}
    headers = list(response.headers)
    if "content-length" not in names:
        headers.append(("Content-Length", str(len(response.body))))
    if "date" not in names:
        headers.append(("Date", _http_date(int(time.time()))))
    if "x-amzn-requestid" not in names and "apigw-requestid" not in names:
        headers.append(("x-amzn-RequestId", str(uuid.uuid4())))
    encoded = [(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
