"""``TestInvokeMethod``: the console's Test tab (gateway 12).

It runs the *undeployed* configuration and skips the authorizer and the API key (gateway 12.5): it proves nothing about
who may call the method.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from labkit.local.apigateway.answers import bad_request, refuse
from labkit.local.apigateway.outcomes import OUTCOMES, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.data_plane import RestApis
from labkit.local.apigateway.rest.pipeline import RestIntegrations, reject
from labkit.local.apigateway.rest.records import RestDeployment, freeze
from labkit.local.apigateway.rest.request_ids import new_extended_request_id, request_id_of
from labkit.local.apigateway.rest.routing import Route, split_path
from labkit.local.messages import Headers, Request, Response, utf8

TEST_STAGE = "test-invoke-stage"
_OPERATION = re.compile(r"/restapis/([^/]+)/resources/([^/]+)/methods/([^/]+)")


def is_test_invoke(request: Request) -> bool:
    """Whether a control-plane call is ``TestInvokeMethod``."""
    return request.method == "POST" and _OPERATION.fullmatch(request.raw_path) is not None


async def answer_test_invoke_method(
    request: Request, rest_apis: RestApis, integrations: RestIntegrations, test_calls: TestCalls
) -> Response:
    """Answer ``TestInvokeMethod``: ``{"status", "body", "headers", "multiValueHeaders", "latency", "log"}``."""
    match = _OPERATION.fullmatch(request.raw_path)
    assert match is not None
    api_id, resource_id, verb = match.groups()
    region = rest_apis.rest_api_region(api_id)
    if region is None:
        return refuse(404, "NotFoundException", "Invalid API identifier specified")
    deployment = freeze(api_id, region, "", rest_apis.rest_api_configuration(api_id, region))
    resource = deployment.resources.get(resource_id)
    if resource is None:
        return refuse(404, "NotFoundException", "Invalid Resource identifier specified")
    method = resource.methods.get(verb)
    if method is None:
        return refuse(404, "NotFoundException", "Invalid Method identifier specified")
    try:
        asked = json.loads(request.body or b"{}")
        call = test_calls.make(deployment, asked, TEST_STAGE, resource.path)
    except (ValueError, TypeError, AttributeError):
        return bad_request("Invalid request input")
    parameters = _path_parameters(resource.parts, split_path(call.raw_path))
    call.route = Route(resource, method, parameters)
    if verb != "ANY":
        call.request.method = verb
    return await _run(call, integrations)


async def _run(call: RestCall, integrations: RestIntegrations) -> Response:
    started = time.perf_counter()
    route = call.found
    call.write(f"Starting execution for request: {call.request_id}")
    call.write(f"HTTP Method: {call.verb}, Resource Path: {call.raw_path}")
    call.write(f"Method request path: {_braces(route.path_parameters)}")
    call.write(f"Method request query string: {_braces(dict(call.request.query))}")
    call.write(f"Method request headers: {_braces(dict(call.request.headers))}")
    call.write(
        f"Method request body before transformations: {call.request.body.decode(errors='replace')}"
    )
    outcome = integrations(call)
    if not isinstance(outcome, OUTCOMES):
        outcome = await outcome
    if isinstance(outcome, Stop):
        response = reject(call, outcome)
        headers: Headers = [("x-amzn-ErrorType", outcome.refusal.type.error_type)]
    else:
        response, headers = outcome.response, outcome.response.headers
        call.write(
            f"Method response body after transformations: {response.body.decode(errors='replace')}"
        )
        call.write(f"Method response headers: {_braces(dict(headers))}")
        call.write("Successfully completed execution")
    call.write(f"Method completed with status: {response.status}")
    multi: dict[str, list[str]] = {}
    for name, value in headers:
        multi.setdefault(name, []).append(value)
    return Response.of_json(
        {
            "status": response.status,
            "body": response.body.decode("utf-8", errors="replace"),
            "headers": {name: values[-1] for name, values in multi.items()},
            "multiValueHeaders": multi,
            "latency": int((time.perf_counter() - started) * 1000),
            "log": execution_log(call),
        }
    )


@dataclass(frozen=True)
class TestCalls:
    """Makes the calls that the parameters of a test operation describe.

    Attributes:
        account_id: the owner of the APIs.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    __test__ = False  # for pytest: it isn't one

    account_id: str
    clock: Callable[[], float]
    numbers: random.Random

    def make(
        self, deployment: RestDeployment, asked: Mapping[str, Any], stage: str, default_path: str
    ) -> RestCall:
        """The call.

        Args:
            deployment: the live configuration.
            asked: the operation's parameters.
            stage: the name that stands for the stage.
            default_path: used when the parameters give no path.

        Raises:
            TypeError, ValueError, AttributeError: a parameter has the wrong type.
        """
        whole_path = str(asked.get("pathWithQueryString") or default_path)
        raw_path, _mark, query_string = whole_path.partition("?")
        sent: Headers = [(str(k), str(v)) for k, v in (asked.get("headers") or {}).items()]
        sent += [
            (str(k), str(v)) for k, vs in (asked.get("multiValueHeaders") or {}).items() for v in vs
        ]
        path = quote(raw_path, safe="/%{}+")
        variables = asked.get("stageVariables") or {}
        return RestCall(
            request=Request(
                method="GET",
                raw_path=path,
                query_string=query_string,
                headers=sent,
                body=utf8(str(asked.get("body") or "")),
                source_ip="test-invoke-source-ip",
            ),
            deployment=deployment,
            account_id=self.account_id,
            stage=stage,
            stage_variables={str(k): str(v) for k, v in variables.items()},
            stage_record={},
            raw_path=path,
            domain_name="testPrefix.testDomainName",
            request_id=request_id_of(Request("GET", "/"), self.numbers),
            extended_request_id=new_extended_request_id(self.numbers),
            time=self.clock(),
            log=[],
        )


def _path_parameters(parts: tuple[str, ...], segments: list[str]) -> dict[str, str]:
    """The parameters that a path gives a resource: none if it doesn't fit (gateway 12.6, recorded 12.4)."""
    found: dict[str, str] = {}
    is_greedy = bool(parts) and parts[-1].endswith("+}")
    if len(segments) < len(parts) or (len(segments) > len(parts) and not is_greedy):
        return found
    for index, (part, segment) in enumerate(zip(parts, segments, strict=False)):
        if part.endswith("+}"):
            found[part[1:-2]] = "/".join(segments[index:])
        elif part.startswith("{"):
            found[part[1:-1]] = segment
        elif part != segment:
            return {}
    return found


def execution_log(call: RestCall) -> str:
    """The lines of a call's execution log in AWS's form (gateway 12.2)."""
    stamp = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(call.time))
    lines = [f"Execution log for request {call.request_id}"]
    lines += [f"{stamp} : {line}" for line in call.log or []]
    return "\n".join(lines) + "\n"


def _braces(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in values.items()) + "}"
