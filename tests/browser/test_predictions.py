"""A prediction in JupyterLab: asked, answered by mouse or keyboard, and answered back."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_widgets import open_notebook, widget

pytestmark = pytest.mark.slow

CELLS = (
    'import labkit\n\nlabkit.predict("04.draft")',
    'labkit.reveal("04.draft", 200)',
    'labkit.predict("04.deployed")',
    'labkit.reveal("04.deployed", 401)',
)


@pytest.fixture(scope="module")
def page(browser: Browser, lab_url: str, course: Path) -> Iterator[Page]:
    path = course / "notebooks" / "predictions.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [new_code_cell(source) for source in CELLS]
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        open_notebook(page, lab_url, path)
        yield page


def run(page: Page, number: int) -> None:
    """Run one cell, from 0."""
    page.evaluate(
        """async number => {
            jupyterapp.shell.currentWidget.content.activeCellIndex = number;
            await jupyterapp.commands.execute("notebook:run-cell");
        }""",
        number,
    )


def test_a_wrong_answer_is_clicked_and_gets_its_own_sentence(page: Page) -> None:
    run(page, 0)
    question = widget(page, 0)
    expect(question).to_contain_text("Which status comes back?")
    question.get_by_role("button", name="401").click()
    expect(question.get_by_role("status")).to_have_text("You say: 401.")
    run(page, 1)
    answer = page.locator(".jp-OutputArea-output [role=status]").last
    expect(answer).to_contain_text("✗ You said 401. The answer is 200.")
    expect(answer).to_contain_text("You closed the draft.")
    question.get_by_role("button", name="200").click()
    expect(question.get_by_role("alert")).to_contain_text("your first one counts")


def test_the_keyboard_is_enough(page: Page) -> None:
    run(page, 2)
    question = widget(page, 1)
    question.get_by_role("button", name="200").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(question.get_by_role("status")).to_have_text("You say: 401.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_have_text("You say: 200.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_have_text("You say: 401.")
    run(page, 3)
    answer = page.locator(".jp-OutputArea-output [role=status]").last
    expect(answer).to_contain_text("✓ You said 401, and that is right.")
