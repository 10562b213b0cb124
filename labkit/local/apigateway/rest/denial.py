"""The words of a denial that a policy decided (gateway.md 3.15, 3.16, 4.17-4.20, 5.8, 5.9), in AWS's present form."""

from __future__ import annotations

from labkit.local.apigateway.rest.call import Call
from labkit.local.apigateway.rest.responses import ACCESS_DENIED, GatewayError

EXPLICIT_IDENTITY = "with an explicit deny in an identity-based policy"
EXPLICIT_RESOURCE = "with an explicit deny in a resource-based policy"
IMPLICIT_IDENTITY = "because no identity-based policy allows the execute-api:Invoke action"
IMPLICIT_RESOURCE = "because no resource-based policy allows the execute-api:Invoke action"


def masked_arn(call: Call) -> str:
    """The method's ARN with the account id as ``********`` and its last four digits (4.18)."""
    account_id = call.account_id
    return call.method_arn().replace(f":{account_id}:", f":********{account_id[-4:]}:", 1)


def denied_user(call: Call, user: str, why: str) -> GatewayError:
    """The denial of a caller with a name: an ARN, or ``anonymous``."""
    action = "is not authorized to perform: execute-api:Invoke on resource:"
    return GatewayError(ACCESS_DENIED, f"User: {user} {action} {masked_arn(call)} {why}")


def denied_by_authorizer(why: str) -> GatewayError:
    """The denial by the policy that a Lambda authorizer returned."""
    return GatewayError(ACCESS_DENIED, f"User is not authorized to access this resource {why}")
