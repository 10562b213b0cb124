"""Every widget in JupyterLab, used by clicking and typing; nothing that a token or a response says is executed."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).with_name("widgets.ipynb")
EVIL = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
IDLE = """() => globalThis.jupyterapp?.shell.currentWidget?.sessionContext
    ?.session?.kernel?.status == "idle" """
CONTRASTS = """() => {
    const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = element => {
        const layers = [];
        for (; element; element = element.parentElement) {
            const [r, g, b, opacity = 1] = numbers(getComputedStyle(element).backgroundColor);
            layers.unshift([[r, g, b], opacity]);
            if (opacity == 1) break;
        }
        const over = (under, [colour, opacity]) =>
            under.map((value, n) => value * (1 - opacity) + colour[n] * opacity);
        return light(layers.reduce(over, [255, 255, 255]));
    };
    const walker = document.createTreeWalker(
        document.querySelector(".jp-Notebook"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.closest(".jupyter-widgets")) continue;
        if (element.closest("[disabled], option") || !element.checkVisibility()) continue;
        const [dark, bright] = [light(numbers(getComputedStyle(element).color)), behind(element)].sort();
        found.push([(bright + 0.05) / (dark + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
    }
    return found;
}"""


FOCUS_SHOWS = """() => {
    const look = element => {
        const {outlineStyle, outlineWidth, boxShadow, borderColor} = getComputedStyle(element);
        return [outlineStyle == "none" ? "" : outlineWidth, boxShadow, borderColor].join();
    };
    const element = document.activeElement, focused = look(element);
    element.blur();
    const blurred = look(element);
    element.focus();
    return focused != blurred;
}"""


@pytest.fixture(scope="module")
def notebook(course: Path) -> Path:
    """The tests' own notebook, as it is in the repository: with outputs, and trusted by nobody."""
    return Path(shutil.copy(NOTEBOOK, course / "notebooks"))


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Every address that the page asked for."""
    return []


@pytest.fixture(scope="module")
def opened(browser: Browser, lab_url: str, notebook: Path, asked: list[str]) -> Iterator[Page]:
    """The notebook in JupyterLab."""
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        page = context.new_page()
        page.on("dialog", refuse)
        page.on("request", lambda request: asked.append(request.url))
        open_notebook(page, lab_url, notebook)
        yield page


@pytest.fixture
def ran(opened: Page) -> Iterator[Page]:
    """The notebook after all cells but the last ran anew; afterwards, no script of a token did."""
    opened.evaluate(
        """async () => {
            const {content} = jupyterapp.shell.currentWidget;
            content.activeCellIndex = content.widgets.length - 1;
            await jupyterapp.commands.execute("notebook:run-all-above");
        }"""
    )
    expect(opened.locator(".jp-OutputArea-output > .widget-vbox")).to_have_count(6)
    yield opened
    assert opened.evaluate("globalThis.hacked") is None
    expect(opened.locator("img[src=x], .jupyter-widgets script")).to_have_count(0)


def open_notebook(page: Page, lab_url: str, notebook: Path) -> None:
    """Open it in a workspace of its own, where no earlier tab is open."""
    path = f"/lab/workspaces/{notebook.stem}/tree/{notebook.name}"
    page.goto(urlsplit(lab_url)._replace(path=path).geturl())
    page.wait_for_function(IDLE, timeout=PATIENCE * 1000)


def refuse(dialog: Dialog) -> None:
    dialog.dismiss()
    pytest.fail(f"a dialog came up: {dialog.message}")


def widget(page: Page, number: int) -> Locator:
    return page.locator(".jp-OutputArea-output > .widget-vbox").nth(number)


def forged(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "a secret of thirty-two characters", algorithm="HS256")


# -- token inspector ---------------------------------------------------------------------------


def test_a_claim_is_changed_and_verification_fails(ran: Page) -> None:
    view = widget(ran, 0)
    expect(view).to_contain_text("ID token: about 1 h left of 1 h")
    expect(view).to_contain_text("✓ the signature is the issuer's")
    token = view.get_by_label("Token")
    before = token.input_value()

    expect(view.get_by_label("Claim")).to_have_value("aud")
    expect(view.get_by_label("New value")).to_have_value("7exampleclient")
    view.get_by_label("Claim").select_option("email")
    value = view.get_by_label("New value")
    expect(value).to_have_value("jane@example.com")
    value.fill(EVIL)
    view.get_by_role("button", name="Change this claim").click()

    expect(view).to_contain_text("✗ The token's signature doesn't fit its content.")
    expect(view).to_contain_text(f"✎ changed: {EVIL}")
    expect(view.get_by_text("✗ 401")).to_have_count(3)
    assert token.input_value() != before

    view.get_by_role("button", name="Change this claim").click()
    expect(view.get_by_role("alert")).to_have_text(
        "The claim email has this value already: write another one."
    )
    view.get_by_role("button", name="Undo the change").click()
    expect(view).to_contain_text("✓ the signature is the issuer's")
    expect(token).to_have_value(before)


def test_what_is_no_token_gets_one_sentence_and_stays(ran: Page) -> None:
    view = widget(ran, 0)
    token = view.get_by_label("Token")
    good = token.input_value()
    for pasted, answer in {
        "hello": "This isn't a JWT: it has 1 part instead of 3, separated by dots.",
        "<b>.<i>.x": "The token's header can't be read: was it copied whole?",
        "a.b.c.d.e": "This token is encrypted (a JWE, such as Cognito's refresh token): only Cognito can read it.",
    }.items():
        token.fill(pasted)
        expect(view.get_by_role("alert")).to_have_text(answer)
        expect(token).to_have_value(pasted)
        expect(view.get_by_label("Claim")).to_be_disabled()
    token.fill("")
    expect(view).to_contain_text("Paste a token to look inside.")
    token.fill(good)
    expect(view).to_contain_text("✓ the signature is the issuer's")


def test_a_pasted_token_of_another_is_refused_and_shown_as_text(ran: Page) -> None:
    view = widget(ran, 0)
    claims = {
        EVIL: EVIL,
        "email": "</textarea></td></table><script>alert(1)</script>",
        "name": [EVIL, {EVIL: EVIL}],
        "scope": "javascript:alert(1) $\\href{javascript:alert(1)}{x}$ &lt;b&gt;",
        "exp": 1e300,
    }
    view.get_by_label("Token").fill(f"Bearer {forged(claims)}")
    expect(view).to_contain_text("The token isn't signed with RS256")
    expect(view).to_contain_text("more than 10 years left")
    rows = view.get_by_role("table", name="Claims").get_by_role("row")
    expect(rows.filter(has_text="javascript:")).to_contain_text(str(claims["scope"]))
    expect(rows.filter(has_text="</textarea>")).to_contain_text(str(claims["email"]))
    expect(rows.filter(has_text=re.compile(f"^{re.escape(EVIL)}"))).to_have_count(1)
    view.get_by_label("Claim").select_option(EVIL)
    expect(view.get_by_label("New value")).to_have_value(EVIL)


def test_time_passes(ran: Page) -> None:
    view = widget(ran, 0)
    last = ran.locator(".jp-CodeCell").last
    last.locator(".cm-content").click()
    ran.keyboard.press("Control+Enter")
    ran.wait_for_function(IDLE)
    expect(view).to_contain_text("about 1 h left")
    view.get_by_role("button", name="Look at the clock again").click()
    expect(view).to_contain_text("ID token: expired, about 1 h ago")
    expect(view).to_contain_text('401 {"message":"The incoming token has expired"}')


def test_a_hostile_token_is_text_from_the_start(ran: Page) -> None:
    view = widget(ran, 1)
    expect(view).to_contain_text("not verified: anybody can write a token")
    expect(view.get_by_role("table", name="Claims")).to_contain_text(EVIL)
    expect(view).to_contain_text("\\u202e'\\\"</textarea><b>")


def test_the_inspector_by_keyboard(ran: Page) -> None:
    view, press = widget(ran, 0), ran.keyboard.press
    view.get_by_label("Token").focus()
    press("Tab")
    expect(view.get_by_label("Claim")).to_be_focused()
    for key in ("Space", "ArrowDown", "Enter"):  # JupyterLab takes the arrows of a closed list
        press(key)
    expect(view.get_by_label("New value")).to_have_value("jane@example.com")
    press("Tab")
    press("Control+A")
    ran.keyboard.type("eve@example.com")
    press("Tab")
    press("Space")
    answers = view.get_by_role("table", name="Who takes it")
    expect(answers).to_contain_text("✗ The token's signature doesn't fit its content.")
    expect(view).to_contain_text("② claims (changed)")
    press("Tab")
    expect(view.get_by_role("button", name="Undo the change")).to_be_focused()
    press("Enter")
    expect(answers).to_contain_text("✓ the signature is the issuer's")
    assert is_marked(ran), "the focus can be seen"


def test_the_verdict_is_in_view_and_the_parts_have_three_colours(ran: Page) -> None:
    view = widget(ran, 0)
    ran.set_viewport_size({"width": 1280, "height": 720})
    view.evaluate("view => view.scrollIntoView()")
    for name in ("verification", "HTTP API, JWT authorizer"):
        expect(view.get_by_role("rowheader", name=name)).to_be_in_viewport(ratio=1)
    expect(view.get_by_text("③ signature")).to_be_in_viewport(ratio=1)
    parts = view.locator("code, span").filter(has_text=re.compile("^[①②③] "))
    colours = parts.evaluate_all(
        "parts => parts.map(part => getComputedStyle(part).borderBottomColor)"
    )
    assert len(set(colours)) == 3
    ran.set_viewport_size({"width": 1400, "height": 1000})


# -- signature steps ---------------------------------------------------------------------------


def test_the_steps_follow_what_is_typed(ran: Page) -> None:
    view = widget(ran, 2)
    expect(view.locator("ins, del")).to_have_count(0)
    view.get_by_label("Method").select_option("POST")
    expect(view.locator("ins").first).to_have_text("POST")
    expect(view.locator("del").first).to_have_text("GET")

    for label, typed, line in (
        ("Path", "/dev/a b", "/dev/a%2520b"),
        ("Query", "b=2&a=1&a=0", "a=0&a=1&b=2"),
        ("Header", f"x-demo: {EVIL}", f"x-demo:{EVIL}"),
        ("Clock", "2026-01-31T12:00:00Z", "x-amz-date:20260131T120000Z"),
    ):
        view.get_by_label(label).fill(typed)
        expect(view.locator("ins").filter(has_text=line).first).to_have_text(line)

    key = view.locator("section").nth(2)
    before = key.inner_text()
    view.get_by_label("Secret key").fill("another")
    expect(key).not_to_have_text(before, use_inner_text=True)

    view.get_by_role("button", name="Compare with this from now on").click()
    expect(view.locator("ins, del")).to_have_count(0)
    view.get_by_role("button", name="Back to the first request").click()
    expect(view.get_by_label("Path")).to_have_value("/dev/demo")
    expect(view.locator("ins, del")).to_have_count(0)


def test_what_cannot_be_signed_gets_one_sentence_and_stays(ran: Page) -> None:
    view = widget(ran, 2)
    for label, typed, answer in (
        ("Clock", "noon", "The clock isn't a time: write it as 2013-05-24T00:00:00Z."),
        ("Header", EVIL, "The header isn't one: write it as name: value."),
        ("Path", "dev", "The path begins with a slash: write it as /dev/demo, for example."),
    ):
        view.get_by_label(label).fill(typed)
        expect(view.get_by_role("alert")).to_have_text(answer)
        expect(view.get_by_label(label)).to_have_value(typed)
        view.get_by_role("button", name="Back to the first request").click()
        expect(view.get_by_role("alert")).to_have_count(0)


def test_the_keyboard_is_enough(ran: Page) -> None:
    view = widget(ran, 2)
    view.get_by_label("Method").focus()
    for label in ("Path", "Query", "Header", "Secret key", "Clock"):
        ran.keyboard.press("Tab")
        expect(view.get_by_label(label)).to_be_focused()
    ran.keyboard.press("Shift+Tab")
    ran.keyboard.press("Shift+Tab")
    ran.keyboard.press("Control+A")
    ran.keyboard.type("x-other: typed")
    expect(view.locator("ins").filter(has_text="x-other:typed")).to_have_count(1)


# -- journey view ----------------------------------------------------------------------------


def test_each_gate_says_why(ran: Page) -> None:
    view = widget(ran, 3)
    expect(view).to_contain_text("GET /dev/demo → 401, answered by the gateway")
    expect(view.get_by_role("status")).to_contain_text("✗ authorizer: stopped here")
    expect(view.get_by_role("table", name="What it looked at")).to_contain_text("Authorization")
    view.get_by_role("button", name="route").click()
    expect(view.get_by_role("status")).to_contain_text("✓ route: passed")
    expect(view.get_by_role("table")).to_have_count(0)
    view.get_by_role("button", name="throttle").click()
    expect(view.get_by_role("status")).to_have_text(
        "throttle: not reached: the request was stopped at the gate authorizer."
    )
    expect(view.get_by_role("button", name="· waf")).to_have_count(0)
    view.get_by_role("button", name="nothing to check at 2 gates").click()
    view.get_by_role("button", name="· waf").click()
    expect(view.get_by_role("status")).to_contain_text("no web ACL")


def test_a_request_is_chosen_from_the_list(ran: Page) -> None:
    view = widget(ran, 4)
    expect(view).to_contain_text("GET /dev/demo → 401, answered by")
    view.get_by_role("button", name="2. ").click()
    expect(view).to_contain_text(f"{EVIL} {EVIL} → 403, answered by the gateway")
    expect(view.get_by_role("table", name="What it looked at")).to_contain_text(EVIL)
    expect(view.get_by_role("button", name=f"✗ {EVIL}")).to_be_visible()
    expect(view.get_by_role("button", name="● 2. ")).to_contain_text(EVIL)


def test_a_journey_by_keyboard(ran: Page) -> None:
    """JupyterLab keeps the arrow keys to itself, so that everything is a button."""
    view, press = widget(ran, 4), ran.keyboard.press
    view.get_by_role("button", name="1. ").focus()
    press("Tab")
    press("Enter")
    expect(view.get_by_role("button", name="● 2. ")).to_be_focused()
    expect(view).to_contain_text(f"{EVIL} {EVIL} → 403")
    press("Tab")
    press("Space")
    expect(view.get_by_role("button", name="● 3. ")).to_be_focused()
    press("Tab")
    expect(view.get_by_role("button", name="route")).to_be_focused()
    press("Enter")
    expect(view.get_by_role("status")).to_contain_text("GET /demo is deployed")
    fold = view.get_by_role("button", name="nothing to check at 2 gates")
    fold.focus()
    press("Space")
    expect(view.get_by_role("button", name="· waf")).to_be_visible()
    expect(fold).to_be_focused()
    view.get_by_role("button", name="route").focus()
    press("Shift+Tab")
    press("Space")
    expect(view.get_by_role("status")).to_contain_text("no web ACL")
    assert is_marked(ran), "the focus can be seen"


def is_marked(page: Page) -> bool:
    """Whether what has the focus looks otherwise than without it."""
    return bool(page.evaluate(FOCUS_SHOWS))


# -- who may call ----------------------------------------------------------------------------


def test_the_matrix_is_filtered(ran: Page) -> None:
    view = widget(ran, 5)
    rows = view.locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(view.get_by_label("Caller")).to_have_value("all")
    view.get_by_label("Caller").select_option("jane")
    expect(rows).to_have_count(3)
    expect(view.get_by_role("status")).to_have_text(
        "3 calls: 2 answered as expected, 1 not as expected"
    )
    view.get_by_label("Mode").select_option("GET /demo")
    expect(rows).to_have_count(2)
    view.get_by_label("Only what wasn't expected").focus()
    ran.keyboard.press("Space")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("✗ 200")
    view.get_by_label("Caller").select_option(EVIL)
    expect(rows).to_have_count(0)
    view.get_by_label("Mode").select_option("all")
    view.get_by_label("Only what wasn't expected").uncheck()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(EVIL)


# -- how it looks ----------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_reads_in_both_themes(ran: Page, screenshots: Path, theme: str) -> None:
    ran.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    light = str(theme.endswith("Light")).lower()
    expect(ran.locator("body")).to_have_attribute("data-jp-theme-light", light)
    widget(ran, 0).get_by_label("Claim").select_option("sub")
    widget(ran, 0).get_by_label("New value").fill("somebody else")
    widget(ran, 0).get_by_role("button", name="Change this claim").click()
    widget(ran, 2).get_by_label("Path").fill("/dev/other")
    expect(widget(ran, 2).locator("ins").first).to_be_visible()
    ran.set_viewport_size({"width": 1400, "height": 1800})
    for number in range(6):
        picture = screenshots / f"widget-{number}-{theme.split()[1].lower()}.png"
        widget(ran, number).screenshot(path=picture)
    contrasts = ran.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == []


def test_all_inputs_have_a_label(ran: Page) -> None:
    inputs = ran.locator(".jupyter-widgets").locator("input, select, textarea")
    assert inputs.count() > 12
    for number in range(inputs.count()):
        labels = inputs.nth(number).evaluate(
            "input => [...input.labels].map(label => label.textContent).join()"
        )
        assert labels.strip(), inputs.nth(number).evaluate("input => input.outerHTML")


def test_nothing_comes_from_elsewhere(ran: Page, lab_url: str, asked: list[str]) -> None:
    assert len(asked) > 10
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(lab_url).netloc}


def test_before_it_runs_the_texts_are_there(page: Page, lab_url: str, notebook: Path) -> None:
    open_notebook(page, lab_url, notebook)
    outputs = page.locator(".jp-OutputArea-output")
    expect(outputs).to_have_count(6)
    expect(page.locator(".jp-OutputArea .jupyter-widgets")).to_have_count(0)
    for number, text in enumerate(committed_texts()):
        assert outputs.nth(number).inner_text().split() == text.split()


def committed_texts() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return [
        "".join(output["data"]["text/plain"])
        for cell in cells
        for output in cell.get("outputs", [])
    ]
