"""Mapping templates and parameters: what is understood means what it says, the rest is a 500, never a crash."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.in_process_cloud import cloud
from tests.support.one_api import FUNCTION_URI, HOST, OneApi, mock

MANY = settings(max_examples=200)
PATH, QUERY, BODY = "/pets/a%20b", "q=1&q=2&empty=&e%25=%41", b"the $context.stage body"
HEADERS = {"Authorization": "somebody", "X-Sent": "sent", "Content-Type": "application/json"}

# What is understood, and what it stands for in the request above.
KNOWN = {
    "$context.stage": "dev",
    "${context.stage}": "dev",
    "$context.httpMethod": "GET",
    "$context.resourcePath": "/pets/{id}",
    "$context.path": "/dev/pets/a%20b",
    "$context.domainName": HOST,
    "$context.authorizer.principalId": "me",
    "${context.authorizer.number}": "7",
    "$context.none": "",
    "$stageVariables.colour": "blue",
    "${stageVariables.colour}": "blue",
    "$stageVariables.none": "",
    "$input.params('q')": "2",
    "$input.params('e%')": "A",
    "$input.params('id')": "a b",
    "$input.params('X-Sent')": "sent",
    "$input.params('none')": "",
    "$input.body": "",  # the backend's body, and MOCK has none
}
PLAIN = [
    "plain",
    " ",
    "\n",
    '{"a": 1}',
    "'",
    "$",
    "$5",
    "#",
    "%",
    "é",
    "\u2028",
    "\x00",
    "{",
    "}",
    "\\",
]
MORE = [
    "#macro(a)x#end",
    "#define($a)x#end",
    "#include('a')",
    "#parse('a')",
    "#if('')x#end",
    "#if(true)x",
    "#foreach($a in 5)$a#end",
    "#set($context.stage = 'x')",
    "\\$context.stage",
    "${context.stage",
    "$input.json('$..a')",
    "$input.none()",
    "$context.stage.__class__",
    "$context.stage.matches('(a+)+')",
    "$util.parseJson('{')",
]
ODD = [
    "${",
    "${}",
    "$input.params('",
    "$input.params(')",
    "$input.params()",
    "$context.",
    "$context",
    "${context.stage",
    "$context.authorizer.claims['",
    "$context.authorizer.claims['a']",
    "$stageVariables",
    "$$context.stage",
    "#{",
    "#end",
]


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with cloud().in_use():
        yield


@pytest.fixture(scope="module")
def api(_environment: None) -> OneApi:
    """``GET /pets/{id}`` behind an authorizer that says who it is; the tests put the templates in."""
    authorizer = {
        "id": "a1",
        "type": "TOKEN",
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.Authorization",
    }
    method = mock(authorizationType="CUSTOM", authorizerId="a1")
    denied = {"GET": mock(apiKeyRequired=True)}
    found = OneApi(
        {"/pets/{id}": {"GET": method}, "/denied": denied}, authorizers={"a1": authorizer}
    )
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found.functions.answer = {
        "principalId": "me",
        "policyDocument": {"Statement": [allow]},
        "context": {"number": 7},
    }
    found.stage_record["variables"] = {"colour": "blue"}
    return found


@pytest.fixture(scope="module")
def closed_url() -> Iterator[str]:
    """Nobody listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def method_of(api: OneApi, path: str) -> dict[str, Any]:
    resources = api.configuration["resources"].values()
    return next(r["resourceMethods"]["GET"] for r in resources if r["path"] == path)


def ask(
    api: OneApi, response: dict[str, Any] | None = None, **integration: Any
) -> tuple[int, bytes]:
    """Status and body, with this integration response and these settings of the integration."""
    found = method_of(api, "/pets/{id}")
    found["methodIntegration"] = {
        **mock()["methodIntegration"],
        "integrationResponses": {"200": {"statusCode": "200", **(response or {})}},
        **integration,
    }
    api.deploy()
    answer, journey = api.send(PATH, HEADERS, query=QUERY, body=BODY)
    if journey.stopped_at is not None:
        assert journey.stopped_at.gate == "integration"
        assert answer.status in (400, 500)
    return answer.status, answer.body


def in_template(template: str) -> dict[str, Any]:
    return {"responseTemplates": {"application/json": template}}


# -- response templates ---------------------------------------------------------------------


@MANY
@given(st.lists(st.sampled_from(sorted(KNOWN)) | st.sampled_from(PLAIN), max_size=8))
def test_plain_references_mean_what_they_say(api: OneApi, pieces: list[str]) -> None:
    # A blank keeps a piece from becoming part of the name before it.
    template = " ".join(pieces)
    expected = " ".join(KNOWN.get(piece, piece) for piece in pieces)
    assert ask(api, in_template(template)) == (200, expected.encode())


