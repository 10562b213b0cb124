"""The widgets where they teach: in the course's own notebooks, used by clicking and typing."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from labkit.journey import GATES
from tests.browser.conftest import PICTURES_WANTED
from tests.browser.test_jupyterlab import CELLS, address
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

RUN = """async ([command, index]) => {
    jupyterapp.shell.currentWidget.content.activeCellIndex = index;
    await jupyterapp.commands.execute(command);
}"""
SAVE = """async () => {
    await jupyterapp.commands.execute("docmanager:save");
    return !jupyterapp.shell.currentWidget.context.model.dirty;
}"""
TWIN = """index => jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()
    .map(output => output.data["text/plain"]).join("")"""
PRINTED = """index => jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()
    .map(output => output.text).join("")"""
VALUE = """async code => {
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    const asked = kernel.requestExecute({code, store_history: false});
    let printed = "";
    asked.onIOPub = message => { printed += message.content.text ?? ""; };
    await asked.done;
    return printed;
}"""

Read = Callable[[str, str], "Reader"]


class Reader:
    """A learner who reads a notebook down to a widget, uses it, and reads on.

    Attributes:
        page: JupyterLab.
        view: the widget.
    """

    def __init__(self, page: Page, file: Path, call: str) -> None:
        cells = json.loads(file.read_text("utf-8"))["cells"]
        self.page, self._file = page, file
        self._sources = ["".join(cell["source"]) for cell in cells]
        self._index = self._cell(call)
        page.wait_for_function(f"() => ({CELLS})().idle", timeout=PATIENCE * 1000)
        self._run("notebook:run-all-above", self._index + 1)
        code = sum(cell["cell_type"] == "code" for cell in cells[: self._index + 1])
        self._wait(f"now.counts.slice(0, {code}).every(count => count > 0)")
        asking = re.compile(r"labkit\.(predict|recall|quiz)\(")
        questions = sum(map(bool, map(asking.search, self._sources[: self._index])))
        views = page.locator(".jp-OutputArea-output > .widget-vbox")
        expect(views).to_have_count(questions + 1)
        self.view = views.nth(questions)

    def read_on(self) -> list[Any]:
        """Run the rest of the notebook.

        Returns:
            The outputs that are errors.
        """
        self._run("notebook:run-all-below", self._index + 1)
        self._wait("now.counts.every(count => count > 0)")
        errors: list[Any] = self.page.evaluate(CELLS)["errors"]
        return errors

    def twin(self) -> str:
        """The widget's text, as the notebook keeps it."""
        text: str = self.page.evaluate(TWIN, self._index)
        return text

    def run_cell(self, code: str) -> str:
        """Run the first cell that has this code, and what it printed."""
        index = self._cell(code)
        self._run("notebook:run-cell", index)
        self.page.wait_for_function(f"() => ({CELLS})().idle", timeout=PATIENCE * 1000)
        printed: str = self.page.evaluate(PRINTED, index)
        return printed

    def value_of(self, expression: str) -> str:
        """What a learner sees who prints it in a cell of their own, and copies it."""
        value: str = self.page.evaluate(VALUE, f"print({expression}, end='')")
        return value

    def settle(self) -> None:
        """Wait until the kernel has answered what the learner has done in the widget."""
        self.value_of("''")

    def saved(self) -> str:
        """What is in the file after the learner pressed *Save*."""
        assert self.page.evaluate(SAVE)
        return self._file.read_text("utf-8")

    def _cell(self, code: str) -> int:
        return next(n for n, source in enumerate(self._sources) if code in source)

    def _run(self, command: str, index: int) -> None:
        self.page.evaluate(RUN, [command, index])

    def _wait(self, condition: str) -> None:
        ready = f"() => {{ const now = ({CELLS})(); return now.errors.length || now.idle && ({condition}); }}"
        self.page.wait_for_function(ready, timeout=PATIENCE * 1000)
        assert self.page.evaluate(CELLS)["errors"] == []


@pytest.fixture
def read(browser: Browser, lab_url: str, course: Path) -> Iterator[Read]:
    """Opens a notebook and runs it down to the first cell with this call, which makes a widget."""
    contexts = []

    def opened(notebook: str, call: str) -> Reader:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.goto(address(lab_url, notebook))
        return Reader(page, course / "notebooks" / notebook, call)

    yield opened
    for context in contexts:
        context.close()


