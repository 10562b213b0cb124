"""Authorization by the method's type: which of resource policy and authorizer is looked at, and in which order.

Gateway.md, sections 5 and 9: an open method has the resource policy alone; a Lambda authorizer comes after the policy's
explicit denies and is then combined with it; ``AWS_IAM`` and Cognito authenticate first.
"""

from __future__ import annotations

from labkit.local.apigateway.rest.call import Call, Outcome, Skip, Stop
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.rest.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.rest.resource_policy import ResourcePolicy
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, GatewayError

_OPEN = Skip("the method is open to everybody (authorization NONE)")
POLICY, AUTHORIZER = "resource policy", "authorizer"


class Authorization:
    """The gates ``resource policy`` and ``authorizer``.

    Args:
        resource_policy: the API's policy.
        cognito: for ``COGNITO_USER_POOLS``.
        iam: for ``AWS_IAM``.
        lambda_authorizer: for ``CUSTOM``.
    """

    def __init__(
        self,
        resource_policy: ResourcePolicy,
        cognito: CognitoAuthorizer,
        iam: IamAuthorizer,
        lambda_authorizer: LambdaAuthorizer,
    ) -> None:
        self._resource_policy = resource_policy
        self._cognito = cognito
        self._iam = iam
        self._lambda_authorizer = lambda_authorizer

    async def outcomes(self, call: Call) -> list[tuple[str, Outcome]]:
        """Each gate's name and outcome, in order, up to the first Stop."""
        found = [(POLICY, self._resource_policy.before_authorizer(call))]
        if isinstance(found[0][1], Stop):
            return found
        authorized = await self._authorize(call)
        found.append((AUTHORIZER, authorized))
        if isinstance(authorized, Stop):
            return found
        after = self._after(call)
        if after is not None:
            found.append((POLICY, after))
        return found

    async def _authorize(self, call: Call) -> Outcome:
        kind = str(call.found.method.get("authorizationType") or "NONE")
        if kind == "NONE":
            return _OPEN
        if kind == "COGNITO_USER_POOLS":
            return self._cognito(call)
        if kind == "AWS_IAM":
            return self._iam(call)
        if kind == "CUSTOM":
            return await self._lambda_authorizer(call)
        reason = f"the local cloud doesn't know the authorization type {kind}, so it turns the request away"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), reason, {"authorizationType": kind})

    def _after(self, call: Call) -> Outcome | None:
        kind = call.found.method.get("authorizationType")
        if kind == "COGNITO_USER_POOLS":
            return self._resource_policy.after_cognito(call)
        if call.identity is not None:
            return self._resource_policy.after_identity(call, call.identity)
        return None
