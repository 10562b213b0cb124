"""What the widgets show, and their text twins; tests/browser/test_widgets.py uses them in JupyterLab."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import boto3
import ipywidgets
import pytest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

import labkit
from labkit import sigv4
from labkit.course.tasks import Demo
from labkit.errors import KeysUnreachableError, TokenError
from labkit.journey import Journey, Step
from labkit.lab.session import Lab
from labkit.markup import Markup, plain, table, tag
from labkit.tokens import decode
from labkit.widgets import Call, journey_view, signature_steps, token_inspector, who_may_call
from labkit.widgets.inspection import look_inside, time_left, usual_checks
from labkit.widgets.journeys import JourneyView
from labkit.widgets.signing import EXAMPLE_KEY, EXAMPLE_TIME, EXAMPLE_URL
from labkit.widgets.signing_steps import CHANGED, GONE, SAME, marked
from labkit.widgets.view import View
from tests.support.attached_cloud import attached_cloud
from tests.support.issuer import ADMIN, CLIENT, NOW, Issuer
from tests.unit.tokens.test_tokens import token

EVIL = "<img src=x onerror=alert(1)>"
HOSTILE = st.text() | st.sampled_from(
    [
        EVIL,
        "<script>alert(1)</script>",
        "</td></tr></table>",
        '" onclick="alert(1)',
        "<!--",
        "]]>",
        "&lt;b&gt;",
        "\ud800",
        "\x1b[2J",
        "\u202e",
    ]
)
in_its_own_time = settings(max_examples=50)
"""Making a widget takes milliseconds, and on a busy machine more."""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Elements(HTMLParser):
    """What HTML really holds."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


OUR_NAMES = set("b caption del div ins li ol p section span table tbody td th thead tr".split())
OUR_ATTRIBUTES = {"style", "role", "scope"}


def shown(view: View) -> str:
    """The text of all HTML in a widget; there are no elements but the widgets' own."""
    text = ""
    for one in everything(view.box):
        if type(one).__name__ == "HTML":
            found = Elements(one.value)
            assert found.names <= OUR_NAMES
            assert found.attributes <= OUR_ATTRIBUTES
            text += found.text
    return text


def everything(box: Any) -> list[Any]:
    children = getattr(box, "children", ())
    return [box, *(inner for child in children for inner in everything(child))]


def inspected(token: str, issuer: Issuer, now: float = NOW) -> Any:
    return token_inspector(
        token, issuer=issuer.url, client_id=CLIENT, http=issuer, clock=lambda: now
    )


# -- all of them ---------------------------------------------------------------------------


JOURNEY = Journey(
    "id",
    "GET",
    "/dev/demo",
    401,
    [
        Step("waf", "skip", "no web ACL"),
        Step("route", "pass", "deployed"),
        Step("authorizer", "stop", "no token", {"header": "Authorization", "scopes": []}),
    ],
)
ROWS = [
    Call("anonymous", "GET /demo", "none", 401, 401, "no token"),
    Call("jane", "GET /demo", "ID token", 200, 403, "an ID token"),
    Call("jane", "POST /demo", "access token", 200, 200, "a scope of the method"),
]
ALL: dict[str, Callable[[], View]] = {
    "inspector": lambda: token_inspector(token({"sub": "me"}), clock=lambda: NOW),
    "empty inspector": token_inspector,
    "signature": signature_steps,
    "journey": lambda: journey_view([JOURNEY]),
    "journeys": lambda: journey_view([JOURNEY, JOURNEY]),
    "matrix": lambda: who_may_call(ROWS),
}


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_the_text_twin_is_always_the_same(make: Callable[[], View]) -> None:
    first, second = make(), make()
    assert str(first) == repr(first) == str(second) != ""
    for view in (first, second):
        bundle = view._repr_mimebundle_(include=None, exclude=None)
        assert bundle["text/plain"] == str(view)
        assert bundle[WIDGET_VIEW]["model_id"] == view.box.model_id
        assert set(bundle) == {"text/plain", WIDGET_VIEW}
    assert first.box.model_id != second.box.model_id


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_every_input_has_a_label(make: Callable[[], View]) -> None:
    for one in everything(make().box):
        if hasattr(one, "description") and type(one).__name__ not in ("HTML", "Label"):
            assert one.description
            assert not getattr(one, "description_allow_html", False)