def in_both_themes(page: Page, view: Locator, path: Path) -> None:
    """Pictures to look at, if somebody wants to."""
    if not PICTURES_WANTED:
        return
    page.set_viewport_size({"width": 1400, "height": 1800})
    for theme in ("Dark", "Light"):
        page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        light = str(theme == "Light").lower()
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)  # it fades over the page
        view.screenshot(path=path.with_name(f"{path.name}-{theme.lower()}.png"))


def missing(twin: str, shown: str) -> set[str]:
    """The words of a text twin that the widget doesn't show."""
    said, seen = (
        {word.strip("✓✗·←≠?:,") for word in text.casefold().split()} for text in (twin, shown)
    )
    return said - seen


def every_gate(view: Locator) -> str:
    """What the journey view says, gate after gate, in each of its journeys."""
    said = [view.inner_text()]
    for fold in view.get_by_role("button", name="nothing to check at").all():
        fold.click()
    for gate in GATES[1:]:
        for button in view.get_by_role("button", name=gate).all():
            button.click()
            expect(view.get_by_role("status").filter(has_text=gate).first).to_be_visible()
            said += view.get_by_role("status").all_inner_texts()
    return "\n".join(said)


# -- the token inspector in modes/cognito-user-pool ---------------------------------------------


def test_a_token_is_forged_pasted_and_outlives_nothing(read: Read, screenshots: Path) -> None:
    reader = read("modes/cognito-user-pool.ipynb", "token_inspector(")
    view, page = reader.view, reader.page
    token, alone = view.get_by_label("Token"), view.get_by_role("status")
    answers = view.get_by_role("table", name="Who takes it")
    expect(alone).to_contain_text("access token: about 1 h left of 1 h")
    expect(answers).to_contain_text("✓ the signature is the issuer's")
    assert missing(reader.twin(), view.inner_text()) == set()
    access = token.input_value()

    view.get_by_label("Claim").select_option("scope")
    expect(view.get_by_label("New value")).to_have_value("aws.cognito.signin.user.admin")
    view.get_by_label("New value").fill("orders/read")
    view.get_by_role("button", name="Change this claim").click()
    expect(answers).to_contain_text("✗ The token's signature doesn't fit its content.")
    expect(answers.get_by_text(re.compile("^✗"))).to_have_count(4)
    expect(view.get_by_role("table", name="Claims")).to_contain_text("✎ changed: orders/read")
    in_both_themes(page, view, screenshots / "notebook-token-inspector")
    assert reader.run_cell("inspector.token.value") == "GET /profile  401\nGET /orders   401\n"

    view.get_by_role("button", name="Undo the change").click()
    expect(token).to_have_value(access)
    token.fill(reader.value_of("ana['IdToken']"))
    expect(alone).to_contain_text("ID token: about 1 h left of 1 h")
    for who, mark in (("without scopes", "✓ passes"), ("with aws.cognito.signin", "✗ 401")):
        expect(answers.get_by_role("row").filter(has_text=who)).to_contain_text(mark)
    assert reader.run_cell("inspector.token.value") == "GET /profile  200\nGET /orders   401\n"
    assert not re.search(r"eyJ[\w-]+\.[\w-]+", reader.saved()), "a token is in the saved notebook"

    assert reader.read_on() == []
    view.get_by_role("button", name="Look at the clock again").click()
    expect(alone).to_contain_text("ID token: expired")


# -- the signature steps in modes/iam-sigv4 -----------------------------------------------------


