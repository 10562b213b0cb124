"""Every notebook runs in JupyterLab, as a learner has it: one tab, one cloud for all; here in reverse order.

nbval runs each notebook on a cloud of its own, so what this order shows is that none needs another before it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PICTURES_WANTED
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(
    path.relative_to(ROOT / "notebooks").as_posix()
    for path in (ROOT / "notebooks").glob("**/*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)

# JupyterLab draws only the cells in view; its model knows them all.
CELLS = """() => {
    const panel = globalThis.jupyterapp?.shell.currentWidget;
    if (!panel?.content?.widgets) return {idle: false};
    const cells = panel.content.widgets.map(cell => cell.model).filter(cell => cell.type == "code");
    return {
        path: panel.context.path,
        idle: panel.sessionContext.session?.kernel?.status == "idle",
        counts: cells.map(cell => cell.executionCount),
        errors: cells.flatMap(cell => cell.outputs.toJSON())
            .filter(output => output.output_type == "error" || output.name == "stderr"),
    };
}"""
RAN = (
    f"() => {{ const now = ({CELLS})();"
    " return now.idle && (now.errors.length || now.counts.every(count => count > 0)); }"
)
READY = "() => globalThis.jupyterapp?.commands.hasCommand('docmanager:open')"
OPEN = "path => jupyterapp.commands.execute('docmanager:open', {path})"
CLOSE = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.sessionContext.shutdown();
    panel.dispose();
}"""


def address(lab_url: str, notebook: str) -> str:
    """A notebook in a workspace of its own, where no earlier tab is open."""
    workspace = re.sub(r"\W", "-", notebook)
    path = f"/lab/workspaces/{workspace}/tree/{notebook}"
    return urlsplit(lab_url)._replace(path=path).geturl()


@pytest.fixture(scope="module")
def jupyterlab(browser: Browser, lab_url: str) -> Iterator[Page]:
    """The tab that `python3 -m labkit` opens."""
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        page = context.new_page()
        page.goto(lab_url)
        page.wait_for_function(READY, timeout=PATIENCE * 1000)
        yield page


def test_it_opens_on_the_first_notebook(jupyterlab: Page, lab_url: str, screenshots: Path) -> None:
    assert "/lab/tree/00-start-here.ipynb?token=" in lab_url
    expect(jupyterlab.locator(".jp-NotebookPanel .jp-MarkdownOutput h1").first).to_be_visible(
        timeout=PATIENCE * 1000
    )
    jupyterlab.screenshot(path=screenshots / "first-view.png")
    current = jupyterlab.locator("#jp-main-dock-panel .lm-mod-current .lm-TabBar-tabLabel")
    expect(current).to_have_text("00-start-here.ipynb")


@pytest.mark.parametrize("name", NAMES[::-1])
def test_every_cell_runs(jupyterlab: Page, screenshots: Path, name: str) -> None:
    page = jupyterlab
    page.evaluate(OPEN, name)
    opened = f"path => {{ const now = ({CELLS})(); return now.idle && now.path == path; }}"
    page.wait_for_function(opened, arg=name, timeout=PATIENCE * 1000)

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(RAN, timeout=PATIENCE * 1000)

    cells = page.evaluate(CELLS)
    if PICTURES_WANTED:
        take_picture(page, screenshots / f"{name.replace('/', '-').removesuffix('.ipynb')}.png")
    assert cells["errors"] == []
    assert cells["counts"] == list(range(1, len(cells["counts"]) + 1))
    failed = page.get_by_text(re.compile("Error displaying widget|Javascript Error"))
    expect(failed).to_have_count(0)
    by_itself = page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()
    assert by_itself == [], "neither a question nor a piece of news comes"
    page.evaluate(CLOSE)


def take_picture(page: Page, path: Path) -> None:
    """Of the whole notebook: JupyterLab scrolls inside its page, so the window grows instead."""
    page.keyboard.press("Control+B")  # no side bar
    for _ in range(2):  # text breaks differently without the side bar
        height = page.locator(".jp-Notebook:visible .jp-Cell").last.evaluate(
            "cell => cell.offsetTop + cell.offsetHeight"
        )
        page.set_viewport_size({"width": 1400, "height": min(height + 200, 12_000)})
        page.wait_for_timeout(300)
    page.locator(".jp-WindowedPanel-outer:visible").evaluate("panel => panel.scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    page.keyboard.press("Control+B")
    page.set_viewport_size({"width": 1400, "height": 1000})
