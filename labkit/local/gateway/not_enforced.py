"""What this local cloud doesn't enforce yet fails closed: 500 with a reason, never an answer from the backend."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.local.gateway.call import Call, Outcome, Skip, Stop
from labkit.local.gateway.responses import API_CONFIGURATION_ERROR, FORBIDDEN, GatewayError


def _fail_closed(what: str, evidence: Mapping[str, object] | None = None) -> Stop:
    reason = f"the local cloud doesn't enforce {what} yet, so it turns the request away; AWS would check it"
    return Stop(GatewayError(API_CONFIGURATION_ERROR), reason, evidence or {})


def waf(call: Call) -> Outcome:
    """AWS WAF: the stage's web ACL."""
    if call.stage_record.get("webAclArn"):
        return _fail_closed("web ACLs")
    return Skip("no web ACL on the stage")


def endpoint(call: Call) -> Stop | None:
    """Endpoint settings that close the default endpoint or make the API private (10.5, 10.8)."""
    api = call.deployment.api
    if api.get("disableExecuteApiEndpoint"):
        return Stop(GatewayError(FORBIDDEN), "the API's default endpoint is disabled")
    if "PRIVATE" in (api.get("endpointConfiguration") or {}).get("types", []):
        return _fail_closed("private APIs")
    return None


def resource_policy(call: Call) -> Outcome:
    """The API's resource policy."""
    if call.deployment.api.get("policy"):
        return _fail_closed("resource policies")
    return Skip("the API has no resource policy")


def authorization_type(call: Call) -> Stop:
    """Authorization types other than ``NONE`` and ``COGNITO_USER_POOLS``."""
    kind = str(call.found.method.get("authorizationType"))
    return _fail_closed(f"the authorization type {kind}", {"authorizationType": kind})


def api_key(call: Call) -> Outcome:
    """API keys and usage plans."""
    if call.found.method.get("apiKeyRequired"):
        return _fail_closed("API keys and usage plans", {"apiKeyRequired": True})
    return Skip("the method requires no API key")


def throttle(call: Call) -> Outcome:
    """Method settings of the stage."""
    for key, settings in (call.stage_record.get("methodSettings") or {}).items():
        if "throttlingRateLimit" in settings or "throttlingBurstLimit" in settings:
            return _fail_closed("the stage's throttling settings", {"method setting": key})
    return Skip("the stage sets no limit of its own")


def validation(call: Call) -> Outcome:
    """Request validators."""
    if call.found.method.get("requestValidatorId"):
        return _fail_closed("request validators")
    return Skip("the method validates nothing")