def test_the_lines_of_a_signature_move(read: Read, screenshots: Path) -> None:
    reader = read("modes/iam-sigv4.ipynb", "signature_steps(")
    view = reader.view
    assert missing(reader.twin(), view.inner_text()) == set()

    def touched() -> list[str]:
        """The first character of each step that has a changed line."""
        reader.settle()
        steps = view.locator("section")
        texts = [steps.nth(number).inner_text() for number in range(steps.count())]
        return [text.strip()[0] for text in texts if "● changed" in text.splitlines()[0]]

    back = view.get_by_role("button", name="Back to the first request")
    assert touched() == []
    view.get_by_label("Method").select_option("POST")
    expect(view.locator("ins").first).to_have_text("POST")
    assert touched() == ["1", "2", "4", "s"], "not the key"
    in_both_themes(reader.page, view, screenshots / "notebook-signature-steps")
    back.click()
    expect(view.locator("ins")).to_have_count(0)

    for label, typed, moved in (
        ("Path", "/dev/stocks", ["1", "2", "4", "s"]),
        ("Query", "item=7&page=3", ["1", "2", "4", "s"]),
        ("Header", "x-demo: 1", ["1", "2", "4", "s"]),
        ("Secret key", "another secret", ["3", "4", "s"]),
        ("Clock", "2013-05-24T00:01:00Z", ["1", "2", "4", "s"]),
        ("Clock", "2013-05-25T00:00:00Z", ["1", "2", "3", "4", "s"]),
    ):
        view.get_by_label(label).fill(typed)
        expect(view.locator("ins")).not_to_have_count(0)
        assert touched() == moved, label
        back.click()
        expect(view.locator("ins")).to_have_count(0)

    view.get_by_label("Query").fill("item=7&page=2")
    expect(view.get_by_label("Query")).to_have_value("item=7&page=2")
    view.get_by_label("Header").fill("nothing")
    expect(view.get_by_role("alert")).to_have_text("The header isn't one: write it as name: value.")
    back.click()
    expect(view.get_by_role("alert")).to_have_count(0)
    assert reader.read_on() == []


# -- the journey views in lab/04 and modes/lambda-authorizer ------------------------------------


def test_the_same_call_before_and_after_the_deployment(read: Read, screenshots: Path) -> None:
    reader = read("lab/04-configure-the-cognito-authorizer.ipynb", "journey_view(")
    view, twin = reader.view, reader.twin()
    first, second = (view.get_by_role("status").nth(number) for number in range(2))
    expect(view).to_contain_text("First difference (≠): the gate authorizer.")
    expect(first).to_contain_text("the method is open to everybody")
    expect(second).to_contain_text("✗ authorizer: stopped here")
    expect(second).to_contain_text("there is no token in the Authorization header")
    view.get_by_role("button", name="integration").last.click()
    expect(second).to_contain_text("not reached: the request was stopped at the gate authorizer")
    in_both_themes(reader.page, view, screenshots / "notebook-journeys")
    assert missing(twin, every_gate(view)) == set()
    assert reader.read_on() == []


def test_nine_answers_of_a_lambda_authorizer(read: Read, screenshots: Path) -> None:
    reader = read("modes/lambda-authorizer.ipynb", "journey_view(")
    view = reader.view
    requests, status = (
        view.get_by_role("button", name=re.compile(r"^(● )?\d\. ")),
        view.get_by_role("status"),
    )
    expect(requests).to_have_count(9)
    reasons = []
    for number, line in enumerate(reader.twin().splitlines()[:9]):
        requests.nth(number).click()
        reader.settle()  # the answer brings buttons of its own
        expect(view.locator("b").first).to_contain_text(line.partition(". ")[2].partition(":")[0])
        view.get_by_role("button", name=re.compile("^. authorizer$")).click()
        expect(status).to_contain_text(line.partition(": authorizer: ")[2])
        reasons.append(status.inner_text())
    assert len(set(reasons[4:])) == 4, "five times 500, for four reasons"
    in_both_themes(reader.page, view, screenshots / "notebook-nine-journeys")
    assert reader.read_on() == []


# -- who may call in modes/choosing-a-mode ------------------------------------------------------


def test_the_matrix_is_asked_who_may_call_what(read: Read, screenshots: Path) -> None:
    reader = read("modes/choosing-a-mode.ipynb", "who_may_call(")
    view, rows = reader.view, reader.view.locator("tbody tr")
    summary, *table = reader.twin().splitlines()
    expect(rows).to_have_count(len(table) - 1)
    assert missing("\n".join(table), view.inner_text()) == set()
    status = view.get_by_role("status")
    expect(status).to_have_text(summary)
    in_both_themes(reader.page, view, screenshots / "notebook-who-may-call")

    view.get_by_label("Caller").select_option("ana/access")
    expect(rows).to_have_count(sum(line.startswith("ana/access ") for line in table))
    view.get_by_label("Mode").select_option("Cognito")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("without scopes: not the access token")
    expect(status).to_have_text("1 call: 1 answered as expected")
    view.get_by_label("Only what wasn't expected").check()
    expect(rows).to_have_count(0)
    view.get_by_label("Caller").select_option("all")
    view.get_by_label("Mode").select_option("all")
    expect(rows).to_have_count(0)
    view.get_by_label("Only what wasn't expected").uncheck()
    expect(rows).to_have_count(len(table) - 1)
    assert reader.read_on() == []