def test_who_imports_labkit_waits_for_no_widget() -> None:
    program = "import sys, labkit; assert 'ipywidgets' not in sys.modules; print(labkit.widgets)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "labkit.widgets" in answer.stdout
    assert "widgets" in dir(labkit)


@given(HOSTILE, HOSTILE)
def test_no_text_becomes_markup(one: str, other: str) -> None:
    made = table(one, [other], [[one, tag("b", other, title=one)]])
    found = Elements(made)
    assert found.names == {"table", "caption", "thead", "tbody", "tr", "th", "td", "b"}
    assert found.attributes <= {"style", "scope", "title"}
    assert found.text == plain(one) + plain(other) + plain(one) + plain(other)
    assert isinstance(made, Markup)
    made.encode()


# -- token inspector -----------------------------------------------------------------------


def test_a_token_is_explained() -> None:
    issuer = Issuer()
    view = inspected(issuer.token(), issuer)
    lines = str(view).splitlines()
    assert lines[:6] == [
        "ID token: about 1 h left of 1 h 1 min",
        "  ✓ verification: the signature is the issuer's, and its claims hold",
        "  ✓ REST API, method without scopes: passes: it is an ID token, valid, from the user pool",
        f'  ✗ REST API, method with {ADMIN}: 401 {{"message":"Unauthorized"}}',
        "      because the method has scopes, so it takes an access token; this is an ID token",
        "  ✓ HTTP API, JWT authorizer: passes: it is a valid token of the issuer for this audience",
    ]
    assert "  email            jane@example.com" in lines
    text = shown(view)
    for fact in ("RS256", "jane@example.com", "The user's e-mail address.", "✓ passes"):
        assert fact in text


def test_an_access_token_is_for_the_method_with_scopes() -> None:
    issuer = Issuer()
    text = str(inspected(issuer.token("access"), issuer))
    assert "✗ REST API, method without scopes: 401" in text
    assert f"✓ REST API, method with {ADMIN}: passes" in text


def test_a_changed_claim_breaks_the_signature_and_can_be_undone() -> None:
    issuer = Issuer()
    good = issuer.token()
    view = inspected(good, issuer)
    assert view.undo.disabled
    view.claim.value = "email_verified"
    assert view.value.value == "true"
    view.value.value = "false"
    view.change.click()
    forged = decode(view.token.value)
    assert forged["email_verified"] is False
    assert forged.claims | {"email_verified": True} == decode(good).claims
    assert view.token.value.split(".")[::2] == good.split(".")[::2]
    assert "✗ verification: The token's signature doesn't fit its content." in str(view)
    assert "email_verified   false (changed)" in str(view)
    assert "① header . ② claims (changed) . ③ signature" in str(view)
    assert str(view).count("(changed)") == 2
    assert "✎ changed: false" in shown(view)

    view.claim.value = "email"
    view.value.value = EVIL
    view.change.click()
    assert str(view).count("(changed)") == 3
    for _pressed_again in range(2):
        view.undo.click()
        assert view.token.value == good
        assert not view.undo.disabled, "the keyboard's focus stays on it"
    view.token.value = "another"
    assert view.undo.disabled
    view.token.value = good
    assert "✓ verification" in str(view)


def test_the_same_value_is_no_change() -> None:
    issuer = Issuer()
    view = inspected(issuer.token(), issuer)
    view.claim.value = "email"
    view.change.click()
    assert "The claim email has this value already: write another one." in shown(view)
    assert "✓ the signature is the issuer's" in shown(view)


def test_what_is_no_token_stays_in_the_input() -> None:
    view = token_inspector("hello")
    sentence = "This isn't a JWT: it has 1 part instead of 3, separated by dots."
    assert str(view) == shown(view) == sentence
    assert view.token.value == "hello"
    assert view.change.disabled
    view.change.click()  # nothing happens
    view.token.value = token({"sub": "me"})
    assert not view.change.disabled
    assert "me" in shown(view)
    view.token.value = " "
    assert str(view) == shown(view) == "Paste a token to look inside. It isn't sent anywhere."


def test_the_clock_is_looked_at_again() -> None:
    now = [float(NOW)]
    issuer = Issuer()
    view = token_inspector(
        issuer.token(), issuer=issuer.url, client_id=CLIENT, http=issuer, clock=lambda: now[0]
    )
    now[0] += 7200
    assert "about 1 h left" in shown(view)
    view.again.click()
    assert "expired, about 1 h ago" in shown(view)
    assert "The incoming token has expired" in shown(view)


