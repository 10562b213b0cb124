"""A REST API that is made or changed aside: each part goes through the operation that a request would call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.control_plane import perform
from labkit.local.apigateway.control.openapi.report import ImportReport
from labkit.local.apigateway.control.operations import call_of
from labkit.local.apigateway.control.rest.authorizers import AuthorizerOperations
from labkit.local.apigateway.control.rest.gateway_responses import GatewayResponseOperations
from labkit.local.apigateway.control.rest.integrations import IntegrationOperations
from labkit.local.apigateway.control.rest.methods import MethodOperations
from labkit.local.apigateway.control.rest.models import ModelOperations
from labkit.local.apigateway.control.rest.request_validators import RequestValidatorOperations
from labkit.local.apigateway.control.rest.resources import ResourceOperations
from labkit.local.apigateway.control.rest.rest_apis import RestApiOperations
from labkit.local.apigateway.control.store import GatewayStore, RestApi


class RestApiDraft:
    """One API in a store of its own.

    Args:
        store: empty.
        region: of the API.
        clock: seconds since the epoch.
    """

    def __init__(self, store: GatewayStore, region: str, clock: Callable[[], float]) -> None:
        self._store = store
        self.region = region
        self._apis = store.region(region).rest_apis
        self._parts = [
            RestApiOperations(store, clock, lambda _api_id: None),
            ResourceOperations(store),
            MethodOperations(store),
            IntegrationOperations(store),
            ModelOperations(store),
            RequestValidatorOperations(store),
            AuthorizerOperations(store),
            GatewayResponseOperations(store),
        ]
        self.report = ImportReport()

    @property
    def api(self) -> RestApi:
        """The API, once it is made."""
        return next(iter(self._apis.values()))

    def begin(self, api: RestApi) -> None:
        """Change this API."""
        self._apis[api.settings["id"]] = api

    def new_id(self) -> str:
        """An id for something that has no name."""
        return self._store.new_id(6)

    def perform(self, operation: str, **parameters: Any) -> Any:
        """Call an operation on the API, or the one that makes it.

        Raises:
            ApiError: it is refused.
        """
        if self._apis:
            parameters["restApiId"] = next(iter(self._apis))
        return perform(self._parts, call_of("apigateway", operation, self.region, parameters))
