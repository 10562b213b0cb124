"""How an HTTP API may be reached."""

from __future__ import annotations

from labkit.journey import Code
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.responses import NOT_FOUND, HttpError
from labkit.local.apigateway.outcomes import Stop


def closed_endpoint(call: HttpCall) -> Stop[HttpError] | None:
    """A refusal when the client's way in is closed (gateway 10.8, 13.12); None when it is open."""
    if call.endpoint_disabled and not call.has_custom_domain:
        return Stop(NOT_FOUND, Code.ENDPOINT_DISABLED, "the API's default endpoint is disabled")
    if call.vpc_endpoint is not None:
        reason = "an HTTP API isn't reached through a VPC endpoint"
        return Stop(NOT_FOUND, Code.VPC_ENDPOINT_NOT_SERVED, reason)
    return None
