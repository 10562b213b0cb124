"""The order of the gates, and the journey that they write."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.journey import GATES, Code, Journey
from labkit.local.apigateway.outcomes import Answer, Pass, Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.pipeline import RestGates, rest_pipeline
from labkit.local.apigateway.rest.records import freeze_integration
from labkit.local.apigateway.rest.responses import UNAUTHORIZED, GatewayError
from labkit.local.messages import Request, Response
from tests.support.rest_calls import call, run


class Recorder:
    """Stands for every gate that keeps state; stops where it is told to."""

    def __init__(self, stop_at: str = "") -> None:
        self.stop_at = stop_at
        self.passed: list[str] = []

    def gate(self, name: str) -> Any:
        def outcome(call: RestCall) -> Pass | Stop[GatewayError]:
            self.passed.append(name)
            if name == self.stop_at:
                return Stop(GatewayError(UNAUTHORIZED), Code.TOKEN_MISSING, f"stopped at {name}")
            return Pass(name)

        return outcome

    async def backend(self, call: RestCall, integration: Any) -> Answer:
        self.passed.append("integration")
        return Answer(Response(200, body=b"backend"), "answered")

    def after_authorizer(self, call: RestCall) -> None:
        self.passed.append("resource policy again")

    @property
    def before_authorizer(self) -> Any:
        return self.gate("resource policy")

    def pipeline(self) -> Any:
        return rest_pipeline(
            RestGates(
                resource_policy=self,  # type: ignore[arg-type]
                cognito=self.gate("authorizer"),
                jwt=self.gate("authorizer"),
                iam=self.gate("authorizer"),
                lambda_authorizer=self.gate("authorizer"),
                usage_plans=self.gate("api key and usage plan"),
                throttle=self.gate("throttle"),
                integrations={"AWS_PROXY": self.backend, "HTTP": self.backend},
            )
        )


def _run(recorder: Recorder, made: RestCall) -> tuple[Response, Journey]:
    journey = Journey("id", "GET", "/dev/x")
    return run(recorder.pipeline().run(made, journey)), journey


PROXY = {"authorizationType": "AWS_IAM", "methodIntegration": {"type": "AWS_PROXY"}}


def test_every_gate_in_the_documented_order() -> None:
    response, journey = _run(Recorder(), call(PROXY))
    assert response.body == b"backend"
    assert [step.gate for step in journey.steps] == list(GATES[1:])
    assert journey.stopped_at is None


@pytest.mark.parametrize(
    "gate", ["resource policy", "authorizer", "api key and usage plan", "throttle"]
)
def test_nothing_behind_a_stop_runs(gate: str) -> None:
    recorder = Recorder(stop_at=gate)
    response, journey = _run(recorder, call(PROXY))
    assert response.status == 401
    assert recorder.passed[-1] == gate
    assert [step.gate for step in journey.steps] == list(GATES[1 : GATES.index(gate) + 1])
    assert journey.stopped_at is not None
    assert journey.stopped_at.code is Code.TOKEN_MISSING
    assert journey.stopped_at.reason == f"stopped at {gate}"


def test_an_unknown_route_asks_no_authorizer() -> None:
    recorder = Recorder()
    response, journey = _run(recorder, call(PROXY, raw_path="/nothing"))
    assert response.status == 403
    assert recorder.passed == []
    assert [step.gate for step in journey.steps] == ["waf", "route"]


@pytest.mark.parametrize("kind", [None, "AWS", "NOTHING", ""])
def test_an_integration_that_is_not_there(kind: str | None) -> None:
    method = {**PROXY, "methodIntegration": {"type": kind} if kind is not None else None}
    recorder = Recorder()
    response, journey = _run(recorder, call(method))
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "integration" not in recorder.passed
    assert journey.stopped_at is not None
    assert journey.stopped_at.gate == "integration"


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "HTTP", "credentials": "arn:aws:iam::123456789012:role/r"},
        {"connectionType": "VPC_LINK", "connectionId": "v1"},
        {"type": "HTTP", "tlsConfig": {"insecureSkipVerification": True}},
        {"contentHandling": "CONVERT_TO_BINARY"},
        {"integrationResponses": {"200": {"contentHandling": "CONVERT_TO_BINARY"}}},
        {"type": "HTTP", "contentHandling": "CONVERT_TO_TEXT"},
        {"integrationResponses": {"200": {"selectionPattern": "("}}},
        {"integrationResponses": {"200": {"selectionPattern": "\\p{L}+"}}},
    ],
    ids=str,
)
def test_an_integration_that_is_not_done_here(settings: dict[str, Any]) -> None:
    method = {**PROXY, "methodIntegration": {"type": "AWS_PROXY", **settings}}
    recorder = Recorder()
    response, journey = _run(recorder, call(method))
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "integration" not in recorder.passed
    assert journey.stopped_at is not None
    assert journey.stopped_at.code is Code.UNSUPPORTED


def test_no_integration_waits_longer_than_an_account_lets_it() -> None:
    """Also what an import brought, which nobody refused."""
    for asked, seconds in ((None, 29), (50, 0.05), (29_000, 29), (900_000, 29), ("900000", 29)):
        assert freeze_integration({"type": "MOCK", "timeoutInMillis": asked}).timeout == seconds


@pytest.mark.parametrize(
    ("verb", "override", "status"),
    [
        ("GET", None, 200),
        ("POST", "GET", 200),
        ("POST", "get", 200),
        ("GET", "POST", 403),
        ("GET", "ANY", 403),
        ("GET", "", 200),
        ("GET", "GET /other", 403),
    ],
)
def test_the_overriding_verb_is_the_one_that_counts(
    verb: str, override: str | None, status: int
) -> None:
    headers = [] if override is None else [("X-HTTP-Method-Override", override)]
    response, _journey = _run(
        Recorder(), call(PROXY, request=Request(verb, "/dev/x", headers=headers))
    )
    assert response.status == status


def test_a_validator_comes_last() -> None:
    method = {
        **PROXY,
        "requestValidatorId": "v1",
        "requestParameters": {"method.request.querystring.q": True},
    }
    validators = {"v1": {"validateRequestParameters": True, "validateRequestBody": False}}
    recorder = Recorder()
    response, journey = _run(recorder, call(method, configuration={"validators": validators}))
    assert response.status == 400
    assert [step.gate for step in journey.steps] == list(GATES[1:-1])
    assert recorder.passed[-1] == "throttle"


def test_outcomes_have_marks_in_the_journey() -> None:
    _response, journey = _run(Recorder(), call(PROXY))
    outcomes = {step.gate: step.outcome for step in journey.steps}
    assert (outcomes["waf"], outcomes["route"], outcomes["validation"]) == ("skip", "pass", "skip")
