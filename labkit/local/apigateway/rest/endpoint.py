"""How the API may be reached: its endpoint's type, and what stands in front of the stage."""

from __future__ import annotations

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Skip, Stop
from labkit.local.apigateway.rest.call import RestCall, RestOutcome
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, FORBIDDEN, GatewayError

_NO_WEB_ACL = Skip("no web ACL on the stage")


def waf(call: RestCall) -> RestOutcome:
    """AWS WAF: the stage's web ACL. It isn't evaluated yet, so it fails closed."""
    if call.stage_record.get("webAclArn"):
        reason = "the local cloud doesn't evaluate web ACLs yet, so it turns the request away; AWS would evaluate it"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.UNSUPPORTED, reason)
    return _NO_WEB_ACL


def closed_endpoint(call: RestCall) -> Stop[GatewayError] | None:
    """A refusal when the client's way in is closed (gateway 10.5, 10.8, edge E8.20); None when it is open."""
    if call.deployment.endpoint_disabled and call.base_path is None:
        reason = "the API's default endpoint is disabled"
        return Stop(GatewayError(FORBIDDEN), Code.ENDPOINT_DISABLED, reason)
    if call.is_private and call.vpc_endpoint is None:
        reason = "a private API is only reached through an interface VPC endpoint"
        return Stop(GatewayError(FORBIDDEN), Code.VPC_ENDPOINT_REQUIRED, reason)
    if call.vpc_endpoint and call.vpc_endpoint not in call.deployment.vpc_endpoint_ids:
        reason = f"the VPC endpoint {call.vpc_endpoint} isn't associated with the API: this name leads nowhere"
        return Stop(GatewayError(FORBIDDEN), Code.VPC_ENDPOINT_REQUIRED, reason)
    return None
