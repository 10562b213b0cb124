"""Everything that labkit shows, looked at by axe-core in both themes: no serious and no critical finding.

axe-core (https://github.com/dequelabs/axe-core) knows the rules of WCAG, contrast included.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_widgets import FOCUS_SHOWS, NOTEBOOK, open_notebook
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

MORE = (
    """
from labkit.journey import Code
route = Step("route", "pass", "GET /demo is deployed")
still_open = Step("authorizer", "skip", "open to everybody", code=Code.AUTHORIZATION_NONE)
answer = Step("integration", "pass", "hello answered 403")
passed = Journey("3", "GET", "/dev/demo", 403, [steps[0], route, still_open, answer])
refused
""",
    "passed",
    "passed.beside(refused)",
    "journey_view([passed, refused])",
    """
import labkit
from labkit.throttle import TokenBucket
labkit.plots.burst(labkit.simulate([0, 0, 0, 1, 2], TokenBucket(1, 2)))
""",
    """
labkit.widgets.throttle_explorer("https://x.execute-api.us-east-1.amazonaws.com", lab=None, apply=print)
""",
    'labkit.predict("04.draft")',
    'labkit.reveal("04.draft", 200)',
    'labkit.quiz("04")',
    'labkit.explain("Missing Authentication Token")',
    "from labkit.tokens import decode; decode(inspector.token.value)",
    """
from labkit.course.checks.missing import Done
Done("4.1", "There is an authorizer.")
""",
    """
from labkit.course.progress import Progress
from labkit.course.progress_map import ProgressMap
from labkit.state_directory import state_directory
ProgressMap(Progress(state_directory()).read())
""",
    """
from labkit.course.architecture import _BOXES, Architecture
Architecture({part: part != "user" for parts in _BOXES.values() for part in [*parts, "function"]})
""",
    """
from botocore.credentials import Credentials
key = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
url = "https://x.execute-api.us-east-1.amazonaws.com/dev/demo"
signature = labkit.sigv4.sign("GET", url, credentials=key, region="us-east-1")
signature
""",
    """
from labkit.sigv4.mismatch import compare_canonical_requests
one = signature.canonical_request
compare_canonical_requests(one, one.replace("/dev/demo", "/dev/other"))
""",
)
"""What the notebook of the widgets' tests hasn't got."""

NOT_OURS = {
    "aria-input-field-name": '<div class="noUi-handle ',
    "image-alt": '<img src="data:image/png;',
    "link-in-text-block": '<a href="https://cognito-idp.',
}
"""Rule → how the element begins that labkit has no say in.

