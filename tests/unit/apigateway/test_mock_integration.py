"""The MOCK integration: templates of plain references, and nothing guessed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Answer, Stop
from labkit.local.apigateway.rest.mock_integration import mock_integration
from labkit.local.apigateway.rest.records import freeze_integration
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.template_data import render_template
from labkit.local.apigateway.templates.limits import UnsupportedTemplateError
from labkit.local.messages import Request
from tests.support.rest_calls import call

OK = {"application/json": '{"statusCode": 200}'}


def _mock(
    request_templates: Any = None, responses: Any = None, **settings: Any
) -> Answer | Stop[GatewayError]:
    sent = settings.pop("call", None) or call()
    integration = {
        "requestTemplates": OK if request_templates is None else request_templates,
        "integrationResponses": {"200": {"statusCode": "200"}} if responses is None else responses,
        **settings,
    }
    return asyncio.run(mock_integration(sent, freeze_integration(integration)))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain $ text $5", "plain $ text $5"),
        ("$context.httpMethod", "GET"),
        ("${context.httpMethod}!", "GET!"),
        ('{"v": "$context.httpMethod"}', '{"v": "GET"}'),
        ("$stageVariables.colour", "blue"),
        ("$stageVariables.none", ""),
        ("$input.params('q')", "1"),
        ("$input.params('X-Sent')", "sent"),
        ("$input.params('none')", ""),
        ("$input.body", "the $context.httpMethod body"),
        ("$context.authorizer.claims.email", "a@example.com"),
        ("$context.authorizer.claims['custom:role']", "admin"),
        ("${context.authorizer.claims['custom:role']}", "admin"),
        ("$context.authorizer.claims['none']", ""),
        ("$context.authorizer.claims.none", ""),
    ],
)
def test_references(template: str, text: str) -> None:
    request = Request("GET", "/dev/x", "q=1", [("X-Sent", "sent")], b"the $context.httpMethod body")
    made = call(request=request, stage_variables={"colour": "blue"})
    made.claims = {"email": "a@example.com", "custom:role": "admin"}
    assert asyncio.run(render_template(made, template, request.body)) == text


@pytest.mark.parametrize(
    "template",
    ["#macro(a)#end", "#if(true)x", "$input.json('$..a')", "$a.__class__()", "$input.none()"],
)
def test_what_is_not_evaluated_is_not_guessed(template: str) -> None:
    template = f"#set($a = 'x'){template}"
    with pytest.raises(UnsupportedTemplateError):
        asyncio.run(render_template(call(), template, b""))
    stop = _mock({"application/json": template})
    assert isinstance(stop, Stop)
    assert (stop.refusal.type.name, stop.code) == ("DEFAULT_5XX", Code.UNSUPPORTED)
    responses = {"200": {"statusCode": "200", "responseTemplates": {"application/json": template}}}
    assert isinstance(_mock(OK, responses), Stop)


@given(st.text())
def test_no_template_raises_anything_else(template: str) -> None:
    outcome = _mock({"application/json": template})
    assert isinstance(outcome, Answer | Stop)


@given(st.binary())
def test_no_body_raises(body: bytes) -> None:
    """Without a template the body passes through, so a client may choose the status."""
    outcome = _mock({}, call=call(body=body))
    assert isinstance(outcome, Answer | Stop)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"statusCode": null}',
        b'{"statusCode": true}',
        b'{"statusCode": 2.5}',
        b'{"statusCode": {}}',
        b'{"statusCode": ' + b"9" * 5000 + b"}",
        b'{"statusCode": "' + b"9" * 5000 + b'"}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_body_that_names_no_status(body: bytes) -> None:
    stop = _mock({}, call=call(body=body))
    assert isinstance(stop, Stop)
    assert stop.refusal.type.status == 500


@pytest.mark.parametrize(
    ("behaviour", "templates", "status"),
    [
        ("NEVER", {"application/xml": "x"}, 415),
        ("NEVER", {}, 415),
        ("WHEN_NO_TEMPLATES", {"application/xml": "x"}, 415),
        ("WHEN_NO_TEMPLATES", {}, 200),
        ("WHEN_NO_MATCH", {"application/xml": "x"}, 200),
        ("NEVER", OK, 200),
    ],
)
def test_passthrough(behaviour: str, templates: dict[str, str], status: int) -> None:
    made = call(
        body=b'{"statusCode": 200}', headers={"Content-Type": "Application/JSON; charset=utf-8"}
    )
    outcome = _mock(templates, call=made, passthroughBehavior=behaviour)
    if status == 200:
        assert isinstance(outcome, Answer)
    else:
        assert isinstance(outcome, Stop)
        assert outcome.refusal.type.status == status


@pytest.mark.parametrize(
    ("status", "chosen"), [(200, "200"), (404, "404"), (500, "500"), (503, "500"), (201, "200")]
)
def test_the_integration_response_is_chosen_by_its_pattern(status: int, chosen: str) -> None:
    responses = {
        "200": {"statusCode": "200"},
        "404": {"statusCode": "404", "selectionPattern": "404"},
        "500": {"statusCode": "500", "selectionPattern": "5\\d{2}"},
    }
    outcome = _mock({"application/json": f'{{"statusCode": {status}}}'}, responses)
    assert isinstance(outcome, Answer)
    assert outcome.response.status == int(chosen)


def test_no_integration_response_is_a_500() -> None:
    assert isinstance(_mock(OK, {}), Stop)


def test_response_headers() -> None:
    parameters = {
        "method.response.header.X-Literal": "'text'",
        "method.response.header.X-Context": "context.httpMethod",
        "method.response.header.X-None": "stageVariables.none",
        "integration.response.header.X": "'no'",
    }
    outcome = _mock(OK, {"200": {"statusCode": "200", "responseParameters": parameters}})
    assert isinstance(outcome, Answer)
    assert outcome.response.headers == [
        ("Content-Type", "application/json"),
        ("X-Literal", "text"),
        ("X-Context", "GET"),
    ]
