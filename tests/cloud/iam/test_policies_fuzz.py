"""Policy documents: a policy means what a model of twenty lines says, and what isn't a policy lets nobody in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.iam.condition import OPERATORS
from labkit.local.iam.pattern import read_wildcards, wildcard_regex
from tests.support.in_process_cloud import cloud
from tests.support.one_api import FUNCTION_URI, OneApi, arn_of, mock

PATH = "/pets/1"
ACTION, RESOURCE = "execute-api:Invoke", arn_of(PATH)
ANSWERED = b"answered"
TOKEN = {"Authorization": "somebody"}
MANY = settings(max_examples=150)

# -- the model ------------------------------------------------------------------------------


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern fits, by the places in the text where each of its characters can end."""
    places = {0}
    for char in pattern:
        if char == "*":
            places = set(range(min(places), len(text) + 1)) if places else places
        else:
            places = {p + 1 for p in places if p < len(text) and char in ("?", text[p])}
    return len(text) in places


def lower(text: str) -> str:
    """ASCII only: AWS's action names have no other letters."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def applies(statement: dict[str, Any]) -> bool:
    """Whether a statement without a condition is about the request."""

    def one(name: str, asked: str, change: Any) -> bool:
        key = name if name in statement else f"Not{name}"
        value = statement[key]
        patterns = value if isinstance(value, list) else [value]
        found = any(fits(change(pattern), change(asked)) for pattern in patterns)
        return found == (key == name)

    return one("Action", ACTION, lower) and one("Resource", RESOURCE, str)


def model(statements: list[dict[str, Any]]) -> str:
    said = {s["Effect"] for s in statements if applies(s)}
    return "Deny" if "Deny" in said else "Allow" if "Allow" in said else "ImplicitDeny"


def is_policy(document: Any, *, with_principal: bool) -> bool:
    """The grammar of policies without conditions."""
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]

    def texts(value: Any) -> bool:
        items = value if isinstance(value, list) else [value]
        return bool(items) and all(isinstance(item, str) and item for item in items)

    def good(s: Any) -> bool:
        if not isinstance(s, dict) or s.get("Effect") not in ("Allow", "Deny"):
            return False
        for name in ("Action", "Resource"):
            given_keys = {name, f"Not{name}"} & s.keys()
            if len(given_keys) != 1 or not texts(s[given_keys.pop()]):
                return False
        return len({"Principal", "NotPrincipal"} & s.keys()) == with_principal

    return isinstance(statements, list) and bool(statements) and all(map(good, statements))


# -- documents ------------------------------------------------------------------------------


def patterns(text: str) -> st.SearchStrategy[str]:
    """Patterns that fit a text, nearly fit it, or don't."""

    @st.composite
    def holed(draw: st.DrawFn) -> str:
        found = text
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, len(found)))
            end = draw(st.integers(start, len(found)))
            found = (
                found[:start] + draw(st.sampled_from(["*", "?", "**", "*?", "", "x"])) + found[end:]
            )
        return found or "*"

    odd = st.text(st.sampled_from("*?:/.+[](){}^$|\\-aeiEIx\u0131\n"), min_size=1, max_size=20)
    return st.one_of(holed(), holed().map(str.swapcase), odd, st.just("*"))


