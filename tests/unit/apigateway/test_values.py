"""What templates and parameters may name."""

from __future__ import annotations

import pytest

from labkit.local.apigateway.rest.values import look_up
from labkit.local.messages import Request
from tests.support.rest_calls import call


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context.stage", "dev"),
        ("context.httpMethod", "GET"),
        ("context.resourcePath", "/x"),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("context.identity.userArn", None),
        ("context.authorizer.claims.sub", "someone"),
        ("context.authorizer.claims['cognito:username']", "ada"),
        ("context.authorizer.claims", None),  # gateway 2.12
        ("context.authorizer.principalId", None),
        ("context.nothing", None),
        ("stageVariables.colour", "blue"),
        ("stageVariables.size", None),
        ("method.request.header.x-sent", "yes"),
        ("method.request.querystring.q", "last"),
        ("method.request.path.id", "7"),
        ("method.request.path.name", None),
        ("method.request", None),
        ("request.header.X-Sent", None),
        ("", None),
    ],
)
def test_a_reference(name: str, value: str | None) -> None:
    made = call(
        request=Request("GET", "/dev/x", "q=first&q=last", [("X-Sent", "yes")]),
        stage_variables={"colour": "blue"},
        claims={"sub": "someone", "cognito:username": "ada"},
    )
    made.found.path_parameters["id"] = "7"
    assert look_up(made, name) == value
