"""Whatever a learner pastes, decode() says what it is or why it can't be read."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import TokenError
from labkit.tokens import DecodedToken, decode


def part(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: object, header: object = b'{"alg": "RS256"}') -> str:
    return f"{part(header)}.{part(claims)}.c2ln"


def outcome(text: Any) -> DecodedToken | None:
    """The decoded token, which can be shown, or None for one that is refused with a sentence."""
    try:
        decoded = decode(text)
    except TokenError:
        return None
    assert isinstance(decoded, DecodedToken)
    for shown in (str(decoded), repr(decoded), decoded.kind):
        shown.encode()  # it can be printed
    return decoded


@given(st.one_of(st.text(), st.binary(), st.none(), st.integers(), st.lists(st.text())))
def test_anything_else_is_refused(anything: object) -> None:
    outcome(anything)


@given(st.binary(), st.binary(), st.text())
def test_three_parts_of_anything(header: bytes, claims: bytes, signature: str) -> None:
    outcome(f"{part(header)}.{part(claims)}.{signature}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
NAMES = st.text() | st.sampled_from(["exp", "iat", "nbf", "auth_time", "token_use", "sub"])


@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_any_claims_can_be_shown(claims: dict[str, Any]) -> None:
    decoded = outcome(token(claims))
    strict = "NaN" not in json.dumps(claims) and "Infinity" not in json.dumps(claims)
    if strict:
        assert decoded is not None
        assert decoded.claims == json.loads(json.dumps(claims))


@pytest.mark.parametrize(
    "written",
    ["{0}", " {0} ", "\n{0}\n", "Bearer {0}", "bearer {0}", "  BEARER \t {0}\r\n", "Bearer\t{0}"],
)
def test_what_is_copied_along_is_taken_away(written: str) -> None:
    decoded = decode(written.format(token({"sub": "me", "token_use": "access"})))
    assert decoded["sub"] == "me"
    assert str(decoded).startswith("access token, decoded but not verified\n")


@pytest.mark.parametrize("seconds", [0, -1, 1.5, 1e18, -1e18, 10**300, True, "soon", None, [1]])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_any_time_can_be_shown(name: str, seconds: object) -> None:
    assert outcome(token({name: seconds})) is not None


def test_a_time_is_shown_as_a_date() -> None:
    assert "exp              2026-11-21T20:00:00Z" in str(decode(token({"exp": 1795291200})))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1 part instead of 3"),
        ("Bearer ", "1 part instead of 3"),
        ("a.b", "2 parts instead of 3"),
        ("a.b.c.d", "4 parts instead of 3"),
        ("a.b.c.d.e", "encrypted (a JWE"),
        ("Bearer a.b.c.d.e", "encrypted (a JWE"),
        (token([]), "payload isn't a JSON object"),
        (token({}, "text"), "header isn't a JSON object"),
        (f"{part({})}.{part({})[:-1]}!.x", "payload can't be read"),
        (token({}, b'{"a": NaN}'), "header can't be read"),
        (token(b'{"a": "\xff"}'), "payload can't be read"),
        (token("{}".encode("utf-16")), "payload can't be read"),
        (token(b'{"a":' + b"9" * 10_000 + b"}"), "payload can't be read"),
        (token(b"[" * 200_000), "payload can't be read"),
        (token({"sub": "é"}).replace(".", "。"), "1 part instead of 3"),
    ],
)
def test_a_refusal_says_what_it_looks_like(text: str, says: str) -> None:
    with pytest.raises(TokenError, match=says.replace("(", r"\(")):
        decode(text)


@pytest.mark.parametrize("thing", [None, b"a.b.c", 5, ["a"], object()])
def test_a_token_is_text(thing: Any) -> None:
    with pytest.raises(TokenError, match="A token is text"):
        decode(thing)


@pytest.mark.parametrize("depth", [10, 100, 400, 900, 5_000, 50_000])
def test_a_nested_bomb_goes_off_nowhere(depth: int) -> None:
    outcome(token(b'{"a":' + b"[" * depth + b"]" * depth + b"}"))


def test_of_a_claim_that_comes_twice_the_last_counts_as_in_other_libraries() -> None:
    assert decode(token(b'{"sub": "first", "sub": "last"}')).claims == {"sub": "last"}


@pytest.mark.parametrize("hostile", ["\x1b[2J", "a\nheader\n  alg", "\ud800", "\u202e", "\x00"])
def test_a_hostile_claim_is_shown_escaped(hostile: str) -> None:
    for claims in ({"sub": hostile}, {hostile: "x"}):
        shown = str(decode(token(claims)))
        assert hostile not in shown
        assert shown.count("\n") == 4
        shown.encode()