def one_or_more(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


def statements(**more: Any) -> st.SearchStrategy[dict[str, Any]]:
    fixed = {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        **{k: st.just(v) for k, v in more.items()},
    }
    actions, resources = one_or_more(patterns(ACTION)), one_or_more(patterns(RESOURCE))
    return st.one_of(
        st.fixed_dictionaries({**fixed, "Action": actions, "Resource": resources}),
        st.fixed_dictionaries({**fixed, "NotAction": actions, "Resource": resources}),
        st.fixed_dictionaries({**fixed, "Action": actions, "NotResource": resources}),
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(
    "Statement Effect Action NotAction Resource NotResource Principal NotPrincipal Condition Version AWS".split()
)
WORDS = st.sampled_from(["Allow", "Deny", "allow", "*", ACTION, RESOURCE, "", "StringEquals"])
ANY_JSON = st.recursive(
    SCALARS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


def nearly(statement: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """Statements of which one part is any JSON, missing or too much."""

    @st.composite
    def spoilt(draw: st.DrawFn) -> Any:
        found = dict(draw(statement))
        key = draw(KEYS)
        if draw(st.booleans()):
            found.pop(key, None)
        else:
            found[key] = draw(ANY_JSON)
        return found

    return spoilt()


# -- the API --------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with cloud().in_use():
        yield


@pytest.fixture(scope="module")
def guarded(_environment: None) -> OneApi:
    """A method that a function guards; nothing is cached."""
    authorizer = {
        "id": "a1",
        "type": "TOKEN",
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 0,
    }
    method = mock(authorizationType="CUSTOM", authorizerId="a1")
    return OneApi({"/pets/{id}": {"GET": method}}, authorizers={"a1": authorizer})


@pytest.fixture(scope="module")
def with_policy(_environment: None) -> OneApi:
    """A method that is open to whom the resource policy lets in."""
    return OneApi({"/pets/{id}": {"GET": mock()}})


def ask_authorizer(api: OneApi, policy: Any) -> tuple[int, bool]:
    """Status, and whether the backend answered, when the function returns this policy."""
    api.functions.answer = {"principalId": "me", "policyDocument": policy}
    response, _journey = api.send(PATH, TOKEN)
    return response.status, ANSWERED in response.body


def ask_resource_policy(api: OneApi, text: str) -> tuple[int, bool]:
    api.configuration["api"] = {"policy": text}
    api.deploy()
    response, _journey = api.send(PATH)
    return response.status, ANSWERED in response.body


# -- what a policy means ----------------------------------------------------------------------


@MANY
@given(st.lists(statements(), min_size=1, max_size=4))
@example([{"Effect": "Allow", "Action": "execute-api:\u0131nvoke", "Resource": "*"}])
@example([{"Effect": "Allow", "Action": "*", "Resource": RESOURCE + "\n"}])
def test_an_authorizers_policy(guarded: OneApi, document: list[dict[str, Any]]) -> None:
    expected = model(document)
    status, answered = ask_authorizer(guarded, {"Version": "2012-10-17", "Statement": document})
    assert (status, answered) == ((200, True) if expected == "Allow" else (403, False))


@MANY
@given(
    st.lists(
        statements(Principal="*") | statements(Principal={"AWS": "*"}), min_size=1, max_size=4
    ),
    st.lists(statements(Principal={"AWS": "arn:aws:iam::123456789012:root"}), max_size=2),
)
def test_a_resource_policy(
    with_policy: OneApi, everybody: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    """What is said of an account isn't said of somebody who didn't sign."""
    expected = model(everybody)
    text = json.dumps({"Version": "2012-10-17", "Statement": [*others, *everybody]})
    status, answered = ask_resource_policy(with_policy, text)
    assert (status, answered) == ((200, True) if expected == "Allow" else (403, False))


@MANY
@given(patterns(RESOURCE), st.sampled_from([RESOURCE, arn_of("/"), "", "a\nb"]), st.booleans())
def test_wildcards(pattern: str, text: str, ignore_case: bool) -> None:
    change = lower if ignore_case else str
    regex = wildcard_regex(read_wildcards(pattern), ignore_case=ignore_case)
    found = regex.match(text) is not None
    assert found == fits(change(pattern), change(text))


def test_no_number_of_wildcards_hangs(guarded: OneApi) -> None:
    """A straightforward regular expression takes minutes for eight of them."""
    hungry = "*a" * 200 + "*X"
    deny = {"Effect": "Deny", "Action": "*e" * 200 + "*X", "Resource": hungry}
    allow = {"Effect": "Allow", "Action": "*" * 300, "Resource": "*?" * 20 + "*"}
    assert ask_authorizer(guarded, {"Statement": [deny, allow]}) == (200, True)


# -- what isn't a policy ------------------------------------------------------------------------


@MANY
@given(
    ANY_JSON
    | st.builds(
        lambda s: {"Statement": s}, st.lists(statements() | nearly(statements()), max_size=3)
    )
    | st.builds(lambda s: {"Statement": s}, nearly(statements()))
)
def test_what_an_authorizer_returns_for_a_policy(guarded: OneApi, document: Any) -> None:
    status, answered = ask_authorizer(guarded, document)
    if is_policy(document, with_principal=False):
        # A condition may take away what the rest of a statement says, never add to it.
        stated = document["Statement"]
        allowing = [
            s for s in ([stated] if isinstance(stated, dict) else stated) if s["Effect"] == "Allow"
        ]
        assert not answered or any(map(applies, allowing))
        assert status in (200, 403, 500)
    else:
        assert (status, answered) == (500, False)


SPOILT = nearly(statements(Principal="*"))


@MANY
@given(
    st.text(max_size=40)
    | ANY_JSON.map(json.dumps)
    | st.lists(SPOILT, max_size=3).map(lambda s: json.dumps({"Statement": s}))
)
def test_what_stands_where_a_resource_policy_should(with_policy: OneApi, text: str) -> None:
    status, answered = ask_resource_policy(with_policy, text)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not text:
        assert status == 200
    elif is_policy(document, with_principal=True):
        stated = document["Statement"]
        allowing = [
            s for s in ([stated] if isinstance(stated, dict) else stated) if s["Effect"] == "Allow"
        ]
        assert not answered or any(map(applies, allowing))
        assert status in (200, 403, 500)
    else:
        assert (status, answered) == (500, False)


ODD_VALUES = st.sampled_from(
    [
        "",
        "x",
        "1e400",
        "-1e30",
        "nan",
        "2026-13-01",
        "0001-01-01T00:00:00+23:59",
        "1.2.3.4/99",
        "::/0",
        "*",
        "true",
        "0",
    ]
)
CONDITIONS = st.dictionaries(
    st.sampled_from(sorted(OPERATORS)).map(str.title)
    | st.sampled_from(sorted(OPERATORS)).map("{}IfExists".format)
    | st.sampled_from(
        ["Null", "ForAnyValue:StringLike", "ForAllValues:ForAnyValue:StringEquals", "IsIt"]
    ),
    st.dictionaries(
        st.sampled_from(
            "aws:SourceIp aws:CurrentTime aws:EpochTime aws:Referer aws:SecureTransport aws:none".split()
        ),
        ODD_VALUES | st.lists(ODD_VALUES | SCALARS, max_size=3) | SCALARS,
        max_size=2,
    ),
    min_size=1,
    max_size=2,
)


@MANY
@given(CONDITIONS, st.sampled_from(["Allow", "Deny"]))
def test_any_condition(guarded: OneApi, condition: dict[str, Any], effect: str) -> None:
    """It is evaluated, or the whole policy is refused; a condition that can't be read never opens what it closes."""
    about = {"Action": "*", "Resource": "*"}
    conditional = {"Effect": effect, **about, "Condition": condition}
    status, answered = ask_authorizer(
        guarded, {"Statement": [{"Effect": "Allow", **about}, conditional]}
    )
    assert (status, answered) in {(200, True), (403, False), (500, False)}
    assert (status, answered) != (403, False) or effect == "Deny"


@MANY
@given(
    st.sampled_from(["IpAddress", "NumericLessThan", "DateLessThan", "Bool", "Null"]), ODD_VALUES
)
def test_a_deny_whose_value_cannot_be_compared_closes(
    guarded: OneApi, operator: str, value: str
) -> None:
    readable = {
        "IpAddress": {"::/0"},
        "NumericLessThan": {"-1e30", "0"},
        "DateLessThan": {"0001-01-01T00:00:00+23:59", "0"},
        "Bool": {"true"},
        "Null": {"true"},
    }[operator]
    about = {"Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", **about, "Condition": {operator: {"aws:CurrentTime": value}}}
    status, answered = ask_authorizer(guarded, {"Statement": [{"Effect": "Allow", **about}, deny]})
    assert answered == (status == 200)
    assert (status != 500) == (value in readable)
