"""``TestInvokeMethod``: the console's Test tab (gateway 12).

It runs the *undeployed* configuration and skips the authorizer and the API key (gateway 12.5): it proves nothing about
who may call the method.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.rest import lookup
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.outcomes import OUTCOMES, Stop
from labkit.local.apigateway.paths import segments_of
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.pipeline import RestIntegrations, reject
from labkit.local.apigateway.rest.records import RestDeployment, freeze
from labkit.local.apigateway.rest.request_ids import new_extended_request_id, request_id_of
from labkit.local.apigateway.rest.routing import Route
from labkit.local.messages import Headers, Request, utf8

TEST_STAGE = "test-invoke-stage"
JsonObject = dict[str, Any]


class TestInvokeMethod:
    """The operation.

    Args:
        store: the records.
        integrations: the gate that it runs.
        test_calls: makes the call.
    """

    __test__ = False  # for pytest: it isn't one

    def __init__(
        self, store: GatewayStore, integrations: RestIntegrations, test_calls: TestCalls
    ) -> None:
        self._store = store
        self._integrations = integrations
        self._test_calls = test_calls

    async def test_invoke_method(self, call: Call) -> JsonObject:
        """Answer ``{"status", "body", "headers", "multiValueHeaders", "latency", "log"}``."""
        lookup.method(self._store, call)
        api_id, verb = call.text("restApiId"), call.text("httpMethod")
        configuration = self._store.rest_api_configuration(api_id, call.region)
        deployment = freeze(api_id, call.region, "", configuration)
        resource = deployment.resources[call.text("resourceId")]
        test_call = self._test_calls.make(deployment, call.parameters, TEST_STAGE, resource.path)
        parameters = _path_parameters(resource.parts, segments_of(test_call.raw_path))
        test_call.route = Route(resource, resource.methods[verb], parameters)
        if verb != "ANY":
            test_call.request.method = verb
        return await _run(test_call, self._integrations)


async def _run(call: RestCall, integrations: RestIntegrations) -> JsonObject:
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
    return {
        "status": response.status,
        "body": response.body.decode("utf-8", errors="replace"),
        "headers": {name: values[-1] for name, values in multi.items()},
        "multiValueHeaders": multi,
        "latency": int((time.perf_counter() - started) * 1000),
        "log": execution_log(call),
    }


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
