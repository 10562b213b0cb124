"""Policy variables: a policy means what a model of forty lines says, whatever the request's values are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.iam.evaluation import Decision
from labkit.local.iam.pattern import fill, read_pieces
from tests.support.policies import ask, question

MANY = settings(max_examples=200)
KEYS = ("aws:referer", "aws:useragent", "test:key")

Piece = tuple[str, ...]
"""("text", t), ("variable", key), ("default", key, text) or ("special", character)."""

# -- the model ------------------------------------------------------------------------------

ANY, ONE = object(), object()


def written(pieces: list[Piece]) -> str:
    """The pieces as a policy writes them."""
    forms = {
        "text": "{0}",
        "variable": "${{{0}}}",
        "default": "${{{0}, '{1}'}}",
        "special": "${{{0}}}",
    }
    return "".join(forms[kind].format(*rest) for kind, *rest in pieces)


def meant(pieces: list[Piece], values: Mapping[str, str]) -> list[Any] | None:
    """The characters and wildcards that they stand for; None when a variable has no value."""
    found: list[Any] = []
    for kind, *rest in pieces:
        if kind == "text":
            found += [{"*": ANY, "?": ONE}.get(char, char) for char in rest[0]]
        elif kind == "special":
            found += rest[0]
        else:
            value = values.get(rest[0], rest[1] if kind == "default" else None)
            if value is None:
                return None
            found += value
    return found


def fits(pieces: list[Piece], values: Mapping[str, str], text: str) -> bool:
    pattern = meant(pieces, values)
    if pattern is None:
        return False
    places = {0}
    for one in pattern:
        if one is ANY:
            places = set(range(min(places), len(text) + 1)) if places else places
        else:
            places = {p + 1 for p in places if p < len(text) and one in (ONE, text[p])}
    return len(text) in places


def about_nothing(pieces: list[Piece]) -> bool:
    """Whether the policy itself, without a value, says that it is about calls without a resource."""
    return all(kind == "text" for kind, *_rest in pieces) and fits(pieces, {}, "*")


# -- policies and requests --------------------------------------------------------------------

TEXTS = st.text(st.sampled_from("ab:/*?"), max_size=4)
VALUES = st.text(st.sampled_from("ab:/*?${},' "), max_size=5) | st.sampled_from(
    ["${aws:referer}", "${*}", "*", "?", "a"]
)
PLAIN = st.text(st.sampled_from("ab:/*?"), max_size=4)
PIECES = st.lists(
    st.tuples(st.just("text"), TEXTS)
    | st.tuples(st.just("variable"), st.sampled_from(KEYS))
    | st.tuples(st.just("default"), st.sampled_from(KEYS), PLAIN)
    | st.tuples(st.just("special"), st.sampled_from("*?$")),
    min_size=1,
    max_size=4,
).filter(written)
REQUESTS = st.dictionaries(st.sampled_from(KEYS), VALUES)
RESOURCES = st.text(st.sampled_from("ab:/*?"), min_size=1, max_size=6)


def decide(
    statements: list[dict[str, Any]],
    values: Mapping[str, str],
    resource: str,
    *,
    names_principals: bool = False,
) -> Decision:
    principal = {"Principal": "*"} if names_principals else {}
    return ask(*({**principal, **one} for one in statements), asked=question(resource, values))


@st.composite
def fitting(draw: st.DrawFn) -> tuple[list[Piece], dict[str, str], str]:
    """Pieces, values, and often a resource that they stand for."""
    pieces, values = draw(PIECES), draw(REQUESTS)
    pattern = meant(pieces, values)
    if pattern and draw(st.booleans()):
        text = "".join(
            draw(PLAIN) if one is ANY else draw(st.sampled_from("ab*")) if one is ONE else one
            for one in pattern
        )
        if text:
            return pieces, values, text
    return pieces, values, draw(RESOURCES)


@MANY
@given(fitting(), st.booleans())
@example(([("variable", KEYS[0])], {}, "*"), False)
@example(([("variable", KEYS[0])], {KEYS[0]: "*"}, "*"), False)
@example(([("text", "a/"), ("variable", KEYS[0])], {KEYS[0]: "*"}, "a/b"), True)
def test_a_resource(case: tuple[list[Piece], dict[str, str], str], of_a_resource: bool) -> None:
    pieces, values, resource = case
    allow = {"Effect": "Allow", "Resource": written(pieces)}
    found = decide([allow], values, resource, names_principals=of_a_resource)
    expected = fits(pieces, values, resource) if resource != "*" else about_nothing(pieces)
    if resource != "*" and fits(pieces, values, "*") and not about_nothing(pieces):
        assert found in ("ImplicitDeny", "Allow")  # AWS doesn't save such a Resource
        return
    assert found == ("Allow" if expected else "ImplicitDeny")


@MANY
@given(fitting(), st.booleans())
def test_a_resource_that_is_left_out(
    case: tuple[list[Piece], dict[str, str], str], of_a_resource: bool
) -> None:
    """Without a value nobody knows what is left out: an Allow doesn't allow, a Deny denies."""
    pieces, values, resource = case
    known, left_out = meant(pieces, values) is not None, fits(pieces, values, resource)
    but = {"NotResource": written(pieces)}
    found = decide([{"Effect": "Allow", **but}], values, resource, names_principals=of_a_resource)
    assert found == ("Allow" if known and not left_out else "ImplicitDeny")
    everything = {"Effect": "Allow", "Resource": "*"}
    found = decide(
        [everything, {"Effect": "Deny", **but}], values, resource, names_principals=of_a_resource
    )
    assert found == ("Allow" if known and left_out else "Deny")


@MANY
@given(
    st.lists(PIECES, min_size=1, max_size=3),
    REQUESTS,
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]),
    st.booleans(),
)
def test_a_condition(
    patterns: list[list[Piece]], values: dict[str, str], operator: str, of_a_resource: bool
) -> None:
    held = values.get(KEYS[2])
    meanings = [meant(one, values) for one in patterns]

    def equal(pieces: list[Piece]) -> bool:
        if "Like" in operator:
            return held is not None and fits(pieces, values, held)
        pattern = meant(pieces, values)
        stars = {ANY: "*", ONE: "?"}
        return pattern is not None and "".join(stars.get(c, c) for c in pattern) == held

    equals = held is not None and any(map(equal, patterns))
    if "Not" in operator:
        allows, denies = not equals and None not in meanings, not equals or None in meanings
    else:
        allows = denies = equals
    condition = {"Condition": {operator: {KEYS[2]: [written(one) for one in patterns]}}}
    about = {"Resource": "*", **condition}
    everything = {"Effect": "Allow", "Resource": "*"}
    options = {"names_principals": of_a_resource}
    found = decide([{"Effect": "Allow", **about}], values, "a", **options)
    assert found == ("Allow" if allows else "ImplicitDeny")
    found = decide([everything, {"Effect": "Deny", **about}], values, "a", **options)
    assert found == ("Deny" if denies else "Allow")


@MANY
@given(st.text(st.sampled_from("${}*?,' ab:'\n"), max_size=30) | st.text(max_size=30), REQUESTS)
def test_any_text(text: str, values: dict[str, str]) -> None:
    """It is filled in or has no value; what isn't a variable stays as it is."""
    found = fill(read_pieces(text, has_variables=True, has_wildcards=False), values.get)
    assert found == (text,) or "${" in text
