"""Which service answers a call of a control plane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from labkit.local.apigateway.control.http.control_plane import PATH as HTTP_APIS
from labkit.local.apigateway.control.http.control_plane import HttpApiControlPlane
from labkit.local.apigateway.control.rest.control_plane import RestApiControlPlane
from labkit.local.apigateway.control.rest.usage_operations import UsageOperations
from labkit.local.apigateway.domain_names import PATHS as DOMAIN_NAMES
from labkit.local.apigateway.domain_names import answer_domain_name_operation
from labkit.local.cognito import discovery
from labkit.local.cognito.identity_pools import TARGET_PREFIX as IDENTITY_POOLS
from labkit.local.cognito.identity_pools import IdentityPoolService
from labkit.local.cognito.user_pools import TARGET_PREFIX as USER_POOLS
from labkit.local.cognito.user_pools import UserPoolService
from labkit.local.front.resource_policies import refuse_resource_policy
from labkit.local.functions import operations as lambda_operations
from labkit.local.messages import Request, Response

Forward = Callable[[Request], Awaitable[Response]]
"""Lets the engine answer."""


@dataclass(frozen=True)
class Services:
    """The services of labkit's own, and the engine for what is left.

    Attributes:
        user_pools: ``cognito-idp``.
        identity_pools: ``cognito-identity``.
        usage: API keys, usage plans and usage of ``apigateway``.
        rest_apis: the rest of ``apigateway`` below ``/restapis``.
        http_apis: ``apigatewayv2``.
        forward: the engine.
    """

    user_pools: UserPoolService
    identity_pools: IdentityPoolService
    usage: UsageOperations
    rest_apis: RestApiControlPlane
    http_apis: HttpApiControlPlane
    forward: Forward

    async def answer(self, request: Request) -> Response:
        """Answer a call that ``access.admit`` has let in."""
        target = request.header("x-amz-target") or ""
        if target.startswith(USER_POOLS):
            return await self.user_pools.handle(request)
        if target.startswith(IDENTITY_POOLS):
            return await self.identity_pools.handle(request)
        if request.raw_path.startswith(("/usageplans", "/apikeys")):
            return await self.usage.handle(request)
        if request.raw_path.startswith(DOMAIN_NAMES):
            return await answer_domain_name_operation(request, self.forward)
        if request.raw_path.startswith("/restapis"):
            return await self.rest_apis.handle(request)
        if request.raw_path.startswith(HTTP_APIS):
            return await self.http_apis.handle(request)
        response = refuse_resource_policy(request) or await self.forward(request)
        return discovery.correct_discovery_document(
            request, lambda_operations.correct_missing_policy(request, response)
        )
