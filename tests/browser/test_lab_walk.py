"""A learner's copy of task 4 in JupyterLab, done by a beginner: blanks, a wrong try, the hints, the right call."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from labkit.course.copies import make_copy
from labkit.course.exercises import exercise
from labkit.course.hints import solution_of
from tests.browser.conftest import ROOT
from tests.browser.test_predictions import run
from tests.browser.test_widgets import IDLE, open_notebook
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

MASTER = "lab/04-configure-the-cognito-authorizer.ipynb"
RUN_ALL = "() => void jupyterapp.commands.execute('notebook:run-all-cells')"
SOURCES = """() => jupyterapp.shell.currentWidget.content.widgets
    .map(cell => cell.model.type == "code" ? cell.model.sharedModel.getSource() : "")"""
COUNTS = """() => jupyterapp.shell.currentWidget.content.widgets
    .map(cell => cell.model.type == "code" ? cell.model.executionCount : 0)"""
SCOPE = "aws.cognito.signin.user.admin"


@pytest.fixture(scope="module")
def page(browser: Browser, lab_url: str, course: Path) -> Iterator[Page]:
    path = course / "notebooks" / "my-task-4.ipynb"
    path.write_bytes(make_copy(ROOT, MASTER).data)
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        open_notebook(page, lab_url, path)
        yield page


def place(page: Page, text: str) -> int:
    """The one code cell with this text, from 0."""
    [found] = [number for number, source in enumerate(page.evaluate(SOURCES)) if text in source]
    return found


def output(page: Page, number: int) -> Locator:
    return page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-Cell-outputArea")


def write(page: Page, task: str, text: str) -> None:
    """Write an exercise's cell with the keyboard, and run it as a learner does."""
    cell = page.locator(".jp-Notebook .jp-Cell").nth(place(page, f"# Task {task}:"))
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"# Task {task}: mine\n{text}")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(IDLE, timeout=PATIENCE * 1000)


def check(page: Page, task: str) -> Locator:
    number = place(page, f'lab.check("{task}")')
    run(page, number)
    return output(page, number)


def fill(task: str, *values: str) -> str:
    """An exercise's blanks, filled in one after the other."""
    parts = exercise(task).blank.split("____")
    return "".join(map("".join, zip(parts, [*values, ""], strict=True)))


def test_run_all_stops_at_the_first_blank(page: Page) -> None:
    page.evaluate(RUN_ALL)
    blank = place(page, "# Task 4.1:")
    expect(output(page, blank).get_by_role("alert")).to_contain_text("still has a blank")
    page.wait_for_function(IDLE, timeout=PATIENCE * 1000)
    assert not any(page.evaluate(COUNTS)[blank + 1 :])


def test_a_wrong_call_gets_its_sentence_and_hints_one_by_one(page: Page) -> None:
    pool = '"COGNITO_USER_POOLS"', "pool_arn"
    write(page, "4.1", fill("4.1", *pool, '"method.request.header.Token"'))
    card = check(page, "4.1")
    expect(card.get_by_role("alert")).to_contain_text(
        "The token source is method.request.header.Token"
    )
    solution = card.locator("details", has_text="The solution").last
    for number in (1, 2, 3, 4):
        hint = card.locator("summary", has_text=re.compile(f"^Hint {number} of 4$"))
        expect(solution).to_be_hidden()
        hint.focus()
        page.keyboard.press("Enter")
    solution.locator("summary").click()
    expect(solution.locator("pre")).to_have_text(solution_of("4.1"))


def test_the_right_call_after_it_is_taken(page: Page) -> None:
    away = 'apigateway.delete_authorizer(restApiId=api_id, authorizerId=authorizer["id"])'
    write(page, "4.1", f"{away}\n{solution_of('4.1')}")
    expect(check(page, "4.1")).to_contain_text("✓ Task 4.1 is done.")


def test_a_wrong_prediction_and_a_forgotten_deployment_are_answered(page: Page) -> None:
    fields = '"/authorizationType"', '"COGNITO_USER_POOLS"', '"/authorizerId"', 'authorizer["id"]'
    write(page, "4.2", fill("4.2", *fields, '"/authorizationScopes"', '"openid"'))
    expect(check(page, "4.2").get_by_role("alert")).to_contain_text("wants the scope openid")
    scopes = f'"add", "path": "/authorizationScopes", "value": "{SCOPE}"'
    wrong = '{"op": "remove", "path": "/authorizationScopes", "value": "openid"}'
    taken_away = solution_of("4.2").replace(f'{{"op": {scopes}}}', f'{{"op": {scopes}}}, {wrong}')
    write(page, "4.2", taken_away)
    expect(check(page, "4.2")).to_contain_text("✓ Task 4.2 is done.")

    asked = place(page, 'labkit.predict("04.draft")')
    run(page, asked)
    output(page, asked).get_by_role("button", name="401").click()
    expect(output(page, asked).get_by_role("status")).to_have_text("You say: 401.")
    answered = place(page, 'labkit.reveal("04.draft"')
    run(page, answered)
    expect(output(page, answered)).to_contain_text("✗ You said 401. The answer is 200.")

    expect(check(page, "4.3").get_by_role("alert")).to_contain_text("older than your edit")
    write(page, "4.3", solution_of("4.3"))
    expect(check(page, "4.3")).to_contain_text("✓ Task 4.3 is done.")
