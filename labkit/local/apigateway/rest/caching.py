"""A stage's cache of answers (gateway 17.12): there is none here, so what AWS would cache is turned away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.records import is_true
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, GatewayError


def refuse_cached(call: RestCall) -> Stop[GatewayError] | None:
    """A refusal of what AWS would answer from the stage's cache; None when it wouldn't."""
    stage = call.stage_record
    if not is_true(stage.get("cacheClusterEnabled")) or call.verb != "GET":
        return None
    if not is_cached(stage.get("methodSettings") or {}, call.found.resource.path, call.verb):
        return None
    reason = (
        "the local cloud caches no answers (cachingEnabled), so it stops here; AWS would look first"
        " whether it has one"
    )
    return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.UNSUPPORTED, reason)


def is_cached(settings: Mapping[str, Any], path: str, verb: str) -> bool:
    """Whether a method's answers are cached: its own setting, or the stage's.

    >>> is_cached({"*/*": {"cachingEnabled": True}, "~1pets/GET": {"cachingEnabled": False}}, "/pets", "GET")
    False
    """
    keys = (f"{path.replace('/', '~1')}/{verb}", f"{path.lstrip('/')}/{verb}", f"{path}/{verb}")
    for key in (*keys, "*/*"):
        entry = settings.get(key) or {}
        if entry.get("cachingEnabled") is not None:
            return is_true(entry["cachingEnabled"])
    return False
