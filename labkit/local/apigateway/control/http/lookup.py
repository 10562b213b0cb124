"""Finds what a call of HTTP APIs names, or refuses it; the words of what isn't there are from public reports."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.store import GatewayStore, HttpApi, Records

JsonObject = dict[str, Any]


def http_api(store: GatewayStore, call: Call) -> HttpApi:
    """The API that a call names.

    Raises:
        ApiError: ``NotFoundException``.
    """
    found = store.region(call.region).http_apis.get(call.text("apiId"))
    if found is None:
        raise not_found(f"Invalid API identifier specified {call.text('apiId')}")
    return found


def part(records: Records, call: Call, name: str, kind: str) -> JsonObject:
    """The route, integration… that a call names.

    Args:
        records: those of the API.
        call: names it.
        name: the parameter with its id.
        kind: what it is, as AWS calls it.

    Raises:
        ApiError: ``NotFoundException``.
    """
    found = records.get(call.text(name))
    if found is None:
        raise not_found(f"Invalid {kind} identifier specified {call.text(name)}")
    return found


def page(items: Iterable[JsonObject], call: Call) -> JsonObject:
    """A page of a list: ``{"items": […], "nextToken": …}``.

    Raises:
        ApiError: ``BadRequestException``.
    """
    everything = list(items)
    size, token = call.text("maxResults") or "500", call.text("nextToken")
    for number in (size, token):
        if number and not (number.isascii() and number.isdigit() and len(number) < 10):
            raise bad_request(f"Invalid page specified: {number}")
    begin, end = int(token or 0), int(token or 0) + int(size)
    found: JsonObject = {"items": everything[begin:end]}
    if end < len(everything):
        found["nextToken"] = str(end)
    return found


def updated(record: JsonObject, call: Call, *names: str) -> JsonObject:
    """A changed copy of a record: what is given replaces what was there, and nothing takes it away."""
    changed = dict(record)
    for name in names:
        if name not in call.parameters:
            continue
        if call.parameters[name] in ("", {}, []):
            changed.pop(name, None)
        else:
            changed[name] = call.parameters[name]
    return changed


def iso_time(seconds: float) -> str:
    """A time as these operations show it.

    >>> iso_time(0)
    '1970-01-01T00:00:00Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
