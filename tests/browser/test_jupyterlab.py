"""Every notebook runs in JupyterLab, in a browser, from the first cell to the last."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.patience import PATIENCE

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


def address(lab_url: str, notebook: str) -> str:
    """A notebook in a workspace of its own, where no earlier tab is open."""
    workspace = re.sub(r"\W", "-", notebook)
    path = f"/lab/workspaces/{workspace}/tree/notebooks/{notebook}"
    return urlsplit(lab_url)._replace(path=path).geturl()


def test_it_opens_on_the_first_notebook(page: Page, lab_url: str, screenshots: Path) -> None:
    assert "/lab/tree/notebooks/00-start-here.ipynb?token=" in lab_url
    page.goto(lab_url)
    expect(page.locator(".jp-NotebookPanel .jp-MarkdownOutput h1").first).to_be_visible(
        timeout=PATIENCE * 1000
    )
    page.wait_for_timeout(3000)  # a dialog or a piece of news would come by itself
    page.screenshot(path=screenshots / "first-view.png")
    expect(page.locator("#jp-main-dock-panel .lm-mod-current .lm-TabBar-tabLabel")).to_have_text(
        "00-start-here.ipynb"
    )
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_cell_runs(page: Page, lab_url: str, screenshots: Path, name: str) -> None:
    page.goto(address(lab_url, name))
    page.wait_for_function(f"() => ({CELLS})().idle", timeout=PATIENCE * 1000)

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(RAN, timeout=PATIENCE * 1000)

    cells = page.evaluate(CELLS)
    take_picture(page, screenshots / f"{name.replace('/', '-').removesuffix('.ipynb')}.png")
    assert cells["errors"] == []
    assert cells["counts"] == list(range(1, len(cells["counts"]) + 1))
    expect(page.get_by_text(re.compile("Error displaying widget|Javascript Error"))).to_have_count(
        0
    )


def take_picture(page: Page, path: Path) -> None:
    """Of the whole notebook: JupyterLab scrolls inside its page, so the window grows instead."""
    page.keyboard.press("Control+B")  # no side bar
    for _ in range(2):  # text breaks differently without the side bar
        height = page.locator(".jp-Notebook .jp-Cell").last.evaluate(
            "cell => cell.offsetTop + cell.offsetHeight"
        )
        page.set_viewport_size({"width": 1400, "height": min(height + 200, 12_000)})
        page.wait_for_timeout(300)
    page.locator(".jp-WindowedPanel-outer").first.evaluate("panel => panel.scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(path=path)