def test_keys_that_cannot_be_fetched_say_nothing_of_the_token() -> None:
    issuer = Issuer()
    issuer.status = 500
    view = inspected(issuer.token(), issuer)
    assert str(view).count("  ? ") == 4
    assert "can't be fetched: the answer is 500" in shown(view)


def test_what_a_check_raises_is_what_it_says() -> None:
    def unsure(_token: str, **_when: float) -> Any:
        raise KeysUnreachableError("Nobody knows.", url="")

    def refuse(_token: str, *, now: float) -> Any:
        raise TokenError(f"Refused at {now:g}: {EVIL}")

    blocks = look_inside(Issuer().token(), {"verification": refuse, EVIL: unsure}, now=5.0)
    lines = [line for block in blocks for line in block.lines]
    assert f"  ✗ verification: Refused at 5: {EVIL}" in lines
    assert f"  ? {EVIL}: Nobody knows." in lines


def test_without_an_issuer_nothing_is_verified() -> None:
    text = str(token_inspector(Issuer().token(), clock=lambda: NOW))
    assert "? verification: not verified: anybody can write a token" in text
    assert "REST API" not in text


def test_only_a_user_pool_has_the_rest_apis_verdicts() -> None:
    of_another = usual_checks("https://issuer.example", CLIENT, None)
    assert list(of_another) == ["verification", "HTTP API, JWT authorizer"]
    assert len(usual_checks(Issuer().url, None, None)) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | HOSTILE,
    lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner),
    max_leaves=6,
)


@in_its_own_time
@given(st.dictionaries(HOSTILE | st.sampled_from(["exp", "iat", "sub"]), JSON), HOSTILE)
def test_whatever_a_token_says_is_text(claims: dict[str, Any], typed: str) -> None:
    view = token_inspector(token(claims), clock=lambda: NOW)
    shown(view)
    sent = json.dumps([one.get_state() for one in everything(view.box)], default=str)
    sent.encode()
    str(view).encode()
    assert not {"\x1b", "\u202e", "\ud800"} & set(str(view))
    if claims:
        view.value.value = typed
        view.change.click()
        shown(view)


@pytest.mark.parametrize("depth", [10, 200, 400, 900, 5_000])
def test_a_nested_bomb_goes_off_nowhere(depth: int) -> None:
    view = token_inspector(token(b'{"a":' + b"[" * depth + b"]" * depth + b', "b": 1}'))
    if view.claim.options:
        view.claim.value = "b"
        view.value.value = "2"
        view.change.click()
    shown(view)


def test_a_megabyte_is_cut() -> None:
    view = token_inspector(token({f"claim {n}": "x" * 2_000 for n in range(500)}))
    assert "… and 300 more" in shown(view)
    assert len(str(view)) < 250_000


@pytest.mark.parametrize(
    ("claims", "now", "words"),
    [
        ({"iat": 0, "exp": 3600}, 0, "about 1 h left of 1 h"),
        ({"iat": 0, "exp": 3600}, 59, "about 1 h left of 1 h"),
        ({"iat": 0, "exp": 3600}, 61, "about 59 min left of 1 h"),
        ({"exp": 3600}, 3500, "1 min 40 s left"),
        ({"exp": 3600}, 3599.9, "1 s left"),
        ({"exp": 3600}, 3600, "expired, 1 s ago"),
        ({"exp": 0}, 86_459, "expired, about 1 day ago"),
        ({"exp": 0}, 119, "expired, 1 min 59 s ago"),
        ({"exp": 90, "iat": 0.25}, 0, "1 min 30 s left of 1 min 30 s"),
        ({"exp": 10**4000}, 0, "more than 10 years left"),
        ({"exp": float("inf"), "iat": float("-inf")}, 0, "more than 10 years left"),
        ({"exp": -(10**400)}, 0, "expired, more than 10 years ago"),
        ({"exp": "soon"}, 0, "it never expires: it has no exp"),
        ({"exp": True}, 0, "it never expires: it has no exp"),
    ],
)
def test_time_left(claims: dict[str, Any], now: float, words: str) -> None:
    assert time_left(claims, now).startswith(words)


# -- signature steps -----------------------------------------------------------------------


