"""What JupyterLab writes into a copy that somebody opens is no work of theirs; what they run and save is."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from labkit.course.copies import digest, make_copy
from tests.browser.test_widgets import open_notebook
from tests.support.patience import PATIENCE
from tests.support.small_course import write_master

pytestmark = pytest.mark.slow

SAVE = "() => jupyterapp.commands.execute('docmanager:save')"
RUN = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
RAN = """() => jupyterapp.shell.currentWidget.content.widgets
    .some(cell => cell.model.type == "code" && cell.model.outputs.length)"""


def test_to_open_a_copy_is_no_work_and_to_run_it_is(
    browser: Browser, lab_url: str, course: Path, tmp_path: Path
) -> None:
    write_master(tmp_path, "one.ipynb", ["1 + 1"])
    copy = make_copy(tmp_path, "one.ipynb")
    path = course / "notebooks" / "a-copy.ipynb"
    path.write_bytes(copy.data)
    with browser.new_context() as context:
        page = context.new_page()
        open_notebook(page, lab_url, path)
        page.evaluate(SAVE)
        assert b'"nbconvert_exporter"' in path.read_bytes(), (
            "JupyterLab notes its kernel's language"
        )
        assert digest(path.read_bytes()) == digest(copy.data)
        page.evaluate(RUN)
        page.wait_for_function(RAN, timeout=PATIENCE * 1000)
        page.evaluate(SAVE)
        assert digest(path.read_bytes()) != digest(copy.data)
