"""The journey says the same as text, as a picture and as data, and nothing in it can break out of either."""

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


class Table(HTMLParser):
    """The elements and the text of some HTML."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


@given(JOURNEYS)
def test_it_comes_back_from_data_as_it_was(journey: Journey) -> None:
    assert Journey.from_dict(journey.to_dict()) == journey


@given(JOURNEYS)
def test_nothing_breaks_out_of_the_picture(journey: Journey) -> None:
    table = Table(journey._repr_html_())
    assert set(table.elements) <= {"div", "p", "b", "table", "tbody", "tr", "td", "br", "small"}
    assert table.elements.count("table") == 2
    gates = len(journey.steps) + len(journey.not_reached)
    arrows = max(0, gates - 1)
    assert table.elements.count("td") == gates + arrows + 2 * len(journey.steps)
    assert table.attributes <= {"style", "role", "aria-label"}


@given(JOURNEYS)
def test_the_text_has_every_step(journey: Journey) -> None:
    text = str(journey)
    assert text == repr(journey) == "\n".join(journey.lines())
    steps = journey.steps
    assert all(plain(step.reason) in text and plain(step.gate) in text for step in steps)


@given(JOURNEYS)
def test_nothing_acts_in_what_is_shown(journey: Journey) -> None:
    shown = [*journey.lines(evidence=True), journey._repr_html_()]
    assert [text for text in shown if not text.isprintable()] == []


def test_the_picture_and_the_text_say_the_same() -> None:
    steps = [
        Step("waf", "skip", "no web ACL"),
        Step("route", "pass", "deployed"),
        Step("authorizer", "stop", "no token"),
    ]
    journey = Journey("id", "GET", "/dev/demo", 401, steps)
    assert journey.stopped_at is steps[2]
    assert str(journey).splitlines() == [
        "GET /dev/demo → 401",
        "  · waf                    no web ACL",
        "  ✓ route                  deployed",
        "  ✗ authorizer             no token",
        "    not reached: resource policy, api key and usage plan, throttle, validation, integration",
    ]
    cells = [cell for cell in Table(journey._repr_html_()).cells if cell != "→"]
    assert cells[:3] == ["· wafnothing to check", "✓ routepassed", "✗ authorizerstopped here"]
    assert cells[3] == "resource policynot reached"
    assert cells[8:] == [
        *("· waf", "no web ACL", "✓ route", "deployed"),
        *("✗ authorizer", "no token"),
    ]
    assert journey.sentence() == "The request was stopped at the gate authorizer: no token."


def test_a_ninth_gate_takes_no_more_room() -> None:
    steps = [Step(gate, "pass", "good") for gate in GATES]
    eight = Journey("id", "GET", "/", 200, steps)._repr_html_()
    nine = Journey("id", "GET", "/", 200, [*steps, Step("resource policy", "pass", "")])
    assert eight.count("padding:4px 8px") == 8
    assert nine._repr_html_().count("padding:4px 4px") == 9


def test_without_steps_it_says_why() -> None:
    journey = Journey("", "GET", "/dev/demo", 401, note="AWS doesn't tell.")
    assert str(journey).splitlines() == ["GET /dev/demo → 401", "  AWS doesn't tell."]
    assert "AWS doesn&#x27;t tell." in journey._repr_html_()
    assert journey.stopped_at is None