def test_the_steps_are_those_of_labkit_sigv4() -> None:
    view = signature_steps()
    view.header.value = "X-Demo: one"
    view.keep.click()
    signed = sigv4.sign(
        "GET",
        EXAMPLE_URL,
        headers={"X-Demo": "one"},
        credentials=Credentials(*EXAMPLE_KEY),
        region="us-east-1",
        now=dt.datetime.fromisoformat(EXAMPLE_TIME),
    )
    text = shown(view)
    for line in (*signed.canonical_request.split("\n"), *signed.string_to_sign.split("\n")):
        assert line in text
        assert line in str(view)
    assert signed.signature in text
    assert "changed" not in text


def test_a_change_marks_the_lines_that_it_touches() -> None:
    view = signature_steps()
    view.query.value = "a=1&b=3"
    lines = str(view).splitlines()
    assert "  - a=1&b=2" in lines
    assert "  ● a=1&b=3" in lines
    assert "    GET" in lines
    assert sum(line.startswith("  ●") for line in lines) == 4
    headings = [line for line in shown(view).split("\n") if line]
    assert "1. canonical request, ● changed" in headings[0]
    assert shown(view).count("● changed") == 4
    view.keep.click()
    assert "●" not in str(view)
    view.back.click()
    assert view.query.value == "b=2&a=1"
    assert "●" not in str(view)


@pytest.mark.parametrize(
    ("field", "value", "touched"),
    [
        ("method", "DELETE", "124"),
        ("path", "/dev/démo x", "124"),
        ("query", "", "124"),
        ("header", "x-demo: a  b", "124"),
        ("secret", "another", "34"),
        ("clock", "2013-05-24T00:00:01Z", "124"),
        ("clock", "2013-05-25T00:00:00+02:00", "124"),
        ("clock", "2013-05-25", "1234"),
    ],
)
def test_each_input_touches_its_steps(field: str, value: str, touched: str) -> None:
    view = signature_steps()
    getattr(view, field).value = value
    headings = [
        line[0] for line in shown_headings(view) if line[0].isdigit() and line.endswith("● changed")
    ]
    assert "".join(headings) == touched


def shown_headings(view: Any) -> list[str]:
    return [f"{part.split('</b>')[0]}" for part in view.shown.value.split("<b>")[1:]]


@pytest.mark.parametrize(
    ("field", "value", "answer"),
    [
        ("clock", "noon", "The clock isn't a time: write it as 2013-05-24T00:00:00Z."),
        ("clock", "", "The clock isn't a time: write it as 2013-05-24T00:00:00Z."),
        (
            "clock",
            "0001-01-01T00:00:00+14:00",
            "The clock isn't a time: write it as 2013-05-24T00:00:00Z.",
        ),
        ("header", "x-demo", "The header isn't one: write it as name: value."),
        ("header", ": x", "The header isn't one: write it as name: value."),
        ("path", "dev", "The path begins with a slash: write it as /dev/demo, for example."),
        ("path", "", "The path begins with a slash: write it as /dev/demo, for example."),
    ],
)
def test_what_cannot_be_signed_gets_one_sentence(field: str, value: str, answer: str) -> None:
    view = signature_steps()
    getattr(view, field).value = value
    assert str(view) == shown(view) == answer
    assert getattr(view, field).value == value
    view.keep.click()
    assert str(view) == answer
    view.back.click()
    assert "●" not in str(view)


@in_its_own_time
@given(*[HOSTILE] * 5)
def test_whatever_is_typed_is_text(
    path: str, query: str, header: str, secret: str, clock: str
) -> None:
    view = signature_steps()
    typed = {"path": f"/{path}", "query": query, "header": f"x: {header}", "secret": secret}
    for field, value in (typed | {"clock": clock}).items():
        if value.isprintable():  # an input of a browser has nothing else
            getattr(view, field).value = value
        shown(view)
        str(view).encode()


def test_no_secret_is_shown() -> None:
    view = signature_steps()
    before = shown(view)
    view.header.value = "x-api-key: abcdefghij0123456789"
    view.secret.value = "another/secret/key"
    key = sigv4.signing_key(
        "another/secret/key", sigv4.CredentialScope("20130524", "us-east-1", "execute-api")
    )
    for secret in ("another/secret/key", key.hex(), "abcdefghij0123456789"):
        assert secret not in str(view)
        assert secret not in shown(view)
    assert key.hex()[:12] in shown(view)
    view.back.click()
    assert shown(view) == before


