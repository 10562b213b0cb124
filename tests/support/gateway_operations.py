"""API Gateway's control planes without a cloud around them: a store, its operations, nobody to ask IAM."""

from __future__ import annotations

import asyncio
import inspect
import random
from typing import Any

from labkit.local.apigateway.control.control_plane import perform
from labkit.local.apigateway.control.http.apis import HttpApiOperations
from labkit.local.apigateway.control.http.authorizers import HttpAuthorizerOperations
from labkit.local.apigateway.control.http.exports import HttpExportOperations
from labkit.local.apigateway.control.http.imports import HttpImportOperations
from labkit.local.apigateway.control.http.integrations import HttpIntegrationOperations
from labkit.local.apigateway.control.http.routes import RouteOperations
from labkit.local.apigateway.control.operations import call_of
from labkit.local.apigateway.control.rest.authorizers import AuthorizerOperations
from labkit.local.apigateway.control.rest.exports import ExportOperations
from labkit.local.apigateway.control.rest.gateway_responses import GatewayResponseOperations
from labkit.local.apigateway.control.rest.imports import ImportOperations
from labkit.local.apigateway.control.rest.integrations import IntegrationOperations
from labkit.local.apigateway.control.rest.methods import MethodOperations
from labkit.local.apigateway.control.rest.models import ModelOperations
from labkit.local.apigateway.control.rest.request_validators import RequestValidatorOperations
from labkit.local.apigateway.control.rest.resources import ResourceOperations
from labkit.local.apigateway.control.rest.rest_apis import RestApiOperations
from labkit.local.apigateway.control.store import GatewayStore, HttpApi, RestApi
from labkit.local.apigateway.http import records as http_records
from labkit.local.apigateway.rest.records import RestDeployment, freeze

REGION = "us-east-1"
ACCOUNT = "123456789012"
NOW = 1_700_000_000.0
FUNCTION_URI = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f/invocations"
)
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/us-east-1_abc"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/us-east-1_abc"


class HttpSnapshots:
    """Each stage serves what its HTTP API is now."""

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def deployment(self, api_id: str, deployment_id: str) -> http_records.HttpDeployment:
        """A deployment of what the API is now."""
        parts = self._store.region(REGION).http_apis[api_id].parts
        return http_records.freeze(api_id, REGION, deployment_id, parts)


class ControlPlane:
    """The operations on REST and HTTP APIs."""

    def __init__(self, seed: int = 1) -> None:
        self.store = store = GatewayStore(ACCOUNT, lambda _arn: None, random.Random(seed))
        self.changed: list[HttpApi] = []
        self.forgotten: list[str] = []
        self._parts: dict[str, list[object]] = {
            "apigateway": [
                RestApiOperations(store, lambda: NOW, lambda _api_id: None),
                ImportOperations(store, lambda: NOW),
                ExportOperations(store, self),
                ResourceOperations(store),
                MethodOperations(store),
                IntegrationOperations(store),
                ModelOperations(store),
                RequestValidatorOperations(store),
                AuthorizerOperations(store),
                GatewayResponseOperations(store),
            ],
            "apigatewayv2": [
                HttpApiOperations(store, lambda: NOW, lambda _api: None, lambda _api_id: None),
                HttpImportOperations(
                    store,
                    lambda: NOW,
                    self._has_discovery,
                    self.changed.append,
                    self.forgotten.append,
                ),
                HttpExportOperations(store, HttpSnapshots(store)),
                RouteOperations(store, lambda _api: None),
                HttpIntegrationOperations(store, lambda _api: None),
                HttpAuthorizerOperations(
                    store, self._has_discovery, lambda _api: None, lambda _api_id: None
                ),
            ],
        }

    async def _has_discovery(self, issuer: str) -> bool:
        return issuer == ISSUER

    def deployment(self, api_id: str, deployment_id: str) -> RestDeployment:
        """A deployment of what the API is now."""
        api = self.store.region(REGION).rest_apis[api_id]
        return freeze(api_id, REGION, deployment_id, api.configuration)

    def call(self, operation: str, service: str = "apigateway", **parameters: Any) -> Any:
        """Call an operation under its parameters' names with a small first letter."""
        answer = perform(self._parts[service], call_of(service, operation, REGION, parameters))

        async def awaited() -> Any:
            return await answer

        return asyncio.run(awaited()) if inspect.isawaitable(answer) else answer

    def api(self, api_id: str) -> RestApi:
        """A REST API's records."""
        return self.store.region(REGION).rest_apis[api_id]

    def http_api(self, api_id: str) -> HttpApi:
        """An HTTP API's records."""
        return self.store.region(REGION).http_apis[api_id]
