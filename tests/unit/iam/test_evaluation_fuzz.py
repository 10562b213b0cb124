"""What any policies say: a model of a few lines, and laws that hold whatever they are."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labkit.local.iam.evaluation import (
    Decision,
    IdentityPolicies,
    combine,
    decide,
    decide_identity,
    evaluate,
    evaluate_all,
)
from labkit.local.iam.pattern import Value
from labkit.local.iam.policy import Policy
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion, Principal
from tests.support.policies import policy, question

MANY = settings(max_examples=100, deadline=None)
MOST = settings(MANY, max_examples=400)

# -- the model -------------------------------------------------------------------------------

UNKNOWN = "nobody knows"
COMPARE: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, value: found == value,
    "StringEqualsIgnoreCase": lambda found, value: found.upper() == value.upper(),
    "StringLike": lambda found, value: fits(value, found),
    "NumericEquals": lambda found, value: float(found) == float(value),
    "NumericLessThan": lambda found, value: float(found) < float(value),
    "NumericLessThanEquals": lambda found, value: not float(found) > float(value),
    "NumericGreaterThan": lambda found, value: float(found) > float(value),
    "NumericGreaterThanEquals": lambda found, value: not float(found) < float(value),
    "DateLessThan": lambda found, value: date(found) < date(value),
    "DateGreaterThanEquals": lambda found, value: not date(found) < date(value),
    "Bool": lambda found, value: found == value,
    "IpAddress": lambda found, value: address(found) in ipaddress.ip_network(value),
    "ArnLike": lambda found, value: all(
        fits(pattern, part)
        for pattern, part in zip(value.split(":", 5), found.split(":", 5), strict=True)
    ),
}
NOT = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotLike": "ArnLike",
}


def fits(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


def date(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def address(text: str) -> Any:
    return ipaddress.ip_address(text)


def one_holds(name: str, found: str, values: Sequence[str]) -> bool:
    equal = any(COMPARE[NOT.get(name, name)](found, value) for value in values)
    return equal != (name in NOT)


def holds(operator: str, found: Value | None, values: Sequence[str]) -> bool | str:
    kind, _colon, name = operator.rpartition(":")
    plain = name.removesuffix("IfExists")
    if not found and found != "":
        return plain != name or kind == "ForAllValues" or (plain in NOT and not kind)
    if isinstance(found, str):
        return one_holds(plain, found, values)
    each = [one_holds(plain, one, values) for one in found if one is not None]
    return UNKNOWN if not kind else all(each) if kind == "ForAllValues" else any(each)


def about(statement: Mapping[str, Any], asked: PolicyQuestion) -> bool:
    """Whether a statement's action, resource and principal are the question's."""
    action = fits(statement.get("Action", statement.get("NotAction")).lower(), asked.action.lower())
    resource = fits(statement.get("Resource", statement.get("NotResource")), asked.resource)
    named = statement.get("Principal", "*")
    who = named == "*" or named["AWS"] in (asked.principal.account_id, asked.principal.arn) != (
        "",
        0,
    )
    return action == ("Action" in statement) and resource == ("Resource" in statement) and who


def model(statements: Sequence[Mapping[str, Any]], asked: PolicyQuestion) -> Decision:
    said = set()
    for statement in statements:
        results = [
            holds(operator, asked.keys.get(key), values)
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        ]
        known = UNKNOWN not in results or statement["Effect"] == "Deny"
        if about(statement, asked) and False not in results and known:
            said.add(statement["Effect"])
    return "Deny" if "Deny" in said else "Allow" if "Allow" in said else "ImplicitDeny"


# -- policies and questions ---------------------------------------------------------------------

ACCOUNT = "123456789012"
USERS = [Principal("User", f"arn:aws:iam::{ACCOUNT}:user/{name}", ACCOUNT) for name in "ab"]
FOREIGNER = Principal("User", "arn:aws:iam::210987654321:user/a", "210987654321")
PRINCIPALS = st.sampled_from([*USERS, FOREIGNER, ANONYMOUS])
ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:PassRole"])
ACTION_PATTERNS = st.sampled_from(["*", "s3:*", "S3:Get*", "s3:?etobject", "iam:PassRole", "x"])
ARNS = st.sampled_from(["arn:aws:s3:::a/x", "arn:aws:s3:::a/y:z", "arn:aws:s3:::b/x"])
ARN_PATTERNS = st.sampled_from(
    ["*", "arn:aws:s3:::a/*", "arn:aws:s3:::?/x", "arn:aws:s3:::b/x", "arn:*:z", "arn:aws:*:x"]
)
TEXTS = st.sampled_from(["a", "A", "ab", "b", ""])
NUMBERS = st.sampled_from(["0", "1", "1.0", "-5", "10"])
DATES = st.sampled_from(["2026-11-30T12:00:00Z", "2026-12-01T00:00:00Z", "1999-12-31T23:59:59Z"])
FLAGS = st.sampled_from(["true", "false"])
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.200", "2001:db8::1"])
NETWORKS = st.sampled_from(["192.0.2.0/25", "192.0.2.1/32", "2001:db8::/32"])
# The kind of values a name's beginning stands for: what is in a request, what is in a policy.
KINDS: dict[str, tuple[st.SearchStrategy[str], st.SearchStrategy[str]]] = {
    "String": (TEXTS, st.sampled_from(["a", "A", "ab", "*", "a*", "?", "", "*b"])),
    "Numeric": (NUMBERS, NUMBERS),
    "Date": (DATES, DATES),
    "Bool": (FLAGS, FLAGS),
    "Ip": (ADDRESSES, NETWORKS),
    "NotIp": (ADDRESSES, NETWORKS),
    "Arn": (ARNS, st.sampled_from(["arn:*:s3:::*", "arn:aws:s3:::a/*", "arn:*:*:*:*:b/?"])),
}
NAMES = st.sampled_from([*COMPARE, *NOT])


def key_of(name: str) -> str:
    """A key for each kind of values."""
    return "test:" + next(kind for kind in KINDS if name.startswith(kind)).lower().removeprefix(
        "not"
    )


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    found = {}
    for name in draw(st.lists(NAMES, max_size=2, unique=True)):
        quantifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
        suffix = draw(st.sampled_from(["", "", "IfExists"]))
        _in_request, in_policy = KINDS[next(kind for kind in KINDS if name.startswith(kind))]
        values = draw(st.lists(in_policy, min_size=1, max_size=2))
        found[f"{quantifier}{name}{suffix}"] = {key_of(name): values}
    return found


@st.composite
def statements(
    draw: st.DrawFn, *, effect: str | None = None, of_a_resource: bool = False
) -> dict[str, Any]:
    action = draw(st.sampled_from(["Action", "Action", "NotAction"]))
    resource = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    found: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        action: draw(ACTION_PATTERNS),
        resource: draw(ARN_PATTERNS),
        "Condition": draw(conditions()),
    }
    if of_a_resource:
        named = [ACCOUNT, USERS[0].arn]
        found["Principal"] = draw(st.sampled_from(["*", *({"AWS": name} for name in named)]))
    return found


@st.composite
def questions(draw: st.DrawFn) -> PolicyQuestion:
    keys: dict[str, Value] = {}
    for kind, (values, _in_policy) in KINDS.items():
        several: st.SearchStrategy[Value] = values | st.lists(values, max_size=3)
        if draw(st.booleans()) and not kind.startswith("Not"):
            keys[f"test:{kind.lower()}"] = draw(several)
    return question(draw(ARNS), keys, action=draw(ACTIONS), principal=draw(PRINCIPALS))


POLICIES = st.lists(statements(), min_size=1, max_size=4)
OF_RESOURCES = st.lists(statements(of_a_resource=True), min_size=1, max_size=4)


def says(listed: Sequence[Mapping[str, Any]], asked: PolicyQuestion) -> Decision:
    return evaluate(policy(*listed), asked)


# -- what they mean --------------------------------------------------------------------------------


@MOST
@given(POLICIES | OF_RESOURCES, questions())
def test_the_model_agrees(listed: list[dict[str, Any]], asked: PolicyQuestion) -> None:
    assert says(listed, asked) == model(listed, asked)


# -- laws ------------------------------------------------------------------------------------------

RANK: dict[Decision, int] = {"Deny": 0, "ImplicitDeny": 1, "Allow": 2}


@MANY
@given(POLICIES, statements(effect="Deny"), questions())
def test_another_deny_never_allows(
    listed: list[dict[str, Any]], deny: dict[str, Any], asked: PolicyQuestion
) -> None:
    assert RANK[says([*listed, deny], asked)] <= RANK[says(listed, asked)]


@MANY
@given(POLICIES, statements(effect="Allow"), questions())
def test_another_allow_never_denies(
    listed: list[dict[str, Any]], allow: dict[str, Any], asked: PolicyQuestion
) -> None:
    before, after = says(listed, asked), says([*listed, allow], asked)
    assert RANK[after] >= RANK[before]
    assert after == before or (before, after) == ("ImplicitDeny", "Allow")


@MANY
@given(POLICIES.flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))), questions())
def test_the_order_decides_nothing(
    orders: tuple[list[dict[str, Any]], list[dict[str, Any]]], asked: PolicyQuestion
) -> None:
    one, other = orders
    assert says(one, asked) == says(other, asked) == says([*one, *other], asked)


@MANY
@given(POLICIES, POLICIES, questions())
def test_two_policies_are_as_one(
    one: list[dict[str, Any]], other: list[dict[str, Any]], asked: PolicyQuestion
) -> None:
    assert evaluate_all([policy(*one), policy(*other)], asked) == says([*one, *other], asked)


@MANY
@given(
    st.text("ab:/*?", min_size=1, max_size=8),
    st.lists(st.text("ab:/*?", max_size=3), min_size=8, max_size=8),
    st.text("ab:/", max_size=8),
)
def test_a_narrower_resource_never_allows_more(
    wide: str, instead: list[str], resource: str
) -> None:
    """Each ``*`` gives way to any pattern, each ``?`` to one character."""
    narrow = "".join(
        text if char == "*" else (text[:1].strip("*") or char) if char == "?" else char
        for char, text in zip(wide, instead, strict=False)
    )
    assume(narrow and resource)
    asked = question(resource)
    if says([{"Resource": narrow}], asked) == "Allow":
        assert says([{"Resource": wide}], asked) == "Allow"


@MANY
@given(statements(effect="Allow"), questions())
def test_what_isnt_the_one_is_the_other(statement: dict[str, Any], asked: PolicyQuestion) -> None:
    opposites = {"Action": "NotAction", "NotAction": "Action"}
    opposites |= {"Resource": "NotResource", "NotResource": "Resource"}
    plain = {name: value for name, value in statement.items() if name != "Condition"}
    for name in opposites.keys() & plain.keys():
        only = {"Effect": "Allow", name: plain[name]}
        other = {"Effect": "Allow", opposites[name]: plain[name]}
        anything = {"Action": "*", "Resource": "*"}
        rest = {
            key: value
            for key, value in anything.items()
            if key.removeprefix("Not") != name.removeprefix("Not")
        }
        assert {says([{**rest, **only}], asked), says([{**rest, **other}], asked)} == {
            "Allow",
            "ImplicitDeny",
        }


@MANY
@given(statements(), conditions(), questions())
def test_a_condition_more_never_says_more(
    statement: dict[str, Any], more: dict[str, Any], asked: PolicyQuestion
) -> None:
    narrower = {**statement, "Condition": {**more, **statement["Condition"]}}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    beside = [everything] if statement["Effect"] == "Deny" else []
    if says([*beside, narrower], asked) == statement["Effect"]:
        assert says([*beside, statement], asked) == statement["Effect"]


def both(condition: Mapping[str, Any], asked: PolicyQuestion) -> tuple[Decision, Decision]:
    """An Allow with a condition, and a Deny with it beside an Allow."""
    allow = says([{"Condition": condition, "Action": "*"}], asked)
    deny = {"Effect": "Deny", "Condition": condition, "Action": "*"}
    return allow, says([{"Action": "*"}, deny], asked)


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, str, list[str], Value]:
    """An operator, its key, a policy's values and a request's one value or several."""
    name = draw(NAMES)
    in_request, in_policy = KINDS[next(kind for kind in KINDS if name.startswith(kind))]
    several = st.lists(in_request, min_size=1, max_size=3)
    values = draw(st.lists(in_policy, min_size=1, max_size=2))
    return name, key_of(name), values, draw(in_request | several)


@MANY
@given(comparisons(), st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]))
def test_if_exists_changes_nothing_for_a_key_that_exists(
    comparison: tuple[str, str, list[str], Value], quantifier: str
) -> None:
    name, key, values, found = comparison
    asked = question(keys={key: found})
    with_it = {f"{quantifier}{name}IfExists": {key: values}}
    assert both(with_it, asked) == both({f"{quantifier}{name}": {key: values}}, asked)
    assert both(with_it, question()) == ("Allow", "Deny")


@MANY
@given(comparisons())
def test_negated_operators_are_the_opposite(
    comparison: tuple[str, str, list[str], Value],
) -> None:
    """And ForAllValues of the one is no ForAnyValue of the other."""
    name, key, values, found = comparison
    assume(name in NOT)
    asked = question(keys={key: found})
    opposite = {("Allow", "Deny"): ("ImplicitDeny", "Allow")}
    opposite |= {value: one for one, value in opposite.items()}
    pairs = [("ForAllValues:", "ForAnyValue:"), ("ForAnyValue:", "ForAllValues:")]
    for this, that in [*pairs, *([("", "")] if isinstance(found, str) else [])]:
        negated = both({f"{this}{name}": {key: values}}, asked)
        positive = both({f"{that}{NOT[name]}": {key: values}}, asked)
        assert negated == opposite[positive]


@MANY
@given(comparisons())
def test_one_value_needs_no_quantifier(comparison: tuple[str, str, list[str], Value]) -> None:
    name, key, values, found = comparison
    assume(isinstance(found, str))
    asked, listed = question(keys={key: found}), question(keys={key: [str(found)]})
    plain = both({name: {key: values}}, asked)
    for quantifier in ("ForAllValues:", "ForAnyValue:"):
        assert both({f"{quantifier}{name}": {key: values}}, asked) == plain
        assert both({f"{quantifier}{name}": {key: values}}, listed) == plain


@MANY
@given(comparisons(), st.data())
def test_names_have_no_case_and_values_have(
    comparison: tuple[str, str, list[str], Value], data: st.DataObject
) -> None:
    name, key, values, found = comparison
    change = data.draw(st.sampled_from([str.upper, str.lower, str.title]))
    asked = question(keys={key: found})
    assert both({change(name): {change(key): values}}, asked) == both({name: {key: values}}, asked)


@MANY
@given(
    st.lists(POLICIES, max_size=2),
    st.lists(st.lists(POLICIES, max_size=2), max_size=2),
    questions(),
)
def test_a_limit_never_allows_more(
    granted: list[list[dict[str, Any]]],
    limits: list[list[list[dict[str, Any]]]],
    asked: PolicyQuestion,
) -> None:
    def read(layer: list[list[dict[str, Any]]]) -> list[Policy]:
        return [policy(*one) for one in layer]

    without = IdentityPolicies(read(granted))
    within = IdentityPolicies(read(granted), list(map(read, limits)))
    decision = decide_identity(within, asked)
    assert RANK[decision] <= RANK[decide_identity(without, asked)]
    said = [evaluate_all(read(layer), asked) for layer in (granted, *limits)]
    assert (decision == "Allow") == (set(said) == {"Allow"})
    assert (decision == "Deny") == ("Deny" in said)


@MANY
@given(
    st.sampled_from(["Allow", "Deny", "ImplicitDeny"]),
    st.lists(st.lists(POLICIES, max_size=2), max_size=2),
    OF_RESOURCES,
    questions(),
    st.booleans(),
)
def test_a_resources_policy_beside_an_identitys(
    identity: Decision,
    limits: list[list[list[dict[str, Any]]]],
    resource: list[dict[str, Any]],
    asked: PolicyQuestion,
    same_account: bool,
) -> None:
    layers = [[policy(*one) for one in layer] for layer in limits]
    said = says(resource, asked)
    decision = decide(identity, layers, policy(*resource), asked, same_account=same_account)
    assert RANK[decision] <= RANK[combine(identity, said, same_account=same_account)]
    assert (decision == "Deny") == ("Deny" in (identity, said))
    if identity == "Allow":
        assert decision == combine(identity, said, same_account=same_account)
    elif decision == "Allow":
        direct = [{**one, "Principal": {"AWS": asked.principal.arn or ACCOUNT}} for one in resource]
        assert same_account
        assert any(one["Principal"] != {"AWS": ACCOUNT} for one in resource)
        within = all(evaluate_all(layer, asked) == "Allow" for layer in layers)
        named = [one for one in direct if one in resource]
        assert within or "Allow" in {says([one], asked) for one in named}


@MANY
@given(OF_RESOURCES, questions(), PRINCIPALS)
def test_naming_everybody_names_everyone(
    listed: list[dict[str, Any]], asked: PolicyQuestion, other: Principal
) -> None:
    everybody = [{**one, "Principal": "*"} for one in listed]
    plain = [{key: value for key, value in one.items() if key != "Principal"} for one in listed]
    assert says(everybody, asked) == says(plain, asked)
    asked.principal = other
    assert says(everybody, asked) == says(plain, asked)