def test_the_request_that_is_given_is_the_one_that_is_shown() -> None:
    view = signature_steps("propfind", "https://example.com", region="eu-west-1")
    view.clock.value = "2026-01-31T13:00:00+01:00"
    text = str(view)
    assert "PROPFIND" in text
    assert "    host:example.com" in text
    assert "x-amz-date:20260131T120000Z" in text
    assert "20260131/eu-west-1/execute-api/aws4_request" in text


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_marked_lines_are_the_text_before_and_after(before: list[str], after: list[str]) -> None:
    lines = list(marked(before, after))
    assert [line for mark, line in lines if mark != CHANGED] == before
    assert [line for mark, line in lines if mark != GONE] == after
    assert (before == after) == all(mark == SAME for mark, _line in lines)


# -- journey view ----------------------------------------------------------------------------


def labels(view: JourneyView, number: int = 0) -> list[str]:
    return [gate.description for gate in view.strips[number].gates]


def buttons_of(view: JourneyView) -> list[str]:
    """The buttons that can be seen, from top to bottom."""
    return [one.description for one in everything(view.box) if isinstance(one, ipywidgets.Button)]


def test_the_gate_that_stopped_the_request_is_shown_first() -> None:
    view = journey_view([JOURNEY])
    assert labels(view) == ["· waf", "✓ route", "✗ authorizer", *JOURNEY.not_reached]
    assert str(view).splitlines()[-3:] == [
        "      header: Authorization",
        "      scopes: []",
        f"    not reached: {', '.join(JOURNEY.not_reached)}",
    ]
    assert shown(view).endswith("headerAuthorizationscopes[]")
    assert [gate.style.font_weight for gate in view.strips[0].gates].index("bold") == 2


def test_a_gate_is_clicked() -> None:
    view = journey_view([JOURNEY])
    [strip] = view.strips
    strip.gates[1].click()
    assert shown(view).endswith("✓ route: passeddeployed")
    strip.gates[5].click()
    assert "not reached: the request was stopped at the gate authorizer." in shown(view)
    assert [gate.style.font_weight for gate in strip.gates].count("bold") == 1


def test_idle_gates_are_folded_until_somebody_wants_them() -> None:
    view = journey_view([JOURNEY])
    fold = view.strips[0].idle
    assert buttons_of(view)[0] == "✓ route"
    assert fold.description == "· nothing to check at 1 gate"
    fold.click()
    assert buttons_of(view)[:2] == ["· waf", "✓ route"]
    view.strips[0].gates[0].click()
    assert shown(view).endswith("· waf: nothing to checkno web ACL")
    fold.click()
    assert buttons_of(view)[0] == "✓ route"


OTHER = Journey("2", "POST", "/dev/x", 403, [Step("integration", "pass", "orders answered 403")])


def test_two_are_shown_beside_one_another() -> None:
    view = journey_view([JOURNEY, replace(JOURNEY, status=403, steps=JOURNEY.steps[:2])])
    assert labels(view)[2] == "≠ ✗ authorizer"
    assert labels(view, 1) == ["· waf", "✓ route"]
    assert view.requests == []
    assert "First difference (≠): the gate authorizer." in shown(view)
    assert "header: Authorization" in str(view)


def test_a_request_is_chosen() -> None:
    view = journey_view([JOURNEY, OTHER, JOURNEY])
    first, second, _third = view.requests
    assert first.description.startswith("● 1. GET /dev/demo → 401: authorizer: ")
    second.click()
    assert [strip.journey for strip in view.strips] == [OTHER]
    assert (first.description[0], second.description[0]) == ("1", "●")
    assert "The integration answered 403. The request passed every gate." in shown(view)
    said = f"GET /dev/demo → 401: authorizer: {JOURNEY.steps[2].reason}"
    assert str(view).splitlines() == [
        f"1. {said}",
        "2. POST /dev/x → 403, answered by the integration",
        f"3. {said}",
        "",
        *OTHER.lines(evidence=True),
    ]


def test_without_a_journey_there_is_nothing_to_see() -> None:
    with pytest.raises(ValueError, match="No request has gone through the gateway yet"):
        journey_view([])


def test_a_journey_of_aws_has_its_note() -> None:
    view = journey_view([Journey("", "GET", "/dev/demo", 401, note="AWS doesn't tell.")])
    assert "AWS doesn't tell." in str(view)
    assert "AWS doesn't tell." in shown(view)
    assert view.strips[0].gates == []