The handle of ipywidgets' slider: its name and its value stand beside it. A picture as JupyterLab shows it, whose
metadata hold an alternative text in vain: its words are printed below it. An address in plain text, of which
JupyterLab makes a link.
"""

CONTROLS = """[...document.querySelectorAll(".jp-OutputArea-output :is(button, input, select, "
    + "textarea, summary, a, [role=slider])")].filter(one => !one.disabled && one.checkVisibility())"""

CUT = """() => [...document.querySelectorAll(".jp-OutputArea-output")]
    .filter(output => output.scrollWidth > output.clientWidth + 1)
    .map(output => `${output.scrollWidth} > ${output.clientWidth}: ${output.innerText.slice(0, 80)}`)"""

AXE = """async () => {
    const outputs = [...document.querySelectorAll(".jp-Notebook .jp-OutputArea-output")];
    const {violations, passes} = await axe.run({include: outputs});
    const contrast = passes.find(one => one.id == "color-contrast");
    globalThis.readable = contrast ? contrast.nodes.length : 0;
    return violations
        .filter(one => one.impact == "serious" || one.impact == "critical")
        .flatMap(one => one.nodes.map(node => [one.id, node.html, node.failureSummary]));
}"""


@pytest.fixture(scope="module")
def axe(lacking: Callable[[str], NoReturn]) -> str:
    """The source of axe-core, which .ci/run installs."""
    source = Path(os.environ.get("LABKIT_NODE_MODULES", "/nowhere"), "axe-core", "axe.min.js")
    if not source.is_file():
        lacking(
            "axe-core is missing: 'npm install --prefix DIRECTORY axe-core', and set "
            "LABKIT_NODE_MODULES=DIRECTORY/node_modules"
        )
    return source.read_text("utf-8")


@pytest.fixture(scope="module")
def page(browser: Browser, lab_url: str, course: Path, axe: str) -> Iterator[Page]:
    """A notebook with everything in it, run."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"][:-1]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = [new_code_cell(source.strip()) for source in (*code, *MORE)]
    path = course / "notebooks" / "accessibility.ipynb"
    nbformat.write(new_notebook(cells=made, metadata=kernel), path)
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        opened = context.new_page()
        open_notebook(opened, lab_url, path)
        opened.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        outputs = opened.locator(".jp-OutputArea-output")
        last = outputs.filter(has_text="The first difference is the")
        expect(last).to_be_visible(timeout=PATIENCE * 1000)
        expect(opened.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
        # axe can't tell the contrast of what is scrolled out of sight, so nothing is.
        height = opened.locator(".jp-Notebook .jp-Cell").last.evaluate("cell => cell.offsetTop")
        opened.set_viewport_size({"width": 1280, "height": height + 800})
        opened.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
        # Nor of what is in a box of no height that hides what is outside of it: JupyterLab's body is one.
        opened.evaluate("() => { document.body.style.height = '100vh'; }")
        opened.evaluate(axe)
        yield opened


def findings(page: Page) -> list[Any]:
    """Rule, element and reason of each; without what isn't labkit's."""
    found: list[Any] = page.evaluate(AXE)
    named = [one for one in found if not one[1].startswith(NOT_OURS.get(one[0], one[1] + "!"))]
    assert {one[0] for one in found if one not in named} == set(NOT_OURS), (
        "one isn't needed any more"
    )
    return named


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(page: Page, theme: str) -> None:
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    light = str(theme.endswith("Light")).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)  # it fades over the page
    found = findings(page)
    assert found == [], "\n".join(map(str, found))
    assert page.evaluate("() => globalThis.readable") > 300, "texts whose contrast was measured"


def test_the_keyboard_reaches_every_control_and_the_focus_is_seen(page: Page) -> None:
    page.locator(".jp-OutputArea-output button").last.scroll_into_view_if_needed()
    wanted: int = page.evaluate(f"() => ({CONTROLS}).length")
    page.evaluate(f"() => ({CONTROLS})[0].focus()")
    reached, unseen = set(), []
    for _ in range(2 * wanted):  # between two outputs there are JupyterLab's own
        number: int = page.evaluate(f"() => ({CONTROLS}).indexOf(document.activeElement)")
        if number >= 0 and number not in reached:
            reached.add(number)
            if not page.evaluate(FOCUS_SHOWS):
                unseen.append(page.evaluate("() => document.activeElement.outerHTML"))
        page.keyboard.press("Tab")
    assert unseen == []
    assert len(reached) == wanted > 60


def test_nothing_is_cut_at_900_pixels(page: Page) -> None:
    whole = page.viewport_size
    assert whole
    page.set_viewport_size({"width": 900, "height": whole["height"]})
    side_bar = "() => jupyterapp.commands.execute('application:toggle-left-area')"
    page.evaluate(side_bar)
    page.wait_for_timeout(500)  # JupyterLab lays itself out anew
    try:
        assert page.evaluate(CUT) == []
    finally:
        page.evaluate(side_bar)
        page.set_viewport_size(whole)


def test_axe_would_find_something(page: Page) -> None:
    """Two plain faults, so that a test of nothing can't pass."""
    page.locator(".jp-OutputArea-output").last.evaluate(
        """output => output.insertAdjacentHTML("beforeend",
            "<div class='bad'><img src='data:,x'><p style='color:#888;background:#999'>some words</p></div>")"""
    )
    try:
        assert {rule for rule, *_more in findings(page)} == {"image-alt", "color-contrast"}
    finally:
        page.locator(".bad").evaluate("one => one.remove()")