@MANY
@given(
    st.lists(st.sampled_from([*KNOWN, *PLAIN]), max_size=4),
    st.sampled_from(MORE),
    st.lists(st.sampled_from([*KNOWN, *PLAIN]), max_size=4),
)
def test_what_is_not_evaluated_is_not_guessed(
    api: OneApi, before: list[str], more: str, after: list[str]
) -> None:
    template = " ".join([*before, more, *after])
    assert ask(api, in_template(template))[0] == 500
    assert ask(api, requestTemplates={"application/json": template})[0] in (400, 500)


@MANY
@given(st.lists(st.sampled_from([*KNOWN, *PLAIN, *MORE, *ODD]) | st.text(max_size=10), max_size=8))
@example(["$input.params('" + "a" * 50_000])
@example(["${context" + ".a" * 20_000])
@example(["$" * 100_000])
def test_any_template_is_an_answer_or_a_500(api: OneApi, pieces: list[str]) -> None:
    template = "".join(pieces)
    assert ask(api, in_template(template))[0] in (200, 400, 500)
    assert ask(api, requestTemplates={"application/json": template})[0] in (200, 400, 500)


# -- the rest of an integration ---------------------------------------------------------------

TEXT = st.text(max_size=12)
STATUSES = TEXT | st.sampled_from(
    "200 404 599 600 199 099 2e2 \uff12\uff10\uff10 -1 0 200.0 2000000000".split()
)


@MANY
@given(
    STATUSES, STATUSES, st.none() | TEXT | st.sampled_from(["2..", "4\\d{2}", "(", "[", "*", ".*"])
)
def test_any_status(api: OneApi, asked: str, configured: str, pattern: str | None) -> None:
    response = {
        "statusCode": configured,
        **({} if pattern is None else {"selectionPattern": pattern}),
    }
    template = {"application/json": json.dumps({"statusCode": asked})}
    status, _body = ask(api, response, requestTemplates=template)
    usable = re.fullmatch("[2-5][0-9]{2}", configured)
    assert status in ({int(configured), 500} if usable else {200 if not configured else 500, 500})


@MANY
@given(
    st.dictionaries(
        st.sampled_from(["method.response.header.X-A", "method.response.header.", "X-B", ""])
        | TEXT.map(lambda name: f"method.response.header.{name}"),
        TEXT
        | st.sampled_from(
            ["'a\r\nX-Evil: 1'", "'", "''", "'é'", "context.stage", "stageVariables.colour"]
        ),
        max_size=4,
    )
)
def test_any_response_parameters(api: OneApi, parameters: dict[str, str]) -> None:
    found = method_of(api, "/pets/{id}")
    found["methodIntegration"] = mock("ok")["methodIntegration"]
    found["methodIntegration"]["integrationResponses"]["200"]["responseParameters"] = parameters
    api.deploy()
    answer, _journey = api.send(PATH, HEADERS)
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.header("X-Evil") is None


OVERRIDES = st.dictionaries(
    TEXT | st.sampled_from(["X-A", "X B", "a\r\nX-Evil", "Content-Length", "é", ""]),
    TEXT | st.sampled_from(["1", "a\r\nX-Evil: 1"]) | st.integers() | st.none(),
    max_size=3,
)


@MANY
@given(OVERRIDES, st.none() | TEXT | st.integers(-1, 1_000))
def test_any_override_of_a_response(
    api: OneApi, headers: dict[str, Any], status: int | str | None
) -> None:
    encoded = base64.b64encode(json.dumps({"h": headers, "s": status}).encode()).decode()
    template = (
        f"#set($made = $util.parseJson($util.base64Decode('{encoded}')))"
        "#set($context.responseOverride.header = $made.h)"
        "#if($made.s != $none)#set($context.responseOverride.status = $made.s)#end"
        '{"statusCode": 200}'
    )
    found = method_of(api, "/pets/{id}")
    found["methodIntegration"] = mock("ok")["methodIntegration"]
    found["methodIntegration"]["requestTemplates"] = {"application/json": template}
    api.deploy()
    answer, _journey = api.send(PATH, HEADERS)
    assert 200 <= answer.status <= 599
    assert answer.header("X-Evil") is None


