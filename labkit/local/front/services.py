"""Which service answers a call of a control plane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from labkit.local.apigateway.control.control_plane import ApiGatewayControlPlane
from labkit.local.cognito import discovery
from labkit.local.cognito.identity_pools import TARGET_PREFIX as IDENTITY_POOLS
from labkit.local.cognito.identity_pools import IdentityPoolService
from labkit.local.cognito.user_pools import TARGET_PREFIX as USER_POOLS
from labkit.local.cognito.user_pools import UserPoolService
from labkit.local.front.body_types import refuse_wrong_types
from labkit.local.front.credentials import named_credentials
from labkit.local.front.resource_policies import refuse_resource_policy
from labkit.local.functions import operations as lambda_operations
from labkit.local.messages import Request, Response

API_GATEWAY = "apigateway"
"""How signatures name API Gateway."""

Forward = Callable[[Request], Awaitable[Response]]
"""Lets the engine answer."""


@dataclass(frozen=True)
class Services:
    """The services of labkit's own, and the engine for what is left.

    Attributes:
        user_pools: ``cognito-idp``.
        identity_pools: ``cognito-identity``.
        api_gateway: ``apigateway`` and ``apigatewayv2``.
        forward: the engine.
    """

    user_pools: UserPoolService
    identity_pools: IdentityPoolService
    api_gateway: ApiGatewayControlPlane
    forward: Forward

    async def answer(self, request: Request) -> Response:
        """Answer a call that ``access.admit`` has let in."""
        target = request.header("x-amz-target") or ""
        if target.startswith(USER_POOLS):
            return await self.user_pools.handle(request)
        if target.startswith(IDENTITY_POOLS):
            return await self.identity_pools.handle(request)
        credentials = named_credentials(request)
        if credentials is not None and credentials.service == API_GATEWAY:
            return await self.api_gateway.handle(request, credentials.region)
        refused = refuse_resource_policy(request) or refuse_wrong_types(request)
        response = refused or await self.forward(request)
        return discovery.correct_discovery_document(
            request, lambda_operations.correct_missing_policy(request, response)
        )
