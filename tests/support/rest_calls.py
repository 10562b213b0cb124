"""Deployments and calls made by hand, for tests of single gates."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.records import RestDeployment, freeze
from labkit.local.apigateway.rest.routing import Route
from labkit.local.messages import Request

T = TypeVar("T")

METHOD: dict[str, Any] = {"authorizationType": "NONE", "methodIntegration": {"type": "MOCK"}}


def deployment(paths: Mapping[str, Mapping[str, Any]], **configuration: Any) -> RestDeployment:
    """A deployment with these resources: path → verb → method."""
    resources = {
        f"r{number}": {"path": path, "resourceMethods": methods}
        for number, (path, methods) in enumerate(paths.items())
    }
    if "/" not in paths:
        resources["root"] = {"path": "/", "resourceMethods": {}}
    return freeze(
        "abc123",
        "us-east-1",
        "d1",
        {
            "api": {},
            "authorizers": {},
            "gateway_responses": {},
            **configuration,
            "resources": resources,
        },
    )


def call(
    method: Mapping[str, Any] | None = None,
    *,
    path: str = "/x",
    request: Request | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    **settings: Any,
) -> RestCall:
    """A call whose route is ``GET <path>`` with this method."""
    made = deployment({path: {"GET": method or METHOD}}, **settings.pop("configuration", {}))
    sent = request or Request(
        "GET", f"/dev{path}", headers=list((headers or {}).items()), body=body
    )
    found = RestCall(
        **{
            "request": sent,
            "deployment": made,
            "account_id": "123456789012",
            "stage": "dev",
            "stage_variables": {},
            "stage_record": {},
            "raw_path": path,
            "domain_name": "abc123.execute-api.us-east-1.amazonaws.com",
            "request_id": "0badc0de-1234-4321-abcd-00000000beef",
            "extended_request_id": "AAAAAAAAAAAAAAA=",
            "time": 1_700_000_000.0,
            **settings,
        }
    )
    resource = made.resources["r0"]
    found.route = Route(resource, resource.methods["GET"], settings.get("path_parameters", {}))
    return found


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