SOURCES = TEXT | st.sampled_from(
    [
        "'literal'",
        "'a\r\nX-Evil: 1'",
        "context.stage",
        "method.request.header.X-Sent",
        "method.request.multivaluequerystring.q",
        "method.request.path.id",
        "method.request.body",
        "method.request.body.a",
        "method.request.body.$..a",
    ]
)
PARAMETERS = st.dictionaries(
    st.builds(
        "integration.request.{}.{}".format,
        st.sampled_from(["header", "querystring", "path", "body"]),
        TEXT | st.sampled_from(["X-A", "Host", "TE", "Content-Length", "id"]),
    ),
    SOURCES,
    max_size=4,
)


@pytest.mark.parametrize(
    "statement",
    [
        "#set($context.requestOverride.header = 1)",
        "#set($context.requestOverride.path = 'x')",
        "#set($context.requestOverride.querystring = [])",
        "$context.requestOverride.remove('header')",
        "#set($context.requestOverride.header.Content-Length = '0')",
        "#set($context.requestOverride.header['a\r\nb'] = 'x')",
    ],
)
def test_an_odd_override_of_a_request(api: OneApi, closed_url: str, statement: str) -> None:
    method_of(api, "/pets/{id}")["methodIntegration"] = {
        "type": "HTTP",
        "uri": closed_url,
        "httpMethod": "POST",
        "requestTemplates": {"application/json": statement},
    }
    api.deploy()
    answer, _journey = api.send(PATH, HEADERS)
    assert answer.status in (500, 504)


@MANY
@given(PARAMETERS, st.sampled_from(["HTTP", "HTTP_PROXY"]))
def test_any_parameters_of_a_server(
    api: OneApi, closed_url: str, parameters: dict[str, str], kind: str
) -> None:
    settings = {"uri": f"{closed_url}/{{id}}", "httpMethod": "POST", "type": kind}
    method_of(api, "/pets/{id}")["methodIntegration"] = {
        **settings,
        "requestParameters": parameters,
    }
    api.deploy()
    answer, _journey = api.send(PATH, HEADERS, query=QUERY, body=BODY)
    assert answer.status in (500, 504)


@MANY
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    ),
    st.booleans(),
    st.none() | TEXT | st.sampled_from([".*", "(", "a|b", "[^0-9](.|\\n)*"]),
    PARAMETERS,
    st.lists(st.sampled_from([*KNOWN, *PLAIN, *MORE, *ODD]), max_size=4).map("".join),
)
def test_any_answer_of_a_function_behind_aws(
    api: OneApi,
    payload: Any,
    failed: bool,
    pattern: str | None,
    parameters: dict[str, str],
    template: str,
) -> None:
    before = api.functions.answer, api.functions.failed
    method_of(api, "/pets/{id}").update(
        authorizationType="NONE",
        methodIntegration={
            "type": "AWS",
            "uri": FUNCTION_URI,
            "httpMethod": "POST",
            "requestParameters": parameters,
            "requestTemplates": {"application/json": f'{{"a": 1}}{template}'},
            "integrationResponses": {
                "200": {"statusCode": "200", "responseTemplates": {"application/json": template}},
                "400": {"statusCode": "400", "selectionPattern": pattern},
            },
        },
    )
    api.deploy()
    api.functions.answer, api.functions.failed = payload, failed
    try:
        answer, _journey = api.send(PATH, HEADERS, query=QUERY, body=BODY)
    finally:
        api.functions.answer, api.functions.failed = before
        method_of(api, "/pets/{id}")["authorizationType"] = "CUSTOM"
        api.deploy()
    assert answer.status in (200, 400, 500)


@MANY
@given(
    st.dictionaries(
        TEXT | st.sampled_from(["application/json", "text/html"]),
        st.lists(st.sampled_from([*KNOWN, *PLAIN, *MORE, *ODD]) | TEXT, max_size=5).map("".join),
        max_size=2,
    ),
    st.dictionaries(
        TEXT.map(lambda name: f"gatewayresponse.header.{name}"),
        TEXT
        | st.sampled_from(
            ["'a\r\nX-Evil: 1'", "'", "method.request.querystring.q", "context.none"]
        ),
        max_size=3,
    ),
    STATUSES | st.none(),
)
def test_any_gateway_response(
    api: OneApi, templates: dict[str, str], parameters: dict[str, str], status: str | None
) -> None:
    """A gateway response's template isn't VTL: nothing in it can fail."""
    api.configuration["gateway_responses"] = {
        "INVALID_API_KEY": {
            "statusCode": status,
            "responseTemplates": templates,
            "responseParameters": parameters,
        }
    }
    api.deploy()
    answer, _journey = api.send("/denied", {}, query="q=%0d%0aX-Evil:%201")
    assert 200 <= answer.status <= 599
    assert b"answered" not in answer.body
    assert answer.header("X-Evil") is None