STEPS = st.builds(
    Step,
    HOSTILE,
    st.sampled_from(["pass", "stop", "skip"]),
    HOSTILE,
    st.dictionaries(HOSTILE, JSON),
)


@in_its_own_time
@given(st.lists(STEPS, max_size=4), HOSTILE, HOSTILE)
def test_whatever_a_journey_says_is_text(steps: list[Step], method: str, path: str) -> None:
    view = journey_view([Journey("", method, path, 403, steps)])
    for gate in view.strips[0].gates:
        gate.click()
        shown(view)
    json.dumps([one.get_state() for one in everything(view.box)], default=str).encode()
    str(view).encode()


# -- who may call ----------------------------------------------------------------------------


def test_the_matrix_as_text() -> None:
    assert str(who_may_call(ROWS)).splitlines() == [
        "3 calls: 2 answered as expected, 1 not as expected",
        "caller     mode        token         expected  actual  reason",
        "anonymous  GET /demo   none          401       ✓ 401   no token",
        "jane       GET /demo   ID token      200       ✗ 403   an ID token",
        "jane       POST /demo  access token  200       ✓ 200   a scope of the method",
    ]


def test_the_filters() -> None:
    view = who_may_call(ROWS)
    assert view.chosen() == ROWS
    view.caller.value = "jane"
    assert view.chosen() == ROWS[1:]
    view.mode.value = "GET /demo"
    assert view.chosen() == [ROWS[1]]
    assert "POST" not in shown(view)
    view.caller.value = None
    view.only_surprises.value = True
    assert view.chosen() == [ROWS[1]]
    view.caller.value = "anonymous"
    assert str(view) == shown(view) == "0 calls"


def test_no_calls() -> None:
    assert str(who_may_call([])) == "0 calls"


@in_its_own_time
@given(st.lists(st.builds(Call, HOSTILE, HOSTILE, HOSTILE, st.just(401), st.just(200), HOSTILE)))
def test_whatever_a_row_says_is_text(rows: list[Call]) -> None:
    view = who_may_call(rows)
    shown(view)
    str(view).encode()
    json.dumps([one.get_state() for one in everything(view.box)], default=str).encode()


# -- with a real cloud -------------------------------------------------------------------------


@pytest.mark.slow
def test_the_widgets_agree_with_the_cloud(tmp_path: Path) -> None:
    with attached_cloud(tmp_path) as lab:
        demo = lab.start_task(6)
        tokens = signed_in(lab, demo)
        issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{demo.user_pool_id}"
        view = token_inspector(
            tokens["AccessToken"], issuer=issuer, client_id=demo.client_id, http=lab.http
        )
        assert str(view).splitlines()[:2] == [
            "access token: about 1 h left of 1 h",
            "  ✓ verification: the signature is the issuer's, and its claims hold",
        ]
        assert f"✓ REST API, method with {ADMIN}: passes" in str(view)

        def call() -> int:
            headers = {"Authorization": view.token.value}
            return lab.http.get(f"{demo.invoke_url}/demo", headers=headers).status_code

        assert call() == 200
        view.claim.value = "username"
        view.value.value = "somebody else"
        view.change.click()
        assert f"✗ REST API, method with {ADMIN}: 401" in str(view)
        assert call() == 401

        refused, passed = lab.journeys[:2]
        journeys = journey_view([passed, refused])
        assert "First difference (≠): the gate authorizer." in shown(journeys)
        assert "≠ ✗ authorizer: stopped here" in shown(journeys)
        assert view.token.value not in shown(journeys)
        assert "The integration answered 200. The request passed every gate." in shown(journeys)
        for gate in journeys.strips[0].gates:
            gate.click()
            shown(journeys)


def signed_in(lab: Lab, demo: Demo) -> dict[str, str]:
    cognito = boto3.client("cognito-idp")
    user: Any = {"USERNAME": demo.email}
    asked = cognito.initiate_auth(
        ClientId=demo.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters=user | {"PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    code = lab.inbox.wait_for_code(demo.email)
    answer = cognito.respond_to_auth_challenge(
        ClientId=demo.client_id,
        ChallengeName="EMAIL_OTP",
        ChallengeResponses=user | {"EMAIL_OTP_CODE": code},
        Session=asked["Session"],
    )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result
