"""A REST API's words for callers who aren't let in, in AWS's present form (gateway 3.15, 4.17-4.20, 5.8)."""

from __future__ import annotations

from labkit.local.apigateway.policies import Identity
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.responses import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_AUTHENTICATION_TOKEN,
    UNRECOGNIZED_CLIENT,
    GatewayError,
)
from labkit.local.apigateway.signature import RefusedSignatureError
from labkit.local.iam.evaluation import Decision

EXPLICIT_IDENTITY = "with an explicit deny in an identity-based policy"
EXPLICIT_RESOURCE = "with an explicit deny in a resource-based policy"
IMPLICIT_IDENTITY = "because no identity-based policy allows the execute-api:Invoke action"
IMPLICIT_RESOURCE = "because no resource-based policy allows the execute-api:Invoke action"

_OF_A_SIGNATURE = {
    kind.error_type: kind
    for kind in (
        EXPIRED_TOKEN,
        INCOMPLETE_SIGNATURE,
        INVALID_SIGNATURE,
        MISSING_AUTHENTICATION_TOKEN,
        UNRECOGNIZED_CLIENT,
    )
}


def refuse_signature(refused: RefusedSignatureError) -> GatewayError:
    """The refusal of a signature that isn't good."""
    return GatewayError(_OF_A_SIGNATURE[refused.error_type], refused.message)


def deny_caller(
    call: RestCall, identity: Identity, resource: Decision = "ImplicitDeny"
) -> GatewayError:
    """The denial of a caller whom the policies together don't allow; an explicit deny is named first.

    Args:
        call: what the caller asked for.
        identity: the caller's side.
        resource: what the resource policy says.
    """
    if identity.decision == "Deny":
        why = EXPLICIT_IDENTITY
    elif resource == "Deny":
        why = EXPLICIT_RESOURCE
    elif identity.decision == "Allow" and identity.account_id != call.account_id:
        why = IMPLICIT_RESOURCE
    else:
        why = IMPLICIT_IDENTITY
    if identity.arn is None:
        message = f"User is not authorized to access this resource {why}"
        return GatewayError(ACCESS_DENIED, message)
    return deny_user(call, identity.arn, why)


def deny_user(call: RestCall, user: str, why: str) -> GatewayError:
    """The denial of a caller with a name: an ARN, or ``anonymous``."""
    action = "is not authorized to perform: execute-api:Invoke on resource:"
    return GatewayError(ACCESS_DENIED, f"User: {user} {action} {masked_arn(call)} {why}")


def masked_arn(call: RestCall) -> str:
    """The method's ARN with the account id as ``********`` and its last four digits (gateway 4.18)."""
    account_id = call.account_id
    return call.invoked_arn().replace(f":{account_id}:", f":********{account_id[-4:]}:", 1)
