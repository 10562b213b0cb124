"""The journey says the same as text, as a picture and as data, and nothing in it can break out of either."""

from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from labkit.journey import GATES, Code, Journey, Step
from labkit.markup import plain

HOSTILE = st.text() | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</td></tr></table>",
        "&lt;b&gt;",
        "'><svg/onload=alert(1)>",
        "]]>",
        "<!--",
        "\x1b[2J\x1b[31m\u202eno gate\r\n\ud800",
    ]
)
STEPS = st.builds(
    Step,
    st.sampled_from(GATES) | HOSTILE,
    st.sampled_from(["pass", "stop", "skip"]),
    HOSTILE,
    st.dictionaries(st.text(), st.text() | st.integers() | st.none()),
    st.none() | st.sampled_from(Code),
)
JOURNEYS = st.builds(
    Journey,
    HOSTILE,
    HOSTILE,
    HOSTILE,
    st.integers(0, 599),
    st.lists(STEPS, max_size=8),
    HOSTILE,
)


class Html(HTMLParser):
    """The elements of some HTML, their attributes, and the text in each."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _value in attrs}
        self.texts.setdefault(tag, []).append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:  # br has no end
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data


@given(JOURNEYS)
def test_it_comes_back_from_data_as_it_was_but_for_what_acts(journey: Journey) -> None:
    back = Journey.from_dict(journey.to_dict())
    for step in journey.steps:
        step.reason = plain(step.reason)
    assert back == journey


@given(JOURNEYS)
def test_nothing_breaks_out_of_the_picture(journey: Journey) -> None:
    drawn = Html(journey._repr_html_())
    known = {"div", "p", "b", "span", "br", "small", "table", "tbody", "tr", "td"}
    assert set(drawn.elements) <= known | {"details", "summary"}
    told, idle = journey.folded()
    assert drawn.elements.count("table") == bool(told) + bool(idle)
    assert drawn.elements.count("td") == 2 * len(journey.steps)
    assert drawn.elements.count("span") == len(told) + len(journey.not_reached)
    assert drawn.elements.count("details") == bool(idle)
    assert drawn.attributes <= {"style", "role", "aria-label"}


@given(JOURNEYS)
def test_the_text_has_every_step_or_its_name(journey: Journey) -> None:
    text = str(journey)
    assert text == repr(journey) == "\n".join(journey.lines())
    assert all(plain(step.gate) in text for step in journey.steps)
    assert all(plain(step.reason) in text for step in journey.folded()[0])
    whole = "\n".join(journey.lines(evidence=True))
    assert all(plain(step.reason) in whole for step in journey.steps)


@given(JOURNEYS, JOURNEYS)
def test_nothing_acts_in_what_is_shown(journey: Journey, other: Journey) -> None:
    both = journey.beside(other)
    shown = [*journey.lines(evidence=True), journey._repr_html_()]
    shown += [*both.lines(), both._repr_html_()]
    assert [text for text in shown if not text.isprintable()] == []


IDLE = Step("waf", "skip", "no web ACL")
ROUTE = Step("route", "pass", "deployed")
OPEN = Step("authorizer", "skip", "open to everybody", code=Code.AUTHORIZATION_NONE)
NO_TOKEN = Step("authorizer", "stop", "no token", code=Code.TOKEN_MISSING)
ANSWER = Step("integration", "pass", "hello answered 200")


def test_the_picture_and_the_text_say_the_same() -> None:
    journey = Journey("id", "GET", "/dev/demo", 401, [IDLE, ROUTE, NO_TOKEN])
    assert journey.stopped_at is NO_TOKEN
    assert str(journey).splitlines() == [
        "GET /dev/demo → 401, answered by the gateway",
        "  ✓ route                  deployed",
        "  ✗ authorizer             no token",
        "    not reached: api key and usage plan, throttle, validation, integration",
        "    nothing to check at: waf",
    ]
    drawn = Html(journey._repr_html_())
    behind = [f"{gate}not reached" for gate in journey.not_reached]
    assert drawn.texts["span"] == ["✓ routepassed", "✗ authorizerstopped here", *behind]
    assert drawn.texts["td"] == [
        *("✓ route", "deployed", "✗ authorizer", "no token"),
        *("· waf", "no web ACL"),
    ]
    assert drawn.texts["summary"] == ["· nothing to check at: waf"]
    assert journey.sentence() == (
        "The gateway answered 401. The request was stopped at the gate authorizer: no token."
    )


def test_an_open_gate_is_never_folded() -> None:
    journey = Journey("id", "GET", "/dev/demo", 200, [IDLE, ROUTE, OPEN, ANSWER])
    assert str(journey).splitlines()[2] == "  · authorizer             open to everybody"
    assert journey.folded() == ([ROUTE, OPEN, ANSWER], [IDLE])


def test_a_backend_s_own_403_is_the_integration_s() -> None:
    answer = Step("integration", "pass", "orders answered 403")
    journey = Journey("id", "GET", "/dev/orders", 403, [IDLE, ROUTE, answer])
    assert str(journey).splitlines() == [
        "GET /dev/orders → 403, answered by the integration",
        "  ✓ route                  deployed",
        "  ← integration            orders answered 403",
        "    nothing to check at: waf",
    ]
    drawn = journey._repr_html_()
    assert Html(drawn).texts["span"] == ["✓ routepassed", "← integrationanswered 403"]
    assert drawn.count("--jp-warn-color1") == 1
    assert journey.sentence() == ("The integration answered 403. The request passed every gate.")
    good = Journey("id", "GET", "/dev/orders", 200, [ROUTE, ANSWER])
    assert "--jp-warn-color1" not in good._repr_html_()


def test_who_else_may_answer() -> None:
    cloudfront = Step("stage", "stop", "a GET with a body", code=Code.GET_WITH_BODY)
    assert Journey("id", "GET", "/", 403, [cloudfront]).answered_by == "CloudFront"
    by = {"answered by": "the API's CORS configuration"}
    preflight = Step("integration", "pass", "the preflight is answered", by)
    assert Journey("id", "OPTIONS", "/", 204, [preflight]).heading == (
        "OPTIONS / → 204, answered by the API's CORS configuration"
    )


def test_the_order_of_the_gates_is_one() -> None:
    unknown = Journey("id", "GET", "/x", 403, [Step("stage", "stop", "no stage")])
    assert unknown.not_reached == list(GATES[1:])
    closed = Journey("id", "GET", "/x", 403, [IDLE, Step("route", "stop", "no route")])
    assert closed.not_reached == list(GATES[3:])


# -- two beside one another --------------------------------------------------------------------

BEFORE = Journey("1", "GET", "/dev/demo", 200, [IDLE, ROUTE, OPEN, ANSWER])
AFTER = Journey("2", "GET", "/dev/demo", 401, [IDLE, ROUTE, NO_TOKEN])


def test_the_first_difference_is_marked_in_both() -> None:
    both = BEFORE.beside(AFTER)
    assert both.first_difference == (OPEN, NO_TOKEN)
    assert str(both).splitlines() == [
        "before:",
        "GET /dev/demo → 200, answered by the integration",
        "  ✓ route                  deployed",
        "≠ · authorizer             open to everybody",
        "  ← integration            hello answered 200",
        "    nothing to check at: waf",
        "after:",
        "GET /dev/demo → 401, answered by the gateway",
        "  ✓ route                  deployed",
        "≠ ✗ authorizer             no token",
        "    not reached: api key and usage plan, throttle, validation, integration",
        "    nothing to check at: waf",
        "First difference (≠): the gate authorizer.",
    ]
    chips = Html(both._repr_html_()).texts["span"]
    assert [chip for chip in chips if "≠" in chip] == [
        "≠ · authorizernot checked here",
        "≠ ✗ authorizerstopped here",
    ]


def test_a_reason_is_a_difference_where_nothing_else_is() -> None:
    other = Journey("2", "GET", "/", 401, [IDLE, ROUTE, replace(NO_TOKEN, reason="no header")])
    assert AFTER.beside(other).first_difference == (NO_TOKEN, other.steps[2])
    same = AFTER.beside(AFTER)
    assert same.first_difference == (None, None)
    assert same.sentence() == "Every gate said the same both times."
    assert "≠" not in str(same)


def test_one_may_end_earlier_or_go_another_way() -> None:
    assert BEFORE.beside(Journey("", "GET", "/", 200, note="AWS doesn't tell.")).sentence() == (
        "First difference (≠): the gate waf."
    )
    elsewhere = Journey("2", "GET", "/no", 403, [Step("stage", "stop", "no stage")])
    both = BEFORE.beside(elsewhere)
    assert both.sentence() == "First difference (≠): the gate waf and the gate stage."
    assert "≠ · waf                    no web ACL" in str(both)


def test_without_steps_it_says_why() -> None:
    journey = Journey("", "GET", "/dev/demo", 401, note="AWS doesn't tell.")
    assert str(journey).splitlines() == ["GET /dev/demo → 401", "  AWS doesn't tell."]
    assert "AWS doesn&#x27;t tell." in journey._repr_html_()
    assert journey.stopped_at is None
