"""Two tabs on one cloud: when one moves the lab's clock, a click in the other still works, and its next cell tells."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_predictions import run
from tests.browser.test_widgets import open_notebook, widget

pytestmark = pytest.mark.slow

START = "import labkit\nlab = labkit.start()"
WIDGET = """
import boto3, ipywidgets
sts, said = boto3.client("sts"), ipywidgets.HTML()

def ask(_button):
    try:
        said.value = "It is " + sts.get_caller_identity()["Account"]
    except Exception as error:
        said.value = str(error)

button = ipywidgets.Button(description="Who am I?")
button.on_click(ask)
ipywidgets.VBox([button, said])
"""
WIDGET_TAB = (START, WIDGET, "print('next')")
CLOCK_TAB = (START, "lab.clock.advance(hours=1)")


def open_tab(page: Page, lab_url: str, path: Path, cells: tuple[str, ...]) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[new_code_cell(one) for one in cells], metadata=kernel)
    nbformat.write(notebook, path)
    open_notebook(page, lab_url, path)


def test_a_click_follows_the_clock_of_the_other_tab(
    browser: Browser, lab_url: str, course: Path
) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        one, other = context.new_page(), context.new_page()
        open_tab(one, lab_url, course / "notebooks" / "widget-tab.ipynb", WIDGET_TAB)
        run(one, 0)
        run(one, 1)
        open_tab(other, lab_url, course / "notebooks" / "clock-tab.ipynb", CLOCK_TAB)
        run(other, 0)
        run(other, 1)
        expect(other.locator(".jp-OutputArea-output").last).to_contain_text("moved 1 h ahead")
        one.bring_to_front()
        widget(one, 0).get_by_role("button", name="Who am I?").click()
        expect(widget(one, 0)).to_contain_text("It is 123456789012")
        run(one, 2)
        expect(one.locator(".jp-OutputArea-output").last).to_contain_text(
            "Another notebook moved the lab's clock 1 h ahead."
        )
