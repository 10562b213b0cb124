"""Finds what a call of REST APIs names, or refuses it in AWS's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request, invalid_api_id, not_found
from labkit.local.apigateway.control.store import GatewayStore, RestApi

JsonObject = dict[str, Any]

MAX_PAGE = 500


def rest_api(store: GatewayStore, call: Call) -> RestApi:
    """The API that a call names (recorded 1.20).

    Raises:
        ApiError: ``NotFoundException``.
    """
    api_id = call.text("restApiId")
    found = store.region(call.region).rest_apis.get(api_id)
    if found is None:
        raise invalid_api_id(store.account_id, api_id)
    return found


def resource(store: GatewayStore, call: Call, name: str = "resourceId") -> JsonObject:
    """The resource that a call names; an unknown API looks the same (recorded 3.1, 3.2).

    Raises:
        ApiError: ``NotFoundException``.
    """
    api = store.region(call.region).rest_apis.get(call.text("restApiId"))
    found = api and api.resources.get(call.text(name))
    if not found:
        raise not_found("Invalid Resource identifier specified")
    return found


def method(store: GatewayStore, call: Call) -> JsonObject:
    """The method that a call names (recorded 3.7).

    Raises:
        ApiError: ``NotFoundException``.
    """
    found: JsonObject | None = (
        resource(store, call).get("resourceMethods", {}).get(call.text("httpMethod"))
    )
    if found is None:
        raise not_found("Invalid Method identifier specified")
    return found


def integration(store: GatewayStore, call: Call) -> JsonObject:
    """The integration of the method that a call names (recorded 8.13).

    Raises:
        ApiError: ``NotFoundException``.
    """
    found: JsonObject | None = method(store, call).get("methodIntegration")
    if found is None:
        raise not_found("Invalid Integration identifier specified")
    return found


def page(items: Iterable[JsonObject], call: Call, default: int = 25) -> JsonObject:
    """A page of a list: ``{"item": […], "position": …}``; the last page has no position (recorded 11.16).

    Args:
        items: all, in order.
        call: ``limit`` and ``position``, which is the number of items before.
        default: how many without a limit.

    Raises:
        ApiError: ``BadRequestException``.
    """
    everything = list(items)
    limit = call.parameters.get("limit", default)
    position = call.text("position")
    if not 1 <= limit <= MAX_PAGE:
        raise bad_request(f"Invalid limit specified. Must be between 1 and {MAX_PAGE}")
    if position and not (position.isascii() and position.isdigit() and len(position) < 10):
        raise bad_request("Invalid position specified")
    begin = int(position or 0)
    found: JsonObject = {"item": everything[begin : begin + limit]}
    if begin + limit < len(everything):
        found["position"] = str(begin + limit)
    return found
