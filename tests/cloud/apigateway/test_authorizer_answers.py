"""A function may return any JSON as an authorizer: it is a result or AWS's 500, and only a result lets somebody in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.messages import Response
from tests.support.in_process_cloud import cloud
from tests.support.one_api import FUNCTION_URI, OneApi, mock

MANY = settings(max_examples=150)
ALLOW = {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]}
DENY = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
FIELDS = {"principalId", "policyDocument", "context", "usageIdentifierKey"}
TOKEN = {"Authorization": "somebody"}

# -- answers --------------------------------------------------------------------------------

# Half of a surrogate pair too: a JSON text may hold one. No text may end up as another header.
TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["", "a\r\nX-Evil: 1", "\x00", "\ud800", "\u2028", "'", "$context.stage", "8" * 2_000]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
CONTEXT = st.dictionaries(TEXT | st.sampled_from(["principalId", "key"]), SCALARS, max_size=4)
RESULTS = st.fixed_dictionaries(
    {"principalId": TEXT, "policyDocument": st.sampled_from([ALLOW, DENY])},
    optional={"context": CONTEXT, "usageIdentifierKey": TEXT},
)


@st.composite
def spoilt_results(draw: st.DrawFn) -> Any:
    """Results of which one part is any JSON, missing or too much."""
    found = dict(draw(RESULTS))
    key = draw(st.sampled_from(sorted(FIELDS)) | TEXT)
    if draw(st.booleans()):
        found.pop(key, None)
    else:
        found[key] = draw(ANY_JSON)
    return found


def deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


def is_result(answer: Any) -> bool:
    """The form of a result; whether its policy is one isn't this file's question."""
    if not isinstance(answer, dict) or not answer.keys() <= FIELDS:
        return False
    context = answer.get("context")
    plain = isinstance(context, dict) and all(
        isinstance(value, str | int | float | bool) for value in context.values()
    )
    return (
        isinstance(answer.get("principalId"), str)
        and isinstance(answer.get("usageIdentifierKey", ""), str | None)
        and (context is None or plain)
    )


# -- the API --------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with cloud().in_use():
        yield


@pytest.fixture(scope="module", params=["TOKEN", "REQUEST"])
def api(request: pytest.FixtureRequest, _environment: None) -> OneApi:
    """``/mock`` and ``/function`` behind an authorizer; its values come back in headers and bodies."""
    authorizer = {
        "id": "a1",
        "type": request.param,
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 0,
    }
    guard = {"authorizationType": "CUSTOM", "authorizerId": "a1"}
    template = "answered $context.authorizer.principalId $context.authorizer.key"
    method = mock(template, **guard)
    method["methodIntegration"]["integrationResponses"]["200"]["responseParameters"] = {
        "method.response.header.X-Key": "context.authorizer.key",
        "method.response.header.X-Who": "context.authorizer.principalId",
    }
    proxy = {
        **guard,
        "methodIntegration": {"type": "AWS_PROXY", "httpMethod": "POST", "uri": FUNCTION_URI},
    }
    denied = {
        "responseTemplates": {"application/json": "$context.authorizer.key $context.error.message"},
        "responseParameters": {"gatewayresponse.header.X-Key": "context.authorizer.key"},
    }
    return OneApi(
        {"/mock": {"GET": method}, "/function": {"GET": proxy}},
        authorizers={"a1": authorizer},
        gateway_responses={"ACCESS_DENIED": denied},
    )


def ask(api: OneApi, answer: Any, *, failed: bool = False, path: str = "/mock") -> Response:
    api.functions.answer, api.functions.failed = answer, failed
    response, _journey = api.send(path, TOKEN)
    assert response.header("X-Evil") is None
    return response


def is_designed_500(response: Response) -> bool:
    return (response.status, response.header("x-amzn-ErrorType"), response.body) == (
        500,
        "AuthorizerConfigurationException",
        b'{"message":null}',
    )


# -- what it makes of it ----------------------------------------------------------------------


@MANY
@given(RESULTS)
@example({"principalId": "\ud800", "policyDocument": ALLOW, "context": {"key": "\udfff"}})
@example({"principalId": "x", "policyDocument": ALLOW, "context": {"key": 10**400}})
@example({"principalId": "x", "policyDocument": DENY, "context": {"key": float("nan")}})
def test_a_result_lets_in_whom_its_policy_does(api: OneApi, answer: dict[str, Any]) -> None:
    response = ask(api, answer)
    if not is_result(answer):
        assert is_designed_500(response)
    elif answer["policyDocument"] is ALLOW:
        assert response.status == 200
        assert b"answered" in response.body
    else:
        assert response.status == 403
        assert b"answered" not in response.body


@MANY
@given(ANY_JSON | spoilt_results())
def test_anything_else_is_a_configuration_error(api: OneApi, answer: Any) -> None:
    response = ask(api, answer)
    if not is_result(answer):
        assert is_designed_500(response)
    else:
        assert response.status in (200, 403) or is_designed_500(response)
        assert (response.status == 200) == (b"answered" in response.body)


@pytest.mark.parametrize("where", ["answer", "context", "policyDocument", "Id"])
def test_nesting_up_to_what_json_reads(api: OneApi, where: str) -> None:
    found: dict[str, Any] = {"principalId": "x", "policyDocument": dict(ALLOW)}
    if where == "Id":
        found["policyDocument"]["Id"] = deep(900)
        assert ask(api, found).status == 200
        return
    found[where] = {"key": deep(900)} if where == "context" else deep(900)
    assert is_designed_500(ask(api, deep(900) if where == "answer" else found))


@MANY
@given(RESULTS.filter(is_result))
def test_a_result_reaches_the_backend(api: OneApi, answer: dict[str, Any]) -> None:
    """The function behind the route gets the context in its event; here it returns the authorizer's answer: a 502."""
    response = ask(api, answer, path="/function")
    assert response.status == (502 if answer["policyDocument"] is ALLOW else 403)


@MANY
@given(ANY_JSON | TEXT.map(lambda message: {"errorMessage": message, "errorType": message}))
def test_an_error_lets_nobody_in(api: OneApi, error: Any) -> None:
    response = ask(api, error, failed=True)
    assert response.status == 401 or is_designed_500(response)
    unauthorized = isinstance(error, dict) and error.get("errorMessage") == "Unauthorized"
    assert (response.status == 401) == unauthorized


@MANY
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_only_results_are_kept(answers: list[bool]) -> None:
    """With a cache: after the first result the function isn't asked again, before it every request is."""
    authorizer = {
        "id": "a1",
        "type": "TOKEN",
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 300,
    }
    method = mock(authorizationType="CUSTOM", authorizerId="a1")
    api = OneApi({"/mock": {"GET": method}}, authorizers={"a1": authorizer})
    allowed = False
    for good in answers:
        response = ask(api, {"principalId": "x", "policyDocument": ALLOW} if good else {"a": 1})
        allowed = allowed or good
        assert response.status == (200 if allowed else 500)
