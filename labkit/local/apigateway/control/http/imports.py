"""``ImportApi`` and ``ReimportApi``: an HTTP API made of an OpenAPI file, in one step or not at all."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.apigateway.control.control_plane import perform
from labkit.local.apigateway.control.http.apis import HttpApiOperations
from labkit.local.apigateway.control.http.authorizers import HttpAuthorizerOperations
from labkit.local.apigateway.control.http.imported_api import HttpApiImport
from labkit.local.apigateway.control.http.integrations import HttpIntegrationOperations
from labkit.local.apigateway.control.http.lookup import http_api
from labkit.local.apigateway.control.http.routes import RouteOperations
from labkit.local.apigateway.control.openapi.document import base_path_option, read_document
from labkit.local.apigateway.control.openapi.reading import invalid_input
from labkit.local.apigateway.control.operations import Call, call_of
from labkit.local.apigateway.control.refusals import conflict
from labkit.local.apigateway.control.store import GatewayStore, HttpApi

JsonObject = dict[str, Any]

_PARTS = ("settings", "routes", "integrations", "authorizers")
"""What an import changes; stages and deployments stay as they are."""
_KEPT = (
    "apiId",
    "apiEndpoint",
    "apiKeySelectionExpression",
    "createdDate",
    "ipAddressType",
    "protocolType",
    "routeSelectionExpression",
    "tags",
)
"""The settings that a file doesn't touch."""


class HttpImportOperations:
    """The operations that import a file.

    Args:
        store: the records.
        clock: seconds since the epoch.
        has_discovery: whether an issuer publishes its discovery document.
        changed: called with an API that was changed.
        forget_authorizers: empties the cache of an API's authorizers.
    """

    def __init__(
        self,
        store: GatewayStore,
        clock: Callable[[], float],
        has_discovery: Callable[[str], Awaitable[bool]],
        changed: Callable[[HttpApi], None],
        forget_authorizers: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._has_discovery = has_discovery
        self._changed = changed
        self._forget_authorizers = forget_authorizers

    async def import_api(self, call: Call) -> JsonObject:
        """Make an API of a file."""
        api, warnings = await self._imported(call, None)
        self._store.region(call.region).http_apis[api.settings["apiId"]] = api
        self._changed(api)
        return {**api.settings, **warnings}

    async def reimport_api(self, call: Call) -> JsonObject:
        """Put a file in the place of what an API is."""
        api = http_api(self._store, call)
        before = copy.deepcopy({part: getattr(api, part) for part in _PARTS})
        settings = {name: one for name, one in before["settings"].items() if name in _KEPT}
        made, warnings = await self._imported(call, HttpApi(settings))
        now = {part: getattr(api, part) for part in _PARTS}
        if http_api(self._store, call) is not api or now != before:
            raise conflict(
                "Unable to complete operation due to concurrent modification. Please try again later."
            )
        for part in _PARTS:
            setattr(api, part, getattr(made, part))
        self._forget_authorizers(api.settings["apiId"])
        self._changed(api)
        return {**api.settings, **warnings}

    async def _imported(
        self, call: Call, api: HttpApi | None
    ) -> tuple[HttpApi, dict[str, list[str]]]:
        """The API that the file describes, made aside, and the warnings."""
        base_path = base_path_option(call.text("basepath"))
        document = await asyncio.to_thread(read_document, call.text("body").encode())
        if document.is_swagger:  # AWS's words aren't known
            raise invalid_input()
        draft = HttpApiDraft(self._store.draft(), call.region, self._clock, self._has_discovery)
        if api is not None:
            draft.begin(api)
        made = HttpApiImport(draft.perform, document, base_path)
        await made.run(is_new=api is None)
        made.report.check(fail_on_warnings=bool(call.parameters.get("failOnWarnings")))
        warnings = made.report.warnings
        return draft.api, {"warnings": warnings} if warnings else {}


class HttpApiDraft:
    """One HTTP API in a store of its own: each part goes through the operation that a request would call.

    Args:
        store: empty.
        region: of the API.
        clock: seconds since the epoch.
        has_discovery: whether an issuer publishes its discovery document.
    """

    def __init__(
        self,
        store: GatewayStore,
        region: str,
        clock: Callable[[], float],
        has_discovery: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._region = region
        self._apis = store.region(region).http_apis
        self._parts = [
            HttpApiOperations(store, clock, _ignore, _ignore),
            RouteOperations(store, _ignore),
            HttpIntegrationOperations(store, _ignore),
            HttpAuthorizerOperations(store, has_discovery, _ignore, _ignore),
        ]

    @property
    def api(self) -> HttpApi:
        """The API, once it is made."""
        return next(iter(self._apis.values()))

    def begin(self, api: HttpApi) -> None:
        """Change this API."""
        self._apis[api.settings["apiId"]] = api

    async def perform(self, operation: str, parameters: JsonObject) -> JsonObject:
        """Call an operation on the API, or the one that makes it.

        Raises:
            ApiError: it is refused.
        """
        if self._apis:
            parameters = {**parameters, "apiId": next(iter(self._apis))}
        answer = perform(self._parts, call_of("apigatewayv2", operation, self._region, parameters))
        found: JsonObject = await answer if inspect.isawaitable(answer) else answer
        return found


def _ignore(_whatever: object) -> None:
    """Nobody serves what is being made."""
