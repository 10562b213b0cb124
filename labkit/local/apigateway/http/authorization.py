"""The authorizer gate: by the route's authorization type."""

from __future__ import annotations

from labkit.local.apigateway.http.call import HttpCall, Outcome, broken
from labkit.local.apigateway.http.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.rest.call import Skip


class Authorization:
    """Asks the authorizer that guards the route.

    Args:
        jwt: for ``JWT``.
        iam: for ``AWS_IAM``.
        lambda_authorizer: for ``CUSTOM``.
    """

    def __init__(
        self, jwt: JwtAuthorizer, iam: IamAuthorizer, lambda_authorizer: LambdaAuthorizer
    ) -> None:
        self._jwt = jwt
        self._iam = iam
        self.lambda_authorizer = lambda_authorizer

    async def __call__(self, call: HttpCall) -> Outcome:
        """The authorizer's outcome."""
        if call.route is None:
            return Skip("no route is asked for: the API answers the preflight by itself")
        kind = str(call.route.record.get("authorizationType") or "NONE")
        if kind == "NONE":
            return Skip("the route is open to everybody (authorization NONE)")
        if kind == "JWT":
            return await self._jwt(call)
        if kind == "AWS_IAM":
            return self._iam(call)
        if kind == "CUSTOM":
            return await self.lambda_authorizer(call)
        return broken(f"the local cloud doesn't know the authorization type {kind}")
