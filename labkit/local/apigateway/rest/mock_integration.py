"""The ``MOCK`` integration: API Gateway answers by itself, from templates."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.mapping import (
    choose_response,
    map_request,
    map_response,
    refuse_mapping,
)
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.responses import DEFAULT_5XX, GatewayError

_SHORT = 100
_BARE_KEY = re.compile(r"(?<=[{,])(\s*)([A-Za-z_]\w{0,99})(\s*:)")


async def mock_integration(
    call: RestCall, integration: RestIntegration
) -> Answer | Stop[GatewayError]:
    """The answer of a MOCK integration.

    The request template yields ``{"statusCode": n}``, which chooses the integration response.
    """
    mapped = await map_request(call, integration)
    if isinstance(mapped, Stop):
        return mapped
    status = _status_in(mapped) if len(mapped) > _SHORT else _status_in_short(mapped)
    if status is None:
        reason = 'the request template yields no {"statusCode": …}'
        return Stop(GatewayError(DEFAULT_5XX), Code.INTEGRATION_TEMPLATE, reason)
    chosen = choose_response(integration, str(status), str(status))
    if chosen is None:
        return refuse_mapping(call, status, f"no integration response for the status {status}")
    response = await map_response(call, chosen, b"")
    if isinstance(response, Stop):
        return response
    return Answer(response, f"MOCK answered {response.status}")


def _status_in(mapped: bytes) -> int | None:
    """The status that a template's text names; its key may lack the quotes (recorded 17.5)."""
    try:
        text = mapped.decode()
        data = json.loads(_BARE_KEY.sub(r'\1"\2"\3', text) if '"' not in text else text)
    except (ValueError, RecursionError):
        return None
    status = data.get("statusCode") if isinstance(data, dict) else None
    try:
        return (
            int(status) if isinstance(status, int | str) and not isinstance(status, bool) else None
        )
    except ValueError:
        return None


_status_in_short = lru_cache(256)(_status_in)
"""Most request templates are ``{"statusCode": 200}``."""
